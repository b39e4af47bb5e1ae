import { putInboxEvent } from '../../db/inbox';
import { intakeWorkflowId } from '../../domain/ids';
import { type BankStatementFile } from '../../integrations/bank/statement';
import { enqueueSignal } from '../../workflows/intake/messages';
import { intake } from '../../workflows/intake/workflow';
import { bankFile } from '../support/bank-files';
import { until } from '../support/lifecycles';
import { shown } from '../support/shown';
import { uniqueName } from '../support/temporal';
import { startTestEngine, type TestEngine } from '../support/worker';

const AT = '2026-03-20T18:00:00.000Z';

let engine: TestEngine;
beforeAll(async () => {
  engine = await startTestEngine();
});
afterAll(() => engine.stop());

async function received(file: BankStatementFile): Promise<string> {
  const event = { source: 'api', eventId: file.messageId, type: 'bank-statements', subject: 'bank', sourceOrder: '1', occurredAt: AT };
  return (await putInboxEvent(engine.db, { ...event, businessReceivedAt: AT, payload: file })).row.id;
}

const payments = async (count: number): Promise<BankStatementFile> => {
  const { name } = await engine.db.selectFrom('bill_to_account').select('name').where('id', '=', 'BA-US').executeTakeFirstOrThrow();
  return bankFile(
    engine.db,
    'LE-US',
    Array.from({ length: count }, (_, index) => ({ debtor: name, reference: `R-${index}`, minor: 100 })),
  );
};

const stateOf = (inboxEventId: string) =>
  engine.db
    .selectFrom('bank_statement')
    .select(['state', 'transaction_count', 'applied_count'])
    .where('inbox_event_id', '=', inboxEventId)
    .executeTakeFirst();

/** Holds an effect back until it is let go, as a slow database would. */
async function heldBack(key: string): Promise<() => Promise<void>> {
  const client = await engine.pool.connect();
  await client.query('select pg_advisory_lock(hashtextextended($1, 0))', [`effect/${key}`]);
  return async () => {
    await client.query('select pg_advisory_unlock_all()');
    client.release();
  };
}

test('a large file shows how far it is, goes on in a new run when its history has grown, and the next file after it', async () => {
  const large = await received(await payments(700));
  const small = await received(await payments(1));
  const letGo = await heldBack(`intake/${large}/block/2`);
  const workflowId = intakeWorkflowId(uniqueName('bank'));
  const run = await engine.client.workflow.signalWithStart(intake, {
    workflowId,
    taskQueue: engine.taskQueue,
    args: [{ stream: 'bank', clock: { simulated: true, moment: AT } }],
    signal: enqueueSignal,
    signalArgs: [{ inboxEventId: large, at: AT }],
  });
  await until('the second block to be under way', async () => (await shown(engine, workflowId)).details.includes('block 2 of 3'));
  expect(await stateOf(large)).toEqual({ state: 'applying', transaction_count: 700, applied_count: 250 });

  await run.signal(enqueueSignal, { inboxEventId: small, at: AT });
  const known = { inboxEventId: large, at: AT, padding: 'x'.repeat(12_000) };
  for (let burst = 0; burst < 6; burst += 1) await Promise.all(Array.from({ length: 60 }, () => run.signal(enqueueSignal, known)));
  await letGo();

  expect(await engine.client.workflow.getHandle(workflowId).result()).toBe(2);
  const first = await engine.client.workflow.getHandle(workflowId, run.signaledRunId).describe();
  expect(first.status.name).toBe('CONTINUED_AS_NEW');
  expect(await stateOf(large)).toEqual({ state: 'applied', transaction_count: 700, applied_count: 700 });
  expect(await stateOf(small)).toEqual({ state: 'applied', transaction_count: 1, applied_count: 1 });
  const effects = await engine.db.selectFrom('effect').select('key').where('key', 'like', `intake/${large}%`).orderBy('key').execute();
  expect(effects.map(({ key }) => key.slice(`intake/${large}`.length))).toEqual(['', '/block/1', '/block/2', '/block/3']);
  const { count } = await engine.db
    .selectFrom('payment')
    .select((eb) => eb.fn.countAll<number>().as('count'))
    .executeTakeFirstOrThrow();
  expect(Number(count)).toBe(701);
});
