import { type Kysely } from 'kysely';
import { uuidv7 } from 'uuidv7';
import { type DB } from '../../db/types';
import { type Approval } from '../../domain/approval/state';

/** An approval as it stands on record, without steps, waits and run. */
export function approvalRow(
  approval: Approval,
  place: { readonly entityId: string; readonly policyVersionId: string; readonly openedAt: string },
) {
  return {
    ...{ id: approval.approvalId, workflow_id: `approval/${approval.approvalId}`, entity_id: place.entityId, opened_at: place.openedAt },
    ...{
      subject_kind: approval.subject.kind,
      subject_id: approval.subject.id,
      policy_version_id: place.policyVersionId,
      rule_ids: ['AP-1'],
    },
    ...{ requested_by: approval.requestedBy, shown: '{}', shown_hash: approval.shownHash, record: JSON.stringify(approval) },
    ...{ tier: approval.kind === 'pending' ? approval.openTier : 1, state: approval.kind },
    ...{ amount_minor: approval.amount?.minor ?? null, amount_currency: approval.amount?.currency ?? null },
    decided_at: approval.kind === 'pending' ? null : place.openedAt,
  };
}

/** A version of the policy by which approvals of the firm go. */
export async function policyVersionOf(db: Kysely<DB>): Promise<string> {
  return (await db.selectFrom('policy_version').select('id').where('kind', '=', 'approval').executeTakeFirstOrThrow()).id;
}

export const newApprovalId = (): string => uuidv7();
