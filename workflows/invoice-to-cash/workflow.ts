import { continueAsNew, setHandler, workflowInfo } from '@temporalio/workflow';
import type { ApprovalView, InvoiceView } from '../../contracts/workflow-state';
import { lineWorkflowId, projectWorkflowId } from '../../domain/ids';
import { answerOf } from '../approval/ask';
import { invoiceClosedSignal } from '../contract-line/messages';
import { openLifecycle, settled } from '../lifecycle';
import { recheckProjectSignal } from '../project-to-close/messages';
import { refusal } from '../refusal';
import { tell } from '../tell';
import { holdUpdate, invoiceQuery, liftHoldUpdate, receivableChangedSignal, type InvoiceToCashInput } from './messages';

/** One invoice: approve the draft, issue it on its date, collect until it is settled. */
export async function invoiceToCash(input: InvoiceToCashInput): Promise<void> {
  const { invoiceId, dealId, contractLineId } = input;
  const { clock, story, one, presence } = openLifecycle(input.clock);
  let view: InvoiceView | null = null;
  let stale = false;

  setHandler(invoiceQuery, () => view);
  setHandler(receivableChangedSignal, ({ at }) => {
    clock.follow(at);
    stale = true;
  });
  setHandler(
    holdUpdate,
    (hold) => one.run(() => held(hold.at, () => story.effect('recordHold', { invoiceId, hold }, `hold ${hold.holdId}`))),
    {
      validator: (_) => refuseUnissued(),
    },
  );
  setHandler(
    liftHoldUpdate,
    (lift) => one.run(() => held(lift.at, () => story.effect('liftHold', { invoiceId, ...lift }, `lift hold ${lift.holdId}`))),
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
    for (let asking = 1; ; asking += 1) {
      const draft = await story.step('openInvoice', { invoiceId, turn: asking, at: clock.now() }, 'ask for approval of the draft');
      const { approvalId } = draft.asked;
      const approved = draft.asked.state === 'pending' ? await decided(show(draft), draft.asked) : draft;
      if (approved.state === 'draft') continue;
      if (approved.state !== 'approved') return show(approved);
      if (!clock.reached(approved.issueAt ?? clock.now())) show(approved);
      await clock.wait(() => false, approved.issueAt, 'issue date');
      const issued = show(await story.step('issueInvoice', { invoiceId, approvalId, at: clock.now() }, 'issue the invoice'));
      if (issued.state !== 'draft') return issued;
    }
  }

  /** What the answer to a draft that waits for people makes of it. */
  async function decided({ entityId, customerId }: InvoiceView, opened: ApprovalView): Promise<InvoiceView> {
    const { approvalId } = opened;
    const ask = { subjectKind: 'invoice', subjectId: invoiceId, dealId, opened, clock: clock.state() } as const;
    const outcome = await answerOf(ask, { dealId, entityId, customerId });
    clock.follow(outcome.decidedAt);
    const at = clock.now();
    if (outcome.state === 'approved') return story.step('approveInvoice', { invoiceId, approvalId, at }, 'draft approved');
    const refused = { invoiceId, outcome: outcome.state, reasonId: outcome.reasonId, at };
    return story.step('voidInvoice', refused, 'draft refused');
  }

  async function review(): Promise<void> {
    stale = false;
    show(await story.step('reviewReceivable', { invoiceId, look: story.look(), at: clock.now() }, 'review the receivable'));
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
