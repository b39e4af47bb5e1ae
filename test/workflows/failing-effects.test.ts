import { sql } from 'kysely';
import { dealWorkflowId } from '../../domain/ids';
import { openWaits, reach, startDeal, testDeal, until } from '../support/lifecycles';
import { seedReferenceDeal } from '../support/reference-deal';
import { startTestEngine, type TestEngine } from '../support/worker';

let engine: TestEngine;
beforeAll(async () => {
  engine = await startTestEngine({ capture: false });
  await seedReferenceDeal(engine.db);
});
afterAll(() => engine.stop());

test('an effect that keeps failing by a bug is a task of the operators within a minute; after the fix it goes on by itself and the task is closed', async () => {
  await sql`create function planted_bug() returns trigger language plpgsql as $$ begin raise exception 'planted bug' using errcode = 'XX000'; end $$`.execute(engine.db); // prettier-ignore
  await sql`create trigger planted_bug before insert on effect for each row when (new.key like 'review-handoff/%') execute function planted_bug()`.execute(engine.db); // prettier-ignore
  const began = Date.now();
  const deal = await startDeal(engine, testDeal());
  const workflowId = dealWorkflowId(deal.dealId);
  const report = () => engine.db.selectFrom('process_exception').selectAll().where('workflow_id', '=', workflowId).executeTakeFirst();
  const opened = await until('the failing effect to be reported', report, 60_000);
  expect(Date.now() - began).toBeLessThan(60_000);
  expect(opened).toMatchObject({ kind: 'stuck/reviewHandoff', owner_role: 'operator', closed_at: null });
  expect(opened.detail).toMatch(/fails again and again \(\w+, XX000\), attempt 5;/);
  expect(opened.detail).not.toContain('planted bug');
  expect(await openWaits(engine, deal.dealId)).toMatchObject([{ kind: 'stuck', subject: 'reviewHandoff', role: 'operator' }]);

  await sql`drop trigger planted_bug on effect`.execute(engine.db);
  await reach(engine, deal, 'terms');
  await until('the task to be closed', async () => (await report())?.closed_at);
  expect((await openWaits(engine, deal.dealId)).map((wait) => wait.kind)).toEqual(['sow-terms']);
  await deal.handle.terminate();
}, 120_000);
