import { uuidv7 } from 'uuidv7';
import { createActivities } from '../../activities/index';
import { putInboxEvent } from '../../db/inbox';
import { replayEvent } from '../../db/inbox-delivery';
import { intakeWorkflowId } from '../../domain/ids';
import { type BankStatementFile } from '../../integrations/bank/statement';
import { readMasterDataFolder } from '../../integrations/master-data/folder';
import { STANDARD_POLICIES } from '../../scripts/seed-folder';
import { enqueueSignal } from '../../workflows/intake/messages';
import { intake } from '../../workflows/intake/workflow';
import { inRun } from '../support/activity-run';
import { bankFile } from '../support/bank-files';
import { dealRow } from '../support/builders';
import { testDeal } from '../support/lifecycles';
import { REFERENCE_FOLDER } from '../support/reference-deal';
import { uniqueName } from '../support/temporal';
import { startTestEngine, type TestEngine } from '../support/worker';

const AT = '2026-03-20T18:00:00.000Z';

let engine: TestEngine;
let dealId: string;
beforeAll(async () => {
  engine = await startTestEngine();
  const deal = dealRow(testDeal());
  await engine.db.insertInto('deal').values(deal).execute();
  dealId = deal.id;
});
afterAll(() => engine.stop());

/** Facts as they lie in the inbox. */
async function arrived(type: string, payload: unknown): Promise<string> {
  const name = uniqueName(type);
  const event = { source: 'api', eventId: name, type, subject: name, sourceOrder: '1', occurredAt: AT, businessReceivedAt: AT };
  return (await putInboxEvent(engine.db, { ...event, payload })).row.id;
}

const applied = (inboxEventId: string) =>
  inRun('intake/test', () => createActivities({ db: engine.db }).applyIntake({ inboxEventId, at: AT }));
const eventOf = (id: string) => engine.db.selectFrom('inbox_event').selectAll().where('id', '=', id).executeTakeFirstOrThrow();
const reportOf = (id: string) =>
  engine.db.selectFrom('process_exception').selectAll().where('workflow_id', '=', `inbox/${id}`).orderBy('opened_at').execute();

/** Everything that facts may change, counted. */
async function written(): Promise<number[]> {
  const tables = ['bank_statement', 'payment', 'payment_application', 'journal_entry', 'deal_estimate', 'policy_version'] as const;
  const counts = tables.map((table) =>
    engine.db
      .selectFrom(table)
      .select((eb) => eb.fn.countAll<number>().as('count'))
      .executeTakeFirstOrThrow(),
  );
  return (await Promise.all(counts)).map((row) => Number(row.count));
}

const credit = { debtor: 'Somebody', reference: 'X', minor: 100 };
const changed = (file: BankStatementFile, change: (text: string) => string): unknown => JSON.parse(change(JSON.stringify(file)));
const task = {
  taskId: 'T-1',
  lineId: 'A',
  phase: 'P',
  workPackageId: 'WP',
  workPackageName: 'Package',
  serviceLine: 'advisory',
  roleCode: 'R',
  estimateHours: '10',
  plannedStart: '2026-02-01',
  plannedEnd: '2026-02-28',
  closedOn: null,
  validFrom: '2026-01-23',
  billable: true,
};

/** The customer of LE-US pays, in a file that is as it should be. */
async function goodFile(payments = 1): Promise<BankStatementFile> {
  const { name } = await engine.db.selectFrom('bill_to_account').select('name').where('id', '=', 'BA-US').executeTakeFirstOrThrow();
  return bankFile(
    engine.db,
    'LE-US',
    Array.from({ length: payments }, (_, index) => ({ debtor: name, reference: `R-${index}`, minor: 100 })),
  );
}

const cases: readonly [string, string, () => Promise<unknown>, string, string][] = [
  [
    'a bank file of an account that is not ours',
    'bank-statements',
    async () => changed(await bankFile(engine.db, 'LE-US', [credit]), (text) => text.replace(/"account":"[^"]*"/, '"account":"ELSEWHERE"')),
    'BankAccountUnknown',
    'accounts-receivable',
  ],
  [
    'a large bank file whose last statement is of such an account',
    'bank-statements',
    async () => {
      const file = await goodFile(400);
      const other = (await bankFile(engine.db, 'LE-US', [credit])).statements.map((each) => ({ ...each, account: 'ELSEWHERE' }));
      return { ...file, statements: [...file.statements, ...other] };
    },
    'BankAccountUnknown',
    'accounts-receivable',
  ],
  [
    'an amount that no column holds',
    'bank-statements',
    async () => changed(await goodFile(), (text) => text.replaceAll('"minor":100', '"minor":1e300')),
    'ValueNotStorable',
    'accounts-receivable',
  ],
  [
    'a day that does not exist',
    'bank-statements',
    async () => changed(await goodFile(), (text) => text.replaceAll('"2026-03-20"', '"2026-02-30"')),
    'ValueNotStorable',
    'accounts-receivable',
  ],
  [
    'a delivery plan that names a task twice',
    'delivery-plan',
    () => Promise.resolve({ dealId, tasks: [task, task] }),
    'ValueNotStorable',
    'operator',
  ],
  [
    'a policy that changed behind its version',
    'master-data',
    () => {
      const files = readMasterDataFolder(REFERENCE_FOLDER, STANDARD_POLICIES);
      return Promise.resolve(JSON.parse(JSON.stringify(files).replace('"cutOffDay":6', '"cutOffDay":7')));
    },
    'PolicyVersionChanged',
    'operator',
  ],
  ['facts of an unknown kind', 'rumour', () => Promise.resolve({}), 'IntakeTypeUnknown', 'operator'],
];

test.each(cases)('%s is rejected whole, named, and a task for people; again it is the same', async (_what, type, facts, code, role) => {
  const before = await written();
  const id = await arrived(type, await facts());
  const answer = await applied(id);
  expect(answer).toEqual({ inboxEventId: id, invoices: [], lines: [], deals: [], projects: [] });
  expect(await applied(id)).toEqual(answer);
  const { state, errors } = await eventOf(id);
  expect([state, (errors as { violation: string }[]).map((each) => each.violation)]).toEqual(['failed', [code]]);
  expect(await reportOf(id)).toMatchObject([{ kind: 'intake-rejected', owner_role: role, opened_at: AT, closed_at: null }]);
  expect(await written()).toEqual(before);
});

test('a large file with a statement that is known is rejected whole, and one that was put right is applied when it is replayed', async () => {
  const known = await goodFile();
  await applied(await arrived('bank-statements', known));
  const large = await goodFile(300);
  const before = await written();
  const overlapping = await arrived('bank-statements', { ...large, statements: [...large.statements, ...known.statements] });
  await applied(overlapping);
  expect((await eventOf(overlapping)).errors).toMatchObject([{ violation: 'StatementAlreadyImported' }]);
  expect(await written()).toEqual(before);

  const { account } = await engine.db
    .selectFrom('entity_bank_account')
    .selectAll()
    .where('entity_id', '=', 'LE-US')
    .executeTakeFirstOrThrow();
  const rejected = await arrived(
    'bank-statements',
    changed(await goodFile(), (text) => text.replaceAll(account, 'NEW-ACCOUNT')),
  );
  const operator = { actor: 'U-OPS', at: AT };
  for (let turn = 1; turn <= 2; turn += 1) {
    await applied(rejected);
    expect((await eventOf(rejected)).state).toBe('failed');
    await replayEvent(engine.db, rejected, operator);
    expect((await reportOf(rejected)).filter((report) => report.closed_at === null)).toEqual([]);
  }
  await engine.db
    .insertInto('entity_bank_account')
    .values({ account: 'NEW-ACCOUNT', entity_id: 'LE-US', currency: 'USD', details: '{}' })
    .execute();
  await applied(rejected);
  expect(await engine.db.selectFrom('bank_statement').select('state').where('account', '=', 'NEW-ACCOUNT').execute()).toEqual([
    { state: 'applied' },
  ]);
  expect(await reportOf(rejected)).toHaveLength(2);
});

test('a stream goes on behind facts that are rejected, and waits for nobody', async () => {
  const bad = await arrived(
    'bank-statements',
    changed(await goodFile(), (text) => text.replaceAll('"minor":100', '"minor":1e300')),
  );
  const good = await arrived('bank-statements', await goodFile());
  const workflowId = intakeWorkflowId(uniqueName('bank'));
  const enqueue = (inboxEventId: string) =>
    engine.client.workflow.signalWithStart(intake, {
      workflowId,
      taskQueue: engine.taskQueue,
      args: [{ stream: 'bank', clock: { simulated: true, moment: AT } }],
      signal: enqueueSignal,
      signalArgs: [{ inboxEventId, at: AT }],
    });
  await enqueue(bad);
  const stream = await enqueue(good);
  expect(await stream.result()).toBeLessThanOrEqual(2);
  expect([(await eventOf(bad)).state, await reportOf(bad)]).toMatchObject(['failed', [{ kind: 'intake-rejected' }]]);
  expect(await engine.db.selectFrom('bank_statement').select('state').where('inbox_event_id', '=', good).execute()).toEqual([
    { state: 'applied' },
  ]);
  expect(await engine.db.selectFrom('open_wait').selectAll().where('workflow_id', '=', workflowId).execute()).toEqual([]);
});

test('money of a customer of another entity is a task for people at the business moment, and stays out of the books', async () => {
  const { name } = await engine.db.selectFrom('bill_to_account').select('name').where('id', '=', 'BA-DE').executeTakeFirstOrThrow();
  const before = await written();
  const id = await arrived(
    'bank-statements',
    await bankFile(engine.db, 'LE-US', [credit, { debtor: name, reference: uuidv7(), minor: 500 }]),
  );
  await applied(id);
  const statement = await engine.db.selectFrom('bank_statement').selectAll().where('inbox_event_id', '=', id).executeTakeFirstOrThrow();
  const tasks = await engine.db
    .selectFrom('process_exception')
    .selectAll()
    .where('workflow_id', '=', `bank-statement/${statement.id}`)
    .execute();
  expect(tasks).toMatchObject([
    {
      kind: 'payment/1/0',
      owner_role: 'accounts-receivable',
      detail: 'a customer of another entity paid on the account of LE-US',
      opened_at: AT,
      closed_at: null,
    },
  ]);
  expect(await written()).toEqual([(before[0] ?? 0) + 1, ...before.slice(1)]);
});
