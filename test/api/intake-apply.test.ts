import { Client } from '@temporalio/client';
import { sql } from 'kysely';
import { uuidv7 } from 'uuidv7';
import { createLogger } from '../../runtime/logger';
import { startDispatcher, type Dispatcher } from '../../workers/dispatcher';
import { type Send, testApi, type TestApi } from '../support/api';
import { type Facts, insertFacts } from '../support/api-facts';
import { expenseFile, insertTask, timeFile, timeRow, usageFile } from '../support/intake-files';
import { until } from '../support/lifecycles';
import { startTestEngine, type TestEngine } from '../support/worker';

/** Files of facts from the door to the tables, through dispatcher and stream (R-100, R-102, I-01). */
describe('a file of facts that is applied', () => {
  let engine: TestEngine;
  let api: TestApi;
  let dispatcher: Dispatcher | undefined;
  let facts: Facts;
  let tracker: Send;
  beforeAll(async () => {
    engine = await startTestEngine();
    api = await testApi({ engine });
    dispatcher = dispatch();
    facts = await insertFacts(api.db, 'LE-US', 'BA-US');
    await insertTask(api.db, facts);
    tracker = await api.withKey(['time-integration']);
  });
  afterAll(async () => {
    // Each is ended, whatever of them came up.
    await dispatcher?.stop();
    await (api as TestApi | undefined)?.close();
    await engine.stop();
  });

  function dispatch(): Dispatcher {
    const temporal = new Client({ connection: engine.connection, namespace: engine.namespace });
    const log = createLogger({ level: 'silent', format: 'json' });
    return startDispatcher({ config: api.config, db: engine.db, temporal, clock: api.deps.clock, log, pollMs: 100 });
  }

  interface Batch {
    readonly id: string;
    readonly state: string;
    readonly rows: number;
    readonly stored: number;
    readonly unchanged: number;
    readonly refused: number;
    readonly blocks: number;
    readonly inboxEventId: string;
  }

  async function bring(kind: string, raw: string, as: Send = tracker): Promise<Batch> {
    const answer = await as('POST', `/v1/deals/${facts.dealId}/${kind}`, { raw, headers: { 'content-type': 'text/csv' } });
    expect(answer.status).toBe(202);
    return applied((answer.body as { batchId: string }).batchId, as);
  }

  const applied = async (id: string, as: Send = tracker) =>
    until(`batch ${id} to be applied`, async () => {
      const batch = (await as('GET', `/v1/intake-batches/${id}`)).body as Batch;
      return batch.state === 'applied' ? batch : null;
    });
  const errorsOf = async ({ id }: Batch, as: Send = tracker) =>
    ((await as('GET', `/v1/intake-batches/${id}/errors`)).body as { data: { line: number; field: string; code: string }[] }).data.map(
      ({ line, field, code }) => `${line} ${field} ${code}`,
    );
  const entries = (like: string) =>
    api.db.selectFrom('time_entry').selectAll().where('entry_id', 'like', like).orderBy('entry_id').execute();
  const many = (prefix: string, count: number, over: (index: number) => Record<string, string> = () => ({})) =>
    timeFile(
      Array.from({ length: count }, (_, index) => timeRow({ entry_id: `${prefix}${String(index).padStart(6, '0')}`, ...over(index) })),
    );

  test('stores its good rows and names the bad ones, those of the door and those that refer to nothing', async () => {
    const rows = [
      timeRow({ entry_id: 'G-1', role_code: '' }),
      timeRow({ entry_id: 'G-2', person_id: 'P-X' }),
      timeRow({ entry_id: 'G-3', line_id: 'L9' }),
      timeRow({ entry_id: 'G-4', task_id: 'T9' }),
      timeRow({ entry_id: 'G-5', wp_id: 'WP9' }),
      timeRow({ entry_id: 'G-6', hours: '99' }),
      timeRow({ entry_id: 'G-7', role_code: 'SAR', note: '=1+1', status: 'submitted', approved_at: '', approved_by: '' }),
    ];
    const batch = await bring('time-entries', timeFile(rows));
    expect(batch).toMatchObject({ rows: 7, stored: 2, unchanged: 0, refused: 5 });
    expect(await errorsOf(batch)).toEqual([
      '3 person_id PersonUnknown',
      '4 line_id LineUnknown',
      '5 task_id TaskUnknown',
      '6 wp_id TaskUnknown',
      '7 hours HoursOutOfRange',
    ]);
    expect(await entries('G-%')).toMatchObject([
      { entry_id: 'G-1', role_code: 'CON', hours: '7.5', status: 'approved' },
      { entry_id: 'G-7', role_code: 'SAR', note: '=1+1', status: 'submitted', approved_at: null },
    ]);
    const event = await api.db.selectFrom('inbox_event').selectAll().where('id', '=', batch.inboxEventId).executeTakeFirstOrThrow();
    expect(event.errors).toMatchObject([{ violation: 'RowsRefused', detail: expect.stringContaining('5 of 7 rows') as unknown }]);
  });

  test('again, or with rows that are known, has no effect; a row that would change an approved entry is refused', async () => {
    const file = many('R-', 300);
    const first = await bring('time-entries', file);
    expect(first).toMatchObject({ stored: 300 });
    const before = await entries('R-%');
    expect(await bring('time-entries', file)).toEqual(first);
    const longer = await bring(
      'time-entries',
      many('R-', 301, (index) => (index === 7 ? { hours: '6' } : {})),
    );
    expect(longer).toMatchObject({ rows: 301, stored: 1, unchanged: 299, refused: 1 });
    expect(await errorsOf(longer)).toEqual(['9  TimeEntryChanged']);
    expect((await entries('R-%')).slice(0, 300)).toEqual(before);
  });

  test('in many blocks is applied block by block, and what it leaves staged is nothing', async () => {
    const batch = await bring(
      'time-entries',
      many('M-', 12_000, (index) => ({ work_date: `2026-03-${String((index % 28) + 1).padStart(2, '0')}` })),
    );
    expect(batch).toMatchObject({ rows: 12_000, stored: 12_000, refused: 0, blocks: 3 });
    expect((await entries('M-%')).length).toBe(12_000);
    expect(await sql`select 1 from intake_block`.execute(api.db)).toMatchObject({ rows: [] });
    // One opens the file, three take a block each, and one looks at what came.
    const effects = api.db.selectFrom('effect').select('key').where('key', 'like', `intake/${batch.inboxEventId}%`);
    await until('somebody to look', async () => (await effects.execute()).length === 5);
    const heard = await sql<{
      n: number;
    }>`select count(*) as n from audit_entry where stream = ${`deal/${facts.dealId}`} and content like ${`%${batch.id}%`}`.execute(api.db);
    expect(heard.rows[0]?.n).toBe(5);
  });

  test('goes on after a crash in its middle, and no row is stored twice or lost', async () => {
    // The third block cannot be written; the first two are committed.
    await sql`create function fail_once() returns trigger language plpgsql as $$
      begin if new.entry_id = 'C-011000' then raise exception 'crash' using errcode = '57P01'; end if; return new; end $$`.execute(api.db);
    await sql`create trigger fail_once before insert on time_entry for each row execute function fail_once()`.execute(api.db);
    const file = many('C-', 12_000);
    const answer = await tracker('POST', `/v1/deals/${facts.dealId}/time-entries`, { raw: file, headers: { 'content-type': 'text/csv' } });
    const id = (answer.body as { batchId: string }).batchId;
    await until('two blocks', async () => (await entries('C-%')).length === 10_000);
    const half = (await tracker('GET', `/v1/intake-batches/${id}`)).body as Batch & { blocksApplied: number };
    expect(half).toMatchObject({ state: 'received', blocksApplied: 2, stored: 10_000 });
    expect(
      (await tracker('POST', `/v1/deals/${facts.dealId}/time-entries`, { raw: file, headers: { 'content-type': 'text/csv' } })).body,
    ).toEqual(answer.body);
    await sql`drop trigger fail_once on time_entry`.execute(api.db);
    expect(await applied(id)).toMatchObject({ rows: 12_000, stored: 12_000, unchanged: 0 });
    expect((await entries('C-%')).length).toBe(12_000);
  });

  test('with one entry in several states takes them in their order', async () => {
    const submitted = { status: 'submitted', approved_at: '', approved_by: '' };
    const rows = Array.from({ length: 40 }, (_, index) => `S-${String(index).padStart(2, '0')}`).flatMap((entry_id) => [
      timeRow({ entry_id, ...submitted }),
      timeRow({ entry_id }),
      timeRow({ entry_id }),
    ]);
    const often = Array.from({ length: 30 }, (_, index) =>
      timeRow({
        entry_id: 'S-X',
        ...submitted,
        hours: String(1 + (index % 8)),
        submitted_at: `2026-03-03T09:00:${String(index).padStart(2, '0')}Z`,
      }),
    );
    const batch = await bring('time-entries', timeFile([...rows, ...often]));
    expect(batch).toMatchObject({ rows: 150, stored: 110, unchanged: 40, refused: 0 });
    const stored = await entries('S-%');
    expect(new Set(stored.slice(0, 40).map(({ status }) => status))).toEqual(new Set(['approved']));
    expect(stored.at(-1)).toMatchObject({ entry_id: 'S-X', hours: String(1 + (29 % 8)), status: 'submitted' });
  });

  test('wakes lines that wait for a fact', async () => {
    const item = {
      id: uuidv7(),
      contract_line_id: facts.contractLineId,
      item_key: 'x',
      kind: 'time',
      reference: 'X-1',
      currency: 'USD',
      state: 'planned',
    };
    await api.db
      .insertInto('billing_plan_item')
      .values({ ...item, blocked_until: '2999-01-01T00:00:00.000Z' })
      .execute();
    await bring('time-entries', timeFile([timeRow({ entry_id: 'W-1' })]));
    const woken = await api.db.selectFrom('billing_plan_item').select('blocked_until').where('id', '=', item.id).executeTakeFirstOrThrow();
    expect(Date.parse(woken.blocked_until ?? '')).toBeLessThanOrEqual(Date.now());
  });

  test('of expenses is stored in minor units; an approved one never changes', async () => {
    const batch = await bring(
      'expenses',
      expenseFile([
        {},
        { expense_id: 'EX-2', person_id: 'P-X' },
        { expense_id: 'EX-3', currency: 'JPY', amount_gross: '42480', recoverable_tax: '3862' },
        {},
      ]),
    );
    expect(batch).toMatchObject({ rows: 4, stored: 2, unchanged: 1, refused: 1 });
    expect(await api.db.selectFrom('expense').selectAll().orderBy('expense_id').execute()).toMatchObject([
      { expense_id: 'EX-1', amount_gross_minor: 61360, currency: 'USD', contract_line_id: facts.contractLineId, receipt: true },
      { expense_id: 'EX-3', amount_gross_minor: 42480, recoverable_tax_minor: 3862 },
    ]);
    const changed = await bring('expenses', expenseFile([{ amount_gross: '700.00' }]));
    expect(await errorsOf(changed)).toEqual(['2  ExpenseChanged']);
  });

  test('of usage follows the rules of a single report', async () => {
    const desk = await api.withKey(['service-desk-integration']);
    const rows = [
      { event_id: 'U-1' },
      { event_id: 'U-1', reported_at: '2026-03-02T08:00:00Z' },
      { event_id: 'U-2', service_period: '2030-01' },
      { event_id: 'U-3', tickets: '5', p1_tickets: '2', p1_within_target: '3' },
      { event_id: 'U-1', tickets: '999' },
      { event_id: 'U-4', service_period: '2026-03', supersedes: 'U-1' },
      { event_id: 'U-5', line_id: 'L9' },
      { event_id: 'U-6', tickets: 'many' },
    ];
    const batch = await bring('usage-reports', usageFile(rows), desk);
    expect(batch).toMatchObject({ rows: 8, stored: 1, unchanged: 1, refused: 6 });
    expect(await errorsOf(batch, desk)).toEqual([
      '4 service_period UsagePeriodOutsideTerm',
      '5 p1_within_target UsageInconsistent',
      '6 event_id EventIdReused',
      '7 supersedes UsageSupersedesOther',
      '8 line_id LineUnknown',
      '9 tickets CellMalformed',
    ]);
    expect(await api.db.selectFrom('usage_report').select(['event_id', 'tickets']).execute()).toEqual([{ event_id: 'U-1', tickets: 120 }]);
  });
});
