import { type Transaction } from 'kysely';
import { type ApprovalActivities } from '../../contracts/activities';
import { type ApprovalView } from '../../contracts/workflow-state';
import { type ApprovalRow, lockApproval, rulesOf } from '../../db/approval-rules';
import { type ApprovalRules } from '../../db/policies';
import { type DB } from '../../db/types';
import { permissionsOf } from '../../domain/access';
import { answer, ask } from '../../domain/approval/questions';
import { recuse } from '../../domain/approval/recusal';
import { type Approval } from '../../domain/approval/state';
import { isViolation, type Violation } from '../../domain/violation';
import { type ActivityDeps } from '../deps';
import { lifecycleEffect, type LifecycleEffect } from '../lifecycle';
import { type PeopleFacts, peopleFacts } from './decision-facts';
import { tellNewlyAsked } from './newly-asked';
import { placeOf, saveApproval } from './record';

/** What something that is said makes of an approval, what is written of it beside, and how the log tells it. */
interface Heard {
  readonly next: Approval | Violation;
  readonly write: () => Promise<void>;
  readonly action: string;
  readonly details: Record<string, unknown>;
  readonly texts: Record<string, string>;
}

/** One thing that is said to an approval, in one transaction: locks it, applies the rule, answers with it as it stands after the commit (D4). */
export function talkEffect(
  deps: ActivityDeps,
  approvalId: string,
  effect: LifecycleEffect,
  hear: (trx: Transaction<DB>, row: ApprovalRow, approval: Approval, rules: ApprovalRules) => Promise<Heard>,
): Promise<ApprovalView> {
  return lifecycleEffect<ApprovalView>(deps, effect, async (trx) => {
    const { row, approval } = await lockApproval(trx, approvalId);
    const rules = await rulesOf(trx, row);
    if (isViolation(rules)) return rules;
    const { next, write, action, details, texts } = await hear(trx, row, approval, rules);
    if (isViolation(next)) return next;
    const view = await saveApproval(trx, row, next, rules, effect.at);
    const isNew = next !== approval;
    if (isNew) await write();
    const said = { ...placeOf(row), action: isNew ? action : `${action}-again`, subject: approvalId, texts };
    return { answer: view, audit: { ...said, details: { ...details, state: view.state } } };
  });
}

/** Somebody who is asked stands back, with a reason. Once is enough: the key is the person. */
export function recordRecusal(deps: ActivityDeps): ApprovalActivities['recordRecusal'] {
  return ({ approvalId, recusal: { by, reasonId, at } }) =>
    talkEffect(
      deps,
      approvalId,
      { key: `recusal/${approvalId}/${by}`, identity: { approvalId, by }, at, actor: by },
      async (trx, row, approval, rules) => {
        const facts = await peopleFacts(trx, row, approval, rules, { by, at });
        const next = recuse(approval, by, { ...facts, owners: {}, dues: {}, dutyConflict: null }, at);
        return {
          next,
          write: async () => {
            const recused = { approval_id: approvalId, user_id: by, reason_id: reasonId, recused_at: at };
            await trx.insertInto('approval_recusal').values(recused).execute();
            if (!isViolation(next)) await tellNewlyAsked(trx, row, { before: approval, next }, `recusal/${approvalId}/${by}`, at);
          },
          action: 'approval.recused',
          details: { escalated: !isViolation(next) && escalations(next) > escalations(approval) },
          texts: { reason: reasonId },
        };
      },
    );
}

/** An approver asks the requester; the clocks of the tier stand still. */
export function recordQuestion(deps: ActivityDeps): ApprovalActivities['recordQuestion'] {
  return ({ approvalId, question: { questionId, by, role, textId, at } }) => {
    const effect = { key: `question/${questionId}`, identity: { approvalId, by, role, textId }, at, actor: by };
    return talkEffect(deps, approvalId, effect, async (trx, row, approval, rules) => {
      const facts = await peopleFacts(trx, row, approval, rules, { by, at });
      const asked = ask(approval, { questionId, by, role, textId }, { ...facts, requesterAnswers: canAnswer(facts, approval) }, at);
      const isCeiling = isViolation(asked) && asked.violation === 'RoleNotAsked' && facts.ceiling !== null;
      const kept = isViolation(asked) ? undefined : asked.questions.find((each) => each.questionId === questionId);
      return {
        next: isCeiling ? (facts.ceiling ?? asked) : asked,
        write: async () => {
          if (kept === undefined) throw new Error('a question that was asked is not kept');
          const written = {
            id: questionId,
            approval_id: approvalId,
            tier: kept.tier,
            role: kept.role,
            asked_by: by,
            text_id: textId,
            asked_at: at,
          };
          await trx.insertInto('approval_question').values(written).execute();
        },
        action: 'approval.question-asked',
        details: { questionId, role: kept?.role ?? null },
        texts: { question: textId },
      };
    });
  };
}

/** The requester answers; where nothing else is owed, the clocks go on. */
export function recordAnswer(deps: ActivityDeps): ApprovalActivities['recordAnswer'] {
  return ({ approvalId, answer: { answerId, questionId, by, textId, at } }) =>
    talkEffect(
      deps,
      approvalId,
      { key: `answer/${answerId}`, identity: { approvalId, questionId, by, textId }, at, actor: by },
      (trx, _row, approval) =>
        Promise.resolve({
          next: answer(approval, { questionId, by, textId }, at),
          write: async () => {
            const answered = { question_id: questionId, answered_by: by, text_id: textId, answered_at: at };
            await trx.insertInto('approval_answer').values(answered).execute();
          },
          action: 'approval.question-answered',
          details: { questionId },
          texts: { answer: textId },
        }),
    );
}

/** The engine answers nothing, nor does whoever has left or may not read approvals. */
function canAnswer({ people }: PeopleFacts, { requestedBy }: Approval): boolean {
  const roles = people.assignments.filter(({ userId }) => userId === requestedBy).map(({ role }) => role);
  return permissionsOf(roles).includes('approval.read');
}

function escalations({ tiers }: Approval): number {
  return tiers.reduce((sum, { steps }) => sum + steps.reduce((each, { escalatedTo }) => each + escalatedTo.length, 0), 0);
}
