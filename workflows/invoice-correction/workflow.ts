import { ParentClosePolicy, setHandler, startChild } from '@temporalio/workflow';
import type { ApprovalView, ClockState, CorrectionView } from '../../contracts/workflow-state';
import { invoiceWorkflowId, lineWorkflowId, projectWorkflowId } from '../../domain/ids';
import { answerOf } from '../approval/ask';
import { recheckLineSignal } from '../contract-line/messages';
import { receivableChangedSignal } from '../invoice-to-cash/messages';
import { invoiceToCash } from '../invoice-to-cash/workflow';
import { openLifecycle, settled } from '../lifecycle';
import { recheckProjectSignal } from '../project-to-close/messages';
import { identityAttributes, type RunIdentity } from '../search-attributes';
import { tell } from '../tell';
import {
  correctionQuery,
  raiseDisputeUpdate,
  requestCorrectionUpdate,
  resolveDisputeUpdate,
  type InvoiceCorrectionInput,
} from './messages';

/**
 * What comes after the issue of an invoice beside its collection: disputes until they are resolved, and its correction from the request
 * over the approval to the issue. Started by the first message, also where the run of the invoice has ended; ends when nothing is open.
 */
export async function invoiceCorrection(input: InvoiceCorrectionInput): Promise<void> {
  const { invoiceId, dealId, contractLineId } = input;
  const { clock, story, one, presence } = openLifecycle(input.clock);
  let view: CorrectionView | null = null;
  /** The approval of each correction that was requested. */
  const approvals = new Map<string, ApprovalView>();
  let messages = 0;

  setHandler(correctionQuery, () => view);
  setHandler(raiseDisputeUpdate, (dispute) =>
    heard(dispute.at, async () => {
      const raised = show(await story.effect('raiseDispute', { invoiceId, dispute }, `dispute ${dispute.disputeId}`));
      await tellCollection();
      await tellProject();
      return raised;
    }),
  );
  setHandler(resolveDisputeUpdate, (resolution) =>
    heard(resolution.at, async () => {
      const resolved = show(await story.effect('resolveDispute', { invoiceId, resolution }, `resolve dispute ${resolution.disputeId}`));
      await tellCollection();
      return resolved;
    }),
  );
  setHandler(requestCorrectionUpdate, (correction) =>
    heard(correction.at, async () => {
      const summary = `request correction ${correction.correctionId}`;
      const { asked, ...receipt } = await story.effect('requestCorrection', { invoiceId, correction }, summary);
      approvals.set(correction.correctionId, asked);
      show(receipt.view);
      await tellProject();
      return receipt;
    }),
  );

  /** A message is answered one at a time, at the moment that it carries; a refused one leaves nothing open. */
  async function heard<T>(at: string, work: () => Promise<T>): Promise<T> {
    try {
      return await one.run(() => {
        clock.follow(at);
        return work();
      });
    } finally {
      messages += 1;
    }
  }

  function show(next: CorrectionView): CorrectionView {
    if (presence.show(next)) view = next;
    return next;
  }

  const identity = (): RunIdentity => ({ dealId, ...(view && { entityId: view.entityId, customerId: view.customerId }) });

  /** Dunning rests or goes on, and what was paid has moved. */
  async function tellCollection(): Promise<void> {
    await tell(invoiceWorkflowId(invoiceId), receivableChangedSignal, { at: clock.now() });
  }

  async function decide({ correctionId }: Open): Promise<void> {
    const opened = approvals.get(correctionId);
    if (!opened) throw new Error(`correction ${correctionId} was requested of another run`);
    const ask = { subjectKind: 'correction', subjectId: correctionId, dealId, opened, clock: clock.state() } as const;
    const outcome = await answerOf(ask, identity());
    clock.follow(outcome.decidedAt);
    const settling = { invoiceId, correctionId, outcome: outcome.state, at: clock.now() };
    show(await story.step('settleCorrection', settling, `correction ${outcome.state}`));
  }

  async function issue({ correctionId, issueAt }: Open): Promise<void> {
    await clock.wait(() => false, issueAt, 'issue date of the correction');
    const issued = await story.step('issueCorrection', { invoiceId, correctionId, at: clock.now() }, 'issue the correction');
    show(issued.view);
    if (issued.rebillId !== null) await collectRebill(input, issued.rebillId, clock.state(), identity());
    await tellCollection();
    await tell(lineWorkflowId(contractLineId), recheckLineSignal, { at: clock.now() });
  }

  /** A closing project waits for what is open here. */
  async function tellProject(): Promise<void> {
    if (view) await tell(projectWorkflowId(view.projectId), recheckProjectSignal, { at: clock.now() });
  }

  await clock.wait(() => messages > 0, null, 'first message');
  for (;;) {
    const seen = messages;
    const { open = null, openDisputes = 0 } = (view as CorrectionView | null) ?? {};
    if (open?.state === 'requested') await decide(open);
    else if (open?.state === 'approved') await issue(open);
    else if (openDisputes > 0) await clock.wait(() => messages !== seen, null, 'resolution of the dispute');
    else {
      await tellProject();
      await settled();
      if (messages === seen) return;
    }
  }
}

type Open = NonNullable<CorrectionView['open']>;

/** What is billed once more is collected by a run of its own, which lives on beside (D3). */
async function collectRebill(
  { invoiceId, dealId, contractLineId }: InvoiceCorrectionInput,
  rebillId: string,
  clock: ClockState,
  identity: RunIdentity,
): Promise<void> {
  await startChild(invoiceToCash, {
    workflowId: invoiceWorkflowId(rebillId),
    args: [{ invoiceId: rebillId, dealId, contractLineId, clock, collectAgain: true }],
    typedSearchAttributes: identityAttributes(identity),
    staticSummary: 'Invoice to cash, billed once more',
    staticDetails: `Rebill \`${rebillId}\` of invoice \`${invoiceId}\``,
    parentClosePolicy: ParentClosePolicy.ABANDON,
  });
}
