import fc from 'fast-check';
import { compare, plus, sum } from '../../domain/decimal';
import { overageAmount, overageMonths } from '../../domain/engagement/overage';
import { retainer } from '../../domain/engagement/retainer';
import { accepted, billingFacts, noOverage, retainerLine, revenueFacts, usd, worked } from './deal-builders';
import { context, OverageBook, type Delivered } from './overage-book';

/** Worked on a day, approved at a moment, and known from then on. */
const late = (entryId: string, workDate: string, hours: string, approvedAt: string, knownAt = approvedAt): Delivered => ({
  ...worked(workDate, hours, { entryId, approvedAt }),
  knownAt,
});
const plain = retainerLine({ rollover: null });
const itemsOf = (book: OverageBook, reference: string) =>
  book.documents.find(({ item }) => item.reference === reference)?.line.items.map(({ itemId, hours }) => `${itemId}: ${hours}`);

describe('hours approved after their month was settled', () => {
  test('go to the next run, on a document of their month with a number of its own, and stand there alone', () => {
    const book = new OverageBook(plain, [
      late('A', '2026-02-03', '19', '2026-02-09T12:00:00Z'),
      late('B', '2026-02-10', '4', '2026-02-16T12:00:00Z'),
      late('C', '2026-02-05', '2.5', '2026-03-10T12:00:00Z'),
    ]).playTo('2026-04-30T00:00:00Z');
    expect(book.documents.map(({ item, line }) => [item.itemKey, item.reference, item.trigger, line.quantity, line.amountMinor])).toEqual([
      [
        'overage/2026-02',
        'TST-L6-2026-02-OV',
        { kind: 'moment', draftAt: '2026-03-06T05:00:00.000Z', issueDate: '2026-03-06' },
        '3',
        93_000,
      ],
      [
        'overage/2026-02/2',
        'TST-L6-2026-02-OV2',
        { kind: 'moment', draftAt: '2026-04-06T04:00:00.000Z', issueDate: '2026-04-06' },
        '2.5',
        77_500,
      ],
    ]);
    expect(itemsOf(book, 'TST-L6-2026-02-OV')).toEqual(['B: 3']);
    expect(itemsOf(book, 'TST-L6-2026-02-OV2')).toEqual(['C: 2.5']);
  });

  test('a month that had nothing to bill gets its overage later, by the hours that crossed', () => {
    const book = new OverageBook(plain, [
      late('A', '2026-02-03', '18', '2026-02-09T12:00:00Z'),
      late('B', '2026-02-02', '5', '2026-03-06T05:00:00Z'),
    ]).playTo('2026-04-30T00:00:00Z');
    expect(book.references()).toEqual(['TST-L6-2026-02-OV2']);
    expect(itemsOf(book, 'TST-L6-2026-02-OV2')).toEqual(['B: 3']);
  });

  test('that find hours left are covered: nothing is planned', () => {
    const book = new OverageBook(plain, [
      late('A', '2026-02-03', '10', '2026-02-09T12:00:00Z'),
      late('B', '2026-02-04', '10', '2026-03-20T12:00:00Z'),
    ]).playTo('2026-04-30T00:00:00Z');
    expect(book.documents).toEqual([]);
    expect(book.items).toHaveLength(8);
  });

  test('of three months one run bills once, and what comes after that run goes to the one after', () => {
    const book = new OverageBook(plain, [
      late('A', '2026-02-03', '22', '2026-02-09T12:00:00Z'),
      late('B', '2026-02-04', '1', '2026-03-20T12:00:00Z'),
      late('C', '2026-02-05', '1', '2026-03-25T12:00:00Z'),
      late('D', '2026-02-06', '1', '2026-04-06T04:00:00Z'),
    ]).playOut();
    expect(book.references()).toEqual(['TST-L6-2026-02-OV', 'TST-L6-2026-02-OV2', 'TST-L6-2026-02-OV3']);
    expect(itemsOf(book, 'TST-L6-2026-02-OV2')).toEqual(['B: 1', 'C: 1']);
    expect(itemsOf(book, 'TST-L6-2026-02-OV3')).toEqual(['D: 1']);
  });

  test('a run that is late takes what was approved before its cut-off and no more', () => {
    const item = accepted(retainer.plan(plain, context)).find(({ itemKey }) => itemKey === 'overage/2026-02');
    const time = [worked('2026-02-03', '23'), worked('2026-02-04', '2', { approvedAt: '2026-03-06T05:00:00Z' })];
    expect(item && retainer.bill(plain, item, billingFacts({ time }))).toMatchObject({ lines: [{ quantity: '3' }] });
  });

  test('take rolled-over hours from the next month, whose overage rises: the rest of an entry billed in part is a part of its own', () => {
    const line = retainerLine({ includedHoursPerMonth: '5', rollover: { maxHours: '5', months: 1 } });
    const book = new OverageBook(line, [
      late('A', '2026-02-03', '2', '2026-02-09T12:00:00Z'),
      late('B', '2026-03-10', '10', '2026-03-16T12:00:00Z'),
      late('C', '2026-02-04', '3', '2026-04-10T12:00:00Z'),
    ]).playOut();
    expect(book.references()).toEqual(['TST-L6-2026-03-OV', 'TST-L6-2026-03-OV2']);
    expect(itemsOf(book, 'TST-L6-2026-03-OV')).toEqual(['B: 2']);
    expect(itemsOf(book, 'TST-L6-2026-03-OV2')).toEqual(['B/2: 3']);
    expect(book.billedOf('2026-03').amount).toEqual(usd('1550.00'));
  });

  test('hours whose price rounds to nothing, or costs nothing, keep nobody busy', () => {
    for (const rate of ['0.00', '0.01']) {
      const line = retainerLine({ rollover: null, overageRatePerHour: usd(rate) });
      const book = new OverageBook(line, [late('A', '2026-02-03', '20.25', '2026-03-09T12:00:00Z')]).playOut();
      expect(book.documents).toEqual([]);
      expect(book.items).toHaveLength(8);
    }
  });

  test('the documents of a month sum to the price of its hours, however often it was rounded', () => {
    const line = retainerLine({ rollover: null, overageRatePerHour: usd('0.05') });
    const book = new OverageBook(line, [
      late('A', '2026-02-03', '20.5', '2026-02-09T12:00:00Z'),
      late('B', '2026-02-04', '0.5', '2026-03-09T12:00:00Z'),
      late('C', '2026-02-05', '0.5', '2026-04-09T12:00:00Z'),
    ]).playOut();
    expect(book.documents.map((document) => document.line.amountMinor)).toEqual([3, 2, 3]);
    expect(book.billedOf('2026-02').amount).toEqual(overageAmount(line, '1.5'));
  });
});

describe('what finance decides about overage', () => {
  const deliveries = [late('A', '2026-02-03', '22', '2026-02-09T12:00:00Z'), late('B', '2026-02-04', '4', '2026-03-10T12:00:00Z')];

  test('waived hours are not billed, in part or whole', () => {
    const half = new OverageBook(plain, deliveries).playTo('2026-03-20T00:00:00Z').waive('2026-02', '1.5').playOut();
    expect(half.documents.map(({ line }) => line.quantity)).toEqual(['2', '2.5']);
    const whole = new OverageBook(plain, deliveries).playTo('2026-03-20T00:00:00Z').waive('2026-02', '4').playOut();
    expect(whole.documents.map(({ line }) => line.quantity)).toEqual(['2']);
    expect(whole.open('2026-02', '2026-12-31T00:00:00Z')).toBe('0');
  });

  test('waived hours are no revenue, hours that stay billed are', () => {
    const revenue = (waivedOverage: Record<string, string>) =>
      accepted(retainer.recognise(plain, revenueFacts({ time: [worked('2026-02-03', '25')], waivedOverage }), '2026-09')).at(-1)
        ?.revenueToDate;
    expect([{}, { '2026-02': '1' }, { '2026-02': '-1' }].map(revenue)).toEqual(['46350.00', '46040.00', '46660.00'].map(usd));
  });

  test('more billed than used is never credited in silence: it stays a point of finance until decided', () => {
    const follow = (waived: Record<string, string>) =>
      retainer.followUp?.(plain, {
        items: [{ itemKey: 'overage/2026-02', kind: 'retainer-overage', period: '2026-02', state: 'billed' }],
        time: [worked('2026-02-03', '21')],
        overage: { ...noOverage, billed: [{ entryId: 'T-2026-02-03', part: 1, hours: '3' }], waived },
        fees: [],
        context,
        at: '2026-04-01T00:00:00Z',
      });
    expect(follow({})).toEqual({
      items: [],
      open: [
        {
          code: 'OverageNotBilled',
          stage: 'billing',
          subject: 'L6/2026-02',
          ownerRole: 'finance-controller',
          action: 'decide on 2 overage hours billed too many',
        },
      ],
    });
    expect(follow({ '2026-02': '-2' })).toEqual({ items: [], open: [] });
  });
});

test('a rule for every order of approvals: billed and waived hours are the overage, no hour is billed twice, sums are exact', () => {
  const day = fc.integer({ min: 0, max: 150 }).map((days) => new Date(Date.UTC(2026, 1, 1 + days)).toISOString().slice(0, 10));
  const entry = fc.record({
    workDate: day,
    quarters: fc.integer({ min: 1, max: 96 }),
    approvedAfterDays: fc.integer({ min: 0, max: 120 }),
    knownAfterDays: fc.integer({ min: 0, max: 40 }),
  });
  const terms = fc.record({
    included: fc.integer({ min: 0, max: 40 }),
    rate: fc.integer({ min: 4, max: 9_999 }),
    rollover: fc.option(fc.record({ max: fc.integer({ min: 0, max: 40 }), months: fc.integer({ min: 0, max: 3 }) }), { nil: null }),
  });
  const waivers = fc.array(fc.record({ month: fc.integer({ min: 2, max: 6 }), at: day, percent: fc.integer({ min: 1, max: 100 }) }), {
    maxLength: 3,
  });
  let supplements = 0;
  fc.assert(
    fc.property(terms, fc.array(entry, { maxLength: 14 }), waivers, ({ included, rate, rollover }, entries, decisions) => {
      const line = retainerLine({
        endDate: '2026-06-30',
        includedHoursPerMonth: (included / 4).toString(),
        overageRatePerHour: { minor: rate, currency: 'USD' },
        rollover: rollover === null ? null : { maxHours: (rollover.max / 4).toString(), months: rollover.months },
      });
      const deliveries = entries.map(({ workDate, quarters, approvedAfterDays, knownAfterDays }, index) => {
        const approvedAt = moment(workDate, approvedAfterDays);
        const knownAt = moment(workDate, approvedAfterDays + knownAfterDays);
        return late(`E${index}`, workDate, (quarters / 4).toString(), approvedAt, knownAt);
      });
      const book = new OverageBook(line, deliveries);
      for (const { month, at, percent } of [...decisions].sort((a, b) => (a.at < b.at ? -1 : 1))) {
        const decidedAt = moment(at, 45);
        const open = book.playTo(decidedAt).open(`2026-0${month}`, decidedAt);
        const share = Math.floor((Number(open) * 4 * percent) / 100) / 4;
        if (share > 0) book.waive(`2026-0${month}`, share.toString());
      }
      book.playOut();
      supplements += book.items.length - 5;

      for (const { period, hours, billed, waived } of book.months('9999')) {
        expect(plus(billed, waived)).toBe(hours);
        expect(book.billedOf(period)).toEqual({ hours: billed, amount: overageAmount(line, billed) });
      }
      const parts = book.billed();
      expect(new Set(parts.map(({ entryId, part }) => `${entryId}/${part}`)).size).toBe(parts.length);
      for (const { entryId, hours } of deliveries)
        expect(compare(sum(parts.filter((part) => part.entryId === entryId).map((part) => part.hours)), hours)).toBeLessThanOrEqual(0);
      for (const { line: own } of book.documents) {
        expect(sum(own.items.map(({ hours }) => hours ?? '0'))).toBe(own.quantity);
        expect(own.items.reduce((total, { amountMinor }) => total + amountMinor, 0)).toBe(own.amountMinor);
      }
      expect(new Set(book.items.map(({ reference }) => reference)).size).toBe(book.items.length);
      const runs = book.items.map(({ period, trigger }) => `${period} ${JSON.stringify(trigger)}`);
      expect(new Set(runs).size).toBe(runs.length);
    }),
    { numRuns: 100 },
  );
  expect(supplements).toBeGreaterThan(50);
});

test('the order in which the same hours are approved changes the documents, not what is owed', () => {
  const hours = ['4', '6.25', '9', '3', '8.5'];
  const owed = [[0, 1, 2, 3, 4].map((index) => index), [4, 3, 2, 1, 0], [2, 0, 4, 1, 3]].map((order) => {
    const book = new OverageBook(
      retainerLine(),
      hours.map((each, index) =>
        late(`E${index}`, `2026-0${2 + (index % 2)}-1${index}`, each, moment('2026-02-20', 30 * (order[index] ?? 0))),
      ),
    ).playOut();
    return book.months('9999').map(({ period }) => book.billedOf(period));
  });
  expect(owed[1]).toEqual(owed[0]);
  expect(owed[2]).toEqual(owed[0]);
  expect(overageMonths(retainerLine(), { time: [], overage: noOverage }).every(({ open }) => open === '0')).toBe(true);
});

function moment(date: string, days: number): string {
  return new Date(Date.parse(`${date}T12:00:00Z`) + days * 86_400_000).toISOString();
}
