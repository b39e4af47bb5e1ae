import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { Connection } from '@temporalio/client';
import { type EmbeddedPostgres, startEmbeddedPostgres } from './embedded-postgres';
import { claimedPort, freePort } from './ports';
import { claimFolder, type ClaimedFolder, type StackRecord, writeRecord } from './stack-record';
import { resolveTemporalCli, type TemporalCliOptions } from './temporal-cli';
import { prepareNamespace, type SearchAttribute } from './temporal-namespace';
import { startTemporalServer, type TemporalServer } from './temporal-server';

export interface DevStackOptions {
  /** Holds everything: the database, the file of the Temporal server, logs. One stack at a time. */
  readonly dataDir: string;
  /** True keeps the data; false is for tests. */
  readonly persist: boolean;
  /** False spares syncing what is kept: it outlives killed processes, not a power cut. As `persist` unless told otherwise. */
  readonly synced?: boolean;
  readonly searchAttributes: readonly SearchAttribute[];
  readonly namespace?: string;
  readonly retentionDays?: number;
  /** Without a UI nothing listens for it and `uiUrl` is undefined. */
  readonly ui?: boolean;
  /** A port that is named must be free; one that is not is the last used, the usual or any free one. */
  readonly ports?: { readonly postgres?: number | undefined; readonly temporal?: number | undefined; readonly ui?: number | undefined };
  readonly cli?: TemporalCliOptions;
}

export interface ControlledProcess {
  readonly pid: number;
  /** Ends it without warning, as a power cut would; for fault tests. */
  kill(): Promise<void>;
  /** Starts it again on the same port and data. */
  restart(): Promise<void>;
}

export interface DevStack {
  readonly databaseUrl: string;
  readonly temporalAddress: string;
  readonly uiUrl: string | undefined;
  readonly namespace: string;
  readonly processes: { readonly postgres: ControlledProcess; readonly temporal: ControlledProcess };
  /** Address of another database in the embedded Postgres. */
  urlOf(database: string): string;
  stop(): Promise<void>;
}

/**
 * Starts the embedded servers: PostgreSQL and the official Temporal dev server, with the namespace prepared. `stop` ends only these.
 * They end with us, also when we are killed; whatever is left of a killed predecessor on the same data is ended first.
 * Throws when another living process runs a stack on the same folder.
 */
export async function startDevStack(options: DevStackOptions): Promise<DevStack> {
  mkdirSync(options.dataDir, { recursive: true });
  const claimed = await claimFolder(options.dataDir);
  try {
    const cli = await resolveTemporalCli(options.cli);
    return await startServers(options, cli.path, await choosePorts(options, claimed.before), claimed);
  } catch (error) {
    claimed.release();
    throw error;
  }
}

async function startServers(
  options: DevStackOptions,
  cliPath: string,
  ports: StackRecord['ports'],
  claimed: ClaimedFolder,
): Promise<DevStack> {
  const { dataDir, persist, synced = persist, namespace = 'throughline' } = options;
  const logs = join(dataDir, 'logs');
  const [postgres, temporal] = await bothOrNone(
    startEmbeddedPostgres({ dataDir, persist, synced, port: ports.postgres, logFile: join(logs, 'postgres.log') }),
    startTemporalServer({
      cliPath,
      port: ports.temporal,
      uiPort: ports.ui,
      namespace,
      databaseFile: persist ? join(dataDir, 'temporal.db') : undefined,
      synced,
      logFile: join(logs, 'temporal.log'),
    }),
  );
  const stop = async (): Promise<void> => {
    await Promise.all([postgres.stop(), temporal.stop()]);
    claimed.release();
  };
  try {
    await prepare(temporal.address, namespace, options);
  } catch (error) {
    await stop();
    throw error;
  }
  const { address: temporalAddress, uiUrl } = temporal;
  const databaseUrl = postgres.url('throughline');
  writeRecord(dataDir, { databaseUrl, temporalAddress, uiUrl, namespace, pids: { postgres: postgres.pid, temporal: temporal.pid }, ports });
  return {
    databaseUrl,
    temporalAddress,
    uiUrl,
    namespace,
    processes: { postgres, temporal },
    urlOf: (database) => postgres.url(database),
    stop,
  };
}

async function choosePorts(options: DevStackOptions, before: StackRecord | undefined): Promise<StackRecord['ports']> {
  const { ports = {}, persist } = options;
  const choose = (named: number | undefined, variable: string, last: number | undefined, usual: number): Promise<number> => {
    if (named !== undefined) return claimedPort(named, variable);
    return persist ? freePort(last, usual) : freePort();
  };
  const ui = options.ui ?? persist;
  return {
    postgres: await choose(ports.postgres, 'EMBEDDED_POSTGRES_PORT', before?.ports.postgres, 54329),
    temporal: await choose(ports.temporal, 'EMBEDDED_TEMPORAL_PORT', before?.ports.temporal, 7233),
    ui: ui ? await choose(ports.ui, 'EMBEDDED_TEMPORAL_UI_PORT', before?.ports.ui, 8233) : undefined,
  };
}

async function bothOrNone(
  starting: Promise<EmbeddedPostgres>,
  alsoStarting: Promise<TemporalServer>,
): Promise<[EmbeddedPostgres, TemporalServer]> {
  const [postgres, temporal] = await Promise.allSettled([starting, alsoStarting]);
  if (postgres.status === 'fulfilled' && temporal.status === 'fulfilled') return [postgres.value, temporal.value];
  for (const started of [postgres, temporal]) if (started.status === 'fulfilled') await started.value.stop();
  throw postgres.status === 'rejected' ? postgres.reason : (temporal as PromiseRejectedResult).reason;
}

async function prepare(address: string, namespace: string, options: DevStackOptions): Promise<void> {
  const connection = await Connection.connect({ address });
  try {
    await prepareNamespace(connection, namespace, {
      retentionDays: options.retentionDays ?? 30,
      searchAttributes: options.searchAttributes,
    });
  } finally {
    await connection.close();
  }
}
