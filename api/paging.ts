import { type Page, type PageRequest } from '../db/reads/page';
import { NEVER_DUE } from '../db/reads/waits';
import { ApiError } from './errors';

/** What the parts of a cursor must look like, so that a cursor that was tampered with is refused and never reaches SQL. */
export type CursorShape = readonly ('instant' | 'due' | 'date' | 'uuid' | 'number' | 'text')[];

const PARTS: Readonly<Record<CursorShape[number], RegExp>> = {
  instant: /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,3})?Z$/,
  due: /^(?:infinity|\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,3})?Z)$/,
  date: /^\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])$/,
  uuid: /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i,
  number: /^\d{1,15}$/,
  text: /^[^\0]{0,300}$/,
};

/** The page a caller asks for; `CursorInvalid` where the cursor was not given out by this list. */
export function pageRequest(query: { limit: number; cursor?: string | undefined }, shape: CursorShape): PageRequest {
  if (query.cursor === undefined) return { limit: query.limit, after: null };
  const parts = decode(query.cursor);
  if (parts?.length !== shape.length || !parts.every((part, index) => isPart(part, shape[index]))) {
    throw new ApiError('CursorInvalid', 'not a cursor of this list');
  }
  return { limit: query.limit, after: parts as string[] };
}

/** A page as it is sent. */
export function pageAnswer<T>(page: Page<T>): { data: readonly T[]; hasMore: boolean; nextCursor: string | null } {
  const nextCursor = page.next === null ? null : Buffer.from(JSON.stringify(page.next)).toString('base64url');
  return { data: page.rows, hasMore: nextCursor !== null, nextCursor };
}

function decode(cursor: string): unknown[] | null {
  try {
    const parts: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'));
    return Array.isArray(parts) ? parts : null;
  } catch {
    return null;
  }
}

function isPart(part: unknown, kind: CursorShape[number] | undefined): boolean {
  if (typeof part !== 'string' || kind === undefined || !PARTS[kind].test(part)) return false;
  if (kind === 'due' && part === NEVER_DUE) return true;
  return !['instant', 'due', 'date'].includes(kind) || !Number.isNaN(Date.parse(part));
}
