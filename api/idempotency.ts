import { createHash } from 'node:crypto';
import { type FastifyReply, type FastifyRequest } from 'fastify';
import { sql, type Kysely } from 'kysely';
import { uuidv7 } from 'uuidv7';
import { canonicalJson } from '../domain/canonical-json';
import { type DB } from '../db/types';
import { principalName } from './auth/principal';
import { ApiError, isPassing } from './errors';
import { asApiError, problemOf } from './problem';

/** A request that has not ended after so long (its process died) may be taken over by its repetition. */
const LEASE_SECONDS = 30;
const KEY_FORM = /^[\x20-\x7e]{1,200}$/;

type Claim =
  | { readonly kind: 'claimed'; readonly evaluation: string }
  | { readonly kind: 'answered'; readonly status: number; readonly body: unknown }
  | { readonly kind: 'running' }
  | { readonly kind: 'reused' };

declare module 'fastify' {
  interface FastifyRequest {
    /** Names this evaluation of the request: the same for its repetitions as long as the outcome is open, else a new one. */
    evaluation: string;
  }
}

/** The answer of a request: evaluated now, or the one that was given and stored before. */
export type Given<T> =
  { readonly kind: 'new'; readonly body: T } | { readonly kind: 'stored'; readonly status: number; readonly body: unknown };

/** Whether an answer is the one for good: else the same request is evaluated again, or goes on with what is still `under-way`. */
export type Standing = 'final' | 'passing' | 'under-way';

/** A request whose whole answer is what `run` gives, see `onlyOnce`. */
export async function once(db: Kysely<DB>, request: FastifyRequest, reply: FastifyReply, run: () => Promise<unknown>): Promise<unknown> {
  const given = await onlyOnce(db, request, run, { statusOf: () => reply.statusCode });
  return given.kind === 'stored' ? replay(reply, given.status, given.body) : given.body;
}

/**
 * Runs a request once per principal and `Idempotency-Key`: its status and body are stored and given again, a refusal too; another content
 * under the same key is refused, a repetition while it runs is asked to wait. An answer of 500 or above is not stored, because its outcome
 * is open, nor a refusal that passes by itself, nor a body that does not stand: then the repetition is evaluated anew, unless the first
 * evaluation may still be under way, which it joins.
 */
export async function onlyOnce<T>(
  db: Kysely<DB>,
  request: FastifyRequest,
  run: () => Promise<T>,
  { statusOf = () => 200, standingOf = () => 'final' }: { statusOf?: () => number; standingOf?: (body: T) => Standing } = {},
): Promise<Given<T>> {
  const key = requestKeyOf(request);
  request.evaluation = uuidv7();
  if (key === null) return { kind: 'new', body: await run() };
  const owner = { principal: principalName(request.principal), key };
  const claim = await claimKey(db, owner, hashOfRequest(request));
  if (claim.kind === 'reused') throw new ApiError('IdempotencyKeyReused', 'the content differs from the first request');
  if (claim.kind === 'running') throw new ApiError('RequestInProgress', 'the first request has not ended');
  if (claim.kind === 'answered') return { kind: 'stored', status: claim.status, body: claim.body };
  request.evaluation = claim.evaluation;
  const letGo = (standing: Standing) => (standing === 'under-way' ? unlockKey(db, owner) : releaseKey(db, owner)).catch(() => undefined);
  try {
    const body = await run();
    const standing = standingOf(body);
    await (standing === 'final' ? storeAnswer(db, owner, statusOf(), body) : letGo(standing));
    return { kind: 'new', body };
  } catch (error) {
    const known = asApiError(error);
    const problem = problemOf(known, request);
    if (!isPassing(problem.code)) await storeAnswer(db, owner, problem.status, problem);
    else await letGo(known.extras.underWay === true ? 'under-way' : 'passing');
    throw error;
  }
}

/**
 * An id for what a request creates. With an `Idempotency-Key` it follows from principal, key and purpose, so that a repetition after a
 * crash or a time-out means the same thing; without one it is new.
 */
export function idFor(request: FastifyRequest, purpose: string): string {
  const key = requestKeyOf(request);
  if (key === null) return uuidv7();
  const hex = createHash('sha256')
    .update(canonicalJson([principalName(request.principal), key, purpose]))
    .digest('hex');
  const variant = ((Number.parseInt(hex.charAt(16), 16) & 0x3) | 0x8).toString(16);
  return [hex.slice(0, 8), hex.slice(8, 12), `8${hex.slice(13, 16)}`, variant + hex.slice(17, 20), hex.slice(20, 32)].join('-');
}

/** Forgets answers that are older than a day; returns how many. */
export async function forgetOldAnswers(db: Kysely<DB>): Promise<number> {
  const gone = await db
    .deleteFrom('idempotency_key')
    .where('created_at', '<', sql<string>`now() - interval '1 day'`)
    .executeTakeFirst();
  return Number(gone.numDeletedRows);
}

/** The `Idempotency-Key` of a request, null where it has none. */
export function requestKeyOf(request: FastifyRequest): string | null {
  const header = request.headers['idempotency-key'];
  if (header === undefined) return null;
  if (typeof header !== 'string' || !KEY_FORM.test(header))
    throw new ApiError('IdempotencyKeyInvalid', 'not 1 to 200 printable characters');
  return header;
}

function hashOfRequest(request: FastifyRequest): string {
  return createHash('sha256').update(`${request.method} ${request.url}\n`).update(request.rawBody).digest('hex');
}

type Owner = { readonly principal: string; readonly key: string };

async function claimKey(db: Kysely<DB>, { principal, key }: Owner, requestHash: string): Promise<Claim> {
  const claimed = await sql<{ attempt: string }>`
    insert into idempotency_key (principal, key, request_hash, state, locked_until, attempt)
    values (${principal}, ${key}, ${requestHash}, 'running', now() + make_interval(secs => ${LEASE_SECONDS}), ${uuidv7()})
    on conflict (principal, key) do update set locked_until = excluded.locked_until
     where idempotency_key.state = 'running' and idempotency_key.locked_until <= now()
       and idempotency_key.request_hash = excluded.request_hash
    returning attempt`.execute(db);
  const [claim] = claimed.rows;
  if (claim !== undefined) return { kind: 'claimed', evaluation: claim.attempt };
  const row = await db.selectFrom('idempotency_key').selectAll().where(ofOwner({ principal, key })).executeTakeFirst();
  if (row === undefined) return { kind: 'running' };
  if (row.request_hash !== requestHash) return { kind: 'reused' };
  return row.state === 'answered' && row.status !== null ? { kind: 'answered', status: row.status, body: row.body } : { kind: 'running' };
}

async function storeAnswer(db: Kysely<DB>, owner: Owner, status: number, body: unknown): Promise<void> {
  await db
    .updateTable('idempotency_key')
    .set({ state: 'answered', status, body: JSON.stringify(body ?? null) })
    .where(ofOwner(owner))
    .execute();
}

/** Forgets the key: its next request is a first one. Where the database is away the lease runs out by itself. */
async function releaseKey(db: Kysely<DB>, owner: Owner): Promise<void> {
  await db.deleteFrom('idempotency_key').where(ofOwner(owner)).where('state', '=', 'running').execute();
}

/** Keeps the evaluation, which its repetition may join at once. */
async function unlockKey(db: Kysely<DB>, owner: Owner): Promise<void> {
  const now = sql<string>`now()`;
  await db.updateTable('idempotency_key').set({ locked_until: now }).where(ofOwner(owner)).where('state', '=', 'running').execute();
}

function ofOwner({ principal, key }: Owner) {
  return sql<boolean>`principal = ${principal} and key = ${key}`;
}

/** Gives a stored answer again. */
export function replay(reply: FastifyReply, status: number, body: unknown): FastifyReply {
  return reply
    .code(status)
    .header('idempotent-replayed', 'true')
    .type(status >= 400 ? 'application/problem+json' : 'application/json; charset=utf-8')
    .serializer((payload: unknown) => JSON.stringify(payload))
    .send(body);
}
