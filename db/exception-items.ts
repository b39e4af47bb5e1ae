import { sql, type Kysely, type Transaction } from 'kysely';
import { uuidv7 } from 'uuidv7';
import { type Instant } from '../domain/deal/terms';
import { type FoundException, openedRow } from './exceptions';
import { type DB } from './types';

/** What some records have in common: `<contract line>/<code of the finding>`. */
export type Cause = Omit<FoundException, 'name'> & { readonly cause: string };

/**
 * The open exception of a cause that still takes items, locked; a new one where there is none, or where an outcome was chosen for the last
 * . Its run is started by the event that the database adds.
 */
export async function exceptionOfCause(trx: Transaction<DB>, found: Cause, at: Instant): Promise<string> {
  const id = uuidv7();
  const row = await trx
    .insertInto('process_exception')
    .values({ ...openedRow(id, { ...found, name: `findings/${id}` }, at), cause: found.cause, taking: true })
    .onConflict((conflict) =>
      conflict
        .column('cause')
        .where(sql<boolean>`taking`)
        .where('closed_at', 'is', null)
        .doUpdateSet((eb) => ({ detail: eb.ref('excluded.detail') })),
    )
    .returning('id')
    .executeTakeFirstOrThrow();
  return row.id;
}

/**
 * The records of some findings no longer breach anything: each is settled by that, as are the exceptions of which nothing is left.
 * Where an outcome was for some items only and these are gone, the owner is asked about the others.
 */
export async function cureItems(trx: Transaction<DB>, findingIds: readonly string[], at: Instant): Promise<void> {
  if (findingIds.length === 0) return;
  const ofThese = sql`finding_id = any(${[...findingIds]}::uuid[]) and settled_at is null`;
  const { rows } = await sql<{ id: string }>`
    select id from process_exception
     where closed_at is null and id in (select exception_id from exception_item where ${ofThese})
     order by id for update`.execute(trx);
  if (rows.length === 0) return;
  const ids = rows.map(({ id }) => id);
  await sql`
    update exception_item as item
       set settled_at = ${at}::timestamptz,
           settled_as = coalesce((select option from exception_choice as choice where choice.id = item.choice_id and choice.state = 'carried-out'), 'cured')
     where ${ofThese}`.execute(trx);
  for (const id of ids) await closeEmpty(trx, id, at);
  await sql`
    with given_back as (
      update process_exception as trouble set stage = 'assigned', choice_id = null
       where id = any(${ids}::uuid[]) and closed_at is null and stage = 'decided'
         and exists (select from exception_choice as choice where choice.id = trouble.choice_id and choice.state = 'carried-out')
         and not exists (select from exception_item as item where item.choice_id = trouble.choice_id and item.settled_at is null)
      returning id
    )
    select ring_exception(id, ${at}::timestamptz, 'measured', uuidv7()::text) from given_back`.execute(trx);
}

/** An exception of which no item is left is settled by that. */
export async function closeEmpty(trx: Transaction<DB>, exceptionId: string, at: Instant): Promise<void> {
  await sql`
    update process_exception as trouble set closed_at = ${at}::timestamptz
     where id = ${exceptionId} and closed_at is null
       and not exists (select from exception_item as item where item.exception_id = trouble.id and item.settled_at is null)`.execute(trx);
}

/** Notes for which open items an outcome is: some, or all. Gives how many. */
export async function chooseItems(
  trx: Transaction<DB>,
  exceptionId: string,
  choiceId: string,
  findingIds: readonly string[] | null,
): Promise<number> {
  let items = trx
    .updateTable('exception_item')
    .set({ choice_id: choiceId })
    .where('exception_id', '=', exceptionId)
    .where('settled_at', 'is', null);
  if (findingIds !== null) items = items.where('finding_id', '=', sql<string>`any(${[...findingIds]}::uuid[])`);
  return Number((await items.executeTakeFirst()).numUpdatedRows);
}

/** The findings of the items that an outcome is for and that nothing has settled since, for a statement. */
export function chosenFindings(choiceId: string) {
  return sql<string>`(select item.finding_id from exception_item as item where item.choice_id = ${choiceId} and item.settled_at is null)`;
}

/** Settles the items that an outcome is for, each once. Gives how many these were, and how many are left. */
export async function settleChosen(
  trx: Transaction<DB>,
  { exceptionId, choiceId, option, at }: { exceptionId: string; choiceId: string; option: string; at: Instant },
): Promise<{ settled: number; left: number }> {
  const done = await trx
    .updateTable('exception_item')
    .set({ settled_at: at, settled_as: option })
    .where('choice_id', '=', choiceId)
    .where('settled_at', 'is', null)
    .executeTakeFirst();
  return { settled: Number(done.numUpdatedRows), left: await openItems(trx, exceptionId) };
}

/** How many items of an exception nothing has settled yet. */
export async function openItems(trx: Transaction<DB>, exceptionId: string): Promise<number> {
  const rest = await trx
    .selectFrom('exception_item')
    .select((eb) => eb.fn.countAll<number>().as('left'))
    .where('exception_id', '=', exceptionId)
    .where('settled_at', 'is', null)
    .executeTakeFirstOrThrow();
  return Number(rest.left);
}

/** All that an outcome is for, added up; the hash is of each item with its amount, so that none is exchanged. */
export interface ItemsShown {
  readonly count: number;
  /** Null where one of them has no price of its own. */
  readonly amountMinor: number | null;
  readonly currency: string | null;
  readonly hash: string;
}

export async function itemsOfChoice(db: Kysely<DB>, choiceId: string): Promise<ItemsShown | null> {
  const { rows } = await sql<Omit<ItemsShown, 'count'> & { count: number }>`
    select count(*) as count, max(currency) as currency,
           case when bool_and(amount_minor is not null) then sum(amount_minor)::bigint end as "amountMinor",
           encode(sha256(convert_to(string_agg(concat(finding_id, ' ', amount_minor), ',' order by finding_id), 'UTF8')), 'hex') as hash
      from exception_item where choice_id = ${choiceId}`.execute(db);
  const [found] = rows;
  return found === undefined || Number(found.count) === 0 ? null : { ...found, count: Number(found.count) };
}
