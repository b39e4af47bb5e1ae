import { type Transaction } from 'kysely';
import { type ApprovalView } from '../../contracts/workflow-state';
import { type ApprovalRow } from '../../db/approval-rules';
import { directory } from '../../db/directory';
import { type ApprovalRules } from '../../db/policies';
import { type SlaEvent } from '../../db/sla-events';
import { type DB } from '../../db/types';
import { type Seat } from '../../domain/approval/groups';
import { seatsOf, votersOf } from '../../domain/approval/holders';
import { type Pause, pausesOf } from '../../domain/approval/questions';
import { momentOf, slaMoments } from '../../domain/approval/sla';
import { hasVoted, isOpen, openSteps, type Approval, type ApprovalStep } from '../../domain/approval/state';
import { type WorkingCalendar } from '../../domain/calendar/working-day';
import { type Instant } from '../../domain/deal/terms';
import { deadlinesBeforeDelay } from '../../domain/exception/detection';
import { isViolation } from '../../domain/violation';
import { park } from '../lifecycle';
import { calendarOfFirst } from './calendar';
import { type Delays, delaysOf, endDelays } from './delays';
import { openConditionsOf, type OpenCondition } from './open-conditions';
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

/** What people owe an approval now, with its clocks: votes, and what grants were given under. */
export interface OpenWork {
  readonly steps: readonly OpenStep[];
  readonly conditions: readonly OpenCondition[];
}

/** Where the log speaks of an approval: the stream of its deal, as a fact of the entity that is asked. */
export function placeOf(row: ApprovalRow): { readonly stream: string; readonly entityId: string } {
  return { stream: row.deal_id === null ? `approval/${row.id}` : `deal/${row.deal_id}`, entityId: row.entity_id };
}

export async function openWorkOf(
  trx: Transaction<DB>,
  row: Pick<ApprovalRow, 'id' | 'entity_id' | 'tier'>,
  approval: Approval,
  rules: ApprovalRules,
  at: Instant,
): Promise<OpenWork> {
  return { steps: await openStepsOf(trx, row, approval, rules, at), conditions: await openConditionsOf(trx, row, approval, rules) };
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
    const calendar = await calendarOfFirst(trx, voters, row.entity_id);
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
      delayedAt:
        escalation === null && rules.sla !== null ? delayOf(await delaysOf(trx, row.id), rules.sla, calendar, openedAt, pauses) : null,
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
  const mayEndDelay = approval.conditions.length > 0 || !isOpen(approval) || (row.due !== null && Date.parse(row.due) < Date.parse(at));
  if (mayEndDelay) await endDelays(trx, row, approval, at);
  const open = await openWorkOf(trx, row, approval, rules, at);
  return showApproval(trx, row, approval, open, at, 'changed');
}

/** Where an approval stands: what changes of its row. */
export function stateColumns({ tier }: Pick<ApprovalRow, 'tier'>, approval: Approval, open: OpenWork) {
  return {
    record: JSON.stringify(approval),
    state: approval.kind,
    tier: approval.kind === 'pending' ? approval.openTier : tier,
    due: earliest((approval.kind === 'conditions' ? open.conditions : open.steps).map((each) => each.due)),
    decided_at: 'at' in approval ? approval.at : null,
    outcome_reason_id: 'reasonId' in approval ? approval.reasonId : null,
  };
}

/** Writes the steps of a stored approval, its row too where that has changed, and parks its run on the open ones, also before that has started; gives what the run shows. */
export async function showApproval(
  trx: Transaction<DB>,
  row: Pick<ApprovalRow, 'id' | 'workflow_id' | 'subject_kind' | 'subject_id' | 'entity_id' | 'deal_id' | 'tier'>,
  approval: Approval,
  open: OpenWork,
  at: Instant,
  stored: 'new' | 'changed' = 'new',
): Promise<ApprovalView> {
  const columns = stateColumns(row, approval, open);
  const { tier, decided_at: decidedAt, outcome_reason_id: reasonId } = columns;
  await saveSteps(trx, row.id, { approval, open: open.steps, at, columns: stored === 'changed' ? columns : null });
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
    ...(open.conditions.length === 0 ? {} : { remindsOfConditions: true as const }),
  };
}

/** What has come due on a step, as it is recorded; `rung` null is one more than there are. */
export function slaEvent(row: ApprovalRow, open: OpenStep, kind: SlaEvent['kind'], at: Instant, rung: number | null): SlaEvent {
  const { step, voters, openedAt } = open;
  const subject = `${row.subject_kind}/${row.subject_id}`;
  const holders = voters.filter((userId) => !hasVoted(step, userId));
  return { workflowId: row.workflow_id, kind, subject, role: step.role, since: openedAt, at, rung, holders };
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

/** One deadline after the last rung, and one more for each time that it was handled and not decided since; null while it is an exception. */
function delayOf(
  { isOpen, settled }: Delays,
  sla: NonNullable<ApprovalRules['sla']>,
  calendar: WorkingCalendar,
  openedAt: Instant,
  pauses: readonly Pause[],
): Instant | null {
  if (isOpen) return null;
  const before = settled.filter((conditionId) => conditionId === null).length;
  const at = momentOf(sla.workingMinutes * deadlinesBeforeDelay(sla.escalateTo.length, before), calendar, openedAt, pauses);
  return isViolation(at) ? null : at;
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
