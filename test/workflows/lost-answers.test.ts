import { setTimeout as delay } from 'node:timers/promises';
import { type Activities } from '../../contracts/activities';
import { dealReportedSignal } from '../../workflows/deal-to-cash/messages';
import { accountChange, addOn, changeOrders, requestChange, signChange } from '../support/change-orders';
import { accept, issue } from '../support/delivery';
import {
  approve,
  bringToDelivery,
  bringToKickoff,
  milestones,
  openWaits,
  reach,
  refuse,
  service,
  startDeal,
  testDeal,
  until,
} from '../support/lifecycles';
import { loseTaxRegistrations } from '../support/master-data';
import { startTestEngine, type TestEngine } from '../support/worker';

/** Effects that commit, and whose answers make the workflow task fail that asks for them: it is done anew, as after the death of its worker. */
const losing = new Set<string>();
const lost = new Set<string>();

function losingAnswers(activities: Activities): Activities {
  const wrapped = Object.entries(activities).map(([name, run]: [string, (input: never) => Promise<unknown>]) => [
    name,
    async (input: never) => {
      const answer = await run(input);
      if (!losing.has(name)) return answer;
      lost.add(name);
      return null;
    },
  ]);
  return Object.fromEntries(wrapped) as Activities;
}

let engine: TestEngine;
beforeAll(async () => {
  engine = await startTestEngine({ disguise: losingAnswers });
});
afterAll(() => engine.stop());

/** */
test('what a run is told while an answer to it is lost counts, whatever the lost answer said', async () => {
  const changing = await startDeal(engine, testDeal({ lines: [milestones(), service()] }));
  const billing = await startDeal(engine, testDeal());
  for (const deal of [changing, billing]) await bringToDelivery(engine, deal);
  const { changeOrderId } = await requestChange(engine, changing, [addOn()]);
  await accountChange(changing, changeOrderId);
  const mobilising = await startDeal(engine, testDeal());
  await bringToKickoff(engine, mobilising);
  const putBack = await loseTaxRegistrations(engine, 'BA-US');
  const lacking = await startDeal(engine, testDeal());
  const tasks = async () => (await openWaits(engine, lacking.dealId)).map((wait) => wait.kind);
  await until('the tasks of the handoff', async () => (await tasks()).includes('handoff'));

  for (const name of ['settleChangeOrder', 'reviewHandoff', 'billItem', 'sendBackKickoff'] as const) losing.add(name);
  await refuse(engine, mobilising, 'kickoff', 'U-PMO');
  await approve(engine, changing, 'change-order');
  await lacking.handle.signal(dealReportedSignal, { eventId: 'nothing-new', at: lacking.now });
  const accepted = accept(engine, billing, 'M1', '2026-03-04');
  await until('the effects to be committed', () => Promise.resolve(lost.size === 4));

  await putBack();
  await lacking.handle.signal(dealReportedSignal, { eventId: 'master-data', at: lacking.now });
  await mobilising.handle.signal(dealReportedSignal, { eventId: 'put-right', at: mobilising.now });
  const signed = signChange(changing, changeOrderId);
  await delay(1000);
  losing.clear();
  await Promise.all([accepted, signed]);
  await reach(engine, lacking, 'terms');
  await approve(engine, mobilising, 'kickoff');
  await reach(engine, mobilising, 'delivering');
  await until('the change to be applied', async () => (await changeOrders(engine, changing))[0]?.state === 'applied');
  expect((await issue(engine, billing, '2026-03-05')).reference).toContain('M1');
  for (const deal of [changing, billing, lacking, mobilising]) await deal.handle.terminate();
});
