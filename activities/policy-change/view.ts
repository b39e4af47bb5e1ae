import { type Transaction } from 'kysely';
import { WAITS_FOR_RUN } from '../../contracts/names';
import { type PolicyChangeView } from '../../contracts/workflow-state';
import { type DB } from '../../db/types';
import { approvalWorkflowId } from '../../domain/ids';
import { park } from '../lifecycle';
import { decidedIn, type PolicyChangeRow } from './subject';

/** Where the changes of a policy stand after an effect on one of them: it waits for its approval, or nothing is open. */
export async function policyView(trx: Transaction<DB>, workflowId: string, change: PolicyChangeRow, at: string): Promise<PolicyChangeView> {
  const { kind, approval_id: approvalId, requested_by: requestedBy } = change;
  const entityId = await decidedIn(trx, change.entity_id, requestedBy);
  const isOpen = change.state === 'requested';
  const wait = {
    kind: 'approval',
    subject: approvalWorkflowId(approvalId),
    role: WAITS_FOR_RUN,
    entityId,
    dealId: null,
    asks: `approve a change of the ${kind} policy`,
    due: null,
    wakesAt: null,
    reasonId: change.reason_id,
  };
  return {
    kind,
    entityId,
    stage: isOpen ? 'change-requested' : `change-${change.state}`,
    ...(await park(trx, workflowId, isOpen ? [wait] : [], at)),
    open: isOpen ? { changeId: change.id, approvalId } : null,
  };
}
