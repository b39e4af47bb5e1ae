import { continueAsNew, executeChild, ParentClosePolicy, setHandler, uuid4, workflowInfo } from '@temporalio/workflow';
import type { InvoiceView } from '../../contracts/workflow-state';
import { approvalWorkflowId, lineWorkflowId, projectWorkflowId } from '../../domain/ids';
import { effect } from '../activity-proxies';
import { approval } from '../approval/workflow';
import { invoiceClosedSignal } from '../contract-line/messages';
import { openLifecycle, settled } from '../lifecycle';
import { recheckProjectSignal } from '../project-to-close/messages';
import { refusal } from '../refusal';
import { identityAttributes } from '../search-attributes';
import { tell } from '../tell';
import { holdUpdate, invoiceQuery, liftHoldUpdate, receivableChangedSignal, type InvoiceToCashInput } from './messages';

/** One invoice: approve the draft, issue it on its date, collect until it is settled. */
export async function invoiceToCash(input: InvoiceToCashInput): Promise<void> {
  const { invoiceId, dealId, contractLineId } = input;
  const { clock, story, one, presence } = openLifecycle(input.clock);
  let view: InvoiceView | null = null;
  let turn = 0;
  let stale = false;

  setHandler(invoiceQuery, () => view);
  setHandler(receivableChangedSignal, ({ at }) => {
    clock.follow(at);
    stale = true;
  });
  setHandler(holdUpdate, (hold) => one.run(() => held(hold.at, () => effect('recordHold', { invoiceId, hold }, `hold ${hold.holdId}`))), {
    validator: (_) => refuseUnissued(),
  });
  setHandler(
    liftHoldUpdate,
    (lift) => one.run(() => held(lift.at, () => effect('liftHold', { invoiceId, ...lift }, `lift hold ${lift.holdId}`))),
    { validator: (_hold) => refuseUnissued() },
  );

  function refuseUnissued(): void {
    if (view && view.state !== 'issued') throw refusal({ violation: 'InvoiceNotOpen', detail: `the invoice is ${view.state}` });
  }

  async function held(at: string, work: () => Promise<InvoiceView>): Promise<InvoiceView> {
    clock.follow(at);
    return show(await work());
  }

  function show(next: InvoiceView): InvoiceView {
    if (presence.show(next)) view = next;
    return next;
  }

  /** Where the tax changes with the day of issue, the draft goes back to its approval. */
  async function bringToIssue(): Promise<InvoiceView> {
    for (;;) {
      const approvalId = uuid4();
      const workflowId = approvalWorkflowId(approvalId);
      const opened = { invoiceId, approvalWorkflowId: workflowId, at: clock.now() };
      const draft = show(await story.step('openInvoice', opened, 'ask for approval of the draft'));
      const outcome = await executeChild(approval, {
        workflowId,
        args: [{ approvalId, subjectKind: 'invoice', subjectId: invoiceId, dealId, clock: clock.state() }],
        typedSearchAttributes: identityAttributes({ dealId, entityId: draft.entityId, customerId: draft.customerId }),
        staticSummary: 'Approval of invoice',
        staticDetails: `Invoice \`${invoiceId}\``,
        parentClosePolicy: ParentClosePolicy.REQUEST_CANCEL,
      });
      clock.follow(outcome.decidedAt);
      if (outcome.state !== 'approved') {
        const refused = { invoiceId, outcome: outcome.state, reasonId: outcome.reasonId, at: clock.now() };
        return show(await story.step('voidInvoice', refused, 'draft refused'));
      }
      const approved = show(await story.step('approveInvoice', { invoiceId, approvalId, at: clock.now() }, 'draft approved'));
      if (approved.state === 'draft') continue;
      if (approved.state !== 'approved') return approved;
      await clock.wait(() => false, approved.issueAt, 'issue date');
      const issued = show(await story.step('issueInvoice', { invoiceId, approvalId, at: clock.now() }, 'issue the invoice'));
      if (issued.state !== 'draft') return issued;
    }
  }

  async function review(): Promise<void> {
    turn += 1;
    stale = false;
    show(await story.step('reviewReceivable', { invoiceId, turn, at: clock.now() }, 'review the receivable'));
  }

  async function collect(): Promise<void> {
    for (;;) {
      const receivable = view as unknown as InvoiceView;
      if (receivable.state !== 'issued') return;
      const woke = await clock.wait(() => stale || view !== receivable, receivable.nextStepAt, 'next step of collection');
      if (stale || woke === 'due') await review();
      if (workflowInfo().continueAsNewSuggested) {
        await settled();
        await continueAsNew<typeof invoiceToCash>({ ...input, clock: clock.state(), collectAgain: true });
      }
    }
  }

  /** The line may have ended before a returned payment was collected again: then its closing project looks again. */
  async function tellEnd(): Promise<void> {
    const at = clock.now();
    if (await tell(lineWorkflowId(contractLineId), invoiceClosedSignal, { invoiceId, at })) return;
    if (view) await tell(projectWorkflowId(view.projectId), recheckProjectSignal, { at });
  }

  if (input.collectAgain) await review();
  else await bringToIssue();
  do {
    if (stale) await review();
    await collect();
    await settled();
    await tellEnd();
    // A payment returned at this very moment: what was told to a run that still ran, no other run is started for.
  } while (stale);
}
