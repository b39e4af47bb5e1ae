/** SQLSTATE classes and codes of a database that cannot serve now: connection, resources, operator, deadlock, serialization. */
const OUTAGE_STATES = /^(?:08|53|57|58)|^40001$|^40P01$|^55P03$/;
const SOCKET_CODES = new Set(['ECONNREFUSED', 'ECONNRESET', 'ETIMEDOUT', 'ENOTFOUND', 'EPIPE', 'EHOSTUNREACH', 'EAI_AGAIN', 'ENOENT']);
const DRIVER_MESSAGES =
  /^(?:Connection terminated|timeout exceeded when trying to connect|Client has encountered a connection error|driver has already been destroyed)/;

/** True where the database, and not the request, is the reason: it is down, starting, out of connections, or too slow. */
export function isDatabaseOutage(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  if (error instanceof AggregateError && error.errors.some(isDatabaseOutage)) return true;
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  if ('severity' in error) return OUTAGE_STATES.test(code);
  return SOCKET_CODES.has(code) || DRIVER_MESSAGES.test(error.message);
}

/** True where Postgres refuses a value as such: a number out of range, a date that does not exist, text that is no text. */
export function isValueRefused(error: unknown): boolean {
  return error instanceof Error && 'severity' in error && 'code' in error && /^22/.test(String(error.code));
}
