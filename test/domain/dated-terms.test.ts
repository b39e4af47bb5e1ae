import fc from 'fast-check';
import { type LineTerms, type ManagedServiceLine } from '../../domain/deal/terms';
import { drawdown } from '../../domain/engagement/drawdown';
import { managedService } from '../../domain/engagement/managed-service';
import { overageMonths } from '../../domain/engagement/overage';
import { retainer } from '../../domain/engagement/retainer';
import { dueOfMonth, feeOfMonth, totalFee } from '../../domain/engagement/schedule';
import { settlements } from '../../domain/engagement/settlements';
import { asStopped, unearnedFees } from '../../domain/engagement/stop';
import { sumMoney } from '../../domain/money';
import {
  accepted,
  billingFacts,
  eur,
  managedServiceLine,
  newYork,
  noOverage,
  retainerLine,
  revenueFacts,
  usage,
  usd,
  worked,
} from './deal-builders';

const context = { shortCode: 'TST', sellingEntityCalendar: newYork, cutOffDay: 6, billingLeadWorkingDays: 3 };
const FROM = '2027-01-01';
const changed = <Line extends LineTerms>(line: Line, before: string, over: Partial<Line>): Line => ({
  ...line,
  ...over,
  earlier: [
    {
      before,
      version: 2,
      terms: Object.fromEntries(Object.keys(over).map((key) => [key, (line as unknown as Record<string, unknown>)[key]])),
    },
  ],
});

const extended: ManagedServiceLine = managedServiceLine({
  addOns: [{ addOnId: 'extended-hours', monthlyFee: eur('4200.00'), serviceFrom: '2027-01-18', serviceTo: '2027-09-30' }],
});

describe('an add-on', () => {
  const net = (line: ManagedServiceLine, itemKey: string) => {
    const item = accepted(managedService.plan(line, context)).find((each) => each.itemKey === itemKey);
    if (item === undefined) throw new Error(itemKey);
    const draft = managedService.bill(line, item, billingFacts());
    if (draft === null || !('lines' in draft)) throw new Error('no draft');
    return {
      planned: item.amount?.minor,
      lines: draft.lines.map((each) => [each.description.split(', ')[1], each.amountMinor, each.itemIds]),
    };
  };

  test('is billed on the invoice of the month, its first month for its days (S-18)', () => {
    const fee = extended.monthlyFee.minor;
    expect(net(extended, 'fee/2026-12').lines).toHaveLength(1);
    expect(net(extended, 'fee/2027-01')).toEqual({
      planned: fee + 189_677,
      lines: [
        ['monthly fee 2027-01', fee, ['L5/2027-01']],
        ['extended-hours 2027-01', 189_677, ['L5/extended-hours/2027-01']],
      ],
    });
    expect(net(extended, 'fee/2027-02').planned).toBe(fee + 420_000);
  });

  test('does not count towards commitment and credits (S-18)', () => {
    const reports = ['2026-10', '2026-11', '2026-12', '2027-01'].map((month) =>
      usage(month, { tickets: 1, p1Tickets: 2, p1WithinTarget: 1 }),
    );
    expect(settlements(extended, reports)).toEqual(settlements(managedServiceLine(), reports));
  });

  test('ends with its line when that is stopped, and what was billed beyond is credited (R-182)', () => {
    const stopped = asStopped(extended, '2027-02-14') as ManagedServiceLine;
    expect(dueOfMonth(stopped, '2027-02').minor - feeOfMonth(stopped, '2027-02').minor).toBe(210_000);
    const fees = [{ period: '2027-02', amount: dueOfMonth(extended, '2027-02'), issued: true }];
    expect(unearnedFees(stopped, fees)[0]?.amount).toEqual({
      minor: dueOfMonth(extended, '2027-02').minor - dueOfMonth(stopped, '2027-02').minor,
      currency: 'EUR',
    });
  });

  test('earns its fees by day over its own days (S-28)', () => {
    const to = (line: ManagedServiceLine, period: string) =>
      accepted(managedService.recognise(line, revenueFacts(), '2027-09')).find((each) => each.period === period)?.revenueToDate.minor ?? 0;
    const own = (period: string) => to(extended, period) - to(managedServiceLine(), period);
    // 35,496.77 over 256 days: 14 in January, all at the end
    expect(own('2026-12')).toBe(0);
    expect(own('2027-01')).toBe(Math.round((3_549_677 * 14) / 256));
    expect(own('2027-09')).toBe(3_549_677);
  });
});

describe('a fee that changes from a day on', () => {
  const line = changed(managedServiceLine(), FROM, {
    monthlyFee: eur('20000.00'),
    includedTicketsPerMonth: 0,
    overagePerTicket: eur('1.00'),
  });

  test('prices each month by its own terms', () => {
    expect(feeOfMonth(line, '2026-12')).toEqual(managedServiceLine().monthlyFee);
    expect(feeOfMonth(line, '2027-01')).toEqual(eur('20000.00'));
    const reports = [usage('2026-12', { tickets: 1_000 }), usage('2027-01', { tickets: 7 })];
    const of = (period: string, terms: ManagedServiceLine) => settlements(terms, reports).find((each) => each.period === period);
    expect(of('2026-12', line)).toMatchObject({ overage: (of('2026-12', managedServiceLine()) as { overage: unknown }).overage });
    expect(of('2027-01', line)).toMatchObject({ overageTickets: 7, overage: eur('7.00') });
  });

  test('leaves what was earned before, and spreads the rest over the days that remain (RULES Revenue: prospective)', () => {
    const months = (terms: ManagedServiceLine) => accepted(managedService.recognise(terms, revenueFacts(), '2027-09'));
    const before = months(managedServiceLine());
    const after = months(line);
    expect(after.slice(0, 3).map((each) => each.revenueToDate)).toEqual(before.slice(0, 3).map((each) => each.revenueToDate));
    expect(after.at(-1)?.revenueToDate).toEqual(totalFee(line));
    const rest = totalFee(line).minor - (before[2]?.revenueToDate.minor ?? 0);
    expect(after[3]?.revenue.minor).toBe(Math.round((rest * 31) / 273));
  });

  test('moves no month before any change, and comes to all fees at the end', () => {
    const fees = fc.array(fc.tuple(fc.integer({ min: 0, max: 11 }), fc.integer({ min: 0, max: 9_999_999 })), { maxLength: 5 });
    fc.assert(
      fc.property(fees, (steps) => {
        let terms = managedServiceLine();
        const months = accepted(managedService.recognise(terms, revenueFacts(), '2027-09')).map((each) => each.period);
        const order = steps.sort(([a], [b]) => a - b);
        for (const [index, [month, minor]] of order.entries()) {
          const day = `${months[month] ?? ''}-01`;
          const earlier = [...(terms.earlier ?? []), { before: day, version: index + 2, terms: { monthlyFee: terms.monthlyFee } }];
          const next = { ...terms, monthlyFee: { minor, currency: 'EUR' }, earlier };
          const known = accepted(managedService.recognise(terms, revenueFacts(), '2027-09'));
          const found = accepted(managedService.recognise(next, revenueFacts(), '2027-09'));
          expect(found.slice(0, month)).toEqual(known.slice(0, month));
          terms = next;
        }
        const end = accepted(managedService.recognise(terms, revenueFacts(), '2027-09')).at(-1);
        expect(end?.revenueToDate).toEqual(totalFee(terms));
        expect(totalFee(terms)).toEqual(sumMoney(months.map((month) => feeOfMonth(terms, month)), 'EUR')); // prettier-ignore
      }),
      { numRuns: 15 },
    );
  });
});

describe('a retainer that changes from a day on', () => {
  const line = changed(retainerLine(), '2026-04-01', { includedHoursPerMonth: '5', overageRatePerHour: usd('999.00') });

  test('draws each month from the hours included in it, and prices overage by the month of the work', () => {
    const hours = { '2026-03': '100', '2026-04': '100' };
    const included = (terms: typeof line, month: string) => drawdown(terms, hours).find((each) => each.period === month)?.fromIncluded;
    expect(included(line, '2026-03')).toBe(included(retainerLine(), '2026-03'));
    expect(included(line, '2026-04')).toBe('5');

    const time = [worked('2026-03-10', '100'), worked('2026-04-10', '100')];
    const priced = (month: string) => {
      const item = accepted(retainer.plan(line, context)).find((each) => each.itemKey === `overage/${month}`);
      if (item === undefined) throw new Error(month);
      const draft = retainer.bill(line, item, billingFacts({ time, overage: noOverage }));
      return draft !== null && 'lines' in draft ? draft.lines[0]?.unitPrice : null;
    };
    expect(overageMonths(line, { time, overage: noOverage }).map((each) => each.period)).toContain('2026-04');
    expect([priced('2026-03'), priced('2026-04')]).toEqual([String(retainerLine().overageRatePerHour.minor / 100), '999']);
  });
});
