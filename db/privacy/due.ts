import { sql, type RawBuilder, type Transaction } from 'kysely';
import { type Instant } from '../../domain/deal/terms';
import { type RetentionClass } from '../../domain/privacy/entry';
import { eraseTextsIn } from '../erase-texts';
import { type DB } from '../types';
import { BANK_FILES, withoutPayload } from './effects';
import { unsettled } from './facts';
import { dealOf } from './places';
import { type Cutoff } from './retention';

/** One kind of things that are erased by age. `due` are the keys of those past their time and under no hold, as a query. */
export interface Sweep {
  readonly name: string;
  readonly retention: RetentionClass;
  readonly due: (cutoff: Cutoff) => RawBuilder<unknown>;
  /** Erases what a part of that query names; how many. */
  readonly erase: (trx: Transaction<DB>, batch: RawBuilder<unknown>, at: Instant) => Promise<number>;
}

const isHeld = (id: RawBuilder<unknown>) => sql`exists (select from held_person as held where held.subject_id = ${id})`;
const dealIsHeld = (deal: RawBuilder<unknown>) => sql`exists (select from held_deal as held where held.deal_id = ${deal})`;
const lineEntity = sql`(select line.selling_entity_id from contract_line as line where line.id = t.contract_line_id)`;

/** A note of work that is decided; the figures stay. */
function note(table: 'time_entry' | 'expense', key: string, column: string, day: string): Sweep {
  const [key_, column_, day_] = [sql.ref(key), sql.ref(column), sql.ref(day)];
  return {
    name: `${table}.${column}`,
    retention: 'work-notes',
    due: (cutoff) => sql`
      select t.${key_} as key from ${sql.table(table)} as t
       where t.${column_} is not null and t.status <> 'submitted' and t.${day_} < ${cutoff(lineEntity)}
         and not ${isHeld(sql`t.person_id`)} and not ${dealIsHeld(dealOf('contract_line_id'))}`,
    erase: (trx, batch) => counted(trx, sql`update ${sql.table(table)} set ${column_} = null where ${key_} in (${batch})`),
  };
}

/** Whoever is held may stand in a text by id or by name; what only looks so is kept as well. */
const namesSomebodyHeld = (text: RawBuilder<unknown>) => sql`exists (
  select from held_person as held left join app_user as u on u.id = held.subject_id left join person as p on p.id = held.subject_id
   cross join lateral unnest(array[held.subject_id, u.name, u.email, p.name, p.email]) as any_of (word)
   where any_of.word <> '' and strpos(lower(${text}), lower(any_of.word)) > 0)`;

function payloads(name: string, retention: RetentionClass, ofKind: RawBuilder<unknown>): Sweep {
  return {
    name,
    retention,
    due: (cutoff) => sql`
      select t.id as key from inbox_event as t
       where ${ofKind} and t.erased_at is null and t.settled_at < ${cutoff(null)} and not ${unsettled}
         and not ${dealIsHeld(sql`t.deal_id`)} and not ${namesSomebodyHeld(sql`t.payload::text`)}
         and not exists (select from bank_statement as statement join legal_hold as hold on hold.scope_id = statement.entity_id
                          where statement.inbox_event_id = t.id and hold.scope_kind = 'entity' and hold.released_at is null)`,
    erase: (trx, batch, at) => counted(trx, sql`update inbox_event as t set ${withoutPayload(at)} where t.id in (${batch})`),
  };
}

/** Everything that is erased by age but people who left, who are erased as a whole (R-340). */
export const SWEEPS: readonly Sweep[] = [
  {
    name: 'absence',
    retention: 'absences',
    due: (cutoff) => sql`
      select t.id as key from absence as t join app_user as u on u.id = t.user_id
       where coalesce(t.replaced_at, t.away_until) < ${cutoff(sql`u.entity_id`)} and not ${isHeld(sql`t.user_id`)}`,
    erase: (trx, batch) => counted(trx, sql`delete from absence where id in (${batch})`),
  },
  {
    name: 'audit_personal',
    retention: 'absences',
    due: (cutoff) => sql`
      select t.commitment as key
        from audit_entry as entry cross join lateral jsonb_each_text(entry.content::jsonb -> 'personal') as told
        join audit_personal as t on t.commitment = told.value
       where strpos(entry.content, '"personal":{') > 0 and entry.recorded_at < ${cutoff(sql`entry.entity_id`)}
         and not ${isHeld(sql`(entry.content::jsonb ->> 'subject')`)}`,
    erase: (trx, batch) => counted(trx, sql`delete from audit_personal where commitment in (${batch})`),
  },
  {
    name: 'free_text',
    retention: 'words',
    due: (cutoff) => sql`
      select t.id as key from free_text as t left join app_user as u on u.id = t.author
       where t.body is not null and t.written_at < ${cutoff(sql`u.entity_id`)}
         and not ${isHeld(sql`t.author`)} and not ${dealIsHeld(dealOf('subject'))} and not ${namesSomebodyHeld(sql`t.body`)}
         and not exists (select from legal_hold as hold where hold.reason_id = t.id and hold.released_at is null)`,
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
      select t.id as key from booking as t join person as p on p.id = t.person_id
       where t.note is not null and t.end_date < ${cutoff(sql`p.entity_id`)} and not ${isHeld(sql`t.person_id`)}`,
    erase: (trx, batch) => counted(trx, sql`update booking set note = null where id in (${batch})`),
  },
  payloads('inbox_event', 'outside-events', sql`t.type <> ${BANK_FILES}`),
  payloads('inbox_event of banks', 'accounting', sql`t.type = ${BANK_FILES}`),
  {
    name: 'intake_row_error',
    retention: 'row-errors',
    due: (cutoff) => sql`
      select t.ctid as key from intake_row_error as t join intake_batch as batch on batch.id = t.batch_id
       where batch.begun_at < ${cutoff(null)} and not ${dealIsHeld(sql`batch.deal_id`)}
         and not ${namesSomebodyHeld(sql`concat_ws(' ', t.detail, t.cell)`)}`,
    erase: (trx, batch) => counted(trx, sql`delete from intake_row_error where ctid in (${batch})`),
  },
  {
    name: 'field_access',
    retention: 'access-records',
    due: (cutoff) => sql`
      select t.id as key from field_access as t
       where t.seen_at < least(${cutoff(null)}, now() - interval '12 months') and not ${isHeld(sql`t.reader`)}`,
    erase: async (trx, batch) => {
      const { rows } = await sql<{ gone: number }>`select forget_field_access(array(${batch})) as gone`.execute(trx);
      return rows[0]?.gone ?? 0;
    },
  },
];

async function counted(trx: Transaction<DB>, statement: RawBuilder<unknown>): Promise<number> {
  return Number((await statement.execute(trx)).numAffectedRows ?? 0);
}
