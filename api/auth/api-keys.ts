import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { type Kysely } from 'kysely';
import { type DB } from '../../db/types';
import { type Scope } from '../../domain/access';
import { type Principal, scopeFromRow } from './principal';

export interface NewApiKey {
  readonly id: string;
  readonly name: string;
  readonly roles: readonly string[];
  readonly scope: Scope;
  readonly expiresAt?: string | undefined;
}

const FORM = /^tlk_[A-Za-z0-9_-]{43}$/;

/**
 * Creates a key of 256 random bits and returns it, the only time it is seen: the database keeps its SHA-256, which is enough for a
 * secret that cannot be guessed. Null where the id exists already.
 */
export async function createApiKey(db: Kysely<DB>, key: NewApiKey): Promise<string | null> {
  const secret = `tlk_${randomBytes(32).toString('base64url')}`;
  const inserted = await db
    .insertInto('api_key')
    .values({
      id: key.id,
      name: key.name,
      key_hash: hashOfKey(secret),
      roles: [...key.roles],
      scope_kind: key.scope.kind === 'group' ? 'group' : 'entity',
      scope_ids: key.scope.kind === 'group' ? [] : [...key.scope.entityIds],
      expires_at: key.expiresAt ?? null,
    })
    .onConflict((conflict) => conflict.column('id').doNothing())
    .executeTakeFirst();
  return (inserted.numInsertedOrUpdatedRows ?? 0n) > 0n ? secret : null;
}

/** Ends a key at once; false where there is none under this id. A key that was revoked keeps its first moment. */
export async function revokeApiKey(db: Kysely<DB>, id: string, now: Date): Promise<boolean> {
  const revoked = await db
    .updateTable('api_key')
    .set((eb) => ({ revoked_at: eb.fn.coalesce('revoked_at', eb.val(now.toISOString())) }))
    .where('id', '=', id)
    .returning('id')
    .executeTakeFirst();
  return revoked !== undefined;
}

/** The integration behind a key; null for a key that is unknown, expired (by the technical clock) or revoked. */
export async function apiKeyPrincipal(db: Kysely<DB>, key: string, now: Date): Promise<Principal | null> {
  if (!FORM.test(key)) return null;
  const hash = hashOfKey(key);
  const row = await db.selectFrom('api_key').selectAll().where('key_hash', '=', hash).executeTakeFirst();
  if (row === undefined || !timingSafeEqual(Buffer.from(row.key_hash), Buffer.from(hash))) return null;
  const expired = row.expires_at !== null && Date.parse(row.expires_at) <= now.getTime();
  if (expired || row.revoked_at !== null) return null;
  const scope = scopeFromRow(row.scope_kind, row.scope_ids);
  return { kind: 'api-key', id: row.id, assignments: row.roles.map((role) => ({ role, scope })), delegated: [] };
}

function hashOfKey(key: string): string {
  return createHash('sha256').update(key, 'utf8').digest('hex');
}
