import { sql, type RawBuilder, type Transaction } from 'kysely';
import { lockLinesOf } from '../../db/lines';
import { type DB } from '../../db/types';
import { type Violation } from '../../domain/violation';

/** What became of rows: `stored` are new or moved on, `unchanged` say what is known. */
export interface RowCounts {
  readonly stored: number;
  readonly unchanged: number;
  readonly refused: number;
}

/** One row that cannot be taken. `line` is where it stands in its file, `field` the column at fault. */
export interface RowRefusal {
  readonly line: number;
  readonly field: string;
  readonly code: string;
  readonly detail: string;
}

export interface AppliedRows extends RowCounts {
  readonly refusals: readonly RowRefusal[];
}

/** Rows as JSON (an array of objects by column name, each with `line` and `pass`) of one deal. */
export interface RowsOfDeal {
  readonly dealId: string;
  readonly content: RawBuilder<unknown>;
  /** Rows of one pass have different keys: a key that comes again is of a later pass. */
  readonly passes: number;
}

/** What a kind of reported fact is, as far as applying its rows needs it. */
export interface ReportedFact {
  readonly table: 'time_entry' | 'expense';
  readonly key: 'entry_id' | 'expense_id';
  /** Columns of the rows and their types, without those every fact has. */
  readonly columns: Readonly<Record<string, string>>;
  /** What rows of a deal may name, as common table expressions that are read once per block. */
  readonly named: (dealId: string) => RawBuilder<unknown>;
  /** Joins from `incoming` to what the row names. */
  readonly references: RawBuilder<unknown>;
  /** First reference that leads nowhere: `case` branches that give `[field, code, detail]`, or null. */
  readonly unresolved: RawBuilder<unknown>;
  /** Column of the table → what it is in the joined row: all that makes the fact what it is, without its status. */
  readonly content: Readonly<Record<string, RawBuilder<unknown>>>;
  readonly changedCode: string;
  /** As what policy judges the people of whom something came. */
  readonly judgedAs: 'time' | 'expense';
}

const STATUS_COLUMNS = {
  line: 'integer',
  pass: 'integer',
  status: 'text',
  submitted_at: 'timestamptz',
  approved_at: 'timestamptz',
  approved_by: 'text',
} as const;

/**
 * Applies rows of reported facts set by set, in the order in which they came (R-100, I-01): a row that is known is no effect, a later status
 * moves a submitted fact on, a later submission replaces one that is not approved, and an approved fact never changes.
 */
export async function applyRows(trx: Transaction<DB>, fact: ReportedFact, rows: RowsOfDeal): Promise<AppliedRows> {
  await lockLinesOf(trx, rows.dealId);
  const refusals: RowRefusal[] = [];
  const counts = { stored: 0, unchanged: 0, refused: 0 };
  for (let pass = 1; pass <= rows.passes; pass += 1) {
    const applied = await applyPass(trx, fact, rows, pass);
    counts.stored += applied.stored;
    counts.unchanged += applied.unchanged;
    counts.refused += applied.refused;
    refusals.push(...applied.refusals);
  }
  return { ...counts, refusals };
}

/** A fact of the same key was written by somebody else meanwhile: the block is judged anew. */
class RowsRaced extends Error {
  override readonly name = 'RowsRaced';
  readonly code = '40001';
}

async function applyPass(trx: Transaction<DB>, fact: ReportedFact, rows: RowsOfDeal, pass: number): Promise<AppliedRows> {
  const { table, key } = fact;
  const columns = Object.keys(fact.content);
  const all = [key, ...columns, 'status', 'submitted_at', 'approved_at', 'approved_by'];
  const refs = (names: readonly string[], of = '') => sql.join(names.map((name) => sql.ref(of === '' ? name : `${of}.${name}`)));
  // Said only where it tells rows apart: the planner takes a condition on rows of JSON for one that leaves one row.
  const ofPass = rows.passes === 1 ? sql`` : sql`where pass = ${pass}`;
  const { rows: answers } = await sql<{
    fresh: number;
    inserted: number;
    moved: number;
    updated: number;
    unchanged: number;
    refusals: RowRefusal[];
  }>`
    with ${fact.named(rows.dealId)}, incoming as materialized (
      select * from json_to_recordset(${rows.content}) as row (${recordOf(fact)}) ${ofPass}
    ), placed as materialized (
      select incoming.line, ${sql.ref(`incoming.${key}`)}, incoming.status, incoming.submitted_at, incoming.approved_at, incoming.approved_by,
             ${fact.unresolved} as unresolved,
             ${sql.join(Object.entries(fact.content).map(([column, value]) => sql`${value} as ${sql.ref(column)}`))}
        from incoming ${fact.references}
    ), judged as materialized (
      select placed.*, ${verdict(fact, refs(columns, 'placed'), refs(columns, 'known'))} as verdict
        from placed left join ${sql.table(table)} as known on ${sql.ref(`known.${key}`)} = ${sql.ref(`placed.${key}`)}
    ), inserted as (
      insert into ${sql.table(table)} (${refs(all)})
      select ${refs(all)} from judged where verdict = 'new'
      on conflict (${sql.ref(key)}) do nothing returning 1
    ), updated as (
      update ${sql.table(table)} as known
         set ${sql.join(all.slice(1).map((column) => sql`${sql.ref(column)} = ${sql.ref(`judged.${column}`)}`))}
        from judged
       where ${sql.ref(`known.${key}`)} = ${sql.ref(`judged.${key}`)} and judged.verdict = 'moved' and known.status <> 'approved' returning 1
    ), asked as (
      insert into policy_review (deal_id, kind, person_id)
      select distinct ${rows.dealId}::uuid, ${fact.judgedAs}::text, person_id from judged where verdict in ('new', 'moved') order by person_id
      on conflict do nothing
    )
    select count(*) filter (where verdict = 'new') as fresh, (select count(*) from inserted) as inserted,
           count(*) filter (where verdict = 'moved') as moved, (select count(*) from updated) as updated,
           count(*) filter (where verdict = 'unchanged') as unchanged,
           coalesce(json_agg(json_build_object(
             'line', line,
             'field', coalesce(unresolved[1], ''),
             'code', coalesce(unresolved[2], ${fact.changedCode}),
             'detail', coalesce(unresolved[3], ${sql.ref(key)} || ' was recorded with another content')
           ) order by line) filter (where verdict in ('unresolved', 'changed')), '[]') as refusals
      from judged`.execute(trx);
  const answer = answers[0];
  if (answer === undefined) throw new Error('an aggregate has one row');
  if (answer.fresh !== answer.inserted || answer.moved !== answer.updated) throw new RowsRaced(`${table} was written meanwhile`);
  return {
    stored: answer.inserted + answer.updated,
    unchanged: answer.unchanged,
    refused: answer.refusals.length,
    refusals: answer.refusals,
  };
}

function recordOf(fact: ReportedFact): RawBuilder<unknown> {
  const columns = { [fact.key]: 'text', ...fact.columns, ...STATUS_COLUMNS };
  return sql.join(Object.entries(columns).map(([name, type]) => sql`${sql.ref(name)} ${sql.raw(type)}`));
}

/** What a row is to the fact that is known under its key. Facts are told apart by their content, never by the order of their arrival alone. */
function verdict(fact: ReportedFact, incoming: RawBuilder<unknown>, known: RawBuilder<unknown>): RawBuilder<unknown> {
  return sql`case
    when placed.unresolved is not null then 'unresolved'
    when ${sql.ref(`known.${fact.key}`)} is null then 'new'
    when (${incoming}) is not distinct from (${known}) then case
      when placed.status = known.status then 'unchanged'
      when known.status = 'submitted' then 'moved'
      when placed.status = 'submitted' and (known.status = 'approved' or placed.submitted_at <= known.submitted_at) then 'unchanged'
      when known.status = 'rejected' and placed.submitted_at > known.submitted_at then 'moved'
      else 'changed' end
    when known.status = 'approved' or placed.submitted_at = known.submitted_at then 'changed'
    when placed.submitted_at < known.submitted_at then 'unchanged'
    else 'moved' end`;
}

/** Refused rows of facts that came as a JSON document: their places are pointers into it. */
export function asViolations(refusals: readonly RowRefusal[], list: string): Violation[] {
  return refusals.map(({ line, field, code, detail }) => ({
    violation: code,
    detail,
    path: [`/${list}/${line - 1}`, ...(field === '' ? [] : [camelCase(field)])].join('/'),
  }));
}

/** `work_date` as JSON spells it. */
export function camelCase(column: string): string {
  return column.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase());
}
