import { type Transaction } from 'kysely';
import { uuidv7 } from 'uuidv7';
import { type PolicyActivities } from '../../contracts/activities';
import { policyCatalogue, isPolicyKind } from '../../contracts/policy-catalogue';
import { type PolicyKind } from '../../contracts/policies';
import { type ApprovalView, type PolicyChangeInput, type PolicyChangeReceipt, type PolicyChangeView } from '../../contracts/workflow-state';
import { hashOf } from '../../db/hash';
import { entityOf } from '../../db/parties';
import { lockPolicy, policyVersions } from '../../db/policies';
import { type DB } from '../../db/types';
import { localDateOf } from '../../domain/calendar/zone';
import { type LocalDate } from '../../domain/deal/terms';
import { plannedVersion, withoutVersion } from '../../domain/policy/change';
import { type PolicyVersion } from '../../domain/policy/variation';
import { isViolation, type Violation } from '../../domain/violation';
import { askApproval } from '../approval/ask';
import { type ActivityDeps } from '../deps';
import { lifecycleEffect } from '../lifecycle';
import { refuseCombinations, refuseUnfit } from './fit';
import { decidedIn } from './subject';
import { policyView } from './view';

type Requested = { receipt: PolicyChangeReceipt; view: PolicyChangeView; asked: ApprovalView };

/** A change is checked against what is in force and kept for its approval, one of a policy and place at a time. */
export function requestPolicyChange(deps: ActivityDeps): PolicyActivities['requestPolicyChange'] {
  return ({ kind, entityId, change }) => {
    const { changeId, by, at, ...asked } = change;
    const effect = { key: `policy-change/${changeId}`, identity: { kind, entityId, by, ...asked }, at, actor: by };
    return lifecycleEffect<Requested>(deps, effect, async (trx, workflowId) => {
      if (!isPolicyKind(kind) || policyCatalogue[kind].changedBy !== 'approval')
        return { violation: 'PolicyNotProposable', detail: `${kind} comes with the master data` };
      await lockPolicy(trx, kind);
      const decided = await decidedIn(trx, entityId, by);
      const today = localDateOf(at, (await entityOf(trx, decided)).timeZone);
      const refused =
        (await refuseOpen(trx, kind, entityId)) ?? refuseChange(await policyVersions(trx, kind), kind, entityId, change, today);
      if (refused) return refused;
      const approvalId = uuidv7();
      const row = await trx
        .insertInto('policy_change')
        .values({ ...valuesOf(kind, entityId, change, today), approval_id: approvalId })
        .returningAll()
        .executeTakeFirstOrThrow();
      const opened = await askApproval(trx, {
        approvalId,
        subjectKind: 'policy',
        subjectId: changeId,
        dealId: null,
        entityId: decided,
        at,
        askedWith: { update: 'requestPolicyChange', workflowId, input: change },
      });
      if (isViolation(opened)) return opened;
      if (opened.view.state !== 'pending')
        return { violation: 'PolicyNotInForce', detail: 'no policy in force asks anybody about changes of policies' };
      const view = await policyView(trx, workflowId, row, at);
      return {
        answer: { receipt: { changeId, approvalId }, view, asked: opened.view },
        audit: {
          stream: `policy/${kind}`,
          ...(entityId === null ? {} : { entityId }),
          action: 'policy.change-requested',
          subject: changeId,
          details: { action: change.action, entity: entityId, contentHash: row.content_hash, approval: opened.terms },
          texts: { reason: change.reasonId },
        },
      };
    });
  };
}

async function refuseOpen(trx: Transaction<DB>, kind: PolicyKind, entityId: string | null): Promise<Violation | null> {
  const open = await trx
    .selectFrom('policy_change')
    .select('id')
    .where('kind', '=', kind)
    .where('entity_id', entityId === null ? 'is' : '=', entityId)
    .where('state', '=', 'requested')
    .executeTakeFirst();
  return open === undefined ? null : { violation: 'PolicyChangeOpen', detail: `change ${open.id} is being decided` };
}

function refuseChange(
  versions: readonly PolicyVersion[],
  kind: PolicyKind,
  entityId: string | null,
  change: PolicyChangeInput,
  today: LocalDate,
): Violation | null {
  if (change.action === 'withdraw') {
    const without = withoutVersion(versions, change.versionId, today);
    return isViolation(without) ? without : refuseCombinations(kind, without.versions, today);
  }
  const planned = plannedVersion(versions, { ...change, entityId }, today);
  return isViolation(planned) ? planned : refuseUnfit(kind, entityId, change.content, planned);
}

function valuesOf(kind: string, entityId: string | null, change: PolicyChangeInput, today: LocalDate) {
  const isNew = change.action === 'introduce';
  return {
    id: change.changeId,
    kind,
    action: change.action,
    entity_id: entityId,
    based_on_id: isNew ? change.basedOn : change.versionId,
    effective_from: isNew ? change.effectiveFrom : today,
    content: isNew ? JSON.stringify(change.content) : null,
    content_hash: isNew ? hashOf(change.content) : null,
    reason_id: change.reasonId,
    requested_by: change.by,
    requested_at: change.at,
  };
}
