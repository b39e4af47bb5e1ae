import { sql, type Transaction } from 'kysely';
import { type Instant } from '../domain/deal/terms';
import { type TableChanges } from './master-data-changes';
import { type DB } from './types';

/** Which duty it is to change a row of a table of master data; the id of the row is its subject. */
const DUTY_OF_TABLE: Readonly<Record<string, string>> = { rate: 'rate-card.edit', vendor: 'vendor.onboard' };

/** Who changed users or the roles that they hold has administered users, which has no subject of its own. */
const USERS = 'users';

/**
 * Keeps what a person did in a load that later forbids a decision: rates edited, vendors brought or changed, users administered.
 * The product's own seed and integrations are nobody who decides, so what they load is not kept.
 */
export async function keepDuties(
  trx: Transaction<DB>,
  changes: Readonly<Record<string, TableChanges>>,
  hasChangedUsers: boolean,
  by: { readonly at: Instant; readonly actor: string },
): Promise<void> {
  const done = Object.entries(DUTY_OF_TABLE).map(([table, duty]) => ({ duty, subjects: changes[table]?.touched ?? [] }));
  for (const { duty, subjects } of [...done, { duty: 'user.administer', subjects: hasChangedUsers ? [USERS] : [] }]) {
    if (subjects.length === 0) continue;
    await sql`
      insert into performed_duty (duty, subject_id, done_by, done_at)
      select ${duty}, subject, person.id, ${by.at}::timestamptz
        from app_user as person cross join unnest(${[...subjects]}::text[]) as subject
       where person.id = ${by.actor}
      on conflict do nothing`.execute(trx);
  }
}

/** A mark that changes with users, the roles they hold and seats in committees. */
export async function usersMark(trx: Transaction<DB>): Promise<string> {
  const { rows } = await sql<{ mark: string }>`
    select md5(concat(
      (select string_agg(row::text, ';' order by row::text) from app_user as row), '/',
      (select string_agg(row::text, ';' order by row::text) from role_assignment as row), '/',
      (select string_agg(row::text, ';' order by row::text) from committee_member as row))) as mark`.execute(trx);
  return rows[0]?.mark ?? '';
}
