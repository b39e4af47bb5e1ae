import { type Kysely, type KyselyPlugin } from 'kysely';
import { uuidv7 } from 'uuidv7';
import { readReceivables } from '../../db/reads/receivables';
import { type DB } from '../../db/types';
import { type Facts, insertFacts } from '../support/api-facts';
import { testDatabase, type TestDatabase } from '../support/database';

/** Days of 2026 as numbers, so that moves of cash can be listed shortly. */
const day = (number: number): string => new Date(Date.UTC(2026, 3, number)).toISOString().slice(0, 10);
const SCOPE = { kind: 'group' } as const;

interface Move {
  readonly on: number;
  readonly minor: number;
  readonly back?: number;
}

describe('receivables of a day', () => {
  let database: TestDatabase;
  let db: Kysely<DB>;
  let facts: Facts;
  beforeEach(async () => {
    database = await testDatabase({ firm: true });
    db = database.db;
    facts = await insertFacts(db, 'LE-US', 'BA-US');
    await db.deleteFrom('payment_application').execute();
    await db.deleteFrom('collection_hold').execute();
    await db.updateTable('payment').set({ on_account_minor: 0 }).execute();
  });
  afterEach(() => database.drop());

  /** An invoice of 100 minor units of the first day, due on the tenth. */
  async function invoice(name: string, state: 'issued' | 'settled', settledOn: number | null, moves: readonly Move[]): Promise<void> {
    const id = uuidv7();
    const row = await db.selectFrom('invoice').selectAll().where('id', '=', facts.invoiceId).executeTakeFirstOrThrow();
    await db
      .insertInto('invoice')
      .values({
        ...row,
        ...{ id, reference: name, number: name, state, issue_date: day(1), due_date: day(10), open_minor: 0 },
        ...{ net_minor: 100, total_minor: 100, settled_at: settledOn === null ? null : `${day(settledOn)}T22:30:00Z` },
      })
      .execute();
    const { id: paymentId } = await db.selectFrom('payment').select('id').executeTakeFirstOrThrow();
    for (const { on, minor, back } of moves) {
      await db
        .insertInto('payment_application')
        .values({
          id: uuidv7(),
          payment_id: paymentId,
          invoice_id: id,
          kind: 'applied',
          amount_minor: minor,
          applied_on: day(on),
          reversed_on: back === undefined ? null : day(back),
        })
        .execute();
    }
  }

  const openOn = async (number: number): Promise<Record<string, string>> => {
    const { items } = await readReceivables(db, SCOPE, {}, day(number));
    return Object.fromEntries(items.filter((item) => item.invoiceId !== facts.invoiceId).map((item) => [item.reference, item.open]));
  };

  test('are what was open then, whatever became of it later', async () => {
    await invoice('paid-late', 'settled', 20, [{ on: 20, minor: 100 }]);
    await invoice('paid-in-parts', 'settled', 20, [
      { on: 5, minor: 30 },
      { on: 20, minor: 70 },
    ]);
    await invoice('came-back', 'settled', 25, [
      { on: 5, minor: 100, back: 15 },
      { on: 25, minor: 100 },
    ]);
    await invoice('credited', 'settled', 12, []);
    await invoice('booked-ahead', 'settled', 8, [{ on: 14, minor: 100 }]);
    await invoice('still-open', 'issued', null, [{ on: 5, minor: 30 }]);
    expect(await openOn(0)).toEqual({});
    expect(await openOn(4)).toEqual({
      'paid-late': '1.00',
      'paid-in-parts': '1.00',
      'came-back': '1.00',
      credited: '1.00',
      'booked-ahead': '1.00',
      'still-open': '1.00',
    });
    expect(await openOn(11)).toMatchObject({ 'paid-in-parts': '0.70', credited: '1.00', 'still-open': '0.70' });
    expect(Object.keys(await openOn(11))).not.toContain('came-back');
    expect(await openOn(13)).toEqual({ 'paid-late': '1.00', 'paid-in-parts': '0.70', 'booked-ahead': '1.00', 'still-open': '0.70' });
    expect(await openOn(16)).toEqual({ 'paid-late': '1.00', 'paid-in-parts': '0.70', 'came-back': '1.00', 'still-open': '0.70' });
    expect(await openOn(26)).toEqual({ 'still-open': '0.70' });
  });

  test('load no invoice that was settled by then', async () => {
    for (let number = 0; number < 30; number += 1) await invoice(`settled-${number}`, 'settled', 20, [{ on: 20, minor: 100 }]);
    await invoice('open', 'issued', null, []);
    const loaded: number[] = [];
    const counting: KyselyPlugin = {
      transformQuery: ({ node }) => node,
      transformResult: ({ result }) => {
        loaded.push(result.rows.length);
        return Promise.resolve(result);
      },
    };
    const { items } = await readReceivables(db.withPlugin(counting), SCOPE, {}, day(21));
    expect(items.map((item) => item.reference)).toContain('open');
    expect(Math.max(...loaded)).toBe(2);
    await readReceivables(db.withPlugin(counting), SCOPE, {}, day(19));
    expect(Math.max(...loaded)).toBe(32);
  });
});
