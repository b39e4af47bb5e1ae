import { type Transaction } from 'kysely';
import { directory } from '../../db/directory';
import { openException } from '../../db/exceptions';
import { tell } from '../../db/outbox';
import { type ApprovalRow } from '../../db/approval-rules';
import { type ApprovalRules } from '../../db/policies';
import { recordSlaEvents, type SlaEvent } from '../../db/sla-events';
import { type DB } from '../../db/types';
import { ownersOfCondition } from '../../domain/approval/condition-owners';
import { conditionMoments, type ConditionMoments } from '../../domain/approval/condition-clock';
import { escalateCondition, openConditions, type Condition } from '../../domain/approval/conditions';
import { type Approval } from '../../domain/approval/state';
import { type Instant } from '../../domain/deal/terms';
import { isViolation } from '../../domain/violation';
import { calendarOfFirst } from './calendar';
import { type Delays, delaysOf } from './delays';

/** A condition that somebody has to see to, who may, and its clock. */
export interface OpenCondition extends Omit<ConditionMoments, 'due'> {
  readonly condition: Condition;
  readonly owners: readonly string[];
  /** Null where its calendar has no working time. */
  readonly due: Instant | null;
}

export async function openConditionsOf(
  trx: Transaction<DB>,
  row: Pick<ApprovalRow, 'id' | 'entity_id'>,
  approval: Approval,
  rules: ApprovalRules,
): Promise<OpenCondition[]> {
  const open = openConditions(approval);
  if (open.length === 0) return [];
  const people = await directory(trx);
  const delays = await delaysOf(trx, row.id);
  const clocked: OpenCondition[] = [];
  for (const condition of open) {
    const owners = ownersOfCondition(people, approval, condition, row.entity_id);
    const calendar = await calendarOfFirst(trx, owners, row.entity_id);
    const moments = conditionMoments(condition, rules.conditionSla, calendar, delaysBefore(delays, condition));
    const none = { reminders: [], due: condition.due, escalation: null, delayedAt: null };
    clocked.push({ condition, owners, ...(isViolation(moments) ? none : moments) });
  }
  return clocked;
}

/**
 * Records what has come due of the conditions of an approval, tells those who are to see to them, gives them to the next rung, and makes those
 * beyond it exceptions. Every rung that has passed is taken, also where an outage let several pass at once.
 */
export async function remindOfConditions(
  trx: Transaction<DB>,
  row: ApprovalRow,
  approval: Approval,
  rules: ApprovalRules,
  at: Instant,
): Promise<{ readonly next: Approval; readonly reminded: readonly string[] }> {
  const reminded = new Set<string>();
  let next = approval;
  for (let before: Approval | null = null; before !== next;) {
    before = next;
    for (const open of await openConditionsOf(trx, row, next, rules)) {
      const { conditionId } = open.condition;
      if ((await recordSlaEvents(trx, passedOf(row, open, at))) > 0) reminded.add(conditionId);
      if (hasPassed(open.delayedAt, at)) await openDelay(trx, row, open, at);
      if (open.escalation !== null && hasPassed(open.escalation.at, at)) next = escalateCondition(next, conditionId, open.escalation.to);
    }
  }
  return { next, reminded: [...reminded] };
}

/** Whoever may see to a condition is told that it still waits; `source` names what tells it, once. */
export async function tellOfCondition(
  trx: Transaction<DB>,
  row: ApprovalRow,
  { condition, due }: OpenCondition,
  source: string,
  at: Instant,
): Promise<void> {
  const { conditionId, role } = condition;
  const about = { approvalId: row.id, conditionId, role, entityId: row.entity_id };
  const data = { ...about, ...(row.deal_id === null ? {} : { dealId: row.deal_id }), ...(due === null ? {} : { due }) };
  await tell(trx, { kind: 'approval.condition-reminded', data }, `${source}/${conditionId}`, at);
}

/** What has come due of a condition, as it is recorded; `rung` null is one more than there are. */
export function conditionEvent(
  row: Pick<ApprovalRow, 'workflow_id'>,
  { condition, owners }: OpenCondition,
  kind: SlaEvent['kind'],
  at: Instant,
  rung: number | null,
): SlaEvent {
  const { conditionId, role, setAt: since } = condition;
  return { workflowId: row.workflow_id, kind, subject: `condition/${conditionId}`, role, since, at, rung, holders: owners };
}

function passedOf(row: ApprovalRow, open: OpenCondition, at: Instant): SlaEvent[] {
  const { reminders, due, escalation, condition } = open;
  const events = [
    ...reminders.map((moment, index) => conditionEvent(row, open, 'reminder', moment, index + 1)),
    ...(due === null ? [] : [conditionEvent(row, open, 'breach', due, 1)]),
    ...(escalation === null ? [] : [conditionEvent(row, open, 'escalation', escalation.at, condition.escalatedTo.length + 1)]),
  ];
  return events.filter((event) => hasPassed(event.at, at));
}

/** Nobody sees to it, whoever was asked: the approval is delayed by it, and stays shut. */
async function openDelay(trx: Transaction<DB>, row: ApprovalRow, { condition }: OpenCondition, at: Instant): Promise<void> {
  const { id: approvalId, subject_kind: subjectKind, workflow_id: name, deal_id: dealId, entity_id: entityId } = row;
  const { conditionId, role } = condition;
  const detail = `${subjectKind} waits for ${role} to fulfil condition ${conditionId} beyond the last rung of its ladder`;
  const facts = { approvalId, subjectKind, role, conditionId };
  await openException(trx, { name, path: 'delayed-approval', detail, dealId, entityId, facts }, at);
}

/** How often it was an exception; null while the approval is one, by this or by something else. */
function delaysBefore({ isOpen, settled }: Delays, { conditionId }: Condition): number | null {
  return isOpen ? null : settled.filter((each) => each === conditionId).length;
}

function hasPassed(moment: Instant | null, at: Instant): boolean {
  return moment !== null && Date.parse(moment) <= Date.parse(at);
}
