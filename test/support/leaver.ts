import { sql, type Kysely } from 'kysely';
import { uuidv7 } from 'uuidv7';
import { type DB } from '../../db/types';

export interface Leaver {
  readonly userId: string;
  readonly personId: string;
  readonly name: string;
  readonly email: string;
}

/** A data protection officer with this id; the group's. */
export async function insertOfficer(db: Kysely<DB>, id: string): Promise<void> {
  await insertUser(db, { id, name: `Officer ${id}`, email: `${id.toLowerCase()}@firm.example`, active: true });
  await giveRole(db, id, 'data-protection-officer');
}

export async function giveRole(db: Kysely<DB>, userId: string, role: string): Promise<void> {
  await db.insertInto('role_assignment').values({ user_id: userId, role, scope_kind: 'group', scope_id: 'GRP' }).execute();
}

/** Somebody who worked for an entity and does not any more: a user who is that worker. */
export async function insertLeaver(db: Kysely<DB>, { active = false, entityId = 'LE-US' } = {}): Promise<Leaver> {
  const code = uuidv7().slice(-6).toUpperCase();
  const leaver = { userId: `U-L${code}`, personId: `P-L${code}`, name: `Lena Leaver-${code}`, email: `lena.${code}@firm.example` };
  const leftAt = active ? null : '2026-01-31T00:00:00Z';
  const worker = { id: leaver.personId, name: leaver.name, email: leaver.email, employment: 'employee', role_code: 'SCO', country: 'US' };
  await db
    .insertInto('person')
    .values({ ...worker, entity_id: entityId, managed_by_entity_id: entityId, calendar_id: 'CAL-US', left_at: leftAt })
    .execute();
  await insertUser(db, {
    id: leaver.userId,
    name: leaver.name,
    email: leaver.email,
    active,
    person_id: leaver.personId,
    entity_id: entityId,
  });
  return leaver;
}

async function insertUser(
  db: Kysely<DB>,
  user: { id: string; name: string; email: string; active: boolean; person_id?: string; entity_id?: string },
): Promise<void> {
  await db
    .insertInto('app_user')
    .values({ entity_id: 'LE-US', calendar_id: 'CAL-US', ...user, left_at: user.active ? null : '2026-01-31T00:00:00Z' })
    .execute();
}

/** A time entry of the person on a line, without the task that it would need: as far as privacy looks at it. */
export async function insertTime(
  db: Kysely<DB>,
  { personId }: Leaver,
  contractLineId: string,
  over: { readonly status?: 'submitted' | 'rejected'; readonly note?: string; readonly workDate?: string } = {},
): Promise<string> {
  const entryId = uuidv7();
  await db.transaction().execute(async (trx) => {
    await sql`set local session_replication_role = replica`.execute(trx);
    await trx
      .insertInto('time_entry')
      .values({
        ...{ entry_id: entryId, contract_line_id: contractLineId, person_id: personId, work_task_id: uuidv7(), role_code: 'SCO' },
        ...{ hour_type: 'regular', hours: '8', work_country: 'US', onsite: false, billable: true, rework: false },
        ...{ work_date: over.workDate ?? '2026-01-12', note: over.note ?? null, status: over.status ?? 'rejected' },
        submitted_at: '2026-01-13T09:00:00Z',
      })
      .execute();
  });
  return entryId;
}

/** An outside event with a payload that may name people. */
export async function insertEvent(
  db: Kysely<DB>,
  payload: object,
  over: { readonly state?: string; readonly type?: string; readonly settledAt?: string; readonly dealId?: string } = {},
): Promise<string> {
  const id = uuidv7();
  const state = over.state ?? 'ignored';
  await db
    .insertInto('inbox_event')
    .values({
      ...{ id, source: 'hubspot', event_id: id, type: over.type ?? 'deal.changed', subject: 'deal/1', source_order: '1', state },
      ...{ occurred_at: '2026-01-10T09:00:00Z', business_received_at: '2026-01-10T09:00:00Z', payload_hash: id },
      payload: JSON.stringify(payload),
      settled_at: state === 'received' ? null : (over.settledAt ?? '2026-01-10T09:00:00Z'),
      deal_id: over.dealId ?? null,
    })
    .execute();
  return id;
}
