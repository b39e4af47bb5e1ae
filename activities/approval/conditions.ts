import { type Transaction } from 'kysely';
import { type ApprovalActivities } from '../../contracts/activities';
import { type ConditionInput } from '../../contracts/workflow-state';
import { directory } from '../../db/directory';
import { type DB } from '../../db/types';
import { ownersOfCondition } from '../../domain/approval/condition-owners';
import { type Condition, conditionOf, settleCondition } from '../../domain/approval/conditions';
import { type ActivityDeps } from '../deps';
import { talkEffect } from './talk';
import { refuseWaiver } from './waiving';

/** What a decision was given under, as rows of its own. */
export async function insertConditions(trx: Transaction<DB>, approvalId: string, set: readonly Condition[]): Promise<void> {
  if (set.length === 0) return;
  const rows = set.map(({ conditionId, decisionId, role, textId, due, setAt }) => ({
    id: conditionId,
    approval_id: approvalId,
    decision_id: decisionId,
    owner_role: role,
    text_id: textId,
    due,
    set_at: setAt,
  }));
  await trx.insertInto('approval_condition').values(rows).execute();
}

/** The words of conditions, by the place of each in its decision. */
export function textsOfConditions(conditions: readonly ConditionInput[]): Record<string, string> {
  return Object.fromEntries(conditions.map(({ textId }, index) => [`condition-${index + 1}`, textId]));
}

/** A condition is fulfilled or waived; with the last one the approval is approved. */
export function recordConditionEnd(deps: ActivityDeps): ApprovalActivities['recordConditionEnd'] {
  return ({ approvalId, end }) => {
    const { endId, conditionId, as, by, textId, at } = end;
    const effect = { key: `end-condition/${endId}`, identity: { approvalId, conditionId, as, by, textId }, at, actor: by };
    return talkEffect(deps, approvalId, effect, async (trx, row, approval, rules) => {
      const condition = conditionOf(approval, conditionId);
      const people = await directory(trx);
      const owners = condition === undefined ? [] : ownersOfCondition(people, approval, condition, row.entity_id);
      const isWaiver = condition !== undefined && as === 'waived' && condition.settled === null;
      const noWaiver = isWaiver ? await refuseWaiver(trx, { row, approval, rules, people }, condition, end) : null;
      return {
        next: settleCondition(approval, conditionId, { as, by, textId }, { owners, noWaiver }, at),
        write: async () => {
          const ended = { condition_id: conditionId, outcome: as, settled_by: by, text_id: textId, settled_at: at };
          await trx.insertInto('approval_condition_end').values(ended).execute();
        },
        action: `condition.${as}`,
        details: { conditionId, role: condition?.role ?? null },
        texts: as === 'fulfilled' ? { evidence: textId } : { reason: textId },
      };
    });
  };
}
