import { sql } from 'kysely';
import { claimEvents, failEvent, keepLeases, replayEvent, settleEvent } from '../../db/inbox-delivery';
import { inboxCounts, inboxEvent, putInboxEvent, type NewInboxEvent } from '../../db/inbox';
import { testDatabase } from '../support/database';

type Database = Awaited<ReturnType<typeof testDatabase>>;

const at = '2026-01-23T14:05:22.000Z';
let numbered = 0;
const event = (over: Partial<NewInboxEvent> = {}): NewInboxEvent => ({
  source: 'crm',
  eventId: `evt-${(numbered += 1)}`,
  type: 'deal.closed',
  subject: 'deal-1',
  sourceOrder: '1',
  occurredAt: at,
  businessReceivedAt: at,
  payload: { amount: '100.00' },
  ...over,
});

describe('the inbox', () => {
  let database: Database;
  beforeAll(async () => {
    database = await testDatabase();
  });
  afterAll(() => database.drop());
  beforeEach(async () => {
    await database.db.deleteFrom('process_exception').execute();
    await database.db.deleteFrom('inbox_event').execute();
  });

  const put = async (over: Partial<NewInboxEvent> = {}) => (await putInboxEvent(database.db, event(over))).row.id;
  const claim = async (owner = 'one', limit = 10, leaseSeconds = 30) =>
    // What the engine tells itself of an exception is beside these events.
    (await claimEvents(database.db, owner, limit, leaseSeconds)).filter((row) => row.source !== 'engine').map((row) => row.id);
  const dueNow = () => sql`update inbox_event set next_attempt_at = now() where state = 'received'`.execute(database.db);
  const expireLeases = () => sql`update inbox_event set lease_until = now() - interval '1 second'`.execute(database.db);

  test('keeps an event once, says so when it comes again, and whether it came with another content', async () => {
    const first = await putInboxEvent(database.db, event({ eventId: 'same', payload: { a: 1, b: [2] } }));
    const again = await putInboxEvent(database.db, event({ eventId: 'same', payload: { b: [2], a: 1 } }));
    const other = await putInboxEvent(database.db, event({ eventId: 'same', payload: { a: 2 } }));
    expect([first.inserted, again.inserted, other.inserted]).toEqual([true, false, false]);
    expect([again.sameContent, other.sameContent]).toEqual([true, false]);
    expect(other.row).toEqual(first.row);
    expect(first.row).toMatchObject({
      state: 'received',
      payload: { a: 1, b: [2] },
      occurred_at: at,
      business_received_at: at,
      source_order: '1',
    });
    expect((await putInboxEvent(database.db, event({ eventId: 'same', source: 'other' }))).inserted).toBe(true);
  });

  test('keeps an event once when twenty deliver it at once', async () => {
    const same = event({ eventId: 'raced' });
    const answers = await Promise.all(Array.from({ length: 20 }, () => putInboxEvent(database.db, same)));
    expect(answers.filter((answer) => answer.inserted).length).toBe(1);
    expect(new Set(answers.map((answer) => answer.row.id)).size).toBe(1);
  });

  test('keeps unknown and invalid events with their reasons and hands none of them on', async () => {
    const errors = [{ violation: 'FieldMissing', detail: 'currency', path: '/currency' }];
    await put({ state: 'invalid', errors });
    await put({ state: 'ignored' });
    expect(await claim()).toEqual([]);
    expect(await inboxCounts(database.db)).toEqual({ received: 0, delivered: 0, ignored: 1, invalid: 1, failed: 0, superseded: 0, due: 0 });
    const rows = await database.db.selectFrom('inbox_event').select(['errors', 'settled_at']).where('state', '=', 'invalid').execute();
    expect(rows[0]?.errors).toEqual(errors);
    expect(rows[0]?.settled_at).not.toBeNull();
  });

  test('wakes the dispatchers for what is to be handed on, once it is stored', async () => {
    const client = await database.pool.connect();
    const heard: string[] = [];
    client.on('notification', (message) => heard.push(message.payload ?? ''));
    await client.query('listen inbox');
    const wanted = await put({ eventId: 'heard' });
    await put({ eventId: 'heard' });
    await put({ eventId: 'unheard', state: 'ignored' });
    for (let tries = 0; tries < 50 && heard.length === 0; tries += 1) await new Promise((resolve) => setTimeout(resolve, 20));
    await client.query('select 1');
    client.release(true);
    expect(heard).toEqual([wanted]);
  });

  test('hands on one event at a time per subject, in the order of the source and not of arrival', async () => {
    const second = await put({ sourceOrder: '20' });
    const first = await put({ sourceOrder: '3' });
    const elsewhere = await put({ subject: 'deal-2', sourceOrder: '1' });
    expect((await claim()).sort()).toEqual([first, elsewhere].sort());
    expect(await claim('two')).toEqual([]);
    expect(await settleEvent(database.db, first, 'one', { state: 'delivered' }, at)).toBe(true);
    expect(await claim('two')).toEqual([second]);
  });

  test('holds back an earlier event that arrives while a later one is on its way', async () => {
    const late = await put({ sourceOrder: '20' });
    expect(await claim()).toEqual([late]);
    const early = await put({ sourceOrder: '3' });
    expect(await claim('two')).toEqual([]);
    await settleEvent(database.db, late, 'one', { state: 'delivered' }, at);
    expect(await claim('two')).toEqual([early]);
  });

  test('never gives a subject to two of ten dispatchers that claim at once, and forgets no event', async () => {
    for (let subject = 0; subject < 10; subject += 1) {
      for (let order = 0; order < 5; order += 1) await put({ subject: `deal-${subject}`, sourceOrder: String(order) });
    }
    const delivered: string[] = [];
    const busy = new Set<string>();
    const dispatch = async (owner: string): Promise<void> => {
      for (;;) {
        const rows = await claimEvents(database.db, owner, 2, 30);
        for (const row of rows) {
          expect(busy.has(row.subject)).toBe(false);
          busy.add(row.subject);
        }
        await new Promise((resolve) => setTimeout(resolve, 1));
        for (const row of rows) {
          delivered.push(`${row.subject}/${row.source_order}`);
          busy.delete(row.subject);
          expect(await settleEvent(database.db, row.id, owner, { state: 'delivered' }, at)).toBe(true);
        }
        if ((await inboxCounts(database.db)).received === 0) return;
      }
    };
    await Promise.all(Array.from({ length: 10 }, (_, index) => dispatch(`owner-${index}`)));
    expect(delivered.length).toBe(50);
    for (let subject = 0; subject < 10; subject += 1) {
      const orders = delivered.filter((each) => each.startsWith(`deal-${subject}/`));
      expect(orders).toEqual(Array.from({ length: 5 }, (_, order) => `deal-${subject}/${order}`));
    }
  });

  test('leaves an event to a dispatcher that keeps it, but not one whose lease has run out', async () => {
    const [kept, lost] = [await put({ subject: 'kept' }), await put({ subject: 'lost' })];
    expect((await claimEvents(database.db, 'slow', 2, 30)).map(({ id }) => id).sort()).toEqual([kept, lost].sort());
    await database.db
      .updateTable('inbox_event')
      .set({ lease_until: sql`now() - interval '1 second'` })
      .where('id', '=', lost)
      .execute();
    await keepLeases(database.db, 'slow', 90);
    expect(await claim('quick')).toEqual([lost]);
    const { rows } = await sql<{ kept: boolean }>`select lease_until > now() + interval '60 seconds' as kept from inbox_event where id = ${kept}`.execute(database.db); // prettier-ignore
    expect(rows).toEqual([{ kept: true }]);
  });

  test('gives the event of a dispatcher that died to another, and no longer listens to the first', async () => {
    const id = await put();
    expect(await claim('dead')).toEqual([id]);
    await expireLeases();
    expect(await claim('alive')).toEqual([id]);
    expect(await settleEvent(database.db, id, 'dead', { state: 'delivered' }, at)).toBe(false);
    expect(await failEvent(database.db, id, 'dead', { error: 'late', at })).toBe('lost');
    expect(await settleEvent(database.db, id, 'alive', { state: 'superseded' }, at)).toBe(true);
    expect(await inboxEvent(database.db, id)).toMatchObject({ state: 'superseded', attempts: 2, lease_owner: null });
  });

  test('waits longer after each failure, a minute at most, and keeps what follows in line', async () => {
    const id = await put();
    await put({ sourceOrder: '2' });
    const waits: number[] = [];
    for (let attempt = 1; attempt <= 9; attempt += 1) {
      expect(await claim()).toEqual([id]);
      expect(await failEvent(database.db, id, 'one', { error: 'boom', at })).toBe('retry');
      expect(await claim()).toEqual([]);
      const row = await sql<{
        seconds: string;
      }>`select extract(epoch from next_attempt_at - now()) as seconds from inbox_event where id = ${id}`.execute(database.db);
      waits.push(Math.round(Number(row.rows[0]?.seconds)));
      await dueNow();
    }
    expect(waits).toEqual([1, 2, 4, 8, 16, 32, 60, 60, 60]);
  });

  test('never ends in silence: after the last attempt somebody has a task, and those behind go on', async () => {
    const id = await put();
    const next = await put({ sourceOrder: '2' });
    for (const expected of ['retry', 'retry', 'failed']) {
      await dueNow();
      await claim('one', 1);
      expect(await failEvent(database.db, id, 'one', { error: 'boom', at, maxAttempts: 3 })).toBe(expected);
    }
    expect(await inboxEvent(database.db, id)).toMatchObject({ state: 'failed', errors: [{ violation: 'DeliveryFailed', detail: 'boom' }] });
    expect(await database.db.selectFrom('process_exception').selectAll().execute()).toMatchObject([
      { workflow_id: `inbox/${id}`, kind: 'inbox-event-failed', owner_role: 'operator', opened_at: at, closed_at: null },
    ]);
    expect(await claim()).toEqual([next]);
  });

  test('never gives an event up because something else is down', async () => {
    const id = await put();
    for (let attempt = 0; attempt < 15; attempt += 1) {
      await dueNow();
      expect(await claim()).toEqual([id]);
      expect(await failEvent(database.db, id, 'one', { error: 'Temporal is down', at, outage: true })).toBe('retry');
    }
    expect(await inboxCounts(database.db)).toMatchObject({ received: 1, failed: 0 });
  });

  test('is replayed on a person’s word, which is on record and ends the task', async () => {
    const id = await put();
    await claim();
    await failEvent(database.db, id, 'one', { error: 'boom', at, maxAttempts: 1 });
    const later = '2026-01-24T09:00:00.000Z';
    expect(await replayEvent(database.db, id, { actor: 'U-OPS', at: later })).toMatchObject({ state: 'received', attempts: 0, errors: [] });
    expect(await database.db.selectFrom('process_exception').select('closed_at').execute()).toEqual([{ closed_at: later }]);
    const entry = await database.db.selectFrom('audit_entry').select('content').where('stream', '=', 'inbox').executeTakeFirstOrThrow();
    expect(JSON.parse(entry.content)).toMatchObject({
      action: 'inbox-event.replayed',
      subject: id,
      actor: 'U-OPS',
      details: { was: 'failed' },
    });
    expect(await claim()).toEqual([id]);
  });

  test('is not replayed while it is on its way, after it was delivered, or if nobody knows it', async () => {
    const id = await put();
    expect(await replayEvent(database.db, id, { actor: 'U-OPS', at })).toMatchObject({ violation: 'InboxEventNotReplayable' });
    await claim();
    await settleEvent(database.db, id, 'one', { state: 'delivered' }, at);
    expect(await replayEvent(database.db, id, { actor: 'U-OPS', at })).toMatchObject({ violation: 'InboxEventNotReplayable' });
    const unknown = '018f0000-0000-7000-8000-000000000000';
    expect(await replayEvent(database.db, unknown, { actor: 'U-OPS', at })).toMatchObject({ violation: 'InboxEventUnknown' });
  });
});
