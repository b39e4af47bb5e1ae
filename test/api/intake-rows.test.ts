import { sql } from 'kysely';
import { uuidv7 } from 'uuidv7';
import { applyTimeEntries } from '../../activities/intake/time';
import { type Facts, insertFacts } from '../support/api-facts';
import { testDatabase, type TestDatabase } from '../support/database';

/** What rows of reported facts do to what is known, applied as the run of their stream applies them. */
describe('a time entry that is reported', () => {
  let database: TestDatabase;
  let facts: Facts;
  beforeAll(async () => {
    database = await testDatabase({ firm: true });
    facts = await insertFacts(database.db, 'LE-US', 'BA-US');
    const work = await database.db.selectFrom('work_package').selectAll().executeTakeFirstOrThrow();
    await database.db
      .insertInto('work_task')
      .values({
        id: uuidv7(),
        work_package_id: work.id,
        project_id: facts.projectId,
        code: 'T1',
        role_code: 'CON',
        estimate_hours: '100',
        planned_start: '2026-02-01',
        planned_end: '2026-07-31',
        valid_from: '2026-02-01',
        billable: true,
      })
      .execute();
  });
  beforeEach(() => database.db.deleteFrom('time_entry').execute());
  afterAll(() => database.drop());

  const submitted = { status: 'submitted', submittedAt: '2026-03-03T09:00:00Z', approvedAt: null, approvedBy: null };
  const approved = { ...submitted, status: 'approved', approvedAt: '2026-03-04T09:00:00Z', approvedBy: 'U-PM-US' };
  const rejected = { ...submitted, status: 'rejected' };
  const entry = (over: object = {}) => ({
    entryId: 'TE-1',
    personId: 'P-001',
    workDate: '2026-03-02',
    lineId: 'A',
    taskId: 'T1',
    hourType: 'regular',
    hours: '7.5',
    workCountry: 'US',
    onsite: false,
    restDayApproval: null,
    billable: true,
    rework: false,
    note: null,
    ...approved,
    ...over,
  });

  const AT = '2026-03-05T00:00:00.000Z';
  async function report(...entries: object[]) {
    const payload = { dealId: facts.dealId, entries };
    const event = { id: uuidv7(), type: 'time-entries', payload, dealId: facts.dealId, at: AT, countsAt: AT, isCorrection: false };
    return database.db.transaction().execute((trx) => applyTimeEntries(trx, event));
  }
  const stored = () => database.db.selectFrom('time_entry').selectAll().orderBy('entry_id').execute();

  test('is stored with the role of its task, and brought again has no effect', async () => {
    expect((await report(entry())).details).toEqual({ entries: 1, stored: 1, unchanged: 0 });
    expect(await stored()).toMatchObject([{ entry_id: 'TE-1', hours: '7.5', role_code: 'CON', status: 'approved' }]);
    const before = await stored();
    const again = await report(entry({ hours: '7.50' }), entry());
    expect(again).toMatchObject({ details: { entries: 2, stored: 0, unchanged: 2 }, rowErrors: [] });
    expect(await stored()).toEqual(before);
  });

  test('as submitted and approved in one file is approved, in whichever order of files the states come', async () => {
    expect((await report(entry(submitted), entry(approved))).details).toMatchObject({ stored: 2 });
    expect(await stored()).toMatchObject([{ status: 'approved', approved_by: 'U-PM-US' }]);
    expect((await report(entry(submitted))).details).toMatchObject({ stored: 0, unchanged: 1 });
    expect(await stored()).toMatchObject([{ status: 'approved' }]);
  });

  test('that is approved is refused with another content or as rejected', async () => {
    await report(entry());
    const changed = await report(entry({ hours: '8' }), entry(rejected));
    expect(changed.rowErrors.map(({ violation, path }) => [violation, path])).toEqual([
      ['TimeEntryChanged', '/entries/0'],
      ['TimeEntryChanged', '/entries/1'],
    ]);
    expect(await stored()).toMatchObject([{ hours: '7.5', status: 'approved' }]);
  });

  test('and not approved is replaced by a later submission, never by an earlier one', async () => {
    const later = { submittedAt: '2026-03-04T09:00:00Z' };
    await report(entry({ ...submitted, ...later, hours: '6' }));
    expect((await report(entry({ ...submitted, hours: '5' }))).details).toMatchObject({ unchanged: 1 });
    expect((await report(entry({ ...submitted, ...later, hours: '5' }))).rowErrors).toMatchObject([{ violation: 'TimeEntryChanged' }]);
    expect(await stored()).toMatchObject([{ hours: '6' }]);
    await report(entry({ ...rejected, ...later, hours: '6' }));
    await report(entry({ ...approved, submittedAt: '2026-03-05T09:00:00Z', approvedAt: '2026-03-05T10:00:00Z', hours: '4' }));
    expect(await stored()).toMatchObject([{ hours: '4', status: 'approved', submitted_at: '2026-03-05T09:00:00.000Z' }]);
  });

  test('of somebody, a line or a task that nobody knows is named with its place, and the others are stored', async () => {
    const wrong = await report(
      entry({ entryId: 'A', personId: 'P-X' }),
      entry({ entryId: 'B', lineId: 'L9' }),
      entry({ entryId: 'C', taskId: 'T9' }),
      entry({ entryId: 'D' }),
    );
    expect(wrong.rowErrors.map(({ violation, path }) => [violation, path])).toEqual([
      ['PersonUnknown', '/entries/0/personId'],
      ['LineUnknown', '/entries/1/lineId'],
      ['TaskUnknown', '/entries/2/taskId'],
    ]);
    expect((await stored()).map((row) => row.entry_id)).toEqual(['D']);
  });

  test('of a task that belongs to another line is refused', async () => {
    const { id, ...line } = await database.db.selectFrom('contract_line').selectAll().executeTakeFirstOrThrow();
    await database.db
      .insertInto('contract_line')
      .values({ ...line, id: uuidv7(), line_id: 'OTHER' })
      .execute();
    const wrong = await report(entry({ lineId: 'OTHER' }));
    expect(wrong.rowErrors).toMatchObject([{ violation: 'TaskUnknown', path: '/entries/0/taskId' }]);
    await sql`delete from contract_line where id <> ${id}`.execute(database.db);
  });
});
