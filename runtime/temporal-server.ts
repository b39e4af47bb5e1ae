import { Connection } from '@temporalio/client';
import { type ServerProcess, startServer, untilReady } from './child-process';
import { freePort, isListening } from './ports';

export interface TemporalServerOptions {
  readonly cliPath: string;
  readonly port: number;
  /** Undefined runs without the UI. */
  readonly uiPort: number | undefined;
  readonly namespace: string;
  /** Undefined keeps everything in memory. */
  readonly databaseFile: string | undefined;
  /** False leaves it to the machine when the file is written to disk. */
  readonly synced: boolean;
  readonly logFile: string;
}

export interface TemporalServer {
  readonly pid: number;
  readonly address: string;
  readonly uiUrl: string | undefined;
  /** Ends it without warning, as a power cut would. */
  kill(): Promise<void>;
  /** Starts it again on the same port and data. */
  restart(): Promise<void>;
  stop(): Promise<void>;
}

/**
 * Faster queues for a single small server (five sequential activities 550 ms → 66 ms), time skipping for tests of real timers, and a
 * run whose workflow task fails twice is marked in TemporalReportedProblems (default 5), so that a stalled run is found within a minute.
 */
const dynamicConfig: Readonly<Record<string, string>> = {
  'history.transferProcessorMaxPollRPS': '2000',
  'history.timerProcessorMaxPollRPS': '2000',
  'history.visibilityProcessorMaxPollRPS': '2000',
  'matching.numTaskqueueReadPartitions': '1',
  'matching.numTaskqueueWritePartitions': '1',
  'frontend.WorkflowTimeSkippingEnabled': 'true',
  'history.timerProcessorMaxTimeShift': '"1ms"',
  'system.numConsecutiveWorkflowTaskProblemsToTriggerSearchAttribute': '2',
};

/** `SERVING` of the gRPC health protocol. */
const servingStatus = 1;

/** Starts the official Temporal dev server and waits until it serves. */
export async function startTemporalServer(options: TemporalServerOptions): Promise<TemporalServer> {
  const address = `127.0.0.1:${options.port}`;
  const start = async (): Promise<ServerProcess> => {
    const server = await startServer({
      name: 'Temporal',
      command: options.cliPath,
      args: argumentsOf(options, { http: await freePort(), metrics: await freePort() }),
      env: cleanEnvironment(),
      logFile: options.logFile,
    });
    await untilReady('Temporal', server, 60_000, () => serves(address, options.port));
    return server;
  };
  let server = await startAgain(start);
  return {
    get pid() {
      return server.pid;
    },
    address,
    uiUrl: options.uiPort === undefined ? undefined : `http://127.0.0.1:${options.uiPort}`,
    kill: () => server.end('SIGKILL', 5000),
    restart: async () => {
      await server.end('SIGINT', 10_000);
      server = await startAgain(start);
    },
    stop: () => server.end('SIGINT', 10_000),
  };
}

/** Its services listen at ports that it chooses itself, and now and then something else takes one of them first: then it chooses anew. */
async function startAgain(start: () => Promise<ServerProcess>): Promise<ServerProcess> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await start();
    } catch (error) {
      const collided = error instanceof Error && error.message.includes('address already in use');
      if (!collided || attempt === STARTS) throw error;
    }
  }
}

const STARTS = 3;

/** What nobody asks for listens all the same: ports that the CLI chooses by itself may be those of another start at the same moment. */
function argumentsOf(options: TemporalServerOptions, unused: { readonly http: number; readonly metrics: number }): string[] {
  const ui = options.uiPort === undefined ? ['--headless'] : ['--ui-port', String(options.uiPort)];
  const storage = options.databaseFile === undefined ? [] : ['--db-filename', options.databaseFile];
  // One write a commit instead of a journal that is made and removed with each.
  if (storage.length > 0) storage.push('--sqlite-pragma', 'journal_mode=WAL');
  if (storage.length > 0 && !options.synced) storage.push('--sqlite-pragma', 'synchronous=OFF');
  const tuning = Object.entries(dynamicConfig).flatMap(([key, value]) => ['--dynamic-config-value', `${key}=${value}`]);
  const beside = ['--http-port', String(unused.http), '--metrics-port', String(unused.metrics)];
  const served = ['--ip', '127.0.0.1', '--port', String(options.port), ...beside, '--namespace', options.namespace, ...ui];
  return ['server', 'start-dev', ...served, '--log-format', 'json', '--log-level', 'warn', ...storage, ...tuning];
}

/** The CLI reads TEMPORAL_* itself; a profile of the developer must not change the embedded server. */
function cleanEnvironment(): Record<string, string | undefined> {
  return {
    ...Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('TEMPORAL_'))),
    TEMPORAL_CONFIG_FILE: '/dev/null',
  };
}

async function serves(address: string, port: number): Promise<boolean> {
  if (!(await isListening(port))) return false;
  const connection = await Connection.connect({ address, connectTimeout: 2000 }).catch(() => undefined);
  if (connection === undefined) return false;
  try {
    const { status } = await connection.healthService.check({ service: 'temporal.api.workflowservice.v1.WorkflowService' });
    return Number(status) === servingStatus;
  } catch {
    return false;
  } finally {
    await connection.close();
  }
}
