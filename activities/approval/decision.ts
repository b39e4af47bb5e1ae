import { type Transaction } from 'kysely';
import { type ApprovalActivities, type DecideApart } from '../../contracts/activities';
import { type DecisionReceipt } from '../../contracts/workflow-state';
import { lockApproval, rulesOf } from '../../db/approval-rules';
import { useBreakGlass } from '../../db/break-glass';
import { tellOfDecision } from '../../db/decided';
import { type DB } from '../../db/types';
import { answerTo, decide } from '../../domain/approval/decision';
import { approvalWorkflowId } from '../../domain/ids';
import { isViolation, type Violation } from '../../domain/violation';
import { type ActivityDeps } from '../deps';
import { effectOnce, type EffectResult } from '../effect-once';
import { lifecycleEffect } from '../lifecycle';
import { Refusal } from '../refusal';
import { insertConditions, textsOfConditions } from './conditions';
import { decisionFacts } from './decision-facts';
import { tellNewlyAsked } from './newly-asked';
import { placeOf, saveApproval } from './record';

type Asked = Parameters<ApprovalActivities['recordDecision']>[0];

/** Takes a decision in one transaction: locks the subject, resolves delegation and duties, applies the rule, answers after the commit (D4). */
export function recordDecision(deps: ActivityDeps): ApprovalActivities['recordDecision'] {
  return (asked) => lifecycleEffect(deps, effectOf(asked), (trx) => taken(trx, asked)).catch(asReusedId(asked.decision.decisionId));
}

/**
 * The same effect without the run of the approval, which is told of it afterwards by an event of the same transaction: many decisions at once
 * do not wait for as many runs. Gives the refusal where `recordDecision` throws it.
 */
export function decideApart({ db }: ActivityDeps): DecideApart {
  return async (asked) => {
    const { approvalId, decision } = asked;
    const context = { ...effectOf(asked), workflowId: approvalWorkflowId(approvalId), name: 'recordDecision' };
    try {
      return await effectOnce(db, context, async (trx) => {
        const result = await taken(trx, asked);
        if (!isViolation(result)) await tellOfDecision(trx, approvalId, decision.decisionId, decision.at);
        return result;
      }).catch(asReusedId(decision.decisionId));
    } catch (error) {
      if (error instanceof Refusal) return error.violation;
      throw error;
    }
  };
}

function effectOf({ approvalId, decision }: Asked) {
  const { decisionId, by, verdict, role, reasonId, shownHash, at, conditions = [] } = decision;
  const under = conditions.length === 0 ? {} : { conditions };
  return { key: `decision/${decisionId}`, identity: { approvalId, by, verdict, role, reasonId, shownHash, ...under }, at, actor: by };
}

async function taken(trx: Transaction<DB>, { approvalId, decision }: Asked): Promise<EffectResult<DecisionReceipt> | Violation> {
  const { decisionId, by, verdict, reasonId, shownHash, at, conditions = [] } = decision;
  const { row, approval } = await lockApproval(trx, approvalId);
  const rules = await rulesOf(trx, row);
  if (isViolation(rules)) return rules;
  const answered = answerTo(approval, { ...decision, conditions });
  if (isViolation(answered)) return answered;
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
  const set = next.conditions.filter((each) => each.decisionId === decisionId);
  await insertConditions(trx, approvalId, set);
  const escalated = await tellNewlyAsked(trx, row, { before: approval, next }, `decision/${decisionId}`, at);
  const said = {
    decisionId,
    role: vote.role,
    tier: vote.tier,
    onBehalfOf: vote.onBehalfOf,
    shownHash,
    state: view.state,
    ...(broken === null ? {} : { breakGlass: broken }),
    ...(escalated ? { escalated } : {}),
  };
  return {
    answer: { outcome: 'accepted', approval: view, looksAnew: true },
    audit: {
      ...placeOf(row),
      action: `decision.${verdict}`,
      subject: approvalId,
      details:
        set.length === 0 ? said : { ...said, conditions: set.map(({ conditionId, role: owner, due }) => ({ conditionId, owner, due })) },
      texts: { reason: reasonId, ...textsOfConditions(conditions) },
    },
  };
}

/** The id of a decision that came with another content: the domain calls it so where it knows the vote, and so does the effect. */
function asReusedId(decisionId: string): (error: unknown) => never {
  return (error) => {
    const reused = error instanceof Refusal && error.violation.violation === 'EffectIdentityMismatch';
    throw reused ? new Refusal({ violation: 'DecisionIdReused', detail: decisionId }) : error;
  };
}
