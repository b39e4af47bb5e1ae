import { type Transaction } from 'kysely';
import { type ApprovalActivities } from '../../contracts/activities';
import { ENGINE_ACTOR } from '../../contracts/names';
import { type DecisionReceipt } from '../../contracts/workflow-state';
import { lockApproval, rulesOf, type ApprovalRow } from '../../db/approval-rules';
import { useBreakGlass } from '../../db/break-glass';
import { openException } from '../../db/exceptions';
import { type ApprovalRules } from '../../db/policies';
import { recordSlaEvents } from '../../db/sla-events';
import { type DB } from '../../db/types';
import { answerTo, decide } from '../../domain/approval/decision';
import { escalate, expire, hasExpired, withdraw, type Approval } from '../../domain/approval/state';
import { isViolation, type Violation } from '../../domain/violation';
import { type ActivityDeps } from '../deps';
import { lifecycleEffect, reviewKey } from '../lifecycle';
import { Refusal } from '../refusal';
import { insertConditions, textsOfConditions } from './conditions';
import { decisionFacts } from './decision-facts';
import { openStepsOf, placeOf, saveApproval, slaEvent, type OpenStep } from './record';

/** Takes a decision in one transaction: locks the subject, resolves delegation and duties, applies the rule, answers after the commit (D4). */
export function recordDecision(deps: ActivityDeps): ApprovalActivities['recordDecision'] {
  return ({ approvalId, decision }) => {
    const { decisionId, by, verdict, role, reasonId, shownHash, at, conditions = [] } = decision;
    const under = conditions.length === 0 ? {} : { conditions };
    return lifecycleEffect<DecisionReceipt>(
      deps,
      { key: `decision/${decisionId}`, identity: { approvalId, by, verdict, role, reasonId, shownHash, ...under }, at, actor: by },
      async (trx) => {
        const { row, approval } = await lockApproval(trx, approvalId);
        const rules = await rulesOf(trx, row);
        if (isViolation(rules)) return rules;
        const answered = answerTo(approval, decision);
        if (answered !== null) {
          const view = await saveApproval(trx, row, approval, rules, at);
          return {
            answer: { outcome: answered, approval: view },
            audit: { ...placeOf(row), action: 'decision.repeated', subject: approvalId, details: { decisionId } },
          };
        }
        const { ceiling, breakGlass, ...facts } = await decisionFacts(trx, row, approval, rules, decision);
        const next = decide(approval, { ...decision, conditions }, facts, at);
        if (isViolation(next)) return next.violation === 'RoleNotAsked' && ceiling !== null ? ceiling : next;
        const vote = next.tiers
          .flatMap((tier) => tier.steps.flatMap((step) => step.votes.map((each) => ({ ...each, tier: tier.tier, role: step.role }))))
          .find((each) => each.decisionId === decisionId);
        if (!vote) throw new Error('a decision that was applied left no vote');
        const view = await saveApproval(trx, row, next, rules, at);
        await trx
          .insertInto('approval_decision')
          .values({
            decision_id: decisionId,
            approval_id: approvalId,
            tier: vote.tier,
            role: vote.role,
            decided_by: by,
            on_behalf_of: vote.onBehalfOf,
            verdict,
            reason_id: reasonId,
            shown_hash: shownHash,
            decided_at: at,
          })
          .execute();
        const broken = breakGlass === null ? null : await useBreakGlass(trx, breakGlass, decisionId, at);
        await insertConditions(trx, approvalId, decision);
        const said = {
          decisionId,
          role: vote.role,
          tier: vote.tier,
          onBehalfOf: vote.onBehalfOf,
          shownHash,
          state: view.state,
          ...(broken === null ? {} : { breakGlass: broken }),
        };
        return {
          answer: { outcome: 'accepted', approval: view, looksAnew: true },
          audit: {
            ...placeOf(row),
            action: `decision.${verdict}`,
            subject: approvalId,
            details:
              conditions.length === 0
                ? said
                : { ...said, conditions: conditions.map(({ conditionId, role: owner, due }) => ({ conditionId, owner, due })) },
            texts: { reason: reasonId, ...textsOfConditions(conditions) },
          },
        };
      },
    ).catch(asReusedId(decisionId));
  };
}

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
        const next = isViolation(reminded) || !hasExpired(reminded, at) ? reminded : expire(reminded, at);
        if (isViolation(next)) return next;
        const answer = await saveApproval(trx, row, next, rules, at);
        if (next.kind === 'expired') return { answer, audit: { ...placeOf(row), action: 'approval.expired', subject: approvalId } };
        return {
          answer,
          audit: {
            ...placeOf(row),
            action: 'approval.reminded',
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

/** Every rung that has passed is taken, also where an outage let several pass at once. */
async function remindAll(
  trx: Transaction<DB>,
  row: ApprovalRow,
  approval: Approval,
  rules: ApprovalRules,
  at: string,
): Promise<Approval | Violation> {
  let next: Approval = approval;
  for (let before: Approval | null = null; before !== next;) {
    before = next;
    for (const step of await openStepsOf(trx, row, next, rules, at)) {
      const escalated = await remind(trx, row, next, step, at);
      if (isViolation(escalated)) return escalated;
      next = escalated;
    }
  }
  return next;
}

async function remind(
  trx: Transaction<DB>,
  row: ApprovalRow,
  approval: Approval,
  step: OpenStep,
  at: string,
): Promise<Approval | Violation> {
  const passed = (moment: string): boolean => Date.parse(moment) <= Date.parse(at);
  const reminders = step.reminders.map((moment, index) => slaEvent(row, step, 'reminder', moment, index + 1));
  const breaches = step.due === null ? [] : [slaEvent(row, step, 'breach', step.due, 1)];
  const rung = step.step.escalatedTo.length + 1;
  const climbed = step.escalation === null ? [] : [slaEvent(row, step, 'escalation', step.escalation.at, rung)];
  await recordSlaEvents(
    trx,
    [...reminders, ...breaches, ...climbed].filter((event) => passed(event.at)),
  );
  if (step.delayedAt !== null && passed(step.delayedAt)) await openDelay(trx, row, step, at);
  if (step.escalation === null || !passed(step.escalation.at)) return approval;
  return escalate(approval, step.step.role, step.escalation.to);
}

/** Nobody decides, whoever was asked: from here on it is an exception. */
async function openDelay(trx: Transaction<DB>, row: ApprovalRow, { step }: OpenStep, at: string): Promise<void> {
  const { id: approvalId, subject_kind: subjectKind, workflow_id: name, deal_id: dealId, entity_id: entityId } = row;
  const detail = `${subjectKind} waits for ${step.role} beyond the last rung of its ladder`;
  const facts = { approvalId, subjectKind, role: step.role };
  await openException(trx, { name, path: 'delayed-approval', detail, dealId, entityId, facts }, at);
}

/** The id of a decision that came with another content: the domain calls it so where it knows the vote, and so does the effect. */
function asReusedId(decisionId: string): (error: unknown) => never {
  return (error) => {
    const reused = error instanceof Refusal && error.violation.violation === 'EffectIdentityMismatch';
    throw reused ? new Refusal({ violation: 'DecisionIdReused', detail: decisionId }) : error;
  };
}
