import { timeAndMaterialsLine } from '../support/builders';
import { signOff } from '../support/delivery';
import { approve, bringToDelivery, openWaits, pendingApproval, playTo, startDeal, testDeal, until } from '../support/lifecycles';
import { reportTime } from '../support/time';
import { startTestEngine, type TestEngine } from '../support/worker';

let engine: TestEngine;
beforeAll(async () => {
  engine = await startTestEngine();
});
afterAll(() => engine.stop());

test('time that comes while the close is being approved opens the checklist again, and the close is approved anew (R-080)', async () => {
  const term = { startDate: '2026-02-01', endDate: '2026-02-28' };
  const line = timeAndMaterialsLine({ ...term, sellingEntityId: 'LE-US', billToId: 'BA-US', currency: 'USD' });
  const deal = await startDeal(engine, testDeal({ lines: [line] }));
  await bringToDelivery(engine, deal);
  await playTo(engine, deal, '2026-04-07T00:00:00.000Z');
  await signOff(engine, deal, '2026-04-08');
  const first = await pendingApproval(engine, deal, 'project-close');
  const entry = { entryId: 'A', workDate: '2026-02-03', hours: '8', approvedAt: deal.now };
  await reportTime(engine, deal, 'D', [{ ...entry, status: 'submitted' }]);
  await approve(engine, deal, 'project-close');

  await until('the checklist to be open again', async () =>
    (await openWaits(engine, deal.dealId)).some((wait) => wait.kind === 'close-checklist' && wait.subject === 'TimeApproved'),
  );
  await reportTime(engine, deal, 'D', [{ ...entry, status: 'rejected' }]);
  expect((await pendingApproval(engine, deal, 'project-close')).id).not.toBe(first.id);
  await approve(engine, deal, 'project-close');
  expect((await deal.handle.result()).outcome).toBe('closed');
  expect(await engine.db.selectFrom('process_exception').select(['kind', 'detail']).execute()).toEqual([]);
});

test('time approved while the close is being approved keeps the project open until its line has ended again (R-080, R-180)', async () => {
  const term = { startDate: '2026-02-01', endDate: '2026-02-28' };
  const line = timeAndMaterialsLine({ ...term, sellingEntityId: 'LE-US', billToId: 'BA-US', currency: 'USD' });
  const deal = await startDeal(engine, testDeal({ lines: [line] }));
  await bringToDelivery(engine, deal);
  await playTo(engine, deal, '2026-04-07T00:00:00.000Z');
  await signOff(engine, deal, '2026-04-08');
  await pendingApproval(engine, deal, 'project-close');
  await reportTime(engine, deal, 'D', [{ entryId: 'LATE', workDate: '2026-02-03', hours: '8', approvedAt: deal.now }]);
  await approve(engine, deal, 'project-close');
  const wait = await until('the checklist to name the line', async () =>
    (await openWaits(engine, deal.dealId)).find((each) => each.kind === 'close-checklist' && each.subject === 'LinesEnded'),
  );
  expect(wait).toMatchObject({ role: 'finance-controller' });
  const project = await engine.db.selectFrom('project').select('state').where('deal_id', '=', deal.dealId).executeTakeFirstOrThrow();
  expect(project.state).toBe('closing');
  await deal.handle.terminate();
});
