import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { type ReplayWorkerOptions, Worker } from '@temporalio/worker';
import { historyFromJSON } from '@temporalio/common/lib/proto-utils';
import { type Logger } from '../runtime/logger';
import { OperatorError } from '../runtime/operator-error';
import * as lifecycles from '../workflows/index';
import { type WorkflowBundle } from './bundle';

/** Histories of every workflow type and shape that ever shipped (I-14). */
export const CORPUS = resolve(__dirname, 'replay-corpus');

export interface ReplayFailure {
  readonly name: string;
  readonly error: Error;
}

export interface NamedHistory {
  readonly workflowId: string;
  readonly history: ReturnType<typeof historyFromJSON>;
}

/** Builds that the committed histories let through in this process: they do so again. */
const passed = new Map<string, number>();

/** Lets a build be released, or throws, see `gate`; the committed histories are replayed once for each build. */
export async function passReplayGate(bundle: WorkflowBundle, log: Pick<Logger, 'error'>): Promise<number> {
  const replayed = passed.get(bundle.buildId) ?? (await gate(bundle, corpus(), log));
  passed.set(bundle.buildId, replayed);
  return replayed;
}

/**
 * Lets a build be released, or throws: every history replays on it, and there is one of each workflow type, because a gate without
 * histories holds nothing back. Each history that fails is logged. Gives the number of histories that were replayed.
 */
export async function gate(bundle: WorkflowBundle, histories: NamedHistory[], log: Pick<Logger, 'error'>): Promise<number> {
  const missing = typesWithout(histories);
  if (missing.length > 0)
    throw new OperatorError(
      `The replay corpus has no history of ${missing.join(', ')}: build ${bundle.buildId} is not released; \`npm run histories:capture\``,
    );
  const { replayed, failures } = await replayCorpus(bundle, histories);
  for (const { name, error } of failures) log.error({ history: name, err: error }, 'a history that shipped does not replay on this build');
  if (failures.length > 0)
    throw new OperatorError(`${failures.length} of ${replayed} histories do not replay: build ${bundle.buildId} is not released`);
  return replayed;
}

/** The workflow types of this code that have no history. */
function typesWithout(histories: readonly NamedHistory[]): string[] {
  const kept = new Set(
    histories.map(({ history }) => history.events?.[0]?.workflowExecutionStartedEventAttributes?.workflowType?.name ?? ''),
  );
  return Object.keys(lifecycles).filter((type) => !kept.has(type));
}

/** Replays the committed histories on a bundle; an empty list means that every run that ever shipped goes on with this code. */
export async function replayCorpus(
  bundle: Pick<WorkflowBundle, 'codePath'>,
  histories = corpus(),
): Promise<{ replayed: number; failures: ReplayFailure[] }> {
  const failures: ReplayFailure[] = [];
  let replayed = 0;
  // The SDK's default here is debug mode, whose promise hooks would stay in this process and slow every promise of it.
  const options = { workflowBundle: { codePath: bundle.codePath }, debugMode: false } as ReplayWorkerOptions;
  for await (const result of Worker.runReplayHistories(options, histories)) {
    replayed += 1;
    if (result.error) failures.push({ name: result.workflowId, error: result.error });
  }
  return { replayed, failures };
}

/** The committed histories; the name of a file is its shape. */
export function corpus(folder = CORPUS): NamedHistory[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((name) => name.endsWith('.json.gz'))
    .sort()
    .map((name) => ({
      workflowId: name.replace(/\.json\.gz$/, ''),
      history: historyFromJSON(JSON.parse(gunzipSync(readFileSync(join(folder, name))).toString('utf8'))),
    }));
}
