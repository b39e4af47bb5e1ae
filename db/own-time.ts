import { sql, type Kysely } from 'kysely';
import { type DutyRule } from '../domain/approval/duties';
import { type LocalDate } from '../domain/deal/terms';
import { isOwnTimeApproved, type ApprovedTime } from '../domain/time-policy/own-time';
import { dutyRulesOn } from './policies';
import { type DB } from './types';

/** Which of some entries were approved by whom the rules of duties of that day forbid it. */
export async function ownTimeApproved(db: Kysely<DB>, entryIds: readonly string[]): Promise<ReadonlySet<string>> {
  const found = new Set<string>();
  const rules = new Map<LocalDate, readonly DutyRule[]>();
  for (const { approvedOn, ...time } of await timeOfUsers(db, entryIds)) {
    const ofDay = rules.get(approvedOn) ?? (await dutyRulesOn(db, approvedOn));
    rules.set(approvedOn, ofDay);
    if (isOwnTimeApproved(ofDay, time)) found.add(time.entryId);
  }
  return found;
}

/** Approved entries whose worker and approver are both users of the firm. */
async function timeOfUsers(db: Kysely<DB>, entryIds: readonly string[]): Promise<(ApprovedTime & { readonly approvedOn: LocalDate })[]> {
  if (entryIds.length === 0) return [];
  const rolesOf = (user: string) =>
    sql<string[]>`array(select distinct role from role_assignment as held where held.user_id = ${sql.ref(user)}.id)`;
  const { rows } = await sql<{ entryId: string; approvedOn: string; worker: string; of: string[]; approver: string; by: string[] }>`
    select entry.entry_id as "entryId", to_char(entry.approved_at at time zone 'UTC', 'YYYY-MM-DD') as "approvedOn",
           worker.id as worker, ${rolesOf('worker')} as of, approver.id as approver, ${rolesOf('approver')} as by
      from time_entry as entry
      join app_user as worker on worker.person_id = entry.person_id
      join app_user as approver on approver.id = entry.approved_by
     where entry.entry_id = any(${entryIds}::text[]) and entry.status = 'approved'`.execute(db);
  return rows.map((row) => ({
    entryId: row.entryId,
    approvedOn: row.approvedOn,
    worker: { userId: row.worker, roles: row.of },
    approver: { userId: row.approver, roles: row.by },
  }));
}
