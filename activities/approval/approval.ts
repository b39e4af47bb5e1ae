import { type ApprovalActivities } from '../../contracts/activities';
import { ENGINE_ACTOR } from '../../contracts/names';
import { lockApproval, rulesOf } from '../../db/approval-rules';
import { withdraw } from '../../domain/approval/state';
import { isViolation } from '../../domain/violation';
import { type ActivityDeps } from '../deps';
import { lifecycleEffect } from '../lifecycle';
import { placeOf, saveApproval } from './record';

export function withdrawApproval(deps: ActivityDeps): ApprovalActivities['withdrawApproval'] {
  return ({ approvalId, reasonId, at }) =>
    lifecycleEffect(deps, { key: `withdraw-approval/${approvalId}`, identity: { approvalId }, at, actor: ENGINE_ACTOR }, async (trx) => {
      const { row, approval } = await lockApproval(trx, approvalId);
      const rules = await rulesOf(trx, row);
      if (isViolation(rules)) return rules;
      const withdrawn = withdraw(approval, ENGINE_ACTOR, reasonId, at);
      const next = isViolation(withdrawn) ? approval : withdrawn;
      const answer = await saveApproval(trx, row, next, rules, at);
      // Decided, and its run had not heard of it yet: nothing is withdrawn, and nobody is told so.
      if (isViolation(withdrawn)) return { answer, audit: { ...placeOf(row), action: 'approval.looked-at', subject: approvalId } };
      return { answer, audit: { ...placeOf(row), action: 'approval.withdrawn', subject: approvalId, texts: { reason: reasonId } } };
    });
}
