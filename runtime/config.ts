import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { loadClientConnectConfig } from '@temporalio/envconfig';
import { type NativeConnectionOptions } from '@temporalio/worker';
import { environment, type Environment, type Role, secretVariables } from './environment';

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
    readonly publicUrl: string;
    /** Addresses of the proxies whose X-Forwarded-For is believed; undefined believes nobody. */
    readonly trustProxy?: string[] | undefined;
  };
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
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly exitCode = 2;
  constructor(readonly problems: readonly { readonly variable: string; readonly problem: string }[]) {
    super(['Configuration is wrong:', ...problems.map(({ variable, problem }) => `  ${variable}: ${problem}`)].join('\n'));
  }
}

type Problems = { variable: string; problem: string }[];
type Variables = Record<string, string | undefined>;

/**
 * Reads the whole configuration once. A variable that is empty counts as unset; `<NAME>_FILE` names a file that holds a secret.
 * Throws `ConfigError` with every problem found.
 */
export function readConfig(env: Variables = process.env): Config {
  const problems: Problems = [];
  const values = withSecretsFromFiles(withoutEmpty(env), problems);
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
  const values = withSecretsFromFiles(withoutEmpty(env), problems);
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

function withoutEmpty(env: Variables): Record<string, string> {
  return Object.fromEntries(
    Object.entries(env).filter((entry): entry is [string, string] => entry[1] !== undefined && entry[1].trim() !== ''),
  );
}

function withSecretsFromFiles(env: Record<string, string>, problems: Problems): Record<string, string> {
  const values = { ...env };
  for (const name of secretVariables) {
    const file = env[`${name}_FILE`];
    if (file === undefined) continue;
    if (env[name] !== undefined) problems.push({ variable: name, problem: `is set together with ${name}_FILE; keep one` });
    try {
      values[name] = readFileSync(file, 'utf8').trim();
      if (values[name] === '') problems.push({ variable: `${name}_FILE`, problem: `file ${file} is empty` });
    } catch (error) {
      problems.push({
        variable: `${name}_FILE`,
        problem: `cannot read ${file} (${(error as NodeJS.ErrnoException).code ?? 'unreadable'})`,
      });
    }
  }
  return values;
}

interface ReadTemporal {
  readonly connection: TemporalConnectionOptions | undefined;
  readonly namespace: string;
}

/** A profile is used only when it is named: a developer's own default profile must not send local data to a cluster. */
function readTemporal(values: Record<string, string>, env: Environment, problems: Problems): ReadTemporal {
  const outside = env.TEMPORAL_ADDRESS ?? env.TEMPORAL_PROFILE ?? env.TEMPORAL_CONFIG_FILE;
  if (outside === undefined) return { connection: undefined, namespace: env.TEMPORAL_NAMESPACE ?? 'throughline' };
  const disableFile = env.TEMPORAL_PROFILE === undefined && env.TEMPORAL_CONFIG_FILE === undefined;
  try {
    const loaded = loadClientConnectConfig({ overrideEnvVars: values, disableFile });
    const { address } = loaded.connectionOptions;
    if (address === undefined) problems.push({ variable: 'TEMPORAL_ADDRESS', problem: 'is missing, and the profile names no address' });
    return {
      connection: address === undefined ? undefined : { ...loaded.connectionOptions, address },
      namespace: loaded.namespace ?? 'throughline',
    };
  } catch (error) {
    const variable = disableFile ? 'TEMPORAL_TLS' : env.TEMPORAL_CONFIG_FILE === undefined ? 'TEMPORAL_PROFILE' : 'TEMPORAL_CONFIG_FILE';
    problems.push({ variable, problem: (error as Error).message });
    return { connection: undefined, namespace: 'throughline' };
  }
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
      publicUrl: env.PUBLIC_URL ?? `http://${env.HOST === '0.0.0.0' ? 'localhost' : env.HOST}:${env.PORT}`,
      trustProxy: env.TRUST_PROXY,
    },
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
  };
}

function databaseConfig(env: Pick<Environment, 'DATABASE_URL' | 'DATABASE_POOL_SIZE' | 'DATABASE_STATEMENT_TIMEOUT_MS'>): DatabaseConfig {
  return { url: env.DATABASE_URL, poolSize: env.DATABASE_POOL_SIZE, statementTimeoutMs: env.DATABASE_STATEMENT_TIMEOUT_MS };
}

function isDevIssuer(env: Environment, embedded: boolean): boolean {
  if (env.DEV_ISSUER === 'true' || env.DEV_ISSUER === 'false') return env.DEV_ISSUER === 'true';
  return env.JWT_JWKS_URL === undefined && (env.DEV_ISSUER === 'auto' || (embedded && isLoopback(env.HOST)));
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '[::1]' || host === '::1' || /^127(?:\.\d{1,3}){3}$/.test(host);
}

/** Whoever reaches the development issuer is whoever they say: so only this machine may reach it. */
function checkDevIssuer(env: Environment, { auth, http }: Config, problems: Problems): void {
  if (!auth.devIssuer) return;
  const variable = 'DEV_ISSUER';
  if (auth.jwksUrl !== undefined) problems.push({ variable, problem: 'must be false with JWT_JWKS_URL: anybody could sign in as anyone' });
  if (!isLoopback(http.host) && (env.PUBLIC_URL === undefined || !isLoopback(new URL(env.PUBLIC_URL).hostname)))
    problems.push({
      variable,
      problem: 'must be false where HOST and PUBLIC_URL are not of this machine: anybody could sign in as anyone',
    });
}

function checkTogether(env: Environment, config: Config, problems: Problems): void {
  const outsideTemporal = env.TEMPORAL_ADDRESS ?? env.TEMPORAL_PROFILE ?? env.TEMPORAL_CONFIG_FILE;
  if (env.DATABASE_URL !== undefined && outsideTemporal === undefined) {
    problems.push({
      variable: 'TEMPORAL_ADDRESS',
      problem: 'is missing while DATABASE_URL is set; set both, or neither for the embedded stack',
    });
  }
  if (env.DATABASE_URL === undefined && outsideTemporal !== undefined) {
    problems.push({
      variable: 'DATABASE_URL',
      problem: 'is missing while a Temporal server is named; set both, or neither for the embedded stack',
    });
  }
  checkDevIssuer(env, config, problems);
  if (config.auth.jwksUrl !== undefined && config.auth.issuer === undefined) {
    problems.push({ variable: 'JWT_ISSUER', problem: 'is needed with JWT_JWKS_URL' });
  }
  if (config.roles.includes('api') && config.auth.jwksUrl === undefined && !config.auth.devIssuer) {
    problems.push({ variable: 'JWT_JWKS_URL', problem: 'is missing: without it (or DEV_ISSUER=true) nobody can sign in' });
  }
}
