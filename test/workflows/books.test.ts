import { type WorkflowHandle } from '@temporalio/client';
import { periodWorkflowId } from '../../domain/ids';
import { clockSignal } from '../../workflows/clock';
import { booksOpenedSignal, booksQuery } from '../../workflows/period-close/messages';
import { periodClose } from '../../workflows/period-close/workflow';
import { revenueOf, soldLines, STARTED } from '../support/books';
import { milestones, service, until } from '../support/lifecycles';
import { uniqueName } from '../support/temporal';
import { startTestEngine, type TestEngine } from '../support/worker';

let engine: TestEngine;
beforeAll(async () => {
  // The run of an entity's books is named after the entity, and other tests open the books of the same entities.
  engine = await startTestEngine({ namespace: uniqueName('books') });
});
afterAll(() => engine.stop());

/** Opens the books as the dispatcher does. */
function openBooks(entityId: string, at = STARTED): Promise<WorkflowHandle<typeof periodClose>> {
  return engine.client.workflow.signalWithStart(periodClose, {
    workflowId: periodWorkflowId(entityId),
    taskQueue: engine.taskQueue,
    args: [{ entityId, clock: { simulated: true, moment: at } }],
    signal: booksOpenedSignal,
    signalArgs: [{ at }],
  });
}

const nextWake = (entityId: string) =>
  engine.db
    .selectFrom('open_wait')
    .select(['wakes_at', 'asks'])
    .where('workflow_id', '=', periodWorkflowId(entityId))
    .where('closed_at', 'is', null)
    .where('kind', '=', 'period-close')
    .executeTakeFirst();

/** Moves the clock of the run from one close to the next, up to a moment, or to its end. */
async function playTo(handle: WorkflowHandle, entityId: string, moment: string): Promise<void> {
  for (;;) {
    const wait = await nextWake(entityId);
    if (wait?.wakes_at === undefined || wait.wakes_at === null || Date.parse(wait.wakes_at) > Date.parse(moment)) return;
    await handle.signal(clockSignal, new Date(wait.wakes_at).toISOString());
    await until('the next close', async () => (await nextWake(entityId))?.asks !== wait.asks);
  }
}

const finish = (contractLineId: string) =>
  engine.db.updateTable('contract_line').set({ state: 'finished' }).where('id', '=', contractLineId).execute();

test('months close one after the other; the books rest when the lines have ended, and open again with the next deal', async () => {
  const line = (await soldLines(engine.db, [service({ endDate: '2026-03-31' })])).get('B') ?? '';
  const handle = await openBooks('LE-DE');
  await until('the first wait', () => nextWake('LE-DE'));
  await playTo(handle, 'LE-DE', '2026-03-20T00:00:00.000Z');
  expect(await handle.query(booksQuery)).toMatchObject({ stage: 'keeping-books', next: { action: 'soft-close', period: '2026-03' } });
  await finish(line);
  await playTo(handle, 'LE-DE', '2026-12-31T00:00:00.000Z');
  await handle.result();
  expect((await revenueOf(engine.db, line)).map(([month, , minor]) => [month, minor])).toEqual([
    ['2026-02', 949_153],
    ['2026-03', 1_050_847],
  ]);
  const state = () =>
    engine.db.selectFrom('entity_books').select(['state', 'openings']).where('entity_id', '=', 'LE-DE').executeTakeFirstOrThrow();
  expect(await state()).toEqual({ state: 'resting', openings: 1 });

  const at = '2026-06-10T09:00:00.000Z';
  const next = (await soldLines(engine.db, [service({ startDate: '2026-06-01', endDate: '2026-06-30' })], at)).get('B') ?? '';
  expect(await state()).toEqual({ state: 'open', openings: 2 });
  const rung = await engine.db.selectFrom('inbox_event').select(['event_id', 'subject']).where('source', '=', 'engine').where('subject', '=', 'period/LE-DE').orderBy('event_id').execute(); // prettier-ignore
  expect(rung).toEqual([
    { event_id: 'books/LE-DE/1', subject: 'period/LE-DE' },
    { event_id: 'books/LE-DE/2', subject: 'period/LE-DE' },
  ]);
  const again = await openBooks('LE-DE', at);
  await until('the books to wait again', () => nextWake('LE-DE'));
  await finish(next);
  await playTo(again, 'LE-DE', '2026-12-31T00:00:00.000Z');
  await again.result();
  expect((await revenueOf(engine.db, next)).map(([month, , minor]) => [month, minor])).toEqual([['2026-06', 1_000_000]]);
});

test('a line that comes while the books are kept has them look again', async () => {
  await soldLines(engine.db, [milestones()]);
  const handle = await openBooks('LE-US');
  await until('the first wait', () => nextWake('LE-US'));
  const before = (await handle.describe()).historyLength;
  await openBooks('LE-US');
  await until('another look', async () => (await handle.describe()).historyLength > before + 4);
  expect(await handle.query(booksQuery)).toMatchObject({ next: { period: '2026-01' } });
  await handle.terminate();
});

test('a close that is refused is stuck, visibly, for an operator', async () => {
  await soldLines(engine.db, [milestones()]);
  const handle = await openBooks('LE-US');
  await until('the books to be shown', () => handle.query(booksQuery));
  const wait = await until('the first wait', () => nextWake('LE-US'));
  const byHand = { state: 'soft-closed', soft_closed_at: STARTED, soft_closed_by: 'U-CFO' };
  await engine.db.updateTable('accounting_period').set(byHand).where('entity_id', '=', 'LE-US').execute();
  await handle.signal(clockSignal, new Date(wait.wakes_at ?? '').toISOString());
  const stuck = await until('the run to be stuck', () =>
    engine.db
      .selectFrom('open_wait')
      .select(['role', 'subject', 'asks'])
      .where('workflow_id', '=', periodWorkflowId('LE-US'))
      .where('kind', '=', 'stuck')
      .where('closed_at', 'is', null)
      .executeTakeFirst(),
  );
  expect(stuck).toMatchObject({ role: 'operator', subject: 'postRevenue', asks: expect.stringContaining('PeriodNotOpen') as unknown });
  await handle.terminate();
});
