import { resolve } from 'node:path';
import { type NativeConnectionOptions } from '@temporalio/worker';
import { checkTogether, isLoopback } from './config-checks';
import { givenVariables, type Problems, type ReadTemporal, readTemporal, type Variables } from './config-sources';
import { environment, type Environment, type Role } from './environment';
import { OperatorError } from './operator-error';

export interface Config {
  readonly roles: readonly Role[];
  readonly dataDir: string;
  readonly cacheDir: string | undefined;
  readonly simulation: boolean;
  /** True when neither a database nor a Temporal server is named: the process starts its own. */
  readonly embedded: boolean;
  readonly embeddedPorts: { readonly postgres: number | undefined; readonly temporal: number | undefined; readonly ui: number | undefined };
  readonly http: {
    readonly host: string;
    readonly port: number;
    /** How people and webhooks reach the API; undefined where PORT is 0 and nobody says: then it is known when the API listens. */
    readonly publicUrl: string | undefined;
    /** Addresses of the proxies whose X-Forwarded-For is believed; undefined believes nobody. */
    readonly trustProxy?: string[] | undefined;
  };
  /** Files of facts, which are read as they come. */
  readonly intake: { readonly fileLimitBytes: number };
  readonly shutdownGraceSeconds: number;
  readonly log: { readonly level: Environment['LOG_LEVEL']; readonly format: 'json' | 'text' };
  readonly database: DatabaseConfig;
  readonly temporal: TemporalConfig;
  readonly worker: WorkerConfig;
  readonly auth: {
    readonly issuer: string | undefined;
    readonly audience: string;
    readonly jwksUrl: string | undefined;
    readonly devIssuer: boolean;
  };
  readonly hubspot: { readonly clientSecret: string | undefined; readonly accessToken: string | undefined; readonly baseUrl: string };
  readonly salesforce: {
    readonly baseUrl: string | undefined;
    readonly accessToken: string | undefined;
    readonly organizationId: string | undefined;
    readonly relaySecret: string | undefined;
    readonly outboundToken: string | undefined;
  };
  readonly crmWebhookSecret: string | undefined;
  readonly notifications: NotificationConfig;
}

export interface NotificationConfig {
  /** Undefined where no mail is sent. */
  readonly mail: { readonly smtpUrl: string; readonly from: string } | undefined;
  /** Seals what endpoints must keep secret; undefined where no endpoints are taken. */
  readonly endpointKey: string | undefined;
  readonly targets: 'public' | 'any';
  /** Links by which people decide: where they lead and how long they count; undefined where mail holds none. */
  readonly links: { readonly baseUrl: string; readonly hours: number } | undefined;
  /** How long what is done with is kept. */
  readonly keptDays: number;
}

export interface DatabaseConfig {
  /** Undefined only while the embedded database is not started yet; see `withStack`. */
  readonly url: string | undefined;
  readonly poolSize: number;
  readonly statementTimeoutMs: number;
}

export interface TemporalConfig {
  /** Undefined only while the embedded server is not started yet; see `withStack`. */
  readonly connection: TemporalConnectionOptions | undefined;
  readonly namespace: string;
  readonly uiUrl: string | undefined;
  readonly cliPath: string | undefined;
  readonly metricsAddress: string | undefined;
}

/** Address, TLS, API key and metadata, as the SDK's own environment configuration reads them. */
export type TemporalConnectionOptions = NativeConnectionOptions & { readonly address: string };

export interface WorkerConfig {
  readonly taskQueue: string;
  readonly maxCachedWorkflows: number;
  readonly maxWorkflowTasks: number | undefined;
  readonly maxActivities: number | undefined;
  readonly maxLocalActivities: number | undefined;
  readonly buildId: string | undefined;
  /** True where the worker makes its build the current version after the replay gate. */
  readonly release: boolean;
}

/** Thrown by `readConfig`: names every variable that is wrong, not only the first. */
export class ConfigError extends OperatorError {
  override readonly name = 'ConfigError';
  override readonly exitCode = 2;
  constructor(readonly problems: readonly { readonly variable: string; readonly problem: string }[]) {
    super(['Configuration is wrong:', ...problems.map(({ variable, problem }) => `  ${variable}: ${problem}`)].join('\n'));
  }
}

/**
 * Reads the whole configuration once. A variable that is empty counts as unset; `<NAME>_FILE` names a file that holds a secret.
 * Throws `ConfigError` with every problem found.
 */
export function readConfig(env: Variables = process.env): Config {
  const problems: Problems = [];
  const values = givenVariables(env, problems);
  const parsed = environment.safeParse(values);
  for (const issue of parsed.error?.issues ?? []) problems.push({ variable: String(issue.path[0]), problem: issue.message });
  if (!parsed.success) throw new ConfigError(problems);
  const temporal = readTemporal(values, parsed.data, problems);
  const config = arrange(parsed.data, temporal);
  checkTogether(parsed.data, config, problems);
  if (problems.length > 0) throw new ConfigError(problems);
  return config;
}

/** Only what the database needs, for programs like the migration that talk to nothing else. Throws `ConfigError`. */
export function readDatabaseConfig(env: Variables = process.env): DatabaseConfig {
  const problems: Problems = [];
  const values = givenVariables(env, problems);
  const wanted = { DATABASE_URL: true, DATABASE_POOL_SIZE: true, DATABASE_STATEMENT_TIMEOUT_MS: true } as const;
  const parsed = environment.pick(wanted).safeParse(values);
  for (const issue of parsed.error?.issues ?? []) problems.push({ variable: String(issue.path[0]), problem: issue.message });
  const wrong = problems.filter(({ variable }) => variable.startsWith('DATABASE_'));
  if (!parsed.success || wrong.length > 0) throw new ConfigError(wrong);
  return databaseConfig(parsed.data);
}

/** `readConfig` for the entry of a program: prints the problems and ends the process with exit code 2. */
export function readConfigOrExit(env: Variables = process.env): Config {
  try {
    return readConfig(env);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exit(error.exitCode);
  }
}

/** The configuration completed with the addresses of an embedded stack that has been started. */
export function withStack(
  config: Config,
  stack: { databaseUrl: string; temporalAddress: string; uiUrl: string | undefined; namespace: string },
): Config {
  const connection: TemporalConnectionOptions = { address: stack.temporalAddress };
  return {
    ...config,
    database: { ...config.database, url: stack.databaseUrl },
    temporal: { ...config.temporal, connection, namespace: stack.namespace, uiUrl: config.temporal.uiUrl ?? stack.uiUrl },
  };
}

/** The address of a listening host and port as this machine reaches it. */
export function listenUrl(host: string, port: number): string {
  const name = host === '0.0.0.0' || host === '::' ? 'localhost' : host;
  return `http://${name.includes(':') && !name.startsWith('[') ? `[${name}]` : name}:${port}`;
}

function arrange(env: Environment, temporal: ReadTemporal): Config {
  const embedded = env.DATABASE_URL === undefined && temporal.connection === undefined;
  return {
    roles: [...new Set(env.THROUGHLINE_ROLES)],
    dataDir: resolve(env.THROUGHLINE_DATA_DIR),
    cacheDir: env.THROUGHLINE_CACHE_DIR,
    simulation: env.SIMULATION,
    embedded,
    embeddedPorts: { postgres: env.EMBEDDED_POSTGRES_PORT, temporal: env.EMBEDDED_TEMPORAL_PORT, ui: env.EMBEDDED_TEMPORAL_UI_PORT },
    http: {
      host: env.HOST,
      port: env.PORT,
      publicUrl: env.PUBLIC_URL ?? (env.PORT === 0 ? undefined : listenUrl(env.HOST, env.PORT)),
      trustProxy: env.TRUST_PROXY,
    },
    intake: { fileLimitBytes: env.INTAKE_FILE_LIMIT_BYTES },
    shutdownGraceSeconds: env.SHUTDOWN_GRACE_SECONDS,
    log: { level: env.LOG_LEVEL, format: env.LOG_FORMAT },
    database: databaseConfig(env),
    temporal: { ...temporal, uiUrl: env.TEMPORAL_UI_URL, cliPath: env.TEMPORAL_CLI_PATH, metricsAddress: env.TEMPORAL_METRICS_ADDRESS },
    worker: {
      taskQueue: env.TASK_QUEUE,
      maxCachedWorkflows: env.MAX_CACHED_WORKFLOWS,
      maxWorkflowTasks: env.WORKER_MAX_WORKFLOW_TASKS,
      maxActivities: env.WORKER_MAX_ACTIVITIES,
      maxLocalActivities: env.WORKER_MAX_LOCAL_ACTIVITIES,
      buildId: env.WORKER_BUILD_ID,
      release: env.WORKER_RELEASE ?? embedded,
    },
    auth: {
      issuer: env.JWT_ISSUER,
      audience: env.JWT_AUDIENCE,
      jwksUrl: env.JWT_JWKS_URL,
      devIssuer: isDevIssuer(env, embedded),
    },
    hubspot: { clientSecret: env.HUBSPOT_CLIENT_SECRET, accessToken: env.HUBSPOT_ACCESS_TOKEN, baseUrl: env.HUBSPOT_BASE_URL },
    salesforce: {
      baseUrl: env.SALESFORCE_BASE_URL,
      accessToken: env.SALESFORCE_ACCESS_TOKEN,
      organizationId: env.SALESFORCE_ORGANIZATION_ID,
      relaySecret: env.SALESFORCE_RELAY_SECRET,
      outboundToken: env.SALESFORCE_OUTBOUND_TOKEN,
    },
    crmWebhookSecret: env.CRM_WEBHOOK_SECRET,
    notifications: {
      mail: env.SMTP_URL === undefined || env.MAIL_FROM === undefined ? undefined : { smtpUrl: env.SMTP_URL, from: env.MAIL_FROM },
      endpointKey: env.WEBHOOK_ENDPOINT_KEY,
      targets: env.WEBHOOK_TARGETS,
      links: linksOf(env),
      keptDays: env.NOTIFICATION_RETENTION_DAYS,
    },
  };
}

/** Whoever has such a link may decide: it goes to an address that somebody has named, and not over a network unencrypted. */
function linksOf({ PUBLIC_URL: baseUrl, DECISION_LINK_HOURS: hours }: Environment): NotificationConfig['links'] {
  if (baseUrl === undefined) return undefined;
  const { protocol, hostname } = new URL(baseUrl);
  return protocol === 'https:' || isLoopback(hostname) ? { baseUrl, hours } : undefined;
}

function databaseConfig(env: Pick<Environment, 'DATABASE_URL' | 'DATABASE_POOL_SIZE' | 'DATABASE_STATEMENT_TIMEOUT_MS'>): DatabaseConfig {
  return { url: env.DATABASE_URL, poolSize: env.DATABASE_POOL_SIZE, statementTimeoutMs: env.DATABASE_STATEMENT_TIMEOUT_MS };
}

function isDevIssuer(env: Environment, embedded: boolean): boolean {
  if (env.DEV_ISSUER === 'true' || env.DEV_ISSUER === 'false') return env.DEV_ISSUER === 'true';
  return env.JWT_JWKS_URL === undefined && (env.DEV_ISSUER === 'auto' || (embedded && isLoopback(env.HOST)));
}
