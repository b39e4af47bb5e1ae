import { sql, type RawBuilder, type Transaction } from 'kysely';
import { type Instant } from '../../domain/deal/terms';
import { type RetentionClass } from '../../domain/privacy/entry';
import { eraseTextsIn } from '../erase-texts';
import { type DB } from '../types';
import { BANK_FILES, withoutPayload } from './effects';
import { unsettled } from './facts';
import { dealIsHeld, isHeld, namesSomebodyHeld, textIsHeld } from './held';
import { dealOf } from './places';
import { type Cutoff } from './retention';

/** One kind of things that are erased by age. `due` are those past their time, as a query of `key` and `held`: a legal hold keeps them (R-336). */
export interface Sweep {
  readonly name: string;
  readonly retention: RetentionClass;
  readonly due: (cutoff: Cutoff) => RawBuilder<unknown>;
  /** Erases what a part of that query names; how many. */
  readonly erase: (trx: Transaction<DB>, batch: RawBuilder<unknown>, at: Instant) => Promise<number>;
}

const lineEntity = sql`(select line.selling_entity_id from contract_line as line where line.id = t.contract_line_id)`;

/** A note of work that is decided; the figures stay. */
function note(table: 'time_entry' | 'expense', key: string, column: string, day: string): Sweep {
  const [key_, column_, day_] = [sql.ref(key), sql.ref(column), sql.ref(day)];
  return {
    name: `${table}.${column}`,
    retention: 'work-notes',
    due: (cutoff) => sql`
      select t.${key_} as key, ${isHeld(sql`t.person_id`)} or ${dealIsHeld(dealOf('contract_line_id'))} as held from ${sql.table(table)} as t
       where t.${column_} is not null and t.status <> 'submitted' and t.${day_} < ${cutoff(lineEntity)}`,
    erase: (trx, batch) => counted(trx, sql`update ${sql.table(table)} set ${column_} = null where ${key_} in (${batch})`),
  };
}

function payloads(name: string, retention: RetentionClass, ofKind: RawBuilder<unknown>): Sweep {
  return {
    name,
    retention,
    due: (cutoff) => sql`
      select t.id as key,
             ${dealIsHeld(sql`t.deal_id`)} or ${namesSomebodyHeld(sql`t.payload::text`)}
             or exists (select from bank_statement as statement join legal_hold as hold on hold.scope_id = statement.entity_id
                         where statement.inbox_event_id = t.id and hold.scope_kind = 'entity' and hold.released_at is null) as held
        from inbox_event as t
       where ${ofKind} and t.erased_at is null and t.settled_at < ${cutoff(null)} and not ${unsettled}`,
    erase: (trx, batch, at) => counted(trx, sql`update inbox_event as t set ${withoutPayload(at)} where t.id in (${batch})`),
  };
}

/** Everything that is erased by age but people who left, who are erased as a whole (R-340). */
export const SWEEPS: readonly Sweep[] = [
  {
    name: 'absence',
    retention: 'absences',
    due: (cutoff) => sql`
      select t.id as key, ${isHeld(sql`t.user_id`)} as held from absence as t join app_user as u on u.id = t.user_id
       where coalesce(t.replaced_at, t.away_until) < ${cutoff(sql`u.entity_id`)}`,
    erase: (trx, batch) => counted(trx, sql`delete from absence where id in (${batch})`),
  },
  {
    name: 'audit_personal',
    retention: 'absences',
    due: (cutoff) => sql`
      select t.commitment as key, ${isHeld(sql`(entry.content::jsonb ->> 'subject')`)} as held
        from audit_entry as entry cross join lateral jsonb_each_text(entry.content::jsonb -> 'personal') as told
        join audit_personal as t on t.commitment = told.value
       where strpos(entry.content, '"personal":{') > 0 and entry.recorded_at < ${cutoff(sql`entry.entity_id`)}`,
    erase: (trx, batch) => counted(trx, sql`delete from audit_personal where commitment in (${batch})`),
  },
  {
    name: 'free_text',
    retention: 'words',
    due: (cutoff) => sql`
      select t.id as key, ${textIsHeld} as held from free_text as t left join app_user as u on u.id = t.author
       where t.body is not null and t.written_at < ${cutoff(sql`u.entity_id`)}`,
    erase: async (trx, batch, at) => {
      const { rows } = await sql<{ key: string }>`${batch}`.execute(trx);
      const ids = rows.map(({ key }) => key);
      return ids.length === 0 ? 0 : (await eraseTextsIn(trx, { ids }, { actor: 'retention', at })).length;
    },
  },
  note('time_entry', 'entry_id', 'note', 'work_date'),
  note('expense', 'expense_id', 'justification', 'spend_date'),
  {
    name: 'booking.note',
    retention: 'work-notes',
    due: (cutoff) => sql`
      select t.id as key, ${isHeld(sql`t.person_id`)} or ${dealIsHeld(dealOf('project_code'))} as held
        from booking as t join person as p on p.id = t.person_id
       where t.note is not null and t.end_date < ${cutoff(sql`p.entity_id`)}`,
    erase: (trx, batch) => counted(trx, sql`update booking set note = null where id in (${batch})`),
  },
  payloads('inbox_event', 'outside-events', sql`t.type <> ${BANK_FILES}`),
  payloads('inbox_event of banks', 'accounting', sql`t.type = ${BANK_FILES}`),
  {
    name: 'intake_row_error',
    retention: 'row-errors',
    due: (cutoff) => sql`
      select t.ctid as key, ${dealIsHeld(sql`batch.deal_id`)} or ${namesSomebodyHeld(sql`concat_ws(' ', t.detail, t.cell)`)} as held
        from intake_row_error as t join intake_batch as batch on batch.id = t.batch_id
       where batch.begun_at < ${cutoff(null)}`,
    erase: (trx, batch) => counted(trx, sql`delete from intake_row_error where ctid in (${batch})`),
  },
  {
    name: 'field_access',
    retention: 'access-records',
    due: (cutoff) => sql`
      select t.id as key, ${isHeld(sql`t.reader`)} as held from field_access as t
       where t.seen_at < least(${cutoff(null)}, now() - interval '12 months')`,
    erase: async (trx, batch) => {
      const { rows } = await sql<{ gone: number }>`select forget_field_access(array(${batch})) as gone`.execute(trx);
      return rows[0]?.gone ?? 0;
    },
  },
];

async function counted(trx: Transaction<DB>, statement: RawBuilder<unknown>): Promise<number> {
  return Number((await statement.execute(trx)).numAffectedRows ?? 0);
}
