import { continueAsNew, setHandler, workflowInfo } from '@temporalio/workflow';
import { earliest } from '../clock';
import { settled } from '../lifecycle';
import { LineRun } from './run';
import {
  deliverMilestoneUpdate,
  invoiceClosedSignal,
  lineQuery,
  planRunUpdate,
  recheckLineSignal,
  releaseItemUpdate,
  reportUsageUpdate,
  respondToMilestoneUpdate,
  stopLineSignal,
  waiveUpdate,
  type ContractLineInput,
} from './messages';

/**
 * One contract line, whatever its engagement model: wait for the next item of the billing plan or for a fact from outside,
 * bill what is due, and end when everything is billed and every invoice has ended. Lives for years by continue-as-new.
 */
export async function contractLine(input: ContractLineInput): Promise<{ at: string }> {
  const line = new LineRun(input);
  const { contractLineId } = line;

  setHandler(lineQuery, () => line.latest);
  setHandler(deliverMilestoneUpdate, (delivery) =>
    line.record(delivery.at, 'recordDelivery', { contractLineId, delivery }, `delivery of ${delivery.milestoneId}`),
  );
  setHandler(respondToMilestoneUpdate, (response) =>
    line.record(response.at, 'recordResponse', { contractLineId, response }, `response to ${response.milestoneId}`),
  );
  setHandler(reportUsageUpdate, (report) =>
    line.record(report.at, 'recordUsage', { contractLineId, report }, `usage of ${report.servicePeriod}`),
  );
  setHandler(releaseItemUpdate, (release) =>
    line.record(release.at, 'releaseItem', { contractLineId, release }, `release ${release.itemKey}`),
  );
  setHandler(waiveUpdate, (waiver) => line.record(waiver.at, 'recordWaiver', { contractLineId, waiver }, `waive ${waiver.kind}`));
  setHandler(planRunUpdate, (request) => line.record(request.at, 'planRun', { contractLineId, request }, 'one more run'));
  setHandler(invoiceClosedSignal, (invoice) => line.touch(invoice.at));
  setHandler(recheckLineSignal, (facts) => line.touch(facts.at));
  setHandler(stopLineSignal, (request) => line.noteStop(request));

  if (input.goOn) await line.step('reviewLine', 'go on in a new run');
  else await line.step('activateLine', 'activate the line');
  for (;;) {
    await deliver(line);
    await settled();
    if (!line.stale && input.reopened) await line.tellEnd();
    // Hours approved at this very moment: what was told to a run that still ran, no other run is started for.
    if (!line.stale) return { at: line.clock.now() };
    await line.step('reviewLine', 'look again');
  }
}

/** Bills what is due and waits for the next, until everything is billed and every invoice has ended. */
async function deliver(line: LineRun): Promise<void> {
  while (!line.view.finished) {
    if (await act(line)) continue;
    if (workflowInfo().continueAsNewSuggested) {
      await settled();
      await continueAsNew<typeof contractLine>(line.next);
    }
    const seen = line.view;
    const wake = earliest([seen.nextItem?.at, ...seen.deemed.map((silence) => silence.at), ...seen.waits.map((wait) => wait.wakesAt)]);
    await line.clock.wait(() => line.stale || line.view !== seen || line.mustStop, wake, 'next item of the billing plan');
  }
}

/** The one thing to do now; false when there is nothing but to wait. */
async function act(line: LineRun): Promise<boolean> {
  const { view, clock } = line;
  const timed = view.nextItem && clock.reached(view.nextItem.at) ? view.nextItem : undefined;
  const due = view.readyItems[0] ?? timed;
  const silence = view.deemed.find((each) => clock.reached(each.at));
  if (line.draft !== undefined) await line.startInvoice(line.draft);
  else if (line.mustStop) await line.stop();
  else if (silence) await line.deem(silence);
  else if (due) await line.bill(due);
  else if (line.stale || view.waits.some((wait) => wait.wakesAt !== null && clock.reached(wait.wakesAt)))
    await line.step('reviewLine', 'look again');
  else return false;
  return true;
}
