import { sql, type Kysely } from 'kysely';
import { type Scope } from '../../domain/access';
import { type DataKind, type WhyKept } from '../../domain/privacy/entry';
import { REGISTER } from '../../domain/privacy/register';
import { reportOf } from '../../domain/privacy/report';
import { textsOf } from '../free-text';
import { type ErasureRow, stepsOf } from '../privacy/erasures';
import { type HoldRow, holdsOver } from '../privacy/holds';
import { heldPerson } from '../privacy/person';
import { type DB } from '../types';
import { keyAt, type Page, pageOf, type PageRequest } from './page';
import { decisionOf, wordsOf } from './second-person';

export type ErasureView = Awaited<ReturnType<typeof erasureView>>;

/** An erasure with its reasons, what it did by kind, and the holds that stop it. */
export async function erasureView(db: Kysely<DB>, row: ErasureRow) {
  const words = await wordsOf(db, [row]);
  const steps = await stepsOf(db, row.id);
  const isOpen = row.state === 'requested' || row.state === 'granted';
  const person = isOpen ? await heldPerson(db, row.user_id ?? row.person_id ?? '') : undefined;
  const holds = person === undefined ? [] : await holdsOver(db, person);
  const done = steps.map((step) => ({
    step: step.step,
    kind: step.kind as DataKind,
    erased: step.erased,
    kept: step.kept,
    whyKept: step.why_kept as WhyKept | null,
  }));
  return {
    id: row.id,
    userId: row.user_id,
    personId: row.person_id,
    entityId: row.entity_id,
    state: row.state as 'requested' | 'granted' | 'refused' | 'done',
    requestedBy: row.requested_by,
    policyVersionId: row.policy_version_id,
    requestedAt: row.requested_at,
    reason: words.get(row.reason_id ?? '') ?? null,
    ...decisionOf(row, words),
    finishedAt: row.finished_at,
    holds,
    report: reportOf(REGISTER, done, row.state === 'granted' && holds.length > 0),
  };
}

/** Erasures of people at home in the scope, the last asked for first. */
export async function listErasures(
  db: Kysely<DB>,
  scope: Scope,
  { state }: { readonly state?: string | undefined },
  page: PageRequest,
): Promise<Page<ErasureView>> {
  let query = db.selectFrom('erasure').selectAll();
  if (scope.kind !== 'group') query = query.where('entity_id', '=', sql<string>`any(${[...scope.entityIds]}::text[])`);
  if (state !== undefined) query = query.where('state', '=', state);
  if (page.after) query = query.where(sql<boolean>`(requested_at, id) < (${keyAt(page, 0)}::timestamptz, ${keyAt(page, 1)}::uuid)`);
  const rows = await query
    .orderBy('requested_at', 'desc')
    .orderBy('id', 'desc')
    .limit(page.limit + 1)
    .execute();
  const { rows: shown, next } = pageOf(
    rows,
    page,
    (row) => [row.requested_at, row.id],
    (row) => row,
  );
  const views: ErasureView[] = [];
  for (const row of shown) views.push(await erasureView(db, row));
  return { rows: views, next };
}

export type LegalHoldView = ReturnType<typeof holdView>;

/** Legal holds, the last placed first. They belong to no entity: for readers of the whole group. */
export async function listHolds(
  db: Kysely<DB>,
  { state }: { readonly state?: 'standing' | 'released' | undefined },
  page: PageRequest,
): Promise<Page<LegalHoldView>> {
  let query = db.selectFrom('legal_hold').selectAll();
  if (state !== undefined) query = query.where('released_at', state === 'standing' ? 'is' : 'is not', null);
  if (page.after) query = query.where(sql<boolean>`(placed_at, id) < (${keyAt(page, 0)}::timestamptz, ${keyAt(page, 1)}::uuid)`);
  const rows = await query
    .orderBy('placed_at', 'desc')
    .orderBy('id', 'desc')
    .limit(page.limit + 1)
    .execute();
  const words = await textsOf(db, rows.flatMap((row) => [row.reason_id, row.release_reason_id])); // prettier-ignore
  return pageOf(
    rows,
    page,
    (row) => [row.placed_at, row.id],
    (row) => holdView(row, words),
  );
}

export async function readHold(db: Kysely<DB>, id: string): Promise<LegalHoldView | undefined> {
  const row = await db.selectFrom('legal_hold').selectAll().where('id', '=', id).executeTakeFirst();
  return row && holdView(row, await textsOf(db, [row.reason_id, row.release_reason_id]));
}

function holdView(row: HoldRow, words: Map<string, string | null>) {
  return {
    id: row.id,
    scope: { kind: row.scope_kind as 'person' | 'deal' | 'entity', id: row.scope_id },
    reason: words.get(row.reason_id) ?? null,
    placedBy: row.placed_by,
    placedAt: row.placed_at,
    releasedBy: row.released_by,
    releasedAt: row.released_at,
    releaseReason: words.get(row.release_reason_id ?? '') ?? null,
  };
}
