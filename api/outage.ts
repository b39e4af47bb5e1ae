import { isStalePlan } from '../runtime/prepared-statements';

/** SQLSTATE classes and codes of a database that cannot serve now: connection, resources, operator, deadlock, serialization. */
const OUTAGE_STATES = /^(?:08|53|57|58)|^40001$|^40P01$|^55P03$/;
const SOCKET_CODES = new Set(['ECONNREFUSED', 'ECONNRESET', 'ETIMEDOUT', 'ENOTFOUND', 'EPIPE', 'EHOSTUNREACH', 'EAI_AGAIN', 'ENOENT']);
const DRIVER_MESSAGES =
  /^(?:Connection terminated|timeout exceeded when trying to connect|Client has encountered a connection error|driver has already been destroyed)/;

/** True where the database, and not the request, is the reason: it is down, starting, out of connections, too slow, or just migrated. */
export function isDatabaseOutage(error: unknown): boolean {
  if (!isErrorLike(error)) return false;
  if (Array.isArray(error.errors) && error.errors.some(isDatabaseOutage)) return true;
  if (isStalePlan(error)) return true;
  const code = typeof error.code === 'string' ? error.code : '';
  if (error.severity !== undefined) return OUTAGE_STATES.test(code);
  return SOCKET_CODES.has(code) || DRIVER_MESSAGES.test(error.message);
}

/** True where Postgres refuses a value as such: a number out of range, a date that does not exist, text that is no text. */
export function isValueRefused(error: unknown): boolean {
  return isErrorLike(error) && error.severity !== undefined && /^22/.test(String(error.code));
}

interface ErrorLike {
  readonly message: string;
  readonly code?: unknown;
  readonly severity?: unknown;
  readonly errors?: unknown;
}

/** By its shape: errors of the runtime itself may come from another realm, where `instanceof Error` does not hold. */
function isErrorLike(error: unknown): error is ErrorLike {
  return typeof error === 'object' && error !== null && 'message' in error && typeof error.message === 'string';
}
