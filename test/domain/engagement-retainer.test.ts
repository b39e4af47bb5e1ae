import fc from 'fast-check';
import { compare, minus, plus, sum } from '../../domain/decimal';
import { drawdown, hoursByMonth } from '../../domain/engagement/drawdown';
import { type BillingPlanItem, type TimeFact } from '../../domain/engagement/model';
import { retainer } from '../../domain/engagement/retainer';
import { straightLine } from '../../domain/engagement/revenue-monthly';
import { revenueMonths } from '../../domain/engagement/revenue-position';
import { feeOfMonth } from '../../domain/engagement/schedule';
import { sumMoney } from '../../domain/money';
import { accepted, billingFacts, csvOf, newYork, refusal, retainerLine, revenueFacts, usd, worked } from './deal-builders';

const context = { shortCode: 'TST', sellingEntityCalendar: newYork, cutOffDay: 6, billingLeadWorkingDays: 3 };
const plan = (line = retainerLine()): readonly BillingPlanItem[] => accepted(retainer.plan(line, context));
const itemOf = (key: string, line = retainerLine()): BillingPlanItem => plan(line).find((item) => item.itemKey === key) as BillingPlanItem;
const referenceTime = (): TimeFact[] =>
  csvOf('timesheets.csv')
    .filter((row) => row['line_id'] === 'L6')
    .map((row) => ({
      entryId: row['entry_id'] ?? '',
      workDate: row['work_date'] ?? '',
      hours: row['hours'] ?? '',
      approvedAt: row['approved_at'] ?? null,
      billable: row['billable'] === 'Y',
    }));

describe('billing a retainer', () => {
  test('twice is refused', () => {
    const facts = billingFacts({ billedItemKeys: ['fee/2026-02', 'overage/2026-02'] });
    expect(refusal(retainer.bill(retainerLine(), itemOf('fee/2026-02'), facts))).toBe('AlreadyBilled');
    expect(refusal(retainer.bill(retainerLine(), itemOf('overage/2026-02'), facts))).toBe('AlreadyBilled');
  });

  test('a month without overage has no document', () => {
    expect(retainer.bill(retainerLine(), itemOf('overage/2026-02'), billingFacts({ time: [worked('2026-02-03', '20')] }))).toBeNull();
  });

  test('a calendar without working days has no plan', () => {
    const idle = { ...context, sellingEntityCalendar: { ...newYork, workingWeekdays: [] } };
    expect(refusal(retainer.plan(retainerLine(), idle))).toBe('CalendarWithoutWorkingDay');
  });

  test('unapproved time is shown and does not hold the run; unpaid hours hold it where the fee comes first', () => {
    const facts = billingFacts({ time: [worked('2026-02-03', '25'), worked('2026-02-04', '1', { approvedAt: null })] });
    const item = itemOf('overage/2026-02');
    expect(retainer.readiness(retainerLine(), item, facts)).toEqual([
      expect.objectContaining({ code: 'TimeNotApproved', severity: 'warns' }),
    ]);
    const prepaid = retainerLine({ availability: 'on-payment' });
    expect(retainer.readiness(prepaid, item, facts).map(({ code }) => code)).toEqual(['TimeNotApproved', 'RetainerNotAvailable']);
    expect(retainer.readiness(prepaid, item, { ...facts, settledItemKeys: ['fee/2026-02'] }).map(({ code }) => code)).toEqual([
      'TimeNotApproved',
    ]);
    expect(retainer.readiness(prepaid, itemOf('fee/2026-02'), facts)).toEqual([]);
  });

  test('published: 2,000 a month with 20 hours and 120 an hour beyond, 25 hours cost 2,600', () => {
    const line = retainerLine({ monthlyFee: usd('2000.00'), overageRatePerHour: usd('120.00'), rollover: null });
    const facts = billingFacts({ time: [worked('2026-02-03', '18'), worked('2026-02-10', '7')] });
    const fee = retainer.bill(line, itemOf('fee/2026-02'), facts);
    const overage = retainer.bill(line, itemOf('overage/2026-02'), facts);
    expect(fee).toMatchObject({
      kind: 'advance-fee',
      reference: 'TST-L6-2026-02',
      lines: [{ amountMinor: 200_000, quantity: '1', unit: 'month', unitPrice: '2000' }],
    });
    expect(overage).toMatchObject({
      kind: 'retainer-overage',
      reference: 'TST-L6-2026-02-OV',
      period: '2026-02',
      lines: [{ amountMinor: 60_000, quantity: '5', unit: 'hour', unitPrice: '120', itemKind: 'time-entry', itemIds: ['T-2026-02-10'] }],
    });
  });

  test('a fee of a month in part is prorated by day, half-up', () => {
    const line = retainerLine({ startDate: '2026-02-15', endDate: '2026-04-10' });
    expect(['2026-02', '2026-03', '2026-04'].map((month) => feeOfMonth(line, month))).toEqual([
      usd('2800.00'),
      usd('5600.00'),
      usd('1866.67'),
    ]);
    expect(feeOfMonth(line, '2026-05')).toEqual(usd('0.00'));
    expect(retainer.bill(line, itemOf('fee/2026-04', line), billingFacts())).toMatchObject({
      lines: [{ amountMinor: 186_667, quantity: null, unitPrice: null }],
    });
  });
});

describe('the plan of a retainer', () => {
  test('has a fee and an overage for each month, each drafted and issued on its day', () => {
    const items = plan(retainerLine({ startDate: '2026-02-01', endDate: '2026-03-31' }));
    expect(items).toEqual([
      {
        itemKey: 'fee/2026-02',
        lineId: 'L6',
        kind: 'advance-fee',
        period: '2026-02',
        trigger: { kind: 'moment', draftAt: '2026-01-28T14:00:00.000Z', issueDate: '2026-02-02' },
        reference: 'TST-L6-2026-02',
        amount: usd('5600.00'),
      },
      expect.objectContaining({
        itemKey: 'fee/2026-03',
        trigger: { kind: 'moment', draftAt: '2026-02-25T14:00:00.000Z', issueDate: '2026-03-02' },
      }),
      expect.objectContaining({
        itemKey: 'overage/2026-02',
        reference: 'TST-L6-2026-02-OV',
        amount: null,
        trigger: { kind: 'moment', draftAt: '2026-03-06T05:00:00.000Z', issueDate: '2026-03-06' },
      }),
      expect.objectContaining({
        itemKey: 'overage/2026-03',
        trigger: { kind: 'moment', draftAt: '2026-04-06T04:00:00.000Z', issueDate: '2026-04-06' },
      }),
    ]);
  });

  test('the lead counts working days only', () => {
    const [first] = plan(retainerLine({ startDate: '2026-06-01', endDate: '2026-06-30' }));
    expect(first?.trigger).toEqual({ kind: 'moment', draftAt: '2026-05-27T13:00:00.000Z', issueDate: '2026-06-01' });
  });

  test('item keys and references are unique', () => {
    const items = plan();
    expect(items).toHaveLength(16);
    expect(new Set(items.map((item) => item.itemKey)).size).toBe(16);
    expect(new Set(items.map((item) => item.reference)).size).toBe(16);
  });
});

describe('the drawdown', () => {
  test('uses rolled-over hours first, rolls up to the limit, expires the rest, and rolls nothing out of the last month', () => {
    const rows = drawdown(retainerLine(), hoursByMonth(referenceTime()));
    expect(
      rows.map((row) => [
        row.period,
        row.used,
        row.rolledIn,
        row.fromRollover,
        row.fromIncluded,
        row.overageHours,
        row.rolledOut,
        row.expired,
      ]),
    ).toEqual([
      ['2026-02', '16', '0', '0', '16', '0', '4', '0'],
      ['2026-03', '22', '4', '4', '18', '0', '2', '0'],
      ['2026-04', '27', '2', '2', '20', '5', '0', '0'],
      ['2026-05', '20', '0', '0', '20', '0', '0', '0'],
      ['2026-06', '9', '0', '0', '9', '0', '10', '1'],
      ['2026-07', '34.5', '10', '10', '20', '4.5', '0', '0'],
      ['2026-08', '18', '0', '0', '18', '0', '2', '0'],
      ['2026-09', '24', '2', '2', '20', '2', '0', '0'],
    ]);
  });

  test('the reference hours give three overage invoices', () => {
    const facts = billingFacts({ time: referenceTime() });
    const drafts = plan().flatMap((item) => (item.kind === 'retainer-overage' ? (retainer.bill(retainerLine(), item, facts) ?? []) : []));
    expect(drafts).toMatchObject([
      { reference: 'TST-L6-2026-04-OV', lines: [{ amountMinor: 155_000 }] },
      { reference: 'TST-L6-2026-07-OV', lines: [{ amountMinor: 139_500 }] },
      { reference: 'TST-L6-2026-09-OV', lines: [{ amountMinor: 62_000 }] },
    ]);
  });

  test('rolled hours live as many months as the terms say', () => {
    const line = retainerLine({ rollover: { maxHours: '10', months: 2 }, endDate: '2026-05-31' });
    const rows = drawdown(line, { '2026-02': '15', '2026-03': '20', '2026-04': '24', '2026-05': '0' });
    expect(rows.map((row) => [row.rolledIn, row.fromRollover, row.overageHours, row.rolledOut, row.expired])).toEqual([
      ['0', '0', '0', '5', '0'],
      ['5', '5', '0', '5', '0'],
      ['5', '5', '0', '1', '0'],
      ['1', '0', '0', '0', '21'],
    ]);
  });

  test('hours are neither lost nor made', () => {
    const quarters = fc.integer({ min: 0, max: 200 }).map((count) => (count / 4).toString());
    fc.assert(
      fc.property(
        fc.array(quarters, { minLength: 8, maxLength: 8 }),
        quarters,
        fc.integer({ min: 0, max: 3 }),
        (used, maxHours, months) => {
          const line = retainerLine({ rollover: { maxHours, months } });
          const rows = drawdown(line, Object.fromEntries(used.map((hours, index) => [`2026-0${index + 2}`, hours])));
          rows.forEach((row, index) => {
            expect(sum([row.fromRollover, row.fromIncluded, row.overageHours])).toBe(row.used);
            expect(sum([row.fromRollover, row.fromIncluded, row.rolledOut, row.expired])).toBe(
              plus(row.rolledIn, line.includedHoursPerMonth),
            );
            expect(row.rolledIn).toBe(rows[index - 1]?.rolledOut ?? '0');
            expect([row.overageHours, row.rolledOut, row.expired].every((hours) => compare(hours, '0') >= 0)).toBe(true);
          });
          expect(rows.at(-1)?.rolledOut).toBe('0');
        },
      ),
    );
  });

  test('only approved, billable hours count, whoever worked them', () => {
    const time = [
      worked('2026-02-03', '1.25'),
      worked('2026-02-04', '2', { approvedAt: null }),
      worked('2026-02-05', '4', { billable: false }),
      worked('2026-02-28', '0.75'),
    ];
    expect(hoursByMonth(time)).toEqual({ '2026-02': '2' });
  });

  test('the entry that crosses the covered hours stands on the overage, those before it do not', () => {
    const time = [
      worked('2026-02-10', '3', { entryId: 'B' }),
      worked('2026-02-03', '19'),
      worked('2026-02-10', '1', { entryId: 'A' }),
      worked('2026-02-11', '1'),
    ];
    const draft = accepted(retainer.bill(retainerLine(), itemOf('overage/2026-02'), billingFacts({ time })));
    expect(draft).toMatchObject({
      lines: [
        {
          quantity: '4',
          itemIds: ['B', 'T-2026-02-11'],
          items: [
            { itemId: 'B', hours: '3', amountMinor: 93_000 },
            { itemId: 'T-2026-02-11', hours: '1', amountMinor: 31_000 },
          ],
        },
      ],
    });
  });
});

describe('revenue of a retainer', () => {
  test('published: 365 a year are 31, 28 and 31, with 334 deferred at the end of January', () => {
    const toDate = straightLine(usd('365.00'), '2026-01-01', '2026-12-31', ['2026-01', '2026-02', '2026-03']);
    const months = revenueMonths(toDate, [{ period: '2026-01', amount: usd('365.00') }], 'USD');
    expect(months.map((month) => month.revenue)).toEqual([usd('31.00'), usd('28.00'), usd('31.00')]);
    expect(months[0]).toMatchObject({ contractLiability: usd('334.00'), contractAsset: usd('0.00') });
  });

  test('published: a month of 31 from 15 January earns 17 in January and defers 14', () => {
    const toDate = straightLine(usd('31.00'), '2026-01-15', '2026-02-14', ['2025-12', '2026-01', '2026-02', '2026-03']);
    expect(toDate.map((month) => month.toDate)).toEqual([usd('0.00'), usd('17.00'), usd('31.00'), usd('31.00')]);
  });

  test('fees by day, cumulative half-up, overage in the month of the work, and the months sum to what is billed', () => {
    const facts = revenueFacts({ time: referenceTime() });
    const months = accepted(retainer.recognise(retainerLine(), facts, '2026-10'));
    expect(months.map((month) => month.revenue)).toEqual(
      ['5183.47', '5738.84', '7103.72', '5738.85', '5553.72', '7133.84', '5738.84', '6173.72', '0.00'].map(usd),
    );
    expect(
      sumMoney(
        months.map((month) => month.revenue),
        'USD',
      ),
    ).toEqual(usd('48365.00'));
  });

  test('another method is refused, as-invoiced follows the documents', () => {
    const facts = revenueFacts({ billed: [{ period: '2026-03', amount: usd('5600.00') }] });
    expect(refusal(retainer.recognise(retainerLine({ revenueMethod: 'milestone' }), facts, '2026-03'))).toBe('RevenueMethodNotSupported');
    const months = accepted(retainer.recognise(retainerLine({ revenueMethod: 'as-invoiced' }), facts, '2026-03'));
    expect(months.map((month) => month.revenue)).toEqual([usd('0.00'), usd('5600.00')]);
  });
});

describe('changing and finishing a retainer', () => {
  const facts = { acceptedMilestoneIds: [], billedToDate: usd('0.00'), lastBilledMonth: null };
  test('hours, rates and the end may change, the availability may not', () => {
    expect(retainer.change(retainerLine(), [{ path: 'includedHoursPerMonth', to: '25' }], facts)).toEqual(
      retainerLine({ includedHoursPerMonth: '25' }),
    );
    expect(refusal(retainer.change(retainerLine(), [{ path: 'availability', to: 'on-payment' }], facts))).toBe('TermNotChangeable');
  });

  test.each([
    ['0', '0', 'bill or waive 5 overage hours'],
    ['2', '1', 'bill or waive 2 overage hours'],
    ['6', '0', 'decide on 1 overage hours billed too many'],
  ])('overage of 5 hours of which %s are billed and %s waived stays open', (hours, waived, action) => {
    const done = { items: [], invoices: [], milestones: [], time: [worked('2026-02-03', '25')] };
    const overage = (billedHours: string, waivedHours: string) => ({
      billed: [{ entryId: 'T-2026-02-03', part: 1, hours: billedHours }],
      waived: { '2026-02': waivedHours },
      runs: [],
    });
    expect(retainer.finish(retainerLine(), { ...done, overage: overage(hours, waived) })).toEqual([
      expect.objectContaining({ code: 'OverageNotBilled', stage: 'billing', subject: 'L6/2026-02', action }),
    ]);
    expect(retainer.finish(retainerLine(), { ...done, overage: overage(hours, minus('5', hours)) })).toEqual([]);
  });
});
