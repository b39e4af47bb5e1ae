import { sql } from 'kysely';
import { dealWorkflowId } from '../../domain/ids';
import { createLogger } from '../../runtime/logger';
import { startArchiver } from '../../workers/archiver';
import { workflowBundle } from '../../workers/bundle';
import { storedHistory } from '../../workers/run-history';
import { startStallWatch } from '../../workers/stall-watch';
import { intake } from '../../workflows/intake/workflow';
import { openWaits, reach, startDeal, testDeal, until, type TestDeal } from '../support/lifecycles';
import { plantedBundle } from '../support/planted';
import { uniqueName } from '../support/temporal';
import { startTestEngine, type TestEngine } from '../support/worker';

const log = createLogger({ level: 'fatal', format: 'json' });

let engine: TestEngine;
/** A deal whose first effect fails; its retries take their time beside the other test. */
let failing: { readonly deal: TestDeal; readonly since: number };
beforeAll(async () => {
  const bundle = await plantedBundle(
    "await clock.wait(() => queue.length > 0, null, 'first event');",
    "throw new TypeError('planted bug');",
  );
  engine = await startTestEngine({ bundle, capture: false, namespace: uniqueName('operations') });
  await sql`create function planted_bug() returns trigger language plpgsql as $$ begin raise exception 'planted bug' using errcode = 'XX000'; end $$`.execute(engine.db); // prettier-ignore
  await sql`create trigger planted_bug before insert on effect for each row when (new.key like 'review-handoff/%') execute function planted_bug()`.execute(engine.db); // prettier-ignore
  failing = { since: Date.now(), deal: await startDeal(engine, testDeal()) };
});
afterAll(() => engine.stop());

test('a run stalled by a bug is reported within a minute, goes on by itself after the fix, and its history is kept when it ends', async () => {
  const { db, client } = engine;
  const watch = startStallWatch({ db, client, log, everyMs: 500 });
  const workflowId = uniqueName('intake');
  const started = Date.now();
  const handle = await client.workflow.start(intake, {
    workflowId,
    taskQueue: engine.taskQueue,
    workflowTaskTimeout: '1s', // a worker leaves a task that fails again to this timeout, ten seconds by default
    args: [{ stream: workflowId, clock: { simulated: false } }],
  });
  const report = () => db.selectFrom('process_exception').selectAll().where('workflow_id', '=', workflowId).executeTakeFirst();
  const opened = await until('the stalled run to be reported', report, 60_000);
  expect(opened).toMatchObject({ kind: 'stalled-run', owner_role: 'operator', closed_at: null });
  expect(Date.now() - started).toBeLessThan(60_000);

  await engine.release(await workflowBundle());
  const closed = await until('the report to be closed', async () => (await report())?.closed_at, 60_000);
  expect(Date.parse(closed)).toBeGreaterThan(Date.parse(opened.opened_at));
  await watch.stop();

  const archiver = startArchiver({ db, client, log, everyMs: 100 });
  await handle.cancel();
  await expect(handle.result()).rejects.toThrow();
  const exported = () => db.selectFrom('run_history').selectAll().where('workflow_id', '=', workflowId).executeTakeFirst();
  const kept = await until('the history to be exported', exported);
  expect(kept).toMatchObject({ workflow_type: 'intake', status: 'CANCELLED' });
  const { events } = storedHistory(kept);
  expect([events.length, events[0]?.workflowExecutionStartedEventAttributes?.workflowType?.name]).toEqual([kept.events, 'intake']);
  await archiver.stop();
}, 240_000);

test('an effect that keeps failing by a bug is a task of the operators within a minute; after the fix it goes on by itself and the task is closed', async () => {
  const { deal, since } = failing;
  const workflowId = dealWorkflowId(deal.dealId);
  const report = () => engine.db.selectFrom('process_exception').selectAll().where('workflow_id', '=', workflowId).executeTakeFirst();
  const opened = await until('the failing effect to be reported', report, 60_000);
  expect(Date.parse(opened.opened_at) - since).toBeLessThan(60_000);
  expect(opened).toMatchObject({ kind: 'stuck/reviewHandoff', owner_role: 'operator', closed_at: null });
  expect(opened.detail).toMatch(/fails again and again \(\w+, XX000\), attempt \d;/);
  expect(opened.detail).not.toContain('planted bug');
  expect(await openWaits(engine, deal.dealId)).toMatchObject([{ kind: 'stuck', subject: 'reviewHandoff', role: 'operator' }]);

  await sql`drop trigger planted_bug on effect`.execute(engine.db);
  await reach(engine, deal, 'terms');
  await until('the task to be closed', async () => (await report())?.closed_at);
  expect((await openWaits(engine, deal.dealId)).map((wait) => wait.kind)).toEqual(['sow-terms']);
  await deal.handle.terminate();
}, 360_000);
