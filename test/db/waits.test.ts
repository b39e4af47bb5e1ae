import { sql } from 'kysely';
import { uuidv7 } from 'uuidv7';
import { wholeGroup } from '../../db/entity-scope';
import { closeWaits, dueRuns, nextWake, openWaits, replaceWaits, type Wait } from '../../db/waits';
import { testDatabase } from '../support/database';

type Database = Awaited<ReturnType<typeof testDatabase>>;

const wait = (over: Partial<Wait>): Wait => ({
  kind: 'approval',
  subject: 'A-1',
  role: 'cfo',
  entityId: 'LE-1',
  dealId: null,
  asks: 'decide',
  due: null,
  wakesAt: null,
  ...over,
});

describe('open waits', () => {
  let database: Database;
  beforeAll(async () => {
    database = await testDatabase();
  });
  afterAll(() => database.drop());
  beforeEach(async () => {
    await sql`truncate open_wait`.execute(database.db);
  });

  const replace = (workflowId: string, waits: Wait[], at: string) =>
    database.db.transaction().execute(async (trx) => (await replaceWaits(trx, workflowId, waits, at)).waits);

  test('keep their beginning while they stay, take new deadlines, and close when they are gone', async () => {
    await replace('deal/1', [wait({}), wait({ role: 'ceo' })], '2026-01-05T08:00:00Z');
    const second = await replace(
      'deal/1',
      [wait({ due: '2026-01-07T08:00:00+01:00', asks: 'decide now' }), wait({ kind: 'task', subject: 'T' })],
      '2026-01-06T08:00:00Z',
    );
    expect(second).toEqual([
      { ...wait({ due: '2026-01-07T07:00:00.000Z', asks: 'decide now' }), since: '2026-01-05T08:00:00.000Z' },
      { ...wait({ kind: 'task', subject: 'T' }), since: '2026-01-06T08:00:00.000Z' },
    ]);
    expect(await openWaits(database.db, { scope: wholeGroup })).toEqual(second.map((each) => ({ ...each, workflowId: 'deal/1' })));
    const closed = await database.db.selectFrom('open_wait').select(['role', 'closed_at']).where('closed_at', 'is not', null).execute();
    expect(closed).toMatchObject([{ role: 'ceo' }]);
    expect(new Date(closed[0]?.closed_at ?? '').toISOString()).toBe('2026-01-06T08:00:00.000Z');
  });

  test('begin anew when the same is waited for again after it was gone', async () => {
    await replace('deal/1', [wait({})], '2026-01-05T08:00:00Z');
    await replace('deal/1', [], '2026-01-06T08:00:00Z');
    expect(await replace('deal/1', [wait({})], '2026-01-07T08:00:00Z')).toMatchObject([{ since: '2026-01-07T08:00:00.000Z' }]);
  });

  test('of a stuck step stay until it is tried again, whatever else the run waits for', async () => {
    const stuck = wait({ kind: 'stuck', subject: 'issueInvoice', role: 'operator' });
    const since = '2026-01-05T08:00:00.000Z';
    await database.db
      .insertInto('open_wait')
      .values({
        id: uuidv7(),
        workflow_id: 'deal/1',
        kind: 'stuck',
        subject: stuck.subject,
        role: stuck.role,
        entity_id: stuck.entityId,
        asks: stuck.asks,
        since,
      }) // prettier-ignore
      .execute();
    expect(await replace('deal/1', [wait({})], '2026-01-06T08:00:00Z')).toEqual([
      { ...wait({}), since: '2026-01-06T08:00:00.000Z' },
      { ...stuck, since },
    ]);
    expect(await replace('deal/1', [], '2026-01-07T08:00:00Z')).toEqual([{ ...stuck, since }]);
    await database.db.transaction().execute((trx) => closeWaits(trx, 'deal/1', '2026-01-08T08:00:00Z'));
    expect(await openWaits(database.db, { scope: wholeGroup })).toEqual([]);
  });

  test('come by due moment, those without one last, then by kind, subject and role', async () => {
    const waits = [
      wait({ role: 'b' }),
      wait({ role: 'a' }),
      wait({ subject: 'later', due: '2026-03-01T00:00:00Z' }),
      wait({ subject: 'sooner', due: '2026-03-01T00:30:00+01:00' }),
      wait({ kind: 'Z' }),
    ];
    const order = ['approval/sooner/cfo', 'approval/later/cfo', 'Z/A-1/cfo', 'approval/A-1/a', 'approval/A-1/b'];
    const written = await replace('deal/1', waits, '2026-01-05T08:00:00Z');
    expect(written.map((each) => `${each.kind}/${each.subject}/${each.role}`)).toEqual(order);
    const read = await openWaits(database.db, { scope: wholeGroup });
    expect(read.map((each) => `${each.kind}/${each.subject}/${each.role}`)).toEqual(order);
  });

  test('are never the same twice', async () => {
    await expect(replace('deal/1', [wait({}), wait({ asks: 'other' })], '2026-01-05T08:00:00Z')).rejects.toThrow('twice');
  });

  test('of one run end with it and leave the others alone', async () => {
    await replace('deal/1', [wait({}), wait({ role: 'ceo' })], '2026-01-05T08:00:00Z');
    await replace('deal/2', [wait({})], '2026-01-05T08:00:00Z');
    await database.db.transaction().execute((trx) => closeWaits(trx, 'deal/1', '2026-01-06T08:00:00Z'));
    expect((await openWaits(database.db, { scope: wholeGroup })).map((each) => each.workflowId)).toEqual(['deal/2']);
  });

  test('tell which runs act by themselves and when next', async () => {
    expect(await nextWake(database.db)).toBeNull();
    await replace(
      'deal/1',
      [wait({ wakesAt: '2026-02-01T00:00:00Z' }), wait({ role: 'ceo', wakesAt: '2026-02-02T00:00:00Z' })],
      '2026-01-05T08:00:00Z',
    );
    await replace('deal/2', [wait({ wakesAt: '2026-03-01T00:00:00Z' })], '2026-01-05T08:00:00Z');
    await replace('deal/3', [wait({ due: '2026-01-06T00:00:00Z' })], '2026-01-05T08:00:00Z');
    expect(await nextWake(database.db)).toBe('2026-02-01T00:00:00.000Z');
    expect(await dueRuns(database.db, '2026-01-31T23:59:59Z')).toEqual([]);
    expect(await dueRuns(database.db, '2026-02-02T00:00:00Z')).toEqual(['deal/1']);
    expect(await dueRuns(database.db, '2026-03-01T01:00:00+01:00')).toEqual(['deal/1', 'deal/2']);
    await database.db.transaction().execute((trx) => closeWaits(trx, 'deal/1', '2026-02-02T00:00:00Z'));
    expect(await nextWake(database.db)).toBe('2026-03-01T00:00:00.000Z');
  });

  test('are read by run, role and scope: a reader of one entity does not see what another waits for', async () => {
    await replace(
      'deal/1',
      [wait({ entityId: 'LE-1' }), wait({ role: 'ceo', entityId: 'LE-2' }), wait({ role: 'run', entityId: null })],
      '2026-01-05T08:00:00Z',
    );
    const seen = async (filter: Omit<Parameters<typeof openWaits>[1], 'scope'>, ...entityIds: string[]) =>
      (await openWaits(database.db, { ...filter, scope: { kind: 'entities', entityIds } })).map((each) => each.role);
    expect(await seen({}, 'LE-1')).toEqual(['cfo']);
    expect(await seen({}, 'LE-1', 'LE-2')).toEqual(['ceo', 'cfo']);
    expect(await seen({})).toEqual([]);
    expect(await seen({ roles: ['ceo'] }, 'LE-1')).toEqual([]);
    const all = (filter: Omit<Parameters<typeof openWaits>[1], 'scope'>) => openWaits(database.db, { ...filter, scope: wholeGroup });
    expect((await all({ roles: ['ceo', 'run'] })).map((each) => each.role)).toEqual(['ceo', 'run']);
    expect(await all({ workflowIds: ['deal/2'] })).toEqual([]);
    expect(await all({ workflowIds: [] })).toEqual([]);
    expect((await all({ workflowIds: ['deal/1'] })).length).toBe(3);
  });
});
