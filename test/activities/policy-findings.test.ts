import { type Kysely } from 'kysely';
import { createActivities } from '../../activities/index';
import { insertRows } from '../../db/insert-rows';
import { type DB } from '../../db/types';
import { testDatabase, type TestDatabase } from '../support/database';
import { bringTime, deliveredLine, insertTestRate, takeRun, WORKER, type DeliveredLine } from '../support/time-and-materials';

const AT = '2026-02-20T09:00:00.000Z';
const CUT_OFF = '2026-03-05T23:00:00.000Z';
/** With 50 people and 80 days: 12,000 entries. */
const ENTRIES_A_DAY = 3;

let database: TestDatabase;
let db: Kysely<DB>;
let activities: ReturnType<typeof createActivities>;
beforeAll(async () => {
  database = await testDatabase({ firm: true });
  db = database.db;
  activities = createActivities({ db });
  await insertTestRate(db);
});
afterAll(() => database.drop());

const found = async (line: DeliveredLine, state: 'open' | 'closed' = 'open') =>
  (
    await db
      .selectFrom('policy_finding')
      .select(['code', 'reference'])
      .where('deal_id', '=', line.dealId)
      .where('closed_at', state === 'open' ? 'is' : 'is not', null)
      .orderBy('code')
      .orderBy('reference')
      .execute()
  ).map(({ code, reference }) => `${code} ${reference.replace(`${line.lineId}/`, '')}`);

const bring = (line: DeliveredLine, ...worked: Parameters<typeof bringTime>[3][number][]) => bringTime(db, activities, line, worked, AT);

describe('findings about time', () => {
  test('are kept with the intake: what blocks, what is late, what passes a limit; for the readers of the entities concerned', async () => {
    const line = await deliveredLine(db, activities);
    await bring(
      line,
      { entryId: 'A', workDate: '2026-02-03', hours: '8', submittedAt: '2026-02-03T17:00:00.000Z' },
      { entryId: 'TWICE', workDate: '2026-02-03', hours: '8', submittedAt: '2026-02-03T18:00:00.000Z' },
      { entryId: 'SUNDAY', workDate: '2026-02-08', hours: '2' },
      { entryId: 'LONG', workDate: '2026-02-04', hours: '11' },
      { entryId: 'LATE', workDate: '2026-02-05', hours: '1', submittedAt: '2026-02-09T11:00:01.000Z' },
      { entryId: 'WAITS', workDate: '2026-02-06', hours: '1', approvedAt: null },
      { entryId: 'NO-RATE', workDate: '2026-02-09', hours: '1', roleCode: 'NOBODY' },
    );
    expect(await found(line)).toEqual([
      `DAY_OVER_LIMIT ${WORKER}/2026-02-04`,
      'DUPLICATE_ENTRY TWICE',
      'LATE_SUBMISSION LATE',
      'NOT_APPROVED WAITS',
      'RATE_UNRESOLVED NO-RATE',
      'REST_DAY_UNAPPROVED SUNDAY',
    ]);
    const [entry] = await db
      .selectFrom('policy_finding')
      .selectAll()
      .where('deal_id', '=', line.dealId)
      .where('code', '=', 'RATE_UNRESOLVED')
      .execute();
    expect(entry).toMatchObject({
      blocking: true,
      person_id: WORKER,
      contract_line_id: line.contractLineId,
      entity_ids: ['LE-DE'],
      first_seen_at: AT,
    });
    const { line: waits } = await takeRun(db, activities, line, '2026-02', CUT_OFF);
    const billed = await db
      .selectFrom('invoiced_item')
      .select('entry_id')
      .where('entry_id', 'like', `${line.lineId}/%`)
      .orderBy('entry_id')
      .execute();
    expect(billed.map(({ entry_id: id }) => id?.replace(`${line.lineId}/`, ''))).toEqual(['A', 'LATE', 'LONG']);
    expect(
      waits.waits
        .filter(({ kind }) => kind === 'withheld')
        .map(({ role, asks }) => `${role}: ${asks}`)
        .sort(),
    ).toEqual([
      'finance-controller: RateUnresolved: agree the rate of 1 time entries',
      'project-manager: TimeBlocked: cure the breaches of 2 time entries',
      'project-manager: TimeNotApproved: approve or reject 1 time entries',
    ]);
  });

  test('keep time from being billed that its worker approved, or of a project manager somebody on the same level', async () => {
    const line = await deliveredLine(db, activities);
    const on = (entryId: string, workDate: string, personId: string, approvedBy: string) => ({
      entryId,
      workDate,
      hours: '8',
      personId,
      approvedBy,
    });
    await bring(
      line,
      on('OWN', '2026-02-03', 'P-021', 'U-PM-EU'),
      on('PEER', '2026-02-04', 'P-021', 'U-PM-US'),
      on('ABOVE', '2026-02-05', 'P-021', 'U-DELDIR'),
      on('WORKER', '2026-02-05', WORKER, 'U-PM-EU'),
    );
    expect(await found(line)).toEqual(['OWN_TIME_APPROVED OWN', 'OWN_TIME_APPROVED PEER']);
  });

  test('that no longer hold are closed and kept, and opened again where they come back', async () => {
    const line = await deliveredLine(db, activities);
    const waiting = { entryId: 'W', workDate: '2026-02-03', hours: '8', approvedAt: null };
    await bring(line, waiting);
    expect(await found(line)).toEqual(['NOT_APPROVED W']);
    await bring(line, { ...waiting, status: 'rejected' });
    expect([await found(line), await found(line, 'closed')]).toEqual([[], ['NOT_APPROVED W']]);
    await bring(line, { ...waiting, submittedAt: '2026-02-04T10:00:00.000Z' });
    expect([await found(line), await found(line, 'closed')]).toEqual([['NOT_APPROVED W'], []]);
  });

  test('are judged anew by the run: a rate that came and a task that was closed count without new time', async () => {
    const line = await deliveredLine(db, activities);
    await bring(
      line,
      { entryId: 'NO-RATE', workDate: '2026-02-03', hours: '8', roleCode: 'NEW' },
      { entryId: 'A', workDate: '2026-02-10', hours: '8' },
    );
    expect(await found(line)).toEqual(['RATE_UNRESOLVED NO-RATE']);
    const rate = await db.selectFrom('rate').selectAll().where('id', '=', 'R-TEST').executeTakeFirstOrThrow();
    await db
      .insertInto('rate')
      .values({ ...rate, id: 'R-NEW', role_code: 'NEW', rate: '50' })
      .execute();
    await db.updateTable('work_task').set({ closed_on: '2026-02-09' }).where('code', '=', line.taskId).execute();
    await takeRun(db, activities, line, '2026-02', CUT_OFF);
    expect([await found(line), await found(line, 'closed')]).toEqual([['TASK_CLOSED A'], ['RATE_UNRESOLVED NO-RATE']]);
    const billed = await db
      .selectFrom('invoiced_item')
      .select(['entry_id', 'amount_minor'])
      .where('entry_id', 'like', `${line.lineId}/%`)
      .execute();
    expect(billed).toEqual([{ entry_id: `${line.lineId}/NO-RATE`, amount_minor: 40_000 }]);
  });

  test('name weeks without time once they are due, and close them when time comes', async () => {
    const line = await deliveredLine(db, activities);
    const project = await db.selectFrom('project').select('code').where('deal_id', '=', line.dealId).executeTakeFirstOrThrow();
    await db
      .insertInto('booking')
      .values({
        id: `B-${line.lineId}`,
        person_id: WORKER,
        kind: 'project',
        project_code: project.code,
        status: 'firm',
        start_date: '2026-02-02',
        end_date: '2026-02-15',
        hours_per_day: '8',
      })
      .execute();
    await bringTime(db, activities, line, [{ entryId: 'A', workDate: '2026-02-04', hours: '8' }], '2026-02-16T10:59:00.000Z');
    expect(await found(line)).toEqual([]);
    await bringTime(db, activities, line, [{ entryId: 'B', workDate: '2026-02-05', hours: '8' }], '2026-02-16T11:01:00.000Z');
    expect(await found(line)).toEqual([`MISSING_WEEK ${WORKER}/2026-02-09`]);
    await bringTime(db, activities, line, [{ entryId: 'C', workDate: '2026-02-10', hours: '8' }], '2026-02-17T10:00:00.000Z');
    expect([await found(line), await found(line, 'closed')]).toEqual([[], [`MISSING_WEEK ${WORKER}/2026-02-09`]]);
  });
});

test('thousands of entries are judged together, and a run takes those of its month', async () => {
  const line = await deliveredLine(db, activities, { notToExceed: null, capSoftPercent: null });
  const task = await db.selectFrom('work_task').select('id').where('code', '=', line.taskId).executeTakeFirstOrThrow();
  const people = await db.selectFrom('person').select('id').where('vendor_id', 'is', null).orderBy('id').limit(50).execute();
  const days = Array.from({ length: 80 }, (_, index) => new Date(Date.UTC(2026, 1, 2 + index)).toISOString().slice(0, 10));
  const rows = people.flatMap(({ id }) =>
    days.flatMap((day) =>
      Array.from({ length: ENTRIES_A_DAY }, (_, index) => ({
        entry_id: `${line.lineId}/${id}/${day}/${index}`,
        contract_line_id: line.contractLineId,
        person_id: id,
        work_task_id: task.id,
        role_code: 'TEST',
        work_date: day,
        hour_type: 'regular',
        hours: `0.${index + 10}`,
        work_country: 'DE',
        onsite: false,
        rest_day_approval: 'agreed',
        billable: true,
        rework: false,
        note: null,
        status: 'approved',
        submitted_at: `${day}T17:00:00Z`,
        approved_at: `${day}T18:00:00Z`,
        approved_by: 'U-DELDIR',
      })),
    ),
  );
  await db.transaction().execute((trx) => insertRows(trx, 'time_entry', rows));
  await db
    .insertInto('policy_review')
    .values(people.map(({ id }) => ({ deal_id: line.dealId, kind: 'time', person_id: id })))
    .execute();
  await bringTime(db, activities, line, [{ entryId: 'LAST', workDate: '2026-02-03', hours: '1' }], '2026-04-23T09:00:00.000Z');
  await takeRun(db, activities, line, '2026-02', CUT_OFF);
  await takeRun(db, activities, line, '2026-03', '2026-04-05T22:00:00.000Z');
  const billed = await db
    .selectFrom('invoiced_item as item')
    .innerJoin('invoice', 'invoice.id', 'item.invoice_id')
    .select((eb) => ['invoice.period', eb.fn.countAll<number>().as('entries')])
    .where('invoice.contract_line_id', '=', line.contractLineId)
    .groupBy('invoice.period')
    .orderBy('invoice.period')
    .execute();
  const inMonth = (month: string) => days.filter((day) => day.startsWith(month)).length * people.length * ENTRIES_A_DAY;
  expect(billed.map(({ period, entries }) => [period, Number(entries)])).toEqual([
    ['2026-02', inMonth('2026-02') + 1],
    ['2026-03', inMonth('2026-03')],
  ]);
  const left = await db.selectFrom('policy_review').selectAll().where('deal_id', '=', line.dealId).execute();
  expect(left).toEqual([]);
});
