import { CancellationScope, ParentClosePolicy, startChild } from '@temporalio/workflow';
import type { ApprovalResult } from '../../contracts/workflow-state';
import { approvalWorkflowId } from '../../domain/ids';
import { shownAttributes } from '../presence';
import { identityAttributes, type RunIdentity } from '../search-attributes';
import { cancelRun } from '../tell';
import { type ApprovalInput } from './messages';
import { approval, outcomeOf } from './workflow';

/**
 * The answer to what was asked. Where the effect that asks found nobody to be asked, it is there at once (R-069); else it is awaited of a run
 * of its own. An approval that is pending always gets its run, also where the story that asks is cancelled at this very moment: the run then
 * withdraws it.
 */
export async function answerOf(ask: ApprovalInput, identity: RunIdentity): Promise<ApprovalResult> {
  const { opened, subjectKind, subjectId, dealId } = ask;
  if (opened.state !== 'pending') return outcomeOf(opened);
  const run = await CancellationScope.nonCancellable(() =>
    startChild(approval, {
      workflowId: approvalWorkflowId(opened.approvalId),
      args: [ask],
      typedSearchAttributes: [...identityAttributes(identity), ...shownAttributes(opened)],
      staticSummary: `Approval of ${subjectKind}`,
      staticDetails: `Subject \`${subjectId}\`${dealId === null ? '' : ` of deal \`${dealId}\``}`,
      parentClosePolicy: ParentClosePolicy.REQUEST_CANCEL,
    }),
  );
  return passOnCancellation(run.workflowId, run.result());
}

/** The run was started outside the scope that asks, so it is told when that scope is cancelled. */
async function passOnCancellation<T>(workflowId: string, result: Promise<T>): Promise<T> {
  const scope = CancellationScope.current();
  let isOpen = true;
  const tell = async (): Promise<void> => {
    if (isOpen) await CancellationScope.nonCancellable(() => cancelRun(workflowId));
  };
  if (scope.consideredCancelled) await tell();
  else void scope.cancelRequested.catch(tell);
  try {
    return await result;
  } finally {
    isOpen = false;
  }
}
