import { type Client, WithStartWorkflowOperation, WorkflowExecutionAlreadyStartedError } from '@temporalio/client';
import { WorkflowIdConflictPolicy, WorkflowIdReusePolicy } from '@temporalio/common';
import { type ClockState } from '../../contracts/workflow-state';
import { dealWorkflowId, exceptionWorkflowId, intakeWorkflowId, periodWorkflowId } from '../../domain/ids';
import { dealReportedSignal, type DealToCashInput } from '../../workflows/deal-to-cash/messages';
import { exceptionChangedSignal, type ExceptionPathInput } from '../../workflows/exception-path/messages';
import { enqueueSignal, type IntakeInput } from '../../workflows/intake/messages';
import { type InvoiceCorrectionInput } from '../../workflows/invoice-correction/messages';
import { booksOpenedSignal, type PeriodCloseInput } from '../../workflows/period-close/messages';
import { type PolicyRunInput } from '../../workflows/policy-change/messages';
import { identityAttributes } from '../../workflows/search-attributes';

export interface DealReport {
  readonly dealId: string;
  readonly entityId: string;
  readonly customerId: string | null;
  readonly eventId: string;
  readonly at: string;
}

/** An exception whose run is to begin. */
export interface OpenedException {
  readonly exceptionId: string;
  readonly path: string;
  readonly dealId: string | null;
  readonly entityId: string | null;
}

/** What begins with the first message about it: the disputes and the correction of an invoice, the changes of a policy. */
export type RunStart = { readonly correction: InvoiceCorrectionInput; readonly entityId: string } | { readonly policy: PolicyRunInput };

export async function startDeal(client: Client, taskQueue: string, deal: DealReport, clock: ClockState): Promise<'told' | 'ended'> {
  const { dealId, entityId, customerId, eventId, at } = deal;
  const input: DealToCashInput = { dealId, clock };
  try {
    await client.workflow.signalWithStart('dealToCash', {
      workflowId: dealWorkflowId(dealId),
      taskQueue,
      args: [input],
      signal: dealReportedSignal,
      signalArgs: [{ eventId, at }],
      workflowIdReusePolicy: WorkflowIdReusePolicy.REJECT_DUPLICATE,
      typedSearchAttributes: identityAttributes({ dealId, entityId, customerId }),
      staticSummary: 'Deal to cash',
      staticDetails: `Deal \`${dealId}\` of entity \`${entityId}\``,
    });
    return 'told';
  } catch (error) {
    if (error instanceof WorkflowExecutionAlreadyStartedError) return 'ended';
    throw error;
  }
}

export async function startIntake(
  client: Client,
  taskQueue: string,
  stream: string,
  event: { inboxEventId: string; at: string },
  clock: ClockState,
): Promise<void> {
  const input: IntakeInput = { stream, clock };
  await client.workflow.signalWithStart('intake', {
    workflowId: intakeWorkflowId(stream),
    taskQueue,
    args: [input],
    signal: enqueueSignal,
    signalArgs: [event],
    workflowIdReusePolicy: WorkflowIdReusePolicy.ALLOW_DUPLICATE,
    staticSummary: 'Intake',
    staticDetails: `Stream \`${stream}\`, one event after the other`,
  });
}

export async function startBooks(client: Client, taskQueue: string, entityId: string, at: string, clock: ClockState): Promise<void> {
  const input: PeriodCloseInput = { entityId, clock };
  await client.workflow.signalWithStart('periodClose', {
    workflowId: periodWorkflowId(entityId),
    taskQueue,
    args: [input],
    signal: booksOpenedSignal,
    signalArgs: [{ at }],
    workflowIdReusePolicy: WorkflowIdReusePolicy.ALLOW_DUPLICATE,
    typedSearchAttributes: identityAttributes({ entityId }),
    staticSummary: 'Books',
    staticDetails: `Months of entity \`${entityId}\`, one after the other`,
  });
}

/** Starts the run of an exception, or tells the one that runs; one that has ended is left alone. */
export async function startException(
  client: Client,
  taskQueue: string,
  { exceptionId, path, dealId, entityId }: OpenedException,
  at: string,
  clock: ClockState,
): Promise<void> {
  const input: ExceptionPathInput = { exceptionId, dealId, clock };
  try {
    await client.workflow.signalWithStart('exceptionPath', {
      workflowId: exceptionWorkflowId(exceptionId),
      taskQueue,
      args: [input],
      signal: exceptionChangedSignal,
      signalArgs: [{ at }],
      workflowIdReusePolicy: WorkflowIdReusePolicy.REJECT_DUPLICATE,
      typedSearchAttributes: identityAttributes({
        ...(dealId === null ? {} : { dealId }),
        ...(entityId === null ? {} : { entityId }),
      }),
      staticSummary: `Exception: ${path}`,
      staticDetails: `Exception \`${exceptionId}\`${dealId === null ? '' : ` of deal \`${dealId}\``}`,
    });
  } catch (error) {
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
  }
}

/** A run that begins with the message, where none is open under its id. */
export function startWithMessage(taskQueue: string, workflowId: string, start: RunStart) {
  const options = {
    workflowId,
    taskQueue,
    workflowIdConflictPolicy: WorkflowIdConflictPolicy.USE_EXISTING,
    workflowIdReusePolicy: WorkflowIdReusePolicy.ALLOW_DUPLICATE,
  };
  if ('policy' in start) {
    const { kind, entityId } = start.policy;
    return new WithStartWorkflowOperation('policyChange', {
      ...options,
      args: [start.policy],
      typedSearchAttributes: identityAttributes(entityId === null ? {} : { entityId }),
      staticSummary: 'Changes of a policy',
      staticDetails: `Policy \`${kind}\` of ${entityId === null ? 'the group' : `entity \`${entityId}\``}`,
    });
  }
  const { invoiceId, dealId } = start.correction;
  return new WithStartWorkflowOperation('invoiceCorrection', {
    ...options,
    args: [start.correction],
    typedSearchAttributes: identityAttributes({ dealId, entityId: start.entityId }),
    staticSummary: 'Disputes and correction of an invoice',
    staticDetails: `Invoice \`${invoiceId}\``,
  });
}
