import { type WorkflowHandle } from '@temporalio/client';
import { askApproval } from '../../activities/approval/ask';
import type { ApprovalSubject, ClockState } from '../../contracts/workflow-state';
import { approvalWorkflowId } from '../../domain/ids';
import { isViolation } from '../../domain/violation';
import { approval } from '../../workflows/approval/workflow';
import { type TestEngine } from './worker';

export interface AskedRun {
  readonly approvalId: string;
  readonly shownHash: string;
  readonly handle: WorkflowHandle<typeof approval>;
}

/** An approval opened at `at` with its run, as the run of what needs the answer would start it; for tests of approvals alone. */
export async function startApproval(
  { db, client, taskQueue }: Pick<TestEngine, 'db' | 'client' | 'taskQueue'>,
  ask: { readonly subjectKind: ApprovalSubject; readonly subjectId: string; readonly dealId: string; readonly at: string },
  clock: ClockState = { simulated: true, moment: ask.at },
): Promise<AskedRun> {
  const asked = await db.transaction().execute((trx) => askApproval(trx, ask));
  if (isViolation(asked)) throw new Error(asked.detail);
  const { approvalId, shownHash } = asked.view;
  const { subjectKind, subjectId, dealId } = ask;
  const handle = await client.workflow.start(approval, {
    workflowId: approvalWorkflowId(approvalId),
    taskQueue,
    args: [{ subjectKind, subjectId, dealId, opened: asked.view, clock }],
  });
  return { approvalId, shownHash, handle };
}
