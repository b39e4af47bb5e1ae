import { sql, type Kysely, type Selectable, type Transaction } from 'kysely';
import { uuidv7 } from 'uuidv7';
import { localDateOf } from '../domain/calendar/zone';
import { type Instant } from '../domain/deal/terms';
import { type ExceptionOption, type ExceptionPath } from '../domain/exception/paths';
import { letEnclosureGo } from './exception-enclosures';
import { entityOf } from './parties';
import { type Policy, policyAt } from './policies';
import { type DB } from './types';

/** Type of the event by which the outcome of an exception has its deal cancelled. */
export const CANCELLATION_ASKED = 'cancellation-asked';

/** What is found to need an outcome. `name` is what it stands at: `approval/<id>`, `line/<id>`. */
export interface FoundException {
  readonly name: string;
  readonly path: ExceptionPath;
  /** Ids and codes only: operators see it. */
  readonly detail: string;
  readonly dealId: string | null;
  readonly entityId: string | null;
  readonly contractLineId?: string | null;
  readonly facts: Readonly<Record<string, string>>;
}

/** Whoever is asked until policy says who is. */
const OWNER_UNTIL_ASSIGNED = 'operator';

/** Opens an exception unless one of this path is open at the same thing; its run is started by the event that the database adds. */
export async function openException(trx: Transaction<DB>, found: FoundException, at: Instant): Promise<void> {
  await trx
    .insertInto('process_exception')
    .values(openedRow(uuidv7(), found, at))
    .onConflict((conflict) => conflict.columns(['workflow_id', 'kind']).where('closed_at', 'is', null).doNothing())
    .execute();
}

/** The row of an exception that has just been found. */
export function openedRow(id: string, { name, path, detail, dealId, entityId, contractLineId = null, facts }: FoundException, at: Instant) {
  return {
    id,
    workflow_id: name,
    deal_id: dealId,
    entity_id: entityId,
    contract_line_id: contractLineId,
    kind: path,
    detail,
    owner_role: OWNER_UNTIL_ASSIGNED,
    facts: JSON.stringify(facts),
    opened_at: at,
  };
}

/** The cause of what stands at some things is gone: their exceptions of a path are settled by that. */
export async function closeExceptions(trx: Transaction<DB>, path: ExceptionPath, names: readonly string[], at: Instant): Promise<void> {
  if (names.length === 0) return;
  await trx
    .updateTable('process_exception')
    .set({ closed_at: at })
    .where('kind', '=', path)
    .where('workflow_id', 'in', names)
    .where('closed_at', 'is', null)
    .execute();
}

/** The deal has ended: nothing of it needs an outcome any more. Steps that are stuck still do. */
export async function lapseExceptions(trx: Transaction<DB>, dealId: string, at: Instant): Promise<void> {
  await trx
    .updateTable('process_exception')
    .set({ closed_at: at, settled_as: 'lapsed' })
    .where('deal_id', '=', dealId)
    .where('path', 'in', ['policy-breach', 'scope-change', 'margin-erosion', 'subcontractor-spend'])
    .where('closed_at', 'is', null)
    .execute();
}

/** What the run of an exception is started with. */
export async function openedException(db: Kysely<DB>, exceptionId: string) {
  const row = await withEntity(db).where('trouble.id', '=', exceptionId).executeTakeFirstOrThrow();
  const { path, deal_id: dealId, entityId, closed_at: closedAt } = row;
  return { exceptionId, path: path ?? row.kind, dealId, entityId, isSettled: closedAt !== null };
}

/** The policy by which an exception goes: that of the day on which it was opened, at its entity; null where none was in force. */
export async function policyOfException(
  db: Kysely<DB>,
  { entityId, openedAt }: { readonly entityId: string | null; readonly openedAt: Instant },
): Promise<Policy<'exceptions'> | null> {
  const timeZone = entityId === null ? 'UTC' : (await entityOf(db, entityId)).timeZone;
  return policyAt(db, 'exceptions', localDateOf(openedAt, timeZone), { entityId });
}

export type ExceptionRow = Omit<Selectable<DB['process_exception']>, 'path' | 'facts'> & {
  readonly path: ExceptionPath;
  readonly facts: Readonly<Record<string, string>>;
  /** Its own, or the one that leads its deal. */
  readonly entityId: string | null;
};
export type ChoiceRow = Selectable<DB['exception_choice']>;

/** An exception with the outcome that stands, locked until the transaction ends. */
export async function lockException(trx: Transaction<DB>, exceptionId: string): Promise<{ row: ExceptionRow; choice: ChoiceRow | null }> {
  const row = await withEntity(trx).where('trouble.id', '=', exceptionId).forUpdate('trouble').executeTakeFirstOrThrow();
  const choice =
    row.choice_id === null
      ? null
      : await trx.selectFrom('exception_choice').selectAll().where('id', '=', row.choice_id).executeTakeFirstOrThrow();
  return { row: row as ExceptionRow, choice };
}

/** What is asked to be approved is a choice, by its id. */
export async function choiceOf(db: Kysely<DB>, choiceId: string): Promise<{ row: ExceptionRow; choice: ChoiceRow }> {
  const choice = await db.selectFrom('exception_choice').selectAll().where('id', '=', choiceId).executeTakeFirstOrThrow();
  const row = await withEntity(db).where('trouble.id', '=', choice.exception_id).executeTakeFirstOrThrow();
  return { row: row as ExceptionRow, choice };
}

function withEntity(db: Kysely<DB>) {
  return db
    .selectFrom('process_exception as trouble')
    .leftJoin('deal', 'deal.id', 'trouble.deal_id')
    .selectAll('trouble')
    .select(sql<string | null>`coalesce(trouble.entity_id, deal.lead_entity_id)`.as('entityId'));
}

export interface NewChoice {
  readonly id: string;
  readonly option: ExceptionOption;
  readonly by: string;
  readonly at: Instant;
  readonly reasonId: string;
  readonly evidence: string | null;
  readonly target: string | null;
}

/** Keeps an outcome that somebody chose as the one that stands, and has the run told of it, should it not have heard the answer. */
export async function keepChoice(trx: Transaction<DB>, exceptionId: string, choice: NewChoice): Promise<void> {
  const { id, option, by, at, reasonId, evidence, target } = choice;
  await trx
    .insertInto('exception_choice')
    .values({
      id,
      exception_id: exceptionId,
      option,
      chosen_by: by,
      chosen_at: at,
      reason_id: reasonId,
      evidence,
      target,
      state: 'asked',
    })
    .execute();
  await trx
    .updateTable('process_exception')
    .set({ stage: 'decided', choice_id: id, taking: false })
    .where('id', '=', exceptionId)
    .execute();
  await sql`select ring_exception(${exceptionId}, ${at}, 'chosen', ${id})`.execute(trx);
}

/** Has the run of an open exception look again: what it is about was measured anew. */
export async function ringException(trx: Transaction<DB>, path: ExceptionPath, name: string, at: Instant): Promise<void> {
  await sql`select ring_exception(id, ${at}, 'measured', ${uuidv7()}) from process_exception
             where kind = ${path} and workflow_id = ${name} and closed_at is null and stage <> 'open'`.execute(trx);
}

/** How a choice ended; what did not stand gives the exception back to its owner. */
export async function settleChoice(
  trx: Transaction<DB>,
  choice: ChoiceRow,
  state: 'carried-out' | 'refused' | 'void',
  at: Instant,
): Promise<void> {
  await trx.updateTable('exception_choice').set({ state, settled_at: at }).where('id', '=', choice.id).execute();
  await letEnclosureGo(trx, choice.id);
  if (state === 'carried-out') return;
  await trx
    .updateTable('exception_item')
    .set({ choice_id: null })
    .where('choice_id', '=', choice.id)
    .where('settled_at', 'is', null)
    .execute();
  await trx
    .updateTable('process_exception')
    .set({ stage: 'assigned', choice_id: null })
    .where('id', '=', choice.exception_id)
    .where('closed_at', 'is', null)
    .execute();
}

/** The outcome is carried out for the items that it was for; its owner is asked about the others, whose deadline runs on. */
export async function askOn(trx: Transaction<DB>, exceptionId: string): Promise<void> {
  await trx
    .updateTable('process_exception')
    .set({ stage: 'assigned', choice_id: null })
    .where('id', '=', exceptionId)
    .where('closed_at', 'is', null)
    .execute();
}

/** Settles an exception by the outcome that was chosen. */
export async function settleException(trx: Transaction<DB>, exceptionId: string, settledAs: string, at: Instant): Promise<void> {
  await trx
    .updateTable('process_exception')
    .set({ stage: 'settled', closed_at: at, settled_as: settledAs })
    .where('id', '=', exceptionId)
    .where('closed_at', 'is', null)
    .execute();
}
