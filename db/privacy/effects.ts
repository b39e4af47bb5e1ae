import { sql, type RawBuilder, type Transaction } from 'kysely';
import { type Instant } from '../../domain/deal/terms';
import { type Entry, type WhyKept } from '../../domain/privacy/entry';
import { eraseTextsIn } from '../erase-texts';
import { type DB } from '../types';
import { unsettled } from './facts';
import { linkedTo, patternOf } from './links';
import { type HeldPerson } from './person';

/** What a step of an erasure did: rows erased or emptied, and rows that stay with the reason. */
export interface StepResult {
  readonly erased: number;
  readonly kept: number;
  readonly whyKept: WhyKept | null;
}

export interface ErasureContext {
  readonly erasureId: string;
  readonly person: HeldPerson;
  readonly at: Instant;
  readonly actor: string;
}

/** Bank files prove payments: business records, whoever they name. */
export const BANK_FILES = 'bank-statements';

/** Does with the rows of an entry what the register says (R-334). Again it finds nothing left to do. */
export async function erase(trx: Transaction<DB>, entry: Entry, context: ErasureContext): Promise<StepResult> {
  const isLinked = linkedTo(entry, context.person);
  if (isLinked === null) return { erased: 0, kept: 0, whyKept: null };
  const table = sql.table(entry.table);
  const { erasure } = entry;
  switch (erasure.do) {
    case 'delete':
      return gone(await counted(trx, sql`delete from ${table} as t where ${isLinked}`));
    case 'empty':
      return emptied(trx, entry, isLinked, erasure.columns, null);
    case 'replace':
      return emptied(trx, entry, isLinked, erasure.columns, sql`'erased'`);
    case 'redact':
      return gone(await redact(trx, entry, isLinked, context.person));
    case 'erase-words':
      return gone(await eraseWords(trx, isLinked, context));
    case 'empty-payload':
      return emptyPayloads(trx, isLinked, context.at);
    case 'drop-messages':
      return gone(await dropMessages(trx, isLinked, context.at));
    case 'drop-blocks':
      return gone(await dropBlocks(trx, isLinked, context.at));
    case 'pseudonymise':
      return gone(await pseudonymise(trx, entry, isLinked, context));
    case 'keep':
      return keeping(0, await linkedRows(trx, entry, isLinked), erasure.why);
  }
}

/** Figures and decisions stay, by id. */
async function emptied(
  trx: Transaction<DB>,
  entry: Entry,
  isLinked: RawBuilder<boolean>,
  columns: readonly string[],
  value: RawBuilder<unknown> | null,
): Promise<StepResult> {
  const set = columns.map((each) =>
    value === null
      ? sql`${sql.ref(each)} = null`
      : sql`${sql.ref(each)} = case when t.${sql.ref(each)} is null then null else ${value} end`,
  );
  const says = columns.map(
    (each) => sql`${value === null ? sql`true` : sql`t.${sql.ref(each)} <> ${value}`} and t.${sql.ref(each)} is not null`,
  );
  const erased = await counted(
    trx,
    sql`update ${sql.table(entry.table)} as t set ${sql.join(set)} where ${isLinked} and (${sql.join(says, sql` or `)})`,
  );
  return keeping(erased, await linkedRows(trx, entry, isLinked), 'books');
}

async function redact(
  trx: Transaction<DB>,
  { table, columns }: Entry,
  isLinked: RawBuilder<boolean>,
  { words }: HeldPerson,
): Promise<number> {
  const set = columns.map((each) => sql`${sql.ref(each)} = regexp_replace(t.${sql.ref(each)}, ${patternOf(words)}, 'erased', 'gi')`);
  return counted(trx, sql`update ${sql.table(table)} as t set ${sql.join(set)} where ${isLinked}`);
}

async function eraseWords(trx: Transaction<DB>, isLinked: RawBuilder<boolean>, { actor, at }: ErasureContext): Promise<number> {
  const { rows } = await sql<{ id: string }>`select t.id from free_text as t where t.body is not null and ${isLinked} order by 1`.execute(
    trx,
  );
  const ids = rows.map(({ id }) => id);
  return ids.length === 0 ? 0 : (await eraseTextsIn(trx, { ids }, { actor, at })).length;
}

/** Codes and places of errors stay; what they quote goes with the payload. */
export function withoutPayload(at: Instant): RawBuilder<unknown> {
  return sql`payload = '{}', erased_at = ${at}::timestamptz,
    errors = coalesce((select jsonb_agg(jsonb_build_object('violation', error -> 'violation', 'detail', 'erased'))
                         from jsonb_array_elements(t.errors) as error), '[]')`;
}

async function emptyPayloads(trx: Transaction<DB>, isLinked: RawBuilder<boolean>, at: Instant): Promise<StepResult> {
  const erased = await counted(
    trx,
    sql`update inbox_event as t set ${withoutPayload(at)}
         where ${isLinked} and t.type <> ${BANK_FILES} and t.erased_at is null and not ${unsettled}`,
  );
  const kept = await count(trx, sql`select count(*) from inbox_event as t where ${isLinked} and t.type = ${BANK_FILES}`);
  return keeping(erased, kept, 'law');
}

async function dropMessages(trx: Transaction<DB>, isLinked: RawBuilder<boolean>, at: Instant): Promise<number> {
  await sql`
    update process_exception set closed_at = ${at}::timestamptz
     where closed_at is null and workflow_id in (select 'notification/' || t.id from notification as t where ${isLinked})`.execute(trx);
  return counted(trx, sql`delete from notification as t where ${isLinked}`);
}

/** What was never applied is not applied later: its event cannot be handed on again. */
async function dropBlocks(trx: Transaction<DB>, isLinked: RawBuilder<boolean>, at: Instant): Promise<number> {
  const { rows } = await sql<{ id: string }>`
    delete from intake_block where batch_id in (
      select t.batch_id from intake_block as t join intake_batch as batch on batch.id = t.batch_id where batch.state = 'failed' and ${isLinked})
    returning batch_id as id`.execute(trx);
  const batches = [...new Set(rows.map(({ id }) => id))];
  await sql`
    update inbox_event as t set ${withoutPayload(at)}
     where t.id in (select inbox_event_id from intake_batch where id = any(${batches}::uuid[]))`.execute(trx);
  return rows.length;
}

/** The id is the name from now on. What stood as the address is known again by a salted hash (R-341). */
async function pseudonymise(
  trx: Transaction<DB>,
  { table }: Entry,
  isLinked: RawBuilder<boolean>,
  { erasureId, at }: ErasureContext,
): Promise<number> {
  await sql`
    with address as (select gen_random_uuid()::text as salt, lower(t.email) as email from ${sql.table(table)} as t
                      where ${isLinked} and t.erased_at is null and coalesce(t.email, '') <> '')
    insert into erased_address (erasure_id, salt, hash)
    select ${erasureId}, salt, encode(sha256(convert_to(salt || email, 'UTF8')), 'hex') from address`.execute(trx);
  const rest =
    table === 'app_user' ? sql`email = 'erased@invalid', approval_limit_minor = null, approval_limit_currency = null` : sql`email = null`;
  return counted(
    trx,
    sql`update ${sql.table(table)} as t set name = t.id, ${rest}, erased_at = ${at}::timestamptz where ${isLinked} and t.erased_at is null`,
  );
}

function linkedRows(trx: Transaction<DB>, { table }: Entry, isLinked: RawBuilder<boolean>): Promise<number> {
  return count(trx, sql`select count(*) from ${sql.table(table)} as t where ${isLinked}`);
}

async function count(trx: Transaction<DB>, query: RawBuilder<unknown>): Promise<number> {
  const { rows } = await sql<{ count: number }>`${query}`.execute(trx);
  return Number(rows[0]?.count ?? 0);
}

async function counted(trx: Transaction<DB>, statement: RawBuilder<unknown>): Promise<number> {
  return Number((await statement.execute(trx)).numAffectedRows ?? 0);
}

function gone(erased: number): StepResult {
  return { erased, kept: 0, whyKept: null };
}

function keeping(erased: number, kept: number, why: WhyKept): StepResult {
  return { erased, kept, whyKept: kept === 0 ? null : why };
}
