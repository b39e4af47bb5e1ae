import { continueAsNew, ParentClosePolicy, setCurrentDetails, setHandler, startChild, workflowInfo } from '@temporalio/workflow';
import type { IntakeResult } from '../../contracts/workflow-state';
import { dealWorkflowId, invoiceWorkflowId, lineWorkflowId, projectWorkflowId } from '../../domain/ids';
import { type BusinessClock } from '../clock';
import { recheckLineSignal } from '../contract-line/messages';
import { dealReportedSignal } from '../deal-to-cash/messages';
import { receivableChangedSignal } from '../invoice-to-cash/messages';
import { invoiceToCash } from '../invoice-to-cash/workflow';
import { openLifecycle, settled } from '../lifecycle';
import { identityAttributes } from '../search-attributes';
import { recheckProjectSignal } from '../project-to-close/messages';
import { tell, tellToRetry } from '../tell';
import { enqueueSignal, type IntakeInput, type QueuedEvent } from './messages';
import { reopenLine } from './reopen';

/**
 * A stream of outside facts, taken one after the other in the order of their arrival; ends when its queue is empty. A large file is
 * applied block by block, in a new run where the history has grown.
 */
export async function intake(input: IntakeInput): Promise<number> {
  const { clock, story } = openLifecycle(input.clock);
  const queue: QueuedEvent[] = [...(input.goOn?.queue ?? [])];
  const known = new Set(queue.map((event) => event.inboxEventId));
  let applied = 0;

  setHandler(enqueueSignal, (event) => {
    if (known.has(event.inboxEventId)) return;
    known.add(event.inboxEventId);
    queue.push(event);
  });

  /** Each block is an effect of its own; whom it concerns is told before the next one. */
  async function applyBlocks(current: QueuedEvent, from: number, blocks: number): Promise<void> {
    const { inboxEventId } = current;
    for (let block = from; block <= blocks; block += 1) {
      if (workflowInfo().continueAsNewSuggested) {
        await settled();
        await continueAsNew<typeof intake>({ ...input, clock: clock.state(), goOn: { current, nextBlock: block, blocks, queue } });
      }
      setCurrentDetails(`**${input.stream}**\n\nApplies event \`${inboxEventId}\`: block ${block} of ${blocks}.`);
      const what = { inboxEventId, block, at: clock.now() };
      await tellAll(clock, await story.step('applyIntakeBlock', what, `apply ${inboxEventId}: block ${block} of ${blocks}`));
    }
    setCurrentDetails('');
  }

  if (input.goOn) {
    const { current, nextBlock, blocks } = input.goOn;
    known.add(current.inboxEventId);
    await applyBlocks(current, nextBlock, blocks);
    known.delete(current.inboxEventId);
    applied += 1;
  } else await clock.wait(() => queue.length > 0, null, 'first event');
  for (let event = queue.shift(); event !== undefined; event = queue.shift()) {
    clock.follow(event.at);
    const { inboxEventId } = event;
    const result = await story.step('applyIntake', { inboxEventId, at: clock.now() }, `apply ${inboxEventId}`);
    await tellAll(clock, result);
    if (result.blocks !== undefined) await applyBlocks(event, 1, result.blocks);
    // Handed on once more by a person, an event is looked at again.
    known.delete(inboxEventId);
    applied += 1;
  }
  await settled();
  return applied;
}

/** Everybody whom the facts concern looks again. */
async function tellAll(clock: BusinessClock, result: IntakeResult): Promise<void> {
  for (const invoice of result.invoices) await tellInvoice(clock, invoice);
  for (const contractLineId of result.lines) await tell(lineWorkflowId(contractLineId), recheckLineSignal, { at: clock.now() });
  for (const line of result.reopened ?? []) await reopenLine(clock, line);
  for (const projectId of result.projects) await tell(projectWorkflowId(projectId), recheckProjectSignal, { at: clock.now() });
  for (const dealId of result.deals)
    await tell(dealWorkflowId(dealId), dealReportedSignal, { eventId: result.inboxEventId, at: clock.now() });
  for (const workflowId of result.stuckRuns ?? []) await tellToRetry(workflowId);
}

/** A returned payment opens a settled invoice again: then its collection goes on in a new run. */
async function tellInvoice(clock: BusinessClock, { invoiceId, dealId, contractLineId }: IntakeResult['invoices'][number]): Promise<void> {
  if (await tell(invoiceWorkflowId(invoiceId), receivableChangedSignal, { at: clock.now() })) return;
  await startChild(invoiceToCash, {
    workflowId: invoiceWorkflowId(invoiceId),
    args: [{ invoiceId, dealId, contractLineId, clock: clock.state(), collectAgain: true }],
    typedSearchAttributes: identityAttributes({ dealId }),
    staticSummary: 'Invoice to cash, collected again',
    staticDetails: `Invoice \`${invoiceId}\` of line \`${contractLineId}\``,
    parentClosePolicy: ParentClosePolicy.ABANDON,
  });
}
