import { type Client as TemporalClient, Client, type WorkflowClientInterceptor } from '@temporalio/client';
import { type FastifyInstance, type InjectOptions } from 'fastify';
import { type Kysely } from 'kysely';
import { uuidv7 } from 'uuidv7';
import { decideApart } from '../../activities/approval/decision';
import { createApp } from '../../api/app';
import { createApiKey } from '../../api/auth/api-keys';
import { type ApiDeps } from '../../api/deps';
import { type Problem } from '../../contracts/api/problem';
import { type DB } from '../../db/types';
import { type Scope } from '../../domain/access';
import { businessClock } from '../../runtime/business-clock';
import { type Config, readConfig } from '../../runtime/config';
import { createLogger } from '../../runtime/logger';
import { createMetrics } from '../../runtime/metrics';
import { connectTemporalLater } from '../../runtime/temporal-connection';
import { testDatabase, type TestDatabase } from './database';
import { testAddress, testNamespace } from './servers';
import { closed } from './temporal';
import { type TestEngine } from './worker';

export interface Answer {
  readonly status: number;
  /** Parsed JSON, null for anything else. */
  readonly body: unknown;
  readonly headers: Readonly<Record<string, string | string[] | number | undefined>>;
  readonly text: string;
}

export interface Sent {
  readonly body?: unknown;
  readonly raw?: string | Buffer;
  readonly headers?: Readonly<Record<string, string>>;
  readonly key?: string;
}

/** Sends one request as somebody. */
export type Send = (method: 'GET' | 'POST' | 'PUT' | 'DELETE', url: string, sent?: Sent) => Promise<Answer>;

export interface TestApi {
  readonly app: FastifyInstance;
  readonly db: Kysely<DB>;
  readonly database: TestDatabase;
  readonly config: Config;
  readonly deps: ApiDeps;
  readonly temporal: TemporalClient;
  /** Lines of the log, as written. */
  readonly logged: string[];
  readonly anyone: Send;
  as(userId: string): Promise<Send>;
  withKey(roles: readonly string[], scope?: Scope): Promise<Send>;
  close(): Promise<void>;
}

export interface TestApiOptions {
  /** Workers on real servers: the API uses their database and task queue. */
  readonly engine?: TestEngine;
  /** `host:port` of Temporal; the default refuses connections. */
  readonly temporalAddress?: string;
  /** The firm of the reference deal; default true. */
  readonly firm?: boolean;
  readonly environment?: Readonly<Record<string, string>>;
  /** Stands between the API and Temporal. */
  readonly between?: WorkflowClientInterceptor;
  readonly deps?: Partial<
    Pick<ApiDeps, 'updateTimeoutMs' | 'requestsPerMinute' | 'failedSignInsPerMinute' | 'decideApart' | 'clock' | 'db'>
  >;
}

export const secrets = {
  crm: 'whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD',
  hubspot: 'hubspot-client-secret-of-the-tests',
  relay: 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw',
  outboundToken: 'outbound-token-of-the-tests-0001',
  organizationId: '00DHs0000012345MAA',
} as const;

/** Nobody listens here. */
export const DEAD_ADDRESS = '127.0.0.1:9';

/** The API over a database of its own with the firm of the reference deal; requests go in by injection. */
export async function testApi(options: TestApiOptions = {}): Promise<TestApi> {
  const { engine } = options;
  const database = engine === undefined ? await testDatabase({ firm: options.firm !== false }) : databaseOf(engine);
  const config = readConfig({
    DATABASE_URL: database.url,
    TEMPORAL_ADDRESS: engine === undefined ? (options.temporalAddress ?? DEAD_ADDRESS) : testAddress('THROUGHLINE_TEST_TEMPORAL_ADDRESS'),
    ...(engine === undefined ? {} : { TASK_QUEUE: engine.taskQueue }),
    TEMPORAL_NAMESPACE: testNamespace,
    TEMPORAL_UI_URL: 'http://ui.example',
    PUBLIC_URL: 'https://api.example',
    DEV_ISSUER: 'true',
    CRM_WEBHOOK_SECRET: secrets.crm,
    HUBSPOT_CLIENT_SECRET: secrets.hubspot,
    SALESFORCE_RELAY_SECRET: secrets.relay,
    SALESFORCE_OUTBOUND_TOKEN: secrets.outboundToken,
    SALESFORCE_ORGANIZATION_ID: secrets.organizationId,
    ...options.environment,
  });
  const connection = connectTemporalLater(config.temporal);
  const interceptors = options.between === undefined ? {} : { interceptors: { workflow: [options.between] } };
  const temporal = new Client({ connection, namespace: config.temporal.namespace, ...interceptors });
  const logged: string[] = [];
  const deps: ApiDeps = {
    config,
    db: database.db,
    temporal,
    clock: businessClock(database.db, config),
    log: createLogger({ level: 'info', format: 'json' }, { write: (line) => logged.push(line) }),
    metrics: createMetrics(),
    decideApart: decideApart({ db: database.db }),
    updateTimeoutMs: 1500,
    keepDevKey: false,
    ...options.deps,
  };
  const app = await createApp(deps);
  const send =
    (authorization?: string): Send =>
    (method, url, sent) =>
      inject(app, method, url, sent, authorization);
  const anyone = send();
  return {
    app,
    db: database.db,
    database,
    config,
    deps,
    temporal,
    logged,
    anyone,
    as: async (userId) => {
      const { body } = await anyone('POST', '/v1/dev/token', { body: { userId } });
      return send(`Bearer ${(body as { token: string }).token}`);
    },
    withKey: async (roles, scope = { kind: 'group' }) =>
      send(`Bearer ${String(await createApiKey(database.db, { id: uuidv7(), name: 'test', roles, scope }))}`),
    close: async () => {
      await app.close();
      await closed(connection);
      await database.drop();
    },
  };
}

function databaseOf(engine: TestEngine): TestDatabase {
  return { db: engine.db, pool: engine.pool, url: engine.databaseUrl, drop: () => Promise.resolve() };
}

/** The problem of an answer that is expected to be one: its status, its media type, and that nothing of ours leaks. */
export function problemOf(answer: Answer): Problem {
  expect(answer.headers['content-type']).toContain('application/problem+json');
  const problem = answer.body as Problem;
  expect(problem.status).toBe(answer.status);
  expect(problem.requestId).toMatch(/^[0-9a-f-]{36}$/);
  expect(answer.text).not.toMatch(/node_modules|\.ts:\d+|\bat \w+ \(|select |insert into|pg_|severity/i);
  return problem;
}

async function inject(
  app: FastifyInstance,
  method: 'GET' | 'POST' | 'PUT' | 'DELETE',
  url: string,
  sent: Sent = {},
  authorization?: string,
): Promise<Answer> {
  const headers = {
    ...(authorization === undefined ? {} : { authorization }),
    ...(sent.key === undefined ? {} : { 'idempotency-key': sent.key }),
    ...(sent.body === undefined ? {} : { 'content-type': 'application/json' }),
    ...sent.headers,
  };
  const payload = sent.raw ?? (sent.body === undefined ? undefined : JSON.stringify(sent.body));
  const request: InjectOptions = { method, url, headers, ...(payload === undefined ? {} : { payload }) };
  const response = await app.inject(request);
  const isJson = String(response.headers['content-type'] ?? '').includes('json');
  return {
    status: response.statusCode,
    body: isJson ? response.json<unknown>() : null,
    headers: response.headers,
    text: response.body,
  };
}
