import { sql, type Kysely } from 'kysely';
import { type ErasureFacts } from '../../domain/privacy/erasing';
import { REGISTER } from '../../domain/privacy/register';
import { type DB } from '../types';
import { holdsOver } from './holds';
import { linkedTo } from './links';
import { type HeldPerson } from './person';

/** What stands in the way of erasing a person now. */
export async function erasureFacts(db: Kysely<DB>, person: HeldPerson): Promise<ErasureFacts> {
  return {
    isErased: person.isErased,
    isActive: person.isActive,
    rolesHeld: await rolesHeld(db, person),
    pendingApprovals: await pendingApprovals(db, person),
    unsettledWork: await unsettledWork(db, person),
    unsettledEvents: await unsettledEvents(db, person),
    holds: await holdsOver(db, person),
  };
}

async function rolesHeld(db: Kysely<DB>, { userId }: HeldPerson): Promise<number> {
  const { rows } = await sql<{ count: number }>`
    select (select count(*) from role_assignment where user_id = ${userId}) + (select count(*) from committee_member where user_id = ${userId})
         + (select count(*) from line_manager where user_id = ${userId}) + (select count(*) from process_owner where user_id = ${userId})
           as count`.execute(db);
  return Number(rows[0]?.count ?? 0);
}

async function pendingApprovals(db: Kysely<DB>, { userId }: HeldPerson): Promise<string[]> {
  const { rows } = await sql<{ id: string }>`
    select approval.id from approval
     where approval.state in ('pending', 'conditions')
       and (approval.requested_by = ${userId}
            or exists (select from approval_condition as condition
                         join approval_decision as decision on decision.decision_id = condition.decision_id
                         left join approval_condition_end as ended on ended.condition_id = condition.id
                        where condition.approval_id = approval.id and decision.decided_by = ${userId} and ended.condition_id is null)
            or exists (select from approval_step as step
                        where step.approval_id = approval.id and step.state = 'open'
                          and (exists (select from role_assignment as held
                                        where held.user_id = ${userId} and held.role = step.role
                                          and (held.scope_kind = 'group' or held.scope_id = approval.entity_id))
                               or exists (select from committee_member as seat where seat.user_id = ${userId} and seat.role = step.role))))
     order by approval.id`.execute(db);
  return rows.map(({ id }) => id);
}

/** Submitted, or approved to be billed by the hour or the receipt and neither billed nor given up, as long as its line goes on. */
async function unsettledWork(db: Kysely<DB>, { personId }: HeldPerson): Promise<number> {
  const { rows } = await sql<{ count: number }>`
    select (select count(*) from time_entry as work join contract_line as line on line.id = work.contract_line_id
             where work.person_id = ${personId}
               and (work.status = 'submitted'
                    or (work.status = 'approved' and work.billable and not work.rework and ${goesOn}
                        and line.engagement_model = 'time-and-materials'
                        and not exists (select from invoiced_item as item where item.entry_id = work.entry_id and item.credited_by is null)
                        and not exists (select from waived_item as waived where waived.entry_id = work.entry_id))))
         + (select count(*) from expense as work join contract_line as line on line.id = work.contract_line_id
             where work.person_id = ${personId}
               and (work.status = 'submitted'
                    or (work.status = 'approved' and work.billable and ${goesOn}
                        and not exists (select from invoiced_item as item where item.expense_id = work.expense_id and item.credited_by is null)
                        and not exists (select from waived_item as waived where waived.expense_id = work.expense_id)))) as count`.execute(
    db,
  );
  return Number(rows[0]?.count ?? 0);
}

const goesOn = sql`line.state in ('planned', 'active')`;

/** Taken and not applied: erased now, the person would come back with them, or the stream would stop at them. */
async function unsettledEvents(db: Kysely<DB>, person: HeldPerson): Promise<number> {
  const { rows } = await sql<{ count: number }>`
    select (select count(*) from inbox_event as t where ${unsettled} and ${namedIn('inbox_event', person)})
         + (select count(*) from intake_block as t join intake_batch as batch on batch.id = t.batch_id
             where batch.state in ('receiving', 'received') and ${namedIn('intake_block', person)}) as count`.execute(db);
  return Number(rows[0]?.count ?? 0);
}

/** An event (alias `t`) that waits for its delivery, or whose facts were handed on and have no effect yet. */
export const unsettled = sql<boolean>`(t.state = 'received' or (t.state = 'delivered' and t.source = 'api' and t.erased_at is null and not case t.type
    when 'master-data' then exists (select from audit_entry as entry where entry.stream = 'master-data' and entry.recorded_at >= t.received_at
                                                and strpos(entry.content, '"contentHash":"' || t.payload_hash || '"') > 0)
    else exists (select from effect where effect.key = 'intake/' || t.id) end))`;

function namedIn(table: string, person: HeldPerson) {
  const entry = REGISTER.find((each) => each.table === table && each.link.by === 'names');
  return (entry && linkedTo(entry, person)) ?? sql<boolean>`false`;
}
