import { gunzipSync } from 'node:zlib';
import { historyFromJSON } from '@temporalio/common/lib/proto-utils';
import { createLogger } from '../../runtime/logger';
import { startArchiver } from '../../workers/archiver';
import { workflowBundle } from '../../workers/bundle';
import { startStallWatch } from '../../workers/stall-watch';
import { intake } from '../../workflows/intake/workflow';
import { until } from '../support/lifecycles';
import { plantedBundle } from '../support/planted';
import { uniqueName } from '../support/temporal';
import { startTestEngine, type TestEngine } from '../support/worker';

const log = createLogger({ level: 'fatal', format: 'json' });

let engine: TestEngine;
beforeAll(async () => {
  const bundle = await plantedBundle(
    'intake/workflow.ts',
    "await clock.wait(() => queue.length > 0, null, 'first event');",
    "throw new TypeError('planted bug');",
  );
  engine = await startTestEngine({ bundle, capture: false });
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
  const kept = await until('the history to be exported', () =>
    db.selectFrom('run_history').selectAll().where('workflow_id', '=', workflowId).executeTakeFirst(),
  );
  expect(kept).toMatchObject({ workflow_type: 'intake', status: 'CANCELLED' });
  const { events } = historyFromJSON(JSON.parse(gunzipSync(kept.history).toString('utf8')));
  expect([events?.length, events?.[0]?.workflowExecutionStartedEventAttributes?.workflowType?.name]).toEqual([kept.events, 'intake']);
  await archiver.stop();
});
