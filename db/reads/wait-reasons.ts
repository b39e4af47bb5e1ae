import { type Kysely } from 'kysely';
import { covers, type Scope } from '../../domain/access';
import { textsOf } from '../free-text';
import { type DB } from '../types';
import { type WaitOfRun } from '../waits';

/** Waits as they are told: why, in somebody's words, only to readers of deals where the wait belongs (`scope`; null is nowhere). */
export async function withReasons(db: Kysely<DB>, scope: Scope | null, waits: readonly WaitOfRun[]) {
  const isReadable = ({ entityId }: WaitOfRun): boolean => covers(scope, entityId === null ? [] : [entityId]);
  const words = await textsOf(
    db,
    waits.filter(isReadable).map((wait) => wait.reasonId ?? null),
  );
  return waits.map(({ reasonId, ...wait }) => ({ ...wait, reason: words.get(reasonId ?? '') ?? null }));
}
