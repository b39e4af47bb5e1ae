import { entryHash, GENESIS, type AuditContent } from './audit';
import { type Damage } from './audit-verify';

/** One row of the log as it is stored. */
export interface ChainedEntry {
  readonly stream: string;
  readonly sequence: number;
  readonly recorded_at: string;
  readonly entity_id: string | null;
  readonly content: string;
  readonly previous_hash: string;
  readonly hash: string;
}

/** How far a stream was followed: its last row, that row's hash, the hash before it, and the first damage found. */
export interface StreamState {
  readonly stream: string;
  last: number;
  hash: string;
  hashBefore: string;
  damage: Damage | null;
}

/** A stream of which nothing was read yet. */
export function beginStream(stream: string): StreamState {
  return { stream, last: 0, hash: GENESIS, hashBefore: GENESIS, damage: null };
}

/** Takes the next row of the stream, in the order of the sequence; keeps the first damage only, because what follows is its echo. */
export function followEntry(state: StreamState, row: ChainedEntry): void {
  state.damage ??= damageAt(state, row);
  state.hashBefore = state.hash;
  state.last = row.sequence;
  state.hash = row.hash;
}

/**
 * A row that hashes to its own hash was sealed as it is; if it then does not fit, its neighbour is the damaged one. It follows the row
 * before the last: the last was inserted. It was written under a higher number than the next one: the next one is missing.
 */
function damageAt(state: StreamState, row: ChainedEntry): Damage | null {
  const { stream, last } = state;
  const found = (sequence: number, kind: Damage['kind'], detail: string): Damage => ({ stream, sequence, kind, detail });
  if (row.sequence < 1) return found(row.sequence, 'inserted', 'a number that no entry ever gets');
  if (row.sequence !== last + 1) return found(last + 1, 'missing', `the next row is entry ${row.sequence}`);
  if (entryHash(row.previous_hash, row.content) !== row.hash) return found(row.sequence, 'changed', 'the text does not give the hash');
  const content = contentOf(row.content);
  if (content === null) return found(row.sequence, 'changed', 'the text is no audit entry');
  if (row.previous_hash !== state.hash) {
    if (content.stream !== stream) return found(row.sequence, 'inserted', `the entry belongs to ${content.stream}`);
    if (content.sequence > row.sequence) return found(row.sequence, 'missing', `the row holds entry ${content.sequence}`);
    if (row.previous_hash === state.hashBefore && last > 0) return found(last, 'inserted', `entry ${row.sequence} does not follow it`);
    if (last > 0) return found(last, 'changed', `entry ${row.sequence} follows another text`);
    return found(row.sequence, 'changed', 'the first entry follows something');
  }
  if (content.stream !== stream) return found(row.sequence, 'inserted', `the entry belongs to ${content.stream}`);
  if (content.sequence !== row.sequence) return found(row.sequence, 'changed', `the entry calls itself ${content.sequence}`);
  if ((content.entityId ?? null) !== row.entity_id) return found(row.sequence, 'changed', 'given to another entity');
  if (Date.parse(content.recordedAt) !== Date.parse(row.recorded_at)) return found(row.sequence, 'changed', 'recorded at another moment');
  return null;
}

function contentOf(text: string): AuditContent | null {
  try {
    const content: unknown = JSON.parse(text);
    return typeof content === 'object' && content !== null && 'sequence' in content ? (content as AuditContent) : null;
  } catch {
    return null;
  }
}
