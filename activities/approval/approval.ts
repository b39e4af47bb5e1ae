import { type Transaction } from 'kysely';
import { type ApprovalActivities } from '../../contracts/activities';
import { ENGINE_ACTOR } from '../../contracts/names';
import { lockApproval, rulesOf, type ApprovalRow } from '../../db/approval-rules';
import { openException } from '../../db/exceptions';
import { type ApprovalRules } from '../../db/policies';
import { recordSlaEvents } from '../../db/sla-events';
import { type DB } from '../../db/types';
import { escalate, expire, hasExpired, withdraw, type Approval } from '../../domain/approval/state';
import { isViolation, type Violation } from '../../domain/violation';
import { type ActivityDeps } from '../deps';
import { lifecycleEffect, reviewKey } from '../lifecycle';
import { openStepsOf, placeOf, saveApproval, slaEvent, type OpenStep } from './record';

/** Records the reminders and breaches that have come due and asks the next rung of the ladder; ends what nobody decided in time. */
export function remindApprovers(deps: ActivityDeps): ApprovalActivities['remindApprovers'] {
  return ({ approvalId, look, at }) =>
    lifecycleEffect(
      deps,
      { key: reviewKey('remind-approvers', approvalId, look), identity: { approvalId }, at, actor: ENGINE_ACTOR },
      async (trx) => {
        const { row, approval } = await lockApproval(trx, approvalId);
        const rules = await rulesOf(trx, row);
        if (isViolation(rules)) return rules;
        const reminded = await remindAll(trx, row, approval, rules, at);
        if (isViolation(reminded)) return reminded;
        const next = hasExpired(reminded.approval, at) ? expire(reminded.approval, at) : reminded.approval;
        if (isViolation(next)) return next;
        const answer = await saveApproval(trx, row, next, rules, at);
        if (next.kind === 'expired') return { answer, audit: { ...placeOf(row), action: 'approval.expired', subject: approvalId } };
        return {
          answer,
          audit: {
            ...placeOf(row),
            // A run that looks because it was told to has reminded nobody.
            action: reminded.told > 0 ? 'approval.reminded' : 'approval.looked-at',
            subject: approvalId,
            details: { waits: answer.waits.map(({ role, due }) => ({ role, due })) },
          },
        };
      },
    );
}

export function withdrawApproval(deps: ActivityDeps): ApprovalActivities['withdrawApproval'] {
  return ({ approvalId, reasonId, at }) =>
    lifecycleEffect(deps, { key: `withdraw-approval/${approvalId}`, identity: { approvalId }, at, actor: ENGINE_ACTOR }, async (trx) => {
      const { row, approval } = await lockApproval(trx, approvalId);
      const rules = await rulesOf(trx, row);
      if (isViolation(rules)) return rules;
      const withdrawn = withdraw(approval, ENGINE_ACTOR, reasonId, at);
      const next = isViolation(withdrawn) ? approval : withdrawn;
      const answer = await saveApproval(trx, row, next, rules, at);
      return { answer, audit: { ...placeOf(row), action: 'approval.withdrawn', subject: approvalId, texts: { reason: reasonId } } };
    });
}

/** What has become of an approval, and how many reminders, breaches and rungs are new. */
interface Reminded {
  readonly approval: Approval;
  readonly told: number;
}

/** Every rung that has passed is taken, also where an outage let several pass at once. */
async function remindAll(
  trx: Transaction<DB>,
  row: ApprovalRow,
  approval: Approval,
  rules: ApprovalRules,
  at: string,
): Promise<Reminded | Violation> {
  let next: Approval = approval;
  let told = 0;
  for (let before: Approval | null = null; before !== next;) {
    before = next;
    for (const step of await openStepsOf(trx, row, next, rules, at)) {
      const reminded = await remind(trx, row, next, step, at);
      if (isViolation(reminded)) return reminded;
      next = reminded.approval;
      told += reminded.told;
    }
  }
  return { approval: next, told };
}

async function remind(
  trx: Transaction<DB>,
  row: ApprovalRow,
  approval: Approval,
  step: OpenStep,
  at: string,
): Promise<Reminded | Violation> {
  const passed = (moment: string): boolean => Date.parse(moment) <= Date.parse(at);
  const reminders = step.reminders.map((moment, index) => slaEvent(row, step, 'reminder', moment, index + 1));
  const breaches = step.due === null ? [] : [slaEvent(row, step, 'breach', step.due, 1)];
  const rung = step.step.escalatedTo.length + 1;
  const climbed = step.escalation === null ? [] : [slaEvent(row, step, 'escalation', step.escalation.at, rung)];
  const told = await recordSlaEvents(
    trx,
    [...reminders, ...breaches, ...climbed].filter((event) => passed(event.at)),
  );
  if (step.delayedAt !== null && passed(step.delayedAt)) await openDelay(trx, row, step, at);
  if (step.escalation === null || !passed(step.escalation.at)) return { approval, told };
  const escalated = escalate(approval, step.step.role, step.escalation.to);
  return isViolation(escalated) ? escalated : { approval: escalated, told };
}

/** Nobody decides, whoever was asked: from here on it is an exception. */
async function openDelay(trx: Transaction<DB>, row: ApprovalRow, { step }: OpenStep, at: string): Promise<void> {
  const { id: approvalId, subject_kind: subjectKind, workflow_id: name, deal_id: dealId, entity_id: entityId } = row;
  const detail = `${subjectKind} waits for ${step.role} beyond the last rung of its ladder`;
  const facts = { approvalId, subjectKind, role: step.role };
  await openException(trx, { name, path: 'delayed-approval', detail, dealId, entityId, facts }, at);
}
