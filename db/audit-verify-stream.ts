import { entryHash, GENESIS, type AuditContent } from './audit';
import { type Damage } from './audit-verify';
import { type Break } from './audit-verify-break';

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

/** How far a stream was followed: its last row, that row's hash, and the first place where it is not whole. */
export interface StreamState {
  readonly stream: string;
  last: number;
  hash: string;
  damage: Damage | null;
  /** Where two rows do not follow one another; which of them is the damaged one other rows say. */
  broken: Break | null;
}

/** A stream of which nothing was read yet. */
export function beginStream(stream: string): StreamState {
  return { stream, last: 0, hash: GENESIS, damage: null, broken: null };
}

/** Takes the next row of the stream, in the order of the sequence; keeps the first place only, because what follows is its echo. */
export function followEntry(state: StreamState, row: ChainedEntry): void {
  if (state.damage === null && state.broken === null) {
    const found = lookAt(state, row);
    if (found !== null && 'after' in found) state.broken = found;
    else state.damage = found;
  }
  state.last = row.sequence;
  state.hash = row.hash;
}

/** A row that hashes to its own hash was sealed as it is; if it then does not fit, its neighbour may be the damaged one. */
function lookAt(state: StreamState, row: ChainedEntry): Damage | Break | null {
  const { stream, last } = state;
  const { sequence, hash, previous_hash: previousHash } = row;
  const found = (kind: Damage['kind'], detail: string): Damage => ({ stream, sequence, kind, detail });
  if (sequence < 1) return found('inserted', 'a number that no entry ever gets');
  const calls = contentOf(row.content);
  const broken: Break = { after: last, sequence, hash, previousHash, calledStream: calls?.stream ?? '', called: calls?.sequence ?? 0 };
  if (sequence !== last + 1) return broken;
  if (entryHash(previousHash, row.content) !== hash) return found('changed', 'the text does not give the hash');
  if (calls === null) return found('changed', 'the text is no audit entry');
  if (calls.stream !== stream) return found('inserted', `the entry belongs to ${calls.stream}`);
  if (previousHash !== state.hash) return broken;
  if (calls.sequence !== sequence) return found('changed', `the entry calls itself ${calls.sequence}`);
  if ((calls.entityId ?? null) !== row.entity_id) return found('changed', 'given to another entity');
  if (Date.parse(calls.recordedAt) !== Date.parse(row.recorded_at)) return found('changed', 'recorded at another moment');
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
