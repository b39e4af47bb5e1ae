import { ParentClosePolicy, startChild } from '@temporalio/workflow';
import type { ReopenedLine } from '../../contracts/workflow-state';
import { dealWorkflowId, lineWorkflowId } from '../../domain/ids';
import { type BusinessClock } from '../clock';
import { recheckLineSignal } from '../contract-line/messages';
import { contractLine } from '../contract-line/workflow';
import { lineReopenedSignal } from '../deal-to-cash/messages';
import { identityAttributes } from '../search-attributes';
import { tell } from '../tell';

/** Hours that came late open a finished line again: its run goes on where it has not ended yet, else in a new one. */
export async function reopenLine(clock: BusinessClock, line: ReopenedLine): Promise<void> {
  const { contractLineId, dealId, projectId, customerId, entityId, engagementModel } = line;
  const at = clock.now();
  const isRunning = await tell(lineWorkflowId(contractLineId), recheckLineSignal, { at });
  await tell(dealWorkflowId(dealId), lineReopenedSignal, { contractLineId, at });
  if (isRunning) return;
  await startChild(contractLine, {
    workflowId: lineWorkflowId(contractLineId),
    args: [{ ...line, clock: clock.state(), goOn: true, reopened: true }],
    typedSearchAttributes: identityAttributes({ dealId, projectId, customerId, entityId, engagementModel }),
    staticSummary: 'Contract line, opened again by late hours',
    staticDetails: `Line \`${contractLineId}\` of deal \`${dealId}\``,
    parentClosePolicy: ParentClosePolicy.ABANDON,
  });
}
