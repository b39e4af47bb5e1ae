import fc from 'fast-check';
import { addDays } from '../../domain/calendar/dates';
import { AGEING_BUCKETS, ageReceivables, bucketOf, daysOverdue, type Receivable } from '../../domain/collections/ageing';

const receivableOf = (invoiceId: string, totalMinor: number, changes: Partial<Receivable> = {}): Receivable => ({
  invoiceId,
  reference: `R-${invoiceId}`,
  billToId: 'BA-1',
  currency: 'USD',
  issueDate: '2026-03-02',
  dueDate: '2026-04-01',
  totalMinor,
  reductions: [],
  ...changes,
});

describe('ageing', () => {
  test.each([
    ['2026-03-15', 0, 'not-due'],
    ['2026-04-01', 0, 'not-due'], // due today is not overdue
    ['2026-04-02', 1, '1-30'],
    ['2026-05-01', 30, '1-30'],
    ['2026-05-02', 31, '31-60'],
    ['2026-05-31', 60, '31-60'],
    ['2026-06-01', 61, '61-90'],
    ['2026-06-30', 90, '61-90'],
    ['2026-07-01', 91, 'over-90'],
  ])('due on 1 April, on %s it is %d days overdue: %s', (asOf, days, bucket) => {
    expect([daysOverdue('2026-04-01', asOf), bucketOf(days)]).toEqual([days, bucket]);
    const { items } = ageReceivables([receivableOf('I', 100)], [], asOf);
    expect(items).toMatchObject([{ openMinor: 100, daysOverdue: days, bucket }]);
  });

  test('counts what is issued by the day, less what has reduced it by then', () => {
    const receivables = [
      receivableOf('paid', 1000, { reductions: [{ on: '2026-04-30', amountMinor: 1000 }] }),
      receivableOf('paid-later', 1000, { reductions: [{ on: '2026-05-01', amountMinor: 1000 }] }),
      receivableOf('in-part', 1000, {
        reductions: [
          { on: '2026-04-07', amountMinor: 300 },
          { on: '2026-04-08', amountMinor: 100 },
        ],
      }),
      receivableOf('reversed', 1000, {
        reductions: [
          { on: '2026-04-07', amountMinor: 1000 },
          { on: '2026-04-20', amountMinor: -1000 },
        ],
      }),
      receivableOf('issued-later', 1000, { issueDate: '2026-05-01' }),
      receivableOf('issued-today', 1000, { issueDate: '2026-04-30', dueDate: '2026-05-30' }),
    ];
    const { items } = ageReceivables(receivables, [], '2026-04-30');
    expect(items.map((each) => [each.invoiceId, each.openMinor])).toEqual([
      ['paid-later', 1000],
      ['in-part', 600],
      ['reversed', 1000],
      ['issued-today', 1000],
    ]);
  });

  test('sums per account and currency, with money on account beside and never netted', () => {
    const receivables = [
      receivableOf('a', 1000),
      receivableOf('b', 500, { dueDate: '2026-06-01' }),
      receivableOf('credit', -200, { dueDate: '2026-02-01' }),
      receivableOf('c', 70, { currency: 'EUR' }),
      receivableOf('d', 9, { billToId: 'BA-2' }),
    ];
    const onAccount = [
      { billToId: 'BA-1', currency: 'USD', amountMinor: 5000 },
      { billToId: 'BA-1', currency: 'USD', amountMinor: 1 },
      { billToId: 'BA-3', currency: 'SGD', amountMinor: 8 },
    ];
    const { summaries } = ageReceivables(receivables, onAccount, '2026-04-30');
    const none = { 'not-due': 0, '1-30': 0, '31-60': 0, '61-90': 0, 'over-90': 0 };
    expect(summaries).toEqual([
      {
        billToId: 'BA-1',
        currency: 'USD',
        openMinor: 1300,
        overdueMinor: 800,
        onAccountMinor: 5001,
        buckets: { ...none, 'not-due': 500, '1-30': 1000, '61-90': -200 },
      },
      { billToId: 'BA-1', currency: 'EUR', openMinor: 70, overdueMinor: 70, onAccountMinor: 0, buckets: { ...none, '1-30': 70 } },
      { billToId: 'BA-2', currency: 'USD', openMinor: 9, overdueMinor: 9, onAccountMinor: 0, buckets: { ...none, '1-30': 9 } },
      { billToId: 'BA-3', currency: 'SGD', openMinor: 0, overdueMinor: 0, onAccountMinor: 8, buckets: none },
    ]);
  });

  test('the buckets sum to what is open, all but the first to what is overdue', () => {
    const receivable = fc
      .tuple(
        fc.integer({ min: 0, max: 200 }),
        fc.integer({ min: 1, max: 1_000_000 }),
        fc.constantFrom('BA-1', 'BA-2'),
        fc.constantFrom('USD', 'JPY'),
      )
      .map(([age, totalMinor, billToId, currency]) =>
        receivableOf(`I-${age}`, totalMinor, { billToId, currency, dueDate: addDays('2026-06-30', 30 - age) }),
      );
    fc.assert(
      fc.property(fc.array(receivable, { maxLength: 20 }), (receivables) => {
        const { items, summaries } = ageReceivables(receivables, [], '2026-06-30');
        expect(summaries.reduce((sum, each) => sum + each.openMinor, 0)).toBe(receivables.reduce((sum, each) => sum + each.totalMinor, 0));
        expect(items).toHaveLength(receivables.length);
        for (const { buckets, openMinor, overdueMinor } of summaries) {
          expect(AGEING_BUCKETS.reduce((sum, bucket) => sum + buckets[bucket], 0)).toBe(openMinor);
          expect(openMinor - buckets['not-due']).toBe(overdueMinor);
        }
      }),
    );
  });
});
