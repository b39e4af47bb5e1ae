import { continueAsNew, getExternalWorkflowHandle, ParentClosePolicy, setHandler, startChild, workflowInfo } from '@temporalio/workflow';
import type { Activities } from '../../contracts/activities';
import type { LineView } from '../../contracts/workflow-state';
import { dealWorkflowId, invoiceWorkflowId } from '../../domain/ids';
import { effect } from '../activity-proxies';
import { earliest } from '../clock';
import { lineFinishedSignal } from '../deal-to-cash/messages';
import { invoiceToCash } from '../invoice-to-cash/workflow';
import { openLifecycle, settled } from '../lifecycle';
import { identityAttributes } from '../search-attributes';
import {
  deliverMilestoneUpdate,
  invoiceClosedSignal,
  lineQuery,
  recheckLineSignal,
  releaseItemUpdate,
  reportUsageUpdate,
  respondToMilestoneUpdate,
  stopLineSignal,
  type ContractLineInput,
} from './messages';

/**
 * One contract line, whatever its engagement model: wait for the next item of the billing plan or for a fact from outside,
 * bill what is due, and end when everything is billed and every invoice has ended. Lives for years by continue-as-new.
 */
export async function contractLine(input: ContractLineInput): Promise<void> {
  const { contractLineId, dealId } = input;
  const { clock, story, one, presence } = openLifecycle(input.clock);
  let view: LineView | null = null;
  let turn = 0;
  let stale = false;
  let stop: { stoppedOn: string; at: string } | null = null;

  setHandler(lineQuery, () => view);
  setHandler(deliverMilestoneUpdate, (delivery) =>
    record(delivery.at, 'recordDelivery', { contractLineId, delivery }, `delivery of ${delivery.milestoneId}`),
  );
  setHandler(respondToMilestoneUpdate, (response) =>
    record(response.at, 'recordResponse', { contractLineId, response }, `response to ${response.milestoneId}`),
  );
  setHandler(reportUsageUpdate, (report) =>
    record(report.at, 'recordUsage', { contractLineId, report }, `usage of ${report.servicePeriod}`),
  );
  setHandler(releaseItemUpdate, (release) => record(release.at, 'releaseItem', { contractLineId, release }, `release ${release.itemKey}`));
  setHandler(invoiceClosedSignal, ({ at }) => touch(at));
  setHandler(recheckLineSignal, ({ at }) => touch(at));
  setHandler(stopLineSignal, (request) => {
    clock.follow(request.at);
    stop ??= request;
  });

  function touch(at: string): void {
    clock.follow(at);
    stale = true;
  }

  function record<K extends 'recordDelivery' | 'recordResponse' | 'recordUsage' | 'releaseItem'>(
    at: string,
    name: K,
    fact: Parameters<Activities[K]>[0],
    summary: string,
  ): Promise<LineView> {
    return one.run(async () => {
      clock.follow(at);
      return show((await effect(name, fact, summary)) as LineView);
    });
  }

  function show(next: LineView): LineView {
    view = next;
    presence.show(next);
    return next;
  }

  async function step(name: 'activateLine' | 'reviewLine', summary: string): Promise<void> {
    turn += 1;
    await one.run(async () => {
      stale = false;
      show(await story.step(name, { contractLineId, turn, at: clock.now() }, summary));
    });
  }

  async function bill(itemId: string, itemKey: string): Promise<void> {
    turn += 1;
    const invoiceId = await one.run(async () => {
      const result = await story.step('billItem', { contractLineId, itemId, turn, at: clock.now() }, `bill ${itemKey}`);
      show(result.line);
      return result.invoiceId;
    });
    if (invoiceId !== null) await collect(invoiceId);
  }

  async function collect(invoiceId: string): Promise<void> {
    const { projectId, customerId, entityId, engagementModel } = input;
    await startChild(invoiceToCash, {
      workflowId: invoiceWorkflowId(invoiceId),
      args: [{ invoiceId, dealId, contractLineId, clock: clock.state() }],
      typedSearchAttributes: identityAttributes({ dealId, projectId, customerId, entityId, engagementModel }),
      staticSummary: 'Invoice to cash',
      staticDetails: `Invoice \`${invoiceId}\` of line \`${contractLineId}\``,
      parentClosePolicy: ParentClosePolicy.ABANDON,
    });
  }

  /** The one thing to do now, or null when there is nothing but to wait. */
  async function act(line: LineView): Promise<boolean> {
    const ready = line.readyItems[0] ?? (line.nextItem && clock.reached(line.nextItem.at) ? line.nextItem : undefined);
    const deemed = line.deemed.find((silence) => clock.reached(silence.at));
    if (stop && line.stage !== 'stopped') {
      const { stoppedOn } = stop;
      await one.run(async () => show(await story.step('stopLine', { contractLineId, stoppedOn, at: clock.now() }, `stop on ${stoppedOn}`)));
    } else if (deemed) {
      const { milestoneId, attempt } = deemed;
      await one.run(async () =>
        show(
          await story.step(
            'recordDeemedAcceptance',
            { contractLineId, milestoneId, attempt, at: clock.now() },
            `${milestoneId} deemed accepted`,
          ),
        ),
      );
    } else if (ready) await bill(ready.itemId, ready.itemKey);
    else if (stale || line.waits.some((wait) => wait.wakesAt !== null && clock.reached(wait.wakesAt)))
      await step('reviewLine', 'look again');
    else return false;
    return true;
  }

  if (input.goOn) await step('reviewLine', 'go on in a new run');
  else await step('activateLine', 'activate the line');
  for (;;) {
    const line = view as unknown as LineView;
    if (line.finished) break;
    if (await act(line)) continue;
    if (workflowInfo().continueAsNewSuggested) {
      await settled();
      await continueAsNew<typeof contractLine>({ ...input, clock: clock.state(), goOn: true });
    }
    const current = view;
    const wake = earliest([line.nextItem?.at, ...line.deemed.map((silence) => silence.at), ...line.waits.map((wait) => wait.wakesAt)]);
    await clock.wait(() => stale || view !== current || (stop !== null && line.stage !== 'stopped'), wake, 'next item of the billing plan');
  }
  await one.run(async () => show(await story.step('finishLine', { contractLineId, at: clock.now() }, 'line finished')));
  await getExternalWorkflowHandle(dealWorkflowId(dealId)).signal(lineFinishedSignal, { contractLineId, at: clock.now() });
  await settled();
}
