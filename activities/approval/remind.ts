import { type Transaction } from 'kysely';
import { type ApprovalActivities } from '../../contracts/activities';
import { ENGINE_ACTOR } from '../../contracts/names';
import { lockApproval, rulesOf, type ApprovalRow } from '../../db/approval-rules';
import { openException } from '../../db/exceptions';
import { type ApprovalRules } from '../../db/policies';
import { recordSlaEvents } from '../../db/sla-events';
import { type DB } from '../../db/types';
import { escalate, expire, hasExpired, type Approval } from '../../domain/approval/state';
import { isViolation, type Violation } from '../../domain/violation';
import { type ActivityDeps } from '../deps';
import { lifecycleEffect, reviewKey } from '../lifecycle';
import { openConditionsOf, remindOfConditions, tellOfCondition } from './open-conditions';
import { openStepsOf, placeOf, saveApproval, slaEvent, type OpenStep } from './record';

/** Records the reminders and breaches that have come due and asks the next rung of the ladder; ends what nobody decided in time. */
export function remindApprovers(deps: ActivityDeps): ApprovalActivities['remindApprovers'] {
  return ({ approvalId, look, at, quiet = false }) => {
    const key = reviewKey('remind-approvers', approvalId, look);
    return lifecycleEffect(deps, { key, identity: { approvalId }, at, actor: ENGINE_ACTOR }, async (trx) => {
      const { row, approval } = await lockApproval(trx, approvalId);
      const rules = await rulesOf(trx, row);
      if (isViolation(rules)) return rules;
      const voting = await remindVoters(trx, row, approval, rules, at);
      if (isViolation(voting)) return voting;
      const { next: reminded, reminded: conditions } = await remindOfConditions(trx, row, voting.next, rules, at);
      const next = hasExpired(reminded, at) ? expire(reminded, at) : reminded;
      if (isViolation(next)) return next;
      const answer = await saveApproval(trx, row, next, rules, at);
      if (next.kind === 'expired') return { answer, audit: { ...placeOf(row), action: 'approval.expired', subject: approvalId } };
      await tellOwners(trx, row, next, rules, { conditions, source: key, at });
      // Who votes is told where something of theirs came due, or nothing did: then it was asked to look anew.
      const asksVoters = next.kind === 'pending' && (voting.hasCome || conditions.length === 0);
      return {
        answer,
        audit: {
          ...placeOf(row),
          action: quiet && !voting.hasCome && conditions.length === 0 ? 'approval.looked-at' : 'approval.reminded',
          subject: approvalId,
          details: {
            waits: answer.waits.filter(({ kind }) => kind === 'decision').map(({ role, due }) => ({ role, due })),
            ...(asksVoters ? {} : { voters: false }),
            ...(conditions.length === 0 ? {} : { conditions }),
          },
        },
      };
    });
  };
}

/** Those who are to see to conditions of which something has come due. */
async function tellOwners(
  trx: Transaction<DB>,
  row: ApprovalRow,
  approval: Approval,
  rules: ApprovalRules,
  { conditions, source, at }: { readonly conditions: readonly string[]; readonly source: string; readonly at: string },
): Promise<void> {
  if (conditions.length === 0) return;
  const open = await openConditionsOf(trx, row, approval, rules);
  for (const each of open) if (conditions.includes(each.condition.conditionId)) await tellOfCondition(trx, row, each, source, at);
}

/** Every rung that has passed is taken, also where an outage let several pass at once. `hasCome`: something is recorded that was not before. */
async function remindVoters(
  trx: Transaction<DB>,
  row: ApprovalRow,
  approval: Approval,
  rules: ApprovalRules,
  at: string,
): Promise<{ readonly next: Approval; readonly hasCome: boolean } | Violation> {
  let next: Approval = approval;
  let hasCome = false;
  for (let before: Approval | null = null; before !== next;) {
    before = next;
    for (const step of await openStepsOf(trx, row, next, rules, at)) {
      hasCome = (await remind(trx, row, step, at)) || hasCome;
      const { escalation } = step;
      if (escalation === null || Date.parse(escalation.at) > Date.parse(at)) continue;
      const escalated = escalate(next, step.step.role, escalation.to);
      if (isViolation(escalated)) return escalated;
      next = escalated;
    }
  }
  return { next, hasCome };
}

/** Records what has come due on a step; true where something of it is new. */
async function remind(trx: Transaction<DB>, row: ApprovalRow, step: OpenStep, at: string): Promise<boolean> {
  const passed = (moment: string): boolean => Date.parse(moment) <= Date.parse(at);
  const reminders = step.reminders.map((moment, index) => slaEvent(row, step, 'reminder', moment, index + 1));
  const breaches = step.due === null ? [] : [slaEvent(row, step, 'breach', step.due, 1)];
  const rung = step.step.escalatedTo.length + 1;
  const climbed = step.escalation === null ? [] : [slaEvent(row, step, 'escalation', step.escalation.at, rung)];
  const added = await recordSlaEvents(
    trx,
    [...reminders, ...breaches, ...climbed].filter((event) => passed(event.at)),
  );
  if (step.delayedAt !== null && passed(step.delayedAt)) await openDelay(trx, row, step, at);
  return added > 0;
}

/** Nobody decides, whoever was asked: from here on it is an exception. */
async function openDelay(trx: Transaction<DB>, row: ApprovalRow, { step }: OpenStep, at: string): Promise<void> {
  const { id: approvalId, subject_kind: subjectKind, workflow_id: name, deal_id: dealId, entity_id: entityId } = row;
  const detail = `${subjectKind} waits for ${step.role} beyond the last rung of its ladder`;
  const facts = { approvalId, subjectKind, role: step.role, tier: String(row.tier) };
  await openException(trx, { name, path: 'delayed-approval', detail, dealId, entityId, facts }, at);
}
