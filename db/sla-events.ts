import { sql, type Transaction } from 'kysely';
import { uuidv7 } from 'uuidv7';
import { type Instant } from '../domain/deal/terms';
import { type DB } from './types';

/** That somebody was reminded of work, that its deadline passed, or that it was escalated. */
export interface SlaEvent {
  readonly workflowId: string;
  readonly kind: 'reminder' | 'breach' | 'escalation';
  readonly subject: string;
  readonly role: string;
  /** Since when the work is asked for, and when this came due. */
  readonly since: Instant;
  readonly at: Instant;
  /** Which one of its kind since the work was asked for; null: one more than there are. */
  readonly rung: number | null;
  /** Who could act then. */
  readonly holders: readonly string[];
}

/**
 * Records what has come due. Each rung of a piece of work is one fact: where people change, and with them the calendar of its clock,
 * its moment may move, and nobody is reminded or late a second time.
 * Gives how many were not known before.
 */
export async function recordSlaEvents(trx: Transaction<DB>, events: readonly SlaEvent[]): Promise<number> {
  if (events.length === 0) return 0;
  const rows = JSON.stringify(events.map((event) => ({ id: uuidv7(), ...event })));
  const { rows: added } = await sql<{ added: number }>`
    with given as (
      select * from jsonb_to_recordset(${rows}::jsonb) as event (
        id uuid, "workflowId" text, kind text, subject text, role text, since timestamptz, at timestamptz, rung int, holders jsonb)
    ), added as (
      insert into sla_event (id, workflow_id, kind, subject, role, since, at, rung)
      select id, "workflowId", kind, subject, role, since, at, coalesce(rung, (
               select coalesce(max(known.rung), 0) + 1 from sla_event as known
                where known.workflow_id = given."workflowId" and known.kind = given.kind and known.subject = given.subject
                  and known.role = given.role and known.since = given.since))
        from given
      on conflict do nothing
      returning id
    ), held as (
      insert into sla_holder (event_id, user_id)
      select distinct added.id, holder from added join given using (id), jsonb_array_elements_text(given.holders) as holder
    )
    select count(*) as added from added`.execute(trx);
  return added[0]?.added ?? 0;
}
