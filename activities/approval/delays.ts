import { type Transaction } from 'kysely';
import { type ApprovalRow } from '../../db/approval-rules';
import { closeExceptions } from '../../db/exceptions';
import { type DB } from '../../db/types';
import { openConditions } from '../../domain/approval/conditions';
import { openSteps, type Approval } from '../../domain/approval/state';
import { type Instant } from '../../domain/deal/terms';
import { approvalWorkflowId } from '../../domain/ids';

/** How often an approval was an exception because somebody took too long, and whether it is one now. */
export interface Delays {
  readonly isOpen: boolean;
  /** Of each that is settled the condition that it was about; null where it was about a decision. */
  readonly settled: readonly (string | null)[];
}

/** What the exception of a delay says that it is about. */
interface DelayFacts {
  readonly role?: string;
  readonly tier?: string;
  readonly conditionId?: string;
}

export async function delaysOf(trx: Transaction<DB>, approvalId: string): Promise<Delays> {
  const rows = await delaysAt(trx, approvalWorkflowId(approvalId)).execute();
  const settled = rows.filter(({ closed_at: closedAt }) => closedAt !== null);
  return {
    isOpen: settled.length < rows.length,
    settled: settled.map(({ facts }) => (facts as DelayFacts).conditionId ?? null),
  };
}

/** What was late has come after all: nobody has to see to it any more. */
export async function endDelays(trx: Transaction<DB>, row: ApprovalRow, approval: Approval, at: Instant): Promise<void> {
  const open = await delaysAt(trx, row.workflow_id).where('closed_at', 'is', null).executeTakeFirst();
  if (open === undefined) return;
  const { role, tier, conditionId } = open.facts as DelayFacts;
  const isOfTier = tier === undefined || (approval.kind === 'pending' && String(approval.openTier) === tier);
  const isAwaited =
    conditionId === undefined
      ? role === undefined || (isOfTier && openSteps(approval).some((step) => step.role === role))
      : openConditions(approval).some((condition) => condition.conditionId === conditionId);
  if (!isAwaited) await closeExceptions(trx, 'delayed-approval', [row.workflow_id], at);
}

function delaysAt(trx: Transaction<DB>, workflowId: string) {
  return trx
    .selectFrom('process_exception')
    .select(['closed_at', 'facts'])
    .where('workflow_id', '=', workflowId)
    .where('kind', '=', 'delayed-approval');
}
