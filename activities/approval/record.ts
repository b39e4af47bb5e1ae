import { type Transaction } from 'kysely';
import { type ApprovalView } from '../../contracts/workflow-state';
import { type ApprovalRow } from '../../db/approval-rules';
import { calendarIdOfUser, directory } from '../../db/directory';
import { closeExceptions } from '../../db/exceptions';
import { calendarOf, entityOf } from '../../db/parties';
import { type ApprovalRules } from '../../db/policies';
import { type SlaEvent } from '../../db/sla-events';
import { type DB } from '../../db/types';
import { openConditions } from '../../domain/approval/conditions';
import { type Seat } from '../../domain/approval/groups';
import { seatsOf, votersOf } from '../../domain/approval/holders';
import { type Pause, pausesOf } from '../../domain/approval/questions';
import { momentOf, slaMoments } from '../../domain/approval/sla';
import { openSteps, type Approval, type ApprovalStep } from '../../domain/approval/state';
import { type WorkingCalendar } from '../../domain/calendar/working-day';
import { type Instant } from '../../domain/deal/terms';
import { deadlinesBeforeDelay } from '../../domain/exception/detection';
import { approvalWorkflowId } from '../../domain/ids';
import { isViolation } from '../../domain/violation';
import { park } from '../lifecycle';
import { saveSteps } from './steps';
import { earliest, waitsOf } from './waits';

/** An open step with everybody who may vote on it and its deadlines in the working time of whoever must act. */
export interface OpenStep {
  readonly step: ApprovalStep;
  readonly voters: readonly string[];
  /** What their votes weigh and count for, where the rule says so. */
  readonly seats: Readonly<Record<string, Seat>>;
  readonly openedAt: Instant;
  readonly reminders: readonly Instant[];
  readonly due: Instant | null;
  /** When the step escalates next, and to whom; null when the ladder is used up, or while its clock stands still. */
  readonly escalation: { readonly at: Instant; readonly to: string } | null;
  /** When it becomes an exception, because the ladder is used up; null before, and while it is one. */
  readonly delayedAt: Instant | null;
}

/** Where the log speaks of an approval: the stream of its deal, as a fact of the entity that is asked. */
export function placeOf(row: ApprovalRow): { readonly stream: string; readonly entityId: string } {
  return { stream: row.deal_id === null ? `approval/${row.id}` : `deal/${row.deal_id}`, entityId: row.entity_id };
}

export async function openStepsOf(
  trx: Transaction<DB>,
  row: Pick<ApprovalRow, 'id' | 'entity_id' | 'tier'>,
  approval: Approval,
  rules: ApprovalRules,
  at: Instant,
): Promise<OpenStep[]> {
  const people = await directory(trx);
  const tier = approval.kind === 'pending' ? approval.openTier : row.tier;
  const pauses = pausesOf(approval, tier);
  const steps: OpenStep[] = [];
  for (const step of openSteps(approval)) {
    const voters = votersOf(approval, step, people, row.entity_id);
    const calendar = await calendarOfVoters(trx, voters, row.entity_id);
    const openedAt = await openedAtOf(trx, row.id, tier, step.role, at);
    const moments = rules.sla === null ? null : slaMoments(rules.sla, calendar, openedAt, pauses);
    const known = moments === null || isViolation(moments) ? null : moments;
    const escalation = nextEscalation(step, rules, calendar, openedAt, pauses);
    steps.push({
      step,
      voters,
      seats: seatsOf(step, voters, people),
      openedAt,
      reminders: known?.reminders ?? [],
      due: known?.due ?? null,
      escalation,
      delayedAt: escalation === null && rules.sla !== null ? await delayOf(trx, row.id, rules.sla, calendar, openedAt, pauses) : null,
    });
  }
  return steps;
}

/** Writes what an approval has become, see `showApproval`. */
export async function saveApproval(
  trx: Transaction<DB>,
  row: ApprovalRow,
  approval: Approval,
  rules: ApprovalRules,
  at: Instant,
): Promise<ApprovalView> {
  if (row.due !== null && Date.parse(row.due) < Date.parse(at)) await endDelays(trx, row, openSteps(approval), at);
  const open = await openStepsOf(trx, row, approval, rules, at);
  await trx
    .updateTable('approval')
    .set(stateColumns(row, approval, open))
    .where('id', '=', row.id)
    .execute();
  return showApproval(trx, row, approval, open, at);
}

/** A decision that came late after all: nobody has to see to it any more. */
async function endDelays(trx: Transaction<DB>, row: ApprovalRow, open: readonly ApprovalStep[], at: Instant): Promise<void> {
  const delayed = await trx
    .selectFrom('process_exception')
    .select('facts')
    .where('workflow_id', '=', row.workflow_id)
    .where('kind', '=', 'delayed-approval')
    .where('closed_at', 'is', null)
    .executeTakeFirst();
  const { role } = (delayed?.facts ?? {}) as { role?: string };
  if (role !== undefined && !open.some((step) => step.role === role)) await closeExceptions(trx, 'delayed-approval', [row.workflow_id], at);
}

/** Where an approval stands: what changes of its row. */
export function stateColumns({ tier }: Pick<ApprovalRow, 'tier'>, approval: Approval, open: readonly OpenStep[]) {
  return {
    record: JSON.stringify(approval),
    state: approval.kind,
    tier: approval.kind === 'pending' ? approval.openTier : tier,
    due: earliest((approval.kind === 'conditions' ? openConditions(approval) : open).map((each) => each.due)),
    decided_at: 'at' in approval ? approval.at : null,
    outcome_reason_id: 'reasonId' in approval ? approval.reasonId : null,
  };
}

/** Writes the steps of a stored approval and parks its run on the open ones, also before that has started; gives what the run shows. */
export async function showApproval(
  trx: Transaction<DB>,
  row: Pick<ApprovalRow, 'id' | 'workflow_id' | 'subject_kind' | 'subject_id' | 'entity_id' | 'deal_id' | 'tier'>,
  approval: Approval,
  open: readonly OpenStep[],
  at: Instant,
): Promise<ApprovalView> {
  const { tier, decided_at: decidedAt, outcome_reason_id: reasonId } = stateColumns(row, approval, open);
  await saveSteps(trx, row.id, approval, open, at);
  const parked = await park(trx, row.workflow_id, waitsOf(row, approval, open, at), at);
  return {
    approvalId: row.id,
    state: approval.kind,
    stage: approval.kind,
    ...parked,
    tier,
    requestedBy: approval.requestedBy,
    shownHash: approval.shownHash,
    decidedAt,
    reasonId,
  };
}

/** What has come due on a step, as it is recorded; `rung` null is one more than there are. */
export function slaEvent(row: ApprovalRow, open: OpenStep, kind: SlaEvent['kind'], at: Instant, rung: number | null): SlaEvent {
  const { step, voters, openedAt } = open;
  const subject = `${row.subject_kind}/${row.subject_id}`;
  return { workflowId: row.workflow_id, kind, subject, role: step.role, since: openedAt, at, rung, holders: voters };
}

/** Each rung of the escalation ladder is reached after one more deadline has passed. */
function nextEscalation(
  step: ApprovalStep,
  rules: ApprovalRules,
  calendar: WorkingCalendar,
  openedAt: Instant,
  pauses: readonly Pause[],
): OpenStep['escalation'] {
  if (rules.sla === null) return null;
  const rung = rules.sla.escalateTo.findIndex((to) => !step.escalatedTo.includes(to));
  const to = rules.sla.escalateTo[rung];
  if (to === undefined) return null;
  const at = momentOf(rules.sla.workingMinutes * (rung + 1), calendar, openedAt, pauses);
  return isViolation(at) || at === null ? null : { at, to };
}

/** One deadline after the last rung, and one more for each time that it was handled and not decided since. */
async function delayOf(
  trx: Transaction<DB>,
  approvalId: string,
  sla: NonNullable<ApprovalRules['sla']>,
  calendar: WorkingCalendar,
  openedAt: Instant,
  pauses: readonly Pause[],
): Promise<Instant | null> {
  const before = await trx
    .selectFrom('process_exception')
    .select('closed_at')
    .where('workflow_id', '=', approvalWorkflowId(approvalId))
    .where('kind', '=', 'delayed-approval')
    .execute();
  if (before.some((each) => each.closed_at === null)) return null;
  const minutes = sla.workingMinutes * deadlinesBeforeDelay(sla.escalateTo.length, before.length);
  const at = momentOf(minutes, calendar, openedAt, pauses);
  return isViolation(at) ? null : at;
}

async function calendarOfVoters(trx: Transaction<DB>, voters: readonly string[], entityId: string): Promise<WorkingCalendar> {
  const first = voters[0];
  return first === undefined ? (await entityOf(trx, entityId)).calendar : calendarOf(trx, await calendarIdOfUser(trx, first));
}

async function openedAtOf(trx: Transaction<DB>, approvalId: string, tier: number, role: string, at: Instant): Promise<Instant> {
  const row = await trx
    .selectFrom('approval_step')
    .select('opened_at')
    .where('approval_id', '=', approvalId)
    .where('tier', '=', tier)
    .where('role', '=', role)
    .where('state', '=', 'open')
    .executeTakeFirst();
  return row?.opened_at ?? at;
}
