import { type Selectable, type Transaction } from 'kysely';
import { uuidv7 } from 'uuidv7';
import { type ApprovalView } from '../../contracts/workflow-state';
import { calendarIdOfUser, directory } from '../../db/directory';
import { closeExceptions } from '../../db/exceptions';
import { calendarOf, entityOf } from '../../db/parties';
import { approvalRules, type ApprovalRules } from '../../db/policies';
import { type DB } from '../../db/types';
import { type Wait } from '../../db/waits';
import { votersOf } from '../../domain/approval/holders';
import { votesNeeded } from '../../domain/approval/quorum';
import { slaMoments } from '../../domain/approval/sla';
import { openSteps, type Approval, type ApprovalStep } from '../../domain/approval/state';
import { addWorkingMinutes } from '../../domain/calendar/working-time';
import { type WorkingCalendar } from '../../domain/calendar/working-day';
import { localDateOf } from '../../domain/calendar/zone';
import { type Instant } from '../../domain/deal/terms';
import { deadlinesBeforeDelay } from '../../domain/exception/detection';
import { approvalWorkflowId } from '../../domain/ids';
import { isViolation, type Violation } from '../../domain/violation';
import { park } from '../lifecycle';
import { saveSteps } from './steps';

export type ApprovalRow = Selectable<DB['approval']>;

/** An open step with everybody who may vote on it and its deadlines in the working time of whoever must act. */
export interface OpenStep {
  readonly step: ApprovalStep;
  readonly voters: readonly string[];
  readonly openedAt: Instant;
  readonly reminders: readonly Instant[];
  readonly due: Instant | null;
  /** When the step escalates next, and to whom; null when the ladder is used up. */
  readonly escalation: { readonly at: Instant; readonly to: string } | null;
  /** When it becomes an exception, because the ladder is used up; null before, and while it is one. */
  readonly delayedAt: Instant | null;
}

export async function lockApproval(trx: Transaction<DB>, approvalId: string): Promise<{ row: ApprovalRow; approval: Approval }> {
  const row = await trx.selectFrom('approval').selectAll().where('id', '=', approvalId).forUpdate().executeTakeFirstOrThrow();
  return { row, approval: row.record as Approval };
}

/** The rules by which a running approval goes: those of the moment it was opened, whatever was granted or taken back since. */
export async function rulesOf(
  trx: Transaction<DB>,
  row: Pick<ApprovalRow, 'subject_kind' | 'opened_at' | 'entity_id'>,
): Promise<ApprovalRules | Violation> {
  const { timeZone } = await entityOf(trx, row.entity_id);
  const { entity_id: entityId, opened_at: knownAt } = row;
  return approvalRules(trx, row.subject_kind, localDateOf(knownAt, timeZone), { entityId, knownAt });
}

export async function openStepsOf(
  trx: Transaction<DB>,
  row: Pick<ApprovalRow, 'id' | 'entity_id' | 'tier'>,
  approval: Approval,
  rules: ApprovalRules,
  at: Instant,
): Promise<OpenStep[]> {
  const people = await directory(trx);
  const steps: OpenStep[] = [];
  for (const step of openSteps(approval)) {
    const voters = votersOf(approval, step, people, row.entity_id);
    const calendar = await calendarOfVoters(trx, voters, row.entity_id);
    const openedAt = await openedAtOf(trx, row.id, approval.kind === 'pending' ? approval.openTier : row.tier, step.role, at);
    const moments = rules.sla === null ? null : slaMoments(rules.sla, calendar, openedAt);
    const known = moments === null || isViolation(moments) ? null : moments;
    const escalation = nextEscalation(step, rules, calendar, openedAt);
    steps.push({
      step,
      voters,
      openedAt,
      reminders: known?.reminders ?? [],
      due: known?.due ?? null,
      escalation,
      delayedAt: escalation === null && rules.sla !== null ? await delayOf(trx, row.id, rules.sla, calendar, openedAt) : null,
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
  const open = await openStepsOf(trx, row, approval, rules, at);
  await trx
    .updateTable('approval')
    .set(stateColumns(row, approval, open))
    .where('id', '=', row.id)
    .execute();
  if (row.due !== null && Date.parse(row.due) < Date.parse(at)) await endDelays(trx, row, open, at);
  return showApproval(trx, row, approval, open, at);
}

/** A decision that came late after all: nobody has to see to it any more. */
async function endDelays(trx: Transaction<DB>, row: ApprovalRow, open: readonly OpenStep[], at: Instant): Promise<void> {
  const delayed = await trx
    .selectFrom('process_exception')
    .select('facts')
    .where('workflow_id', '=', row.workflow_id)
    .where('kind', '=', 'delayed-approval')
    .where('closed_at', 'is', null)
    .executeTakeFirst();
  const { role } = (delayed?.facts ?? {}) as { role?: string };
  if (role !== undefined && !open.some(({ step }) => step.role === role))
    await closeExceptions(trx, 'delayed-approval', [row.workflow_id], at);
}

/** Where an approval stands: what changes of its row. */
export function stateColumns({ tier }: Pick<ApprovalRow, 'tier'>, approval: Approval, open: readonly OpenStep[]) {
  return {
    record: JSON.stringify(approval),
    state: approval.kind,
    tier: approval.kind === 'pending' ? approval.openTier : tier,
    due: earliestOf(open.map((each) => each.due)),
    decided_at: approval.kind === 'pending' ? null : approval.at,
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
  const parked = await park(
    trx,
    row.workflow_id,
    open.map((each) => waitOf(row, each, at)),
    at,
  );
  const state = approval.kind === 'expired' ? 'withdrawn' : approval.kind;
  return {
    approvalId: row.id,
    state,
    stage: state,
    ...parked,
    tier,
    requestedBy: approval.requestedBy,
    shownHash: approval.shownHash,
    decidedAt,
    reasonId,
  };
}

function waitOf(row: Parameters<typeof showApproval>[1], open: OpenStep, at: Instant): Wait {
  const { step, voters, due } = open;
  const grants = step.votes.filter((vote) => vote.verdict === 'grant').length;
  const need = votesNeeded(step.quorum, Math.max(voters.length, 1));
  return {
    kind: 'decision',
    subject: `${row.subject_kind}/${row.subject_id}`,
    role: step.role,
    entityId: row.entity_id,
    dealId: row.deal_id,
    asks: `decide on ${row.subject_kind}, ${grants} of ${need} approvals given, ${voters.length} people may decide`,
    due,
    wakesAt: earliestOf(
      [...open.reminders, open.escalation?.at ?? null, open.delayedAt].filter(
        (moment) => moment !== null && Date.parse(moment) > Date.parse(at),
      ),
    ),
  };
}

export async function recordSlaEvent(
  trx: Transaction<DB>,
  row: ApprovalRow,
  open: OpenStep,
  kind: 'reminder' | 'breach' | 'escalation',
  moment: Instant,
): Promise<void> {
  await trx
    .insertInto('sla_event')
    .values({
      id: uuidv7(),
      workflow_id: row.workflow_id,
      kind,
      subject: `${row.subject_kind}/${row.subject_id}`,
      role: open.step.role,
      at: moment,
      since: open.openedAt,
    })
    .onConflict((conflict) => conflict.doNothing())
    .execute();
}

/** Each rung of the escalation ladder is reached after one more deadline has passed. */
function nextEscalation(step: ApprovalStep, rules: ApprovalRules, calendar: WorkingCalendar, openedAt: Instant): OpenStep['escalation'] {
  if (rules.sla === null) return null;
  const rung = rules.sla.escalateTo.findIndex((to) => !step.escalatedTo.includes(to));
  const to = rules.sla.escalateTo[rung];
  if (to === undefined) return null;
  const at = addWorkingMinutes(calendar, openedAt, rules.sla.workingMinutes * (rung + 1));
  return isViolation(at) ? null : { at, to };
}

/** One deadline after the last rung, and one more for each time that it was handled and not decided since. */
async function delayOf(
  trx: Transaction<DB>,
  approvalId: string,
  sla: NonNullable<ApprovalRules['sla']>,
  calendar: WorkingCalendar,
  openedAt: Instant,
): Promise<Instant | null> {
  const before = await trx
    .selectFrom('process_exception')
    .select('closed_at')
    .where('workflow_id', '=', approvalWorkflowId(approvalId))
    .where('kind', '=', 'delayed-approval')
    .execute();
  if (before.some((each) => each.closed_at === null)) return null;
  const at = addWorkingMinutes(calendar, openedAt, sla.workingMinutes * deadlinesBeforeDelay(sla.escalateTo.length, before.length));
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

function earliestOf(moments: readonly (Instant | null)[]): Instant | null {
  const known = moments.filter((moment) => moment !== null).sort((a, b) => Date.parse(a) - Date.parse(b));
  return known[0] ?? null;
}
