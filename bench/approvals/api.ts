import { decideApart } from '../../activities/approval/decision';
import { createApp } from '../../api/app';
import { createLogger } from '../../runtime/logger';
import { createMetrics } from '../../runtime/metrics';
import { businessClock } from '../../runtime/business-clock';
import { type BenchStack } from '../process/stack';

export interface BenchApi {
  /** A request of a person; throws where it is not answered 200. */
  send(userId: string, request: { readonly method: 'GET' | 'POST'; readonly url: string; readonly body?: unknown }): Promise<unknown>;
  close(): Promise<void>;
}

/** The API as it is served, in this process; requests go in without a network. */
export async function startBenchApi({ db, client, config }: BenchStack): Promise<BenchApi> {
  const log = createLogger({ level: 'warn', format: 'json' });
  const deps = {
    config,
    db,
    temporal: client,
    clock: businessClock(db, config),
    log,
    metrics: createMetrics(),
    decideApart: decideApart({ db }),
  };
  const app = await createApp({ ...deps, updateTimeoutMs: 60_000, requestsPerMinute: 1_000_000, keepDevKey: false });
  const tokens = new Map<string, string>();
  const tokenOf = async (userId: string): Promise<string> => {
    const answer = await app.inject({ method: 'POST', url: '/v1/dev/token', payload: { userId } });
    const { token } = answer.json<{ token: string }>();
    tokens.set(userId, token);
    return token;
  };
  return {
    send: async (userId, { method, url, body }) => {
      const authorization = `Bearer ${tokens.get(userId) ?? (await tokenOf(userId))}`;
      const answer = await app.inject({
        method,
        url,
        headers: { authorization },
        ...(body === undefined ? {} : { payload: body as object }),
      });
      if (answer.statusCode !== 200) throw new Error(`${method} ${url} was answered ${answer.statusCode}: ${answer.body.slice(0, 300)}`);
      return answer.json<unknown>();
    },
    close: () => app.close(),
  };
}
