import { ParentClosePolicy, setHandler, startChild } from '@temporalio/workflow';
import type { IntakeResult } from '../../contracts/workflow-state';
import { dealWorkflowId, invoiceWorkflowId, lineWorkflowId, projectWorkflowId } from '../../domain/ids';
import { recheckLineSignal } from '../contract-line/messages';
import { dealReportedSignal } from '../deal-to-cash/messages';
import { receivableChangedSignal } from '../invoice-to-cash/messages';
import { invoiceToCash } from '../invoice-to-cash/workflow';
import { openLifecycle, settled } from '../lifecycle';
import { identityAttributes } from '../search-attributes';
import { recheckProjectSignal } from '../project-to-close/messages';
import { tell } from '../tell';
import { enqueueSignal, type IntakeInput } from './messages';

/** A stream of outside facts, taken one after the other in the order of their arrival; ends when its queue is empty. */
export async function intake(input: IntakeInput): Promise<number> {
  const { clock, story } = openLifecycle(input.clock);
  const queue: { inboxEventId: string; at: string }[] = [];
  const known = new Set<string>();
  let applied = 0;

  setHandler(enqueueSignal, (event) => {
    if (known.has(event.inboxEventId)) return;
    known.add(event.inboxEventId);
    queue.push(event);
  });

  /** A returned payment opens a settled invoice again: then its collection goes on in a new run. */
  async function tellInvoice({ invoiceId, dealId, contractLineId }: IntakeResult['invoices'][number]): Promise<void> {
    if (await tell(invoiceWorkflowId(invoiceId), receivableChangedSignal, { at: clock.now() })) return;
    await startChild(invoiceToCash, {
      workflowId: invoiceWorkflowId(invoiceId),
      args: [{ invoiceId, dealId, contractLineId, clock: clock.state(), collectAgain: true }],
      typedSearchAttributes: identityAttributes({ dealId }),
      staticSummary: 'Invoice to cash, collected again',
      parentClosePolicy: ParentClosePolicy.ABANDON,
    });
  }

  await clock.wait(() => queue.length > 0, null, 'first event');
  for (let event = queue.shift(); event !== undefined; event = queue.shift()) {
    clock.follow(event.at);
    const result = await story.step('applyIntake', { inboxEventId: event.inboxEventId, at: clock.now() }, `apply ${event.inboxEventId}`);
    for (const invoice of result.invoices) await tellInvoice(invoice);
    for (const contractLineId of result.lines) await tell(lineWorkflowId(contractLineId), recheckLineSignal, { at: clock.now() });
    for (const projectId of result.projects) await tell(projectWorkflowId(projectId), recheckProjectSignal, { at: clock.now() });
    for (const dealId of result.deals)
      await tell(dealWorkflowId(dealId), dealReportedSignal, { eventId: event.inboxEventId, at: clock.now() });
    applied += 1;
  }
  await settled();
  return applied;
}
