import { DefaultLogger, type LogEntry, Runtime } from '@temporalio/worker';
import { type Config } from './config';
import { type Logger } from './logger';

/**
 * Sets up the SDK's process-wide runtime: its lines go into our log, and its own metrics (task latency, slots, cache) are exposed
 * for Prometheus when TEMPORAL_METRICS_ADDRESS is set. Call once, before the first worker connection; signals are ours to handle.
 */
export function installTemporalRuntime(logger: Logger, config: Pick<Config, 'log' | 'temporal'>): Runtime {
  const level = { trace: 'TRACE', debug: 'DEBUG', info: 'INFO', warn: 'WARN', error: 'ERROR', fatal: 'ERROR', silent: 'ERROR' } as const;
  const log = logger.child({ part: 'temporal-sdk' });
  const { metricsAddress } = config.temporal;
  return Runtime.install({
    shutdownSignals: [],
    logger: new DefaultLogger(level[config.log.level], (entry) => write(log, entry)),
    telemetryOptions: metricsAddress === undefined ? {} : { metrics: { prometheus: { bindAddress: metricsAddress } } },
  });
}

/** Ids and codes only: arguments of workflows and errors of activities may hold what must not be logged. */
const loggedFields = [
  'namespace',
  'taskQueue',
  'workflowId',
  'runId',
  'workflowType',
  'activityType',
  'activityId',
  'attempt',
  'sdkComponent',
] as const;

function write(logger: Logger, entry: LogEntry): void {
  const meta = (entry.meta ?? {}) as Record<string, unknown>;
  const fields = Object.fromEntries(loggedFields.filter((field) => meta[field] !== undefined).map((field) => [field, meta[field]]));
  const err = meta.error instanceof Error ? { err: meta.error } : {};
  const severity = { TRACE: 'trace', DEBUG: 'debug', INFO: 'info', WARN: 'warn', ERROR: 'error' } as const;
  logger[severity[entry.level]]({ ...fields, ...err }, entry.message);
}
