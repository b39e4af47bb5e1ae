import { temporal } from '@temporalio/proto';
import { dealWorkflowId } from '../../domain/ids';
import { workflowBundle } from '../../workers/bundle';
import { reach, startDeal, testDeal } from '../support/lifecycles';
import { startTestEngine, type TestEngine } from '../support/worker';

const { EVENT_TYPE_WORKFLOW_TASK_TIMED_OUT, EVENT_TYPE_WORKFLOW_TASK_FAILED } = temporal.api.enums.v1.EventType;

function gate(): { readonly opened: Promise<void>; readonly open: () => void } {
  let open = (): void => undefined;
  const opened = new Promise<void>((resolve) => (open = resolve));
  return { opened, open };
}

let engine: TestEngine;
const begun = gate();
const mayEnd = gate();
let times = 0;
beforeAll(async () => {
  engine = await startTestEngine({
    disguise: (activities) => ({
      ...activities,
      reviewHandoff: async (input) => {
        times += 1;
        begun.open();
        await mayEnd.opened;
        return activities.reviewHandoff(input);
      },
    }),
  });
});
afterAll(() => engine.stop());

test('a worker that is told to stop lets the effect that runs end and tells the server; the next worker goes on behind it', async () => {
  const deal = await startDeal(engine, testDeal());
  await begun.opened;
  let isStopped = false;
  const stopped = engine.worker.stop().then(() => (isStopped = true));
  await new Promise((resolve) => setTimeout(resolve, 300));
  expect(isStopped).toBe(false);
  mayEnd.open();
  await stopped;

  await engine.release(await workflowBundle());
  await reach(engine, deal, 'terms');
  expect(times).toBe(1);
  const { events } = await engine.client.workflow.getHandle(dealWorkflowId(deal.dealId)).fetchHistory();
  const lost = [EVENT_TYPE_WORKFLOW_TASK_TIMED_OUT, EVENT_TYPE_WORKFLOW_TASK_FAILED];
  expect(events?.filter(({ eventType }) => eventType && lost.includes(eventType))).toEqual([]);
});
