import { pino, type DestinationStream, type Logger } from 'pino';
import { type Config } from './config';

export type { Logger } from 'pino';

/** Fields that must never be written, wherever a request, an error or a header bag carries them. */
const secretFields = [
  'authorization',
  'cookie',
  'set-cookie',
  'apiKey',
  'password',
  'token',
  'secret',
  'x-api-key',
  'webhook-signature',
  'x-hubspot-signature-v3',
];
const redacted = secretFields.flatMap((field) => [`["${field}"]`, `*["${field}"]`, `*.*["${field}"]`]);

/**
 * The program's log: ids, codes and counts only, never names, e-mail addresses or bodies (I-15). `json` writes one object per line;
 * `text` one readable line for a terminal. Children carry ids: `logger.child({ dealId })`.
 */
export function createLogger(config: Config['log'], destination: DestinationStream = process.stdout): Logger {
  const options = {
    level: config.level,
    base: null,
    timestamp: () => `,"time":"${new Date().toISOString()}"`,
    formatters: { level: (label: string) => ({ level: label }) },
    redact: { paths: redacted, censor: '[redacted]' },
    serializers: { err: describeError, error: describeError },
  };
  return pino(options, config.format === 'json' ? destination : asText(destination));
}

/** Name, code and stack; not the fields that libraries hang onto errors, such as the row (`detail`) of a database error. */
function describeError(error: unknown): unknown {
  if (!(error instanceof Error)) return { type: typeof error };
  const { code } = error as { code?: unknown };
  const cause = error.cause instanceof Error ? { cause: describeError(error.cause) } : {};
  return {
    type: error.name,
    message: error.message,
    stack: error.stack,
    ...(typeof code === 'string' || typeof code === 'number' ? { code } : {}),
    ...cause,
  };
}

function asText(destination: DestinationStream): DestinationStream {
  return {
    write: (line) => {
      const { time, level, msg, err, ...rest } = JSON.parse(line) as Record<string, unknown> & { time: string; level: string };
      const ids = Object.entries(rest).map(([key, value]) => `${key}=${typeof value === 'string' ? value : JSON.stringify(value)}`);
      const stack = (err as { stack?: string } | undefined)?.stack;
      const said = typeof msg === 'string' ? msg : '';
      destination.write(`${[time.slice(11, 23), level.padEnd(5), said, ...ids].join(' ')}${stack === undefined ? '' : `\n${stack}`}\n`);
    },
  };
}
