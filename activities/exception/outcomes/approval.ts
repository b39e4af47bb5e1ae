import { type Transaction } from 'kysely';
import { type ApprovalView, type OutcomeMessage } from '../../../contracts/workflow-state';
import { lockApproval, rulesOf } from '../../../db/approval-rules';
import { recordSlaEvents } from '../../../db/sla-events';
import { type DB } from '../../../db/types';
import { type ExceptionRow } from '../../../db/exceptions';
import { escalateCondition } from '../../../domain/approval/conditions';
import { type Approval, endedAlready, escalate, openSteps } from '../../../domain/approval/state';
import { isViolation, type Violation } from '../../../domain/violation';
import { conditionEvent, tellOfCondition } from '../../approval/open-conditions';
import { openWorkOf, saveApproval, slaEvent } from '../../approval/record';
import { type CarriedOut, type Decided, type Outcome } from './table';

/** Whoever may decide, or see to the condition that it is about, is told once more, and has the time of one more deadline. */
export const remindAnew: Outcome = {
  refuse: (trx, { row }) => refuseEnded(trx, row),
  carryOut: (trx, { row, choice, at }) => onApproval(trx, { row, choice, at }, (approval) => approval),
};

/** One more role is asked, of those to which policy lets it be given. */
export const reassign: Outcome = {
  refuse: async (trx, { row, terms, choice }) => {
    const allowed = terms.policy.reassignTo;
    if (!allowed.includes(choice.target ?? ''))
      return { violation: 'ReassignmentNotAllowed', detail: `it may be given to ${allowed.join(', ')}`, path: '/target' };
    return refuseEnded(trx, row);
  },
  carryOut: (trx, { row, choice, at }) =>
    onApproval(trx, { row, choice, at }, (approval) => {
      const { conditionId } = row.facts;
      if (conditionId !== undefined) return escalateCondition(approval, conditionId, choice.target ?? '');
      let next: Approval | Violation = approval;
      for (const { role } of openSteps(approval)) if (!isViolation(next)) next = escalate(next, role, choice.target ?? '');
      return next;
    }),
};

/** The request is taken back for whoever asked; its run ends as if they had. */
export const withdrawOnBehalf: Outcome = {
  refuse: (trx, { row }) => refuseEnded(trx, row),
  carryOut: async (trx, { row, choice }) => {
    const refused = await refuseEnded(trx, row);
    return refused ?? { settles: true, tells: [{ workflowId: row.workflow_id, message: 'withdraw-approval', reasonId: choice.reason_id }] };
  },
};

async function refuseEnded(trx: Transaction<DB>, row: ExceptionRow): Promise<Violation | null> {
  return endedAlready((await lockApproval(trx, approvalIdOf(row))).approval);
}

/** What becomes of an open approval: its waits and steps as they stand then, and a reminder of record. Its run is told to show it. */
async function onApproval(
  trx: Transaction<DB>,
  { row: exception, choice, at }: Pick<Decided, 'row' | 'choice' | 'at'>,
  change: (approval: Approval) => Approval | Violation,
): Promise<CarriedOut | Violation> {
  const { row, approval } = await lockApproval(trx, approvalIdOf(exception));
  const ended = endedAlready(approval);
  if (ended) return ended;
  const rules = await rulesOf(trx, row);
  if (isViolation(rules)) return rules;
  const next = change(approval);
  if (isViolation(next)) return next;
  const { conditionId } = exception.facts;
  const open = await openWorkOf(trx, row, next, rules, at);
  const late = open.conditions.filter(({ condition }) => condition.conditionId === conditionId);
  await recordSlaEvents(
    trx,
    conditionId === undefined
      ? open.steps.map((step) => slaEvent(row, step, 'reminder', at, null))
      : late.map((each) => conditionEvent(row, each, 'reminder', at, null)),
  );
  for (const each of late) await tellOfCondition(trx, row, each, `outcome/${choice.id}`, at);
  const view: ApprovalView = await saveApproval(trx, row, next, rules, at);
  const tell: OutcomeMessage = { workflowId: row.workflow_id, message: 'recheck-approval', reasonId: null };
  return { settles: true, tells: [tell], details: { approvalId: row.id, due: view.waits[0]?.due ?? null } };
}

function approvalIdOf({ workflow_id: name }: ExceptionRow): string {
  return name.slice('approval/'.length);
}
