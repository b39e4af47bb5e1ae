import { ApplicationFailure } from '@temporalio/common';
import { sql } from 'kysely';
import { effectOnce, type EffectContext } from '../../activities/effect-once';
import { reportStuck } from '../../activities/exceptions';
import { activity, Refusal } from '../../activities/refusal';
import { inRun } from '../support/activity-run';
import { testDatabase } from '../support/database';
import { emptied } from '../support/emptied';

type Database = Awaited<ReturnType<typeof testDatabase>>;

const context: EffectContext = {
  key: 'credit/INV-1',
  identity: { invoice: 'INV-1', amountMinor: 100 },
  at: '2026-03-02T09:00:00.000Z',
  actor: 'U-FC',
  workflowId: 'invoice/1',
};
const result = <T>(answer: T) => ({ answer, audit: { stream: 'deal/1', action: 'invoice.credited', subject: 'INV-1' } });

describe('an effect', () => {
  let database: Database;
  beforeAll(async () => {
    database = await testDatabase();
    await sql`create table credit (id serial primary key, amount bigint not null unique)`.execute(database.db);
  });
  afterAll(() => database.drop());
  beforeEach(async () => {
    await emptied(database.db, 'credit', 'effect', 'audit_entry', 'audit_head');
  });

  const credits = async () => (await sql<{ amount: number }>`select amount from credit`.execute(database.db)).rows.length;
  const audited = async () => (await database.db.selectFrom('audit_entry').selectAll().execute()).length;

  test('happens once: the second run gives the stored answer and does nothing', async () => {
    let runs = 0;
    const run = () =>
      effectOnce(database.db, context, async (trx) => {
        runs += 1;
        await sql`insert into credit (amount) values (100)`.execute(trx);
        return result({ number: 7, note: undefined });
      });
    const first = await run();
    expect(first).toEqual({ number: 7 });
    expect(await run()).toEqual(first);
    expect([runs, await credits(), await audited()]).toEqual([1, 1, 1]);
  });

  test('with the same key for another input is refused, and the first stays', async () => {
    await effectOnce(database.db, context, async () => result('first'));
    const other = effectOnce(database.db, { ...context, identity: { invoice: 'INV-1', amountMinor: 200 } }, async () => result('second'));
    await expect(other).rejects.toMatchObject({ violation: { violation: 'EffectIdentityMismatch' } });
    expect(await effectOnce(database.db, context, async () => result('third'))).toBe('first');
  });

  test('keeps its answer at another moment, because the moment is not its identity', async () => {
    await effectOnce(database.db, context, async () => result('first'));
    expect(await effectOnce(database.db, { ...context, at: '2027-01-01T00:00:00.000Z' }, async () => result('second'))).toBe('first');
  });

  test("that succeeds, or has succeeded before, is nobody's task any more where it was stuck; one that is refused stays a task", async () => {
    const { db } = database;
    const stuck = { ...context, name: 'creditInvoice' };
    const report = () =>
      inRun('invoice/1', () =>
        reportStuck({ db })({ effect: stuck.name, why: 'TaxIdMissing', code: 'TaxIdMissing', input: {}, at: context.at }),
      );
    const tasks = async () => {
      const open = (table: 'open_wait' | 'process_exception') => db.selectFrom(table).select('id').where('closed_at', 'is', null).execute();
      return [(await open('open_wait')).length, (await open('process_exception')).length];
    };
    await report();
    await expect(effectOnce(db, stuck, async () => ({ violation: 'TaxIdMissing', detail: 'still' }))).rejects.toBeInstanceOf(Refusal);
    expect(await tasks()).toEqual([1, 1]);
    await effectOnce(db, { ...stuck, key: 'other', name: 'somethingElse' }, async () => result('other'));
    expect(await tasks()).toEqual([1, 1]);
    await effectOnce(db, stuck, async () => result('first'));
    expect(await tasks()).toEqual([0, 0]);
    await report();
    await effectOnce(db, stuck, async () => result('second'));
    expect(await tasks()).toEqual([0, 0]);
  });

  test('that a rule refuses leaves nothing behind and can be tried again', async () => {
    const refused = effectOnce(database.db, context, async (trx) => {
      await sql`insert into credit (amount) values (100)`.execute(trx);
      return { violation: 'InvoiceSettled', detail: 'INV-1' };
    });
    await expect(refused).rejects.toBeInstanceOf(Refusal);
    expect([await credits(), await audited()]).toEqual([0, 0]);
    expect(await effectOnce(database.db, context, async () => result('done'))).toBe('done');
  });

  test('that fails half-way leaves nothing behind, and the error leaves as it is', async () => {
    const outage = new Error('connection lost');
    const failed = effectOnce(database.db, context, async (trx) => {
      await sql`insert into credit (amount) values (100)`.execute(trx);
      throw outage;
    });
    await expect(failed).rejects.toBe(outage);
    expect([await credits(), await audited()]).toEqual([0, 0]);
  });

  test('asked for by twenty at once happens once, with one answer for all', async () => {
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, caller) =>
        effectOnce(database.db, context, async (trx) => {
          await sql`insert into credit (amount) values (100)`.execute(trx);
          return result(caller);
        }),
      ),
    );
    expect(new Set(answers).size).toBe(1);
    expect([await credits(), await audited()]).toEqual([1, 1]);
  });

  test('that loses a race for a unique key, or is the victim of a conflict, looks again', async () => {
    for (const code of ['23505', '40001', '40P01']) {
      let tries = 0;
      const key = `${context.key}/${code}`;
      const answer = await effectOnce(database.db, { ...context, key }, async () => {
        tries += 1;
        if (tries < 3) throw Object.assign(new Error('raced'), { code });
        return result(tries);
      });
      expect(answer).toBe(3);
    }
    let tries = 0;
    const lost = effectOnce(database.db, { ...context, key: 'always' }, async () => {
      tries += 1;
      throw Object.assign(new Error('raced'), { code: '23505' });
    });
    await expect(lost).rejects.toMatchObject({ code: '23505' });
    expect(tries).toBe(4);
  });

  test('keeps an empty answer as null', async () => {
    expect(await effectOnce(database.db, context, async () => result(undefined))).toBeNull();
    expect(await effectOnce(database.db, context, async () => result('other'))).toBeNull();
  });

  test('writes who, when, what and for which run into the log', async () => {
    await effectOnce(database.db, context, async () => result(1));
    const [entry] = await database.db.selectFrom('audit_entry').selectAll().execute();
    expect(JSON.parse(entry?.content ?? '')).toMatchObject({
      stream: 'deal/1',
      sequence: 1,
      at: context.at,
      actor: 'U-FC',
      action: 'invoice.credited',
      subject: 'INV-1',
      workflowId: 'invoice/1',
    });
  });
});

describe('an activity', () => {
  test('turns a refusal into a failure that is not retried and carries the code', async () => {
    const refusing = activity(async (_invoice: string) => {
      throw new Refusal({ violation: 'InvoiceSettled', detail: 'INV-1' });
    });
    const error = await refusing('INV-1').catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(ApplicationFailure);
    expect(error).toMatchObject({
      type: 'InvoiceSettled',
      nonRetryable: true,
      details: [{ violation: 'InvoiceSettled', detail: 'INV-1' }],
    });
  });

  test('leaves an outage as it is and passes the answer of what works', async () => {
    const outage = new Error('connection lost');
    await expect(
      activity(async () => {
        throw outage;
      })(),
    ).rejects.toBe(outage);
    expect(await activity(async (a: number, b: number) => a + b)(1, 2)).toBe(3);
  });
});
