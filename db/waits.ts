import { sql, type Kysely, type Selectable, type Transaction } from 'kysely';
import { uuidv7 } from 'uuidv7';
import { type Instant } from '../domain/deal/terms';
import { type Scope } from '../domain/access';
import { factOfWait } from '../domain/notification/facts';
import { inEntities } from './entity-scope';
import { insertIntoOutbox, outboxRow } from './outbox';
import { type DB } from './types';

/** Who or what a run waits for (D6). `due` is when it is late, `wakesAt` the next moment at which the run acts by itself. */
export interface Wait {
  readonly kind: string;
  readonly subject: string;
  readonly role: string;
  readonly entityId: string | null;
  readonly dealId: string | null;
  readonly asks: string;
  readonly due: Instant | null;
  readonly wakesAt: Instant | null;
  /** Id of the words in which somebody said why this is waited for; they never stand in `asks`, which operators see (ADR 0020). */
  readonly reasonId?: string | null;
}

/** A wait and the moment since when it is open. */
export interface OpenWait extends Wait {
  readonly since: Instant;
}

/** An open wait and the run that waits. */
export type WaitOfRun = OpenWait & { readonly workflowId: string };

export interface WaitFilter {
  readonly workflowIds?: readonly string[];
  readonly roles?: readonly string[];
  readonly dealId?: string;
  readonly scope: Scope;
}

/**
 * Makes `waits` the open waits of a run: closes what is gone, keeps `since` of what stays (same kind, subject and role) and opens the
 * rest at `at`. Returns all that are open, by due moment (none last), kind, subject, role, and the revision of this answer: a number that
 * grows with each. Throws where two waits are the same.
 * An opened wait that asks people to decide is in the outbox with the same statement (R-270).
 * A stuck step is waited for until it is tried again, whatever else the run does meanwhile: it is opened and closed only as such.
 */
export async function replaceWaits(
  trx: Transaction<DB>,
  workflowId: string,
  waits: readonly Wait[],
  at: Instant,
): Promise<{ waits: OpenWait[]; revision: number }> {
  const wanted = new Map(waits.map((wait) => [identity(wait), wait]));
  if (wanted.size !== waits.length) throw new Error(`${workflowId} waits twice for the same`);
  const given = JSON.stringify(waits.map((wait) => withFact(workflowId, { id: uuidv7(), ...columns(wait) }, wait, at)));
  const { rows } = await sql<Standing>`
    with wanted as (
      select * from jsonb_to_recordset(${given}::jsonb) as w (
        id uuid, kind text, subject text, role text, entity_id text, deal_id uuid, asks text, due timestamptz, wakes_at timestamptz, reason_id uuid, told jsonb)
    ), standing as (
      select * from open_wait where workflow_id = ${workflowId} and closed_at is null for update
    ), gone as (
      update open_wait as wait set closed_at = ${at}::timestamptz
        from standing as s
       where wait.id = s.id and s.kind <> ${STUCK}
         and not exists (select from wanted as w where (w.kind, w.subject, w.role) = (s.kind, s.subject, s.role))
    ), changed as (
      update open_wait as wait
         set asks = w.asks, due = w.due, entity_id = w.entity_id, deal_id = w.deal_id, wakes_at = w.wakes_at, reason_id = w.reason_id
        from standing as s join wanted as w on (w.kind, w.subject, w.role) = (s.kind, s.subject, s.role)
       where wait.id = s.id
         and (s.asks, s.due, s.entity_id, s.deal_id, s.wakes_at, s.reason_id)
             is distinct from (w.asks, w.due, w.entity_id, w.deal_id, w.wakes_at, w.reason_id)
    ), added as (
      insert into open_wait (id, workflow_id, since, kind, subject, role, entity_id, deal_id, asks, due, wakes_at, reason_id)
      select w.id, ${workflowId}, ${at}::timestamptz, w.kind, w.subject, w.role, w.entity_id, w.deal_id, w.asks, w.due, w.wakes_at, w.reason_id
        from wanted as w
       where not exists (select from standing as s where (s.kind, s.subject, s.role) = (w.kind, w.subject, w.role))
      returning id
    )${waits.some((wait) => factOfWait(workflowId, wait) !== null) ? TELLING_OF_ADDED : sql``}
    , answer as materialized (
      select nextval('view_revision') as revision
    )
    select answer.revision, s.* from answer left join standing as s on true`.execute(trx);
  const standing = rows.flatMap((row) => (row.kind === null ? [] : [row]));
  const since = new Map(standing.map((row) => [identity(row), row.since]));
  const open = waits.map((wait) => ({ ...normal(wait), since: instant(since.get(identity(wait)) ?? at) }));
  const stuck = standing.filter((row) => row.kind === STUCK).map((row) => ({ ...normal(fromRow(row)), since: instant(row.since) }));
  return { waits: [...open, ...stuck].sort(byDue), revision: rows[0]?.revision ?? 0 };
}

/** A wait that was open before, if any. */
type Standing = { readonly revision: number } & (Selectable<DB['open_wait']> | { readonly kind: null });

/** Closes every open wait of a run that ends. */
export async function closeWaits(trx: Transaction<DB>, workflowId: string, at: Instant): Promise<void> {
  await trx.updateTable('open_wait').set({ closed_at: at }).where('workflow_id', '=', workflowId).where('closed_at', 'is', null).execute();
}

/** Open waits in the reader's scope, in the order of `replaceWaits`. A wait without an entity belongs to the lead entity of its deal (R-094). */
export async function openWaits(db: Kysely<DB>, filter: WaitFilter): Promise<WaitOfRun[]> {
  const rows = await selectOpenWaits(db, filter)
    .orderBy(sql`w.due asc nulls last, w.kind, w.subject, w.role, w.workflow_id`)
    .execute();
  return rows.map(waitOfRun);
}

/** The rows of open waits in the reader's scope (alias `w`), in no order yet. */
export function selectOpenWaits(db: Kysely<DB>, filter: WaitFilter) {
  let query = db.selectFrom('open_wait as w').leftJoin('deal as d', 'd.id', 'w.deal_id').selectAll('w').where('w.closed_at', 'is', null);
  if (filter.workflowIds !== undefined) query = query.where('w.workflow_id', '=', sql<string>`any(${[...filter.workflowIds]}::text[])`);
  if (filter.roles !== undefined) query = query.where('w.role', '=', sql<string>`any(${[...filter.roles]}::text[])`);
  if (filter.dealId !== undefined) query = query.where('w.deal_id', '=', filter.dealId);
  return query.where(inEntities(filter.scope, sql`array[coalesce(w.entity_id, d.lead_entity_id)]`));
}

export function waitOfRun(row: Selectable<DB['open_wait']>): WaitOfRun {
  return { workflowId: row.workflow_id, ...normal(fromRow(row)), since: instant(row.since) };
}

/** The smallest moment at which an open run acts by itself; null if none does (D2). */
export async function nextWake(db: Kysely<DB>): Promise<Instant | null> {
  const row = await db
    .selectFrom('open_wait')
    .select((eb) => eb.fn.min('wakes_at').as('moment'))
    .where('closed_at', 'is', null)
    .executeTakeFirstOrThrow();
  return row.moment === null ? null : instant(row.moment);
}

/** Ids of the runs that act by themselves at or before a moment (D2). */
export async function dueRuns(db: Kysely<DB>, moment: Instant): Promise<string[]> {
  const rows = await db
    .selectFrom('open_wait')
    .select('workflow_id')
    .distinct()
    .where('closed_at', 'is', null)
    .where('wakes_at', '<=', moment)
    .orderBy('workflow_id')
    .execute();
  return rows.map((row) => row.workflow_id);
}

/** Only where people are asked, so that other waits cost no more than before. */
const TELLING_OF_ADDED = sql`, told as (${insertIntoOutbox(sql`(select jsonb_agg(w.told) from wanted as w join added using (id) where w.told is not null)`)})`;

/** Kind of the wait of a step that operators have to put right. */
const STUCK = 'stuck';

/** With the row of the outbox that tells of the wait when it is opened, where it asks people (R-270). */
function withFact<T extends { id: string }>(workflowId: string, row: T, wait: Wait, at: Instant) {
  const fact = factOfWait(workflowId, wait);
  return fact === null ? row : { ...row, told: outboxRow(fact, `wait/${row.id}`, at) };
}

function identity(wait: { kind: string; subject: string; role: string }): string {
  return JSON.stringify([wait.kind, wait.subject, wait.role]);
}

function columns(wait: Wait) {
  const { kind, subject, role, asks, due } = wait;
  return {
    kind,
    subject,
    role,
    asks,
    due,
    entity_id: wait.entityId,
    deal_id: wait.dealId,
    wakes_at: wait.wakesAt,
    reason_id: wait.reasonId ?? null,
  };
}

function fromRow(row: Selectable<DB['open_wait']>): Wait {
  return { ...row, entityId: row.entity_id, dealId: row.deal_id, wakesAt: row.wakes_at, reasonId: row.reason_id };
}

function normal(wait: Wait): Wait {
  const { kind, subject, role, entityId, dealId, asks, due, wakesAt, reasonId } = wait;
  const moments = { due: due && instant(due), wakesAt: wakesAt && instant(wakesAt) };
  return { kind, subject, role, entityId, dealId, asks, ...moments, ...(reasonId ? { reasonId } : {}) };
}

/** One notation for one moment, so that moments compare as text. */
function instant(moment: string): Instant {
  return new Date(moment).toISOString();
}

function byDue(a: OpenWait, b: OpenWait): number {
  return order(a.due ?? '\uffff', b.due ?? '\uffff') || order(a.kind, b.kind) || order(a.subject, b.subject) || order(a.role, b.role);
}

function order(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
