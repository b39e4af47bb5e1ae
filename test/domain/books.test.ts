import * as fc from 'fast-check';
import { revenueDue } from '../../domain/accounting/catch-up';
import { costByMonth, effortToDate } from '../../domain/accounting/effort';
import { balance } from '../../domain/accounting/journal';
import { missingPeriods, nextClosingStep } from '../../domain/accounting/period';
import { positionShown, revenueRecognised } from '../../domain/accounting/revenue-entries';
import { monthsBetween } from '../../domain/calendar/dates';
import { interestOn } from '../../domain/collections/interest';
import { type RevenueMonth } from '../../domain/engagement/model';
import { recogniseFixedFee } from '../../domain/engagement/revenue-fixed-fee';
import { isViolation } from '../../domain/violation';
import { fixedFeeLine } from '../support/builders';

const usd = (minor: number) => ({ minor, currency: 'USD' });
const dimensions = { customerId: null, projectId: null, lineId: 'L', serviceLine: null, practice: null, region: null };
const HEAD = { book: 'primary', entityId: 'LE', date: '2026-03-31', currency: 'USD', lineId: 'L', period: '2026-03', dimensions };
const FACTS = { milestones: [], usage: [], time: [], waivedOverage: {}, billed: [] };

describe('percent complete', () => {
  /** Price, cost to date and to complete per month, net billed by the end; what is published of it, in minor units. */
  test.each([
    { source: 'CJCPAs, year 1', fee: 1_000_000_000, efforts: [['2400000', '5600000']], billed: 0, toDate: [300_000_000] },
    { source: 'CJCPAs, years 1 and 2', fee: 1_000_000_000, efforts: [['2400000', '5600000'], ['5600000', '2900000']], billed: 0, toDate: [300_000_000, 658_823_529] }, // prettier-ignore
    { source: 'covinly, over-billed', fee: 100_000_000, efforts: [['425000', '425000']], billed: 55_000_000, toDate: [50_000_000], liability: 5_000_000 }, // prettier-ignore
    { source: 'covinly, under-billed', fee: 100_000_000, efforts: [['425000', '425000']], billed: 45_000_000, toDate: [50_000_000], asset: 5_000_000 }, // prettier-ignore
    { source: 'the-wip-tally', fee: 100_000_000, efforts: [['400000', '400000']], billed: 45_000_000, toDate: [50_000_000], asset: 5_000_000 }, // prettier-ignore
  ])('$source', ({ fee, efforts, billed, toDate, asset = undefined, liability = undefined }) => {
    const months = monthsBetween('2026-02', `2026-0${1 + efforts.length}`);
    const line = fixedFeeLine({ fixedFee: usd(fee), endDate: '2026-06-30' });
    const effort = months.map((period, index) => ({ period, toDate: efforts[index]?.[0] ?? '0', toComplete: efforts[index]?.[1] ?? '0' }));
    const facts = { ...FACTS, effort, billed: [{ period: '2026-02', amount: usd(billed) }] };
    const recognised = recogniseFixedFee(line, facts, months.at(-1) ?? '');
    if (isViolation(recognised)) throw new Error(recognised.detail);
    expect(recognised.map((month) => month.revenueToDate.minor)).toEqual(toDate);
    if (asset !== undefined) expect(recognised.at(-1)?.contractAsset.minor).toBe(asset);
    if (liability !== undefined) expect(recognised.at(-1)?.contractLiability.minor).toBe(liability);
  });

  test('the-wip-tally: 250,000 posted before leave 250,000 for the period', () => {
    const months = [month('2026-02', 25_000_000), month('2026-03', 25_000_000)];
    expect(revenueDue(months, new Map([['2026-02', 25_000_000]]), '2026-03')).toEqual([{ month: '2026-03', amountMinor: 25_000_000 }]);
  });

  test('cost in another currency is taken at the rate of the end of its month and not rounded', () => {
    const rates = [
      { base: 'EUR', quote: 'USD', date: '2026-02-27', rate: '1.1' },
      { base: 'EUR', quote: 'USD', date: '2026-03-31', rate: '1.2' },
    ];
    const costs = [
      { month: '2026-02', currency: 'EUR', amount: '10.005' },
      { month: '2026-02', currency: 'USD', amount: '1' },
      { month: '2026-03', currency: 'EUR', amount: '10' },
    ];
    expect(costByMonth(costs, 'USD', rates)).toEqual(new Map([['2026-02', '12.0055'], ['2026-03', '12']])); // prettier-ignore
    expect(costByMonth(costs, 'CHF', rates)).toMatchObject({ violation: 'FxRateMissing' });
  });

  test('a month without an estimate keeps the effort before it; the next estimate catches up; after the end none is needed', () => {
    const spent = new Map([['2026-01', '5'], ['2026-02', '10'], ['2026-03', '20'], ['2026-04', '40']]); // prettier-ignore
    const estimates = new Map([['2026-02', '85'], ['2026-04', '25']]); // prettier-ignore
    const { facts, withoutEstimate } = effortToDate(['2026-02', '2026-03', '2026-04', '2026-05'], spent, estimates, '2026-04');
    expect(facts).toEqual([
      { period: '2026-02', toDate: '15', toComplete: '85' },
      { period: '2026-03', toDate: '15', toComplete: '85' },
      { period: '2026-04', toDate: '75', toComplete: '25' },
      { period: '2026-05', toDate: '75', toComplete: '25' },
    ]);
    expect(withoutEstimate).toEqual(['2026-03']);
    expect(effortToDate(['2026-02'], spent, new Map(), '2026-04').facts).toEqual([{ period: '2026-02', toDate: '0', toComplete: '1' }]);
  });
});

function month(period: string, revenueMinor: number): RevenueMonth {
  const zero = usd(0);
  return { period, revenue: usd(revenueMinor), revenueToDate: zero, billedToDate: zero, contractAsset: zero, contractLiability: zero };
}

describe('catch-up', () => {
  test('what changed about a closed month is recognised now, under its own month', () => {
    const due = revenueDue([month('2026-02', 120), month('2026-03', 50)], new Map([['2026-01', 7], ['2026-02', 100]]), '2026-03'); // prettier-ignore
    expect(due).toEqual([
      { month: '2026-01', amountMinor: -7 },
      { month: '2026-02', amountMinor: 20 },
      { month: '2026-03', amountMinor: 50 },
    ]);
  });

  test('a month after the period is not recognised yet', () => {
    expect(revenueDue([month('2026-04', 120)], new Map(), '2026-03')).toEqual([]);
  });

  test('however the facts change from month to month, the sum posted is the revenue to date (I-10)', () => {
    const months = monthsBetween('2026-01', '2026-06');
    const versions = fc.array(fc.array(fc.integer({ min: -1_000_000, max: 1_000_000 }), { minLength: 6, maxLength: 6 }), { minLength: 6, maxLength: 6 }); // prettier-ignore
    fc.assert(
      fc.property(versions, (facts) => {
        const posted = new Map<string, number>();
        months.forEach((period, index) => {
          const earned = (facts[index] ?? []).map((minor, at) => month(months[at] ?? '', minor));
          for (const { month: about, amountMinor } of revenueDue(earned, posted, period)) {
            expect(balance(revenueRecognised({ ...HEAD, period, month: about, amountMinor }))).toBeNull();
            posted.set(about, (posted.get(about) ?? 0) + amountMinor);
          }
          const toDate = earned.filter((each) => each.period <= period).reduce((sum, each) => sum + each.revenue.minor, 0);
          expect([...posted.values()].reduce((sum, minor) => sum + minor, 0)).toBe(toDate);
        });
      }),
    );
  });
});

describe('contract position', () => {
  const shown = (contractBalance: number, contractAsset: number, contractLiability: number) =>
    positionShown({ ...HEAD, step: 'revenue', balances: { contractBalance, contractAsset, contractLiability } })?.lines.map((line) => [
      line.account,
      line.debitMinor - line.creditMinor,
    ]) ?? null;

  test('revenue ahead of billing is an asset, billing ahead of revenue a liability, and what is shown is moved by its difference', () => {
    expect(shown(0, 0, 0)).toBeNull();
    expect(shown(0, 500, 0)).toBeNull();
    expect(shown(500, 0, 0)).toEqual([['1250', -500], ['1200', 500]]); // prettier-ignore
    expect(shown(-300, 0, 0)).toEqual([['1250', 300], ['2100', -300]]); // prettier-ignore
    expect(shown(-800, 500, 0)).toEqual([['1250', 800], ['1200', -500], ['2100', -300]]); // prettier-ignore
  });

  test('whatever the balances, the contract balance is empty afterwards and only one side is shown', () => {
    const minor = fc.integer({ min: -1_000_000, max: 1_000_000 });
    fc.assert(
      fc.property(minor, fc.nat(1_000_000), fc.nat(1_000_000), (contractBalance, asset, liability) => {
        const moved = new Map(shown(contractBalance, asset, -liability)?.map(([account, by]) => [account, by]) ?? []);
        const of = (account: string, before: number): number => before + Number(moved.get(account) ?? 0);
        expect(of('1250', contractBalance)).toBe(0);
        const [assets, liabilities] = [of('1200', asset), of('2100', -liability)];
        expect(assets + liabilities).toBe(contractBalance + asset - liability);
        expect(assets >= 0 && liabilities <= 0 && (assets === 0 || liabilities === 0)).toBe(true);
      }),
    );
  });
});

describe('accounting months', () => {
  const policy = { softCloseDay: 7, closeDay: 15 };
  const periods = (states: Record<string, 'open' | 'soft-closed' | 'closed'>) =>
    Object.entries(states).map(([period, state]) => ({ period, state }));

  test('the first open month is soft-closed at its day in the zone of the entity, then closed, before the next one', () => {
    expect(nextClosingStep(periods({ '2026-02': 'open', '2026-03': 'open' }), policy, 'Asia/Tokyo')).toEqual({
      action: 'soft-close',
      period: '2026-02',
      at: '2026-03-06T15:00:00.000Z',
    });
    expect(nextClosingStep(periods({ '2026-02': 'soft-closed', '2026-03': 'open' }), policy, 'UTC')).toEqual({
      action: 'close',
      period: '2026-02',
      at: '2026-03-15T00:00:00.000Z',
    });
    expect(nextClosingStep(periods({ '2026-02': 'closed' }), policy, 'UTC')).toBeNull();
  });

  test('months follow each other without a gap', () => {
    expect(missingPeriods(['2025-12'], '2025-11', '2026-02')).toEqual(['2025-11', '2026-01', '2026-02']);
    expect(missingPeriods([], '2026-03', '2026-02')).toEqual([]);
  });
});

describe('interest', () => {
  const invoice = { invoiceId: 'I', reference: 'R', billToId: 'B', currency: 'USD', issueDate: '2026-03-02', dueDate: '2026-04-01', totalMinor: 10_000_000, reductions: [] }; // prettier-ignore
  test.each([
    { what: 'nothing up to the due date', reductions: [], asOf: '2026-04-01', minor: 0 },
    { what: '100,000.00 for 30 days at 8 %', reductions: [], asOf: '2026-05-01', minor: 65_753 },
    { what: 'a part paid late, the rest open', reductions: [{ on: '2026-04-11', amountMinor: 4_000_000 }], asOf: '2026-05-01', minor: 48_219 }, // prettier-ignore
    { what: 'paid in time', reductions: [{ on: '2026-04-01', amountMinor: 10_000_000 }], asOf: '2026-05-01', minor: 0 },
    { what: 'earned before a full payment', reductions: [{ on: '2026-04-02', amountMinor: 10_000_000 }], asOf: '2026-09-01', minor: 2_192 },
    { what: 'a payment after the day of the statement', reductions: [{ on: '2026-05-02', amountMinor: 10_000_000 }], asOf: '2026-05-01', minor: 65_753 }, // prettier-ignore
  ])('$what', ({ reductions, asOf, minor }) => {
    expect(interestOn({ ...invoice, reductions }, '8', asOf)).toEqual(usd(minor));
  });
});
