import fc from 'fast-check';
import { dealAmount, lineAmount } from '../../domain/deal/amount';
import { asSoldMargin, highestDiscountPercent, type CostedEstimate } from '../../domain/deal/margin';
import { convert, convertSum, crossRate, type FxRate } from '../../domain/fx';
import { money } from '../../domain/money';
import { accepted, cappedLine, csvOf, dealOf, eur, fixedFeeLine, managedServiceLine, refusal, retainerLine, usd } from './deal-builders';

const rate = (date: string, quote: string, value: string): FxRate => ({ date, base: 'EUR', quote, rate: value });
const rates = [
  rate('2026-01-22', 'USD', '1.2'),
  rate('2026-01-23', 'USD', '1.25'),
  rate('2026-01-23', 'JPY', '180'),
  rate('2026-01-26', 'USD', '1.3'),
];
const published = (): FxRate[] =>
  csvOf('fx-rates.csv').map(({ date = '', base = '', quote = '', rate: value = '' }) => ({ date, base, quote, rate: value }));

describe('the rate of a date', () => {
  test.each([
    ['GBP', 'USD', '2026-01-23'],
    ['USD', 'GBP', '2026-01-23'],
    ['USD', 'EUR', '2026-01-21'],
  ])('from %s to %s on %s is missing', (from, to, date) => {
    expect(refusal(crossRate(rates, from, to, date))).toBe('FxRateMissing');
  });

  test.each([
    ['EUR', 'USD', '2026-01-23', '1.25', '1', '2026-01-23'],
    ['EUR', 'USD', '2026-01-25', '1.25', '1', '2026-01-23'],
    ['USD', 'EUR', '2026-01-22', '1', '1.2', '2026-01-22'],
    ['USD', 'JPY', '2026-01-30', '180', '1.3', '2026-01-23'],
    ['GBP', 'GBP', '2026-01-30', '1', '1', '2026-01-30'],
  ])('from %s to %s on %s is %s / %s of %s', (from, to, date, numerator, denominator, asOf) => {
    expect(crossRate(rates, from, to, date)).toEqual({ from, to, numerator, denominator, asOf });
  });

  test('a cross rate is not rounded on its way: one of thirds comes back to the cent', () => {
    const thirds = [rate('2026-01-01', 'USD', '3'), rate('2026-01-01', 'SGD', '1')];
    const there = convert(money(100, 'USD'), accepted(crossRate(thirds, 'USD', 'SGD', '2026-01-01')), 'half-up');
    expect(there).toEqual(money(33, 'SGD'));
    expect(accepted(convertSum([money(100, 'USD'), money(100, 'USD'), money(100, 'USD')], 'SGD', thirds, '2026-01-01', 'half-up'))).toEqual(
      money(100, 'SGD'),
    );
  });

  test('an amount in another currency than the rate is a bug', () => {
    expect(() => convert(eur('1.00'), accepted(crossRate(rates, 'USD', 'EUR', '2026-01-23')), 'half-up')).toThrow(RangeError);
  });

  test('a sum of one amount is its conversion', () => {
    fc.assert(
      fc.property(fc.integer({ min: -1e11, max: 1e11 }), fc.integer({ min: 1, max: 1_000_000 }), (minor, scaled) => {
        const some = [rate('2026-01-01', 'USD', `${scaled / 10_000}`), rate('2026-01-01', 'JPY', '181.46')];
        const single = convert(money(minor, 'USD'), accepted(crossRate(some, 'USD', 'JPY', '2026-01-01')), 'half-up');
        expect(convertSum([money(minor, 'USD')], 'JPY', some, '2026-01-01', 'half-up')).toEqual(single);
      }),
    );
  });
});

describe('the amount of a deal', () => {
  test('without a rate it is unknown', () => {
    expect(refusal(dealAmount(dealOf(), [], 'USD', '2026-01-23'))).toBe('FxRateMissing');
  });

  test('with an uncapped line it is unknown', () => {
    expect(dealAmount(dealOf({ lines: [cappedLine({ notToExceed: null })] }), rates, 'USD', '2026-01-23')).toBeNull();
  });

  test('is fixed fees, caps, and months times the monthly fee', () => {
    expect(lineAmount(fixedFeeLine())).toEqual(usd('240000.00'));
    expect(lineAmount(cappedLine())).toEqual(usd('100000.00'));
    expect(lineAmount(managedServiceLine())).toEqual(eur('216000.00'));
    expect(lineAmount(retainerLine())).toEqual(usd('44800.00'));
    expect(lineAmount(retainerLine({ startDate: '2026-02-28', endDate: '2026-03-01' }))).toEqual(usd('11200.00'));
    const deal = dealOf({ lines: [...dealOf().lines, cappedLine()] });
    expect(dealAmount(deal, rates, 'USD', '2026-01-23')).toEqual(usd('654800.00'));
  });

  test('of the reference deal at the published rates of the request date', () => {
    const cut = dealOf();
    expect(dealAmount(cut, published(), 'USD', '2026-01-23')).toEqual(usd('539788.00'));
    const caps = [
      cappedLine({ lineId: 'L2', notToExceed: usd('1900000.00') }),
      cappedLine({ lineId: 'L3', currency: 'EUR', notToExceed: eur('1000000.00') }),
      cappedLine({ lineId: 'L4', currency: 'SGD', notToExceed: money(135_000_000, 'SGD') }),
      cappedLine({ lineId: 'L7', currency: 'JPY', notToExceed: money(90_000_000, 'JPY') }),
    ];
    expect(dealAmount(dealOf({ lines: [...cut.lines, ...caps] }), published(), 'USD', '2026-01-23')).toEqual(usd('5251850.64'));
  });
});

describe('the margin as sold', () => {
  const estimate = (lineId: string, hours: string, costPerHour: string | null): CostedEstimate => ({
    lineId,
    roleCode: 'PRN',
    hours,
    costPerHour,
  });

  test('is unknown without an estimate, without a cost, without a price', () => {
    const lines = [fixedFeeLine(), retainerLine(), cappedLine({ notToExceed: null })];
    const margin = accepted(
      asSoldMargin(dealOf({ lines }), [estimate('L6', '10', null), estimate('L4', '10', '50')], rates, 'USD', '2026-01-23'),
    );
    expect(margin.lines.map((line) => line.marginPercent)).toEqual([null, null, null]);
    expect(margin.blendedPercent).toBeNull();
  });

  test('without a rate the blend is refused', () => {
    expect(refusal(asSoldMargin(dealOf(), [estimate('L5', '1', '1')], [], 'USD', '2026-01-23'))).toBe('FxRateMissing');
  });

  test('is price after discount less cost, per line and blended in the group currency', () => {
    const lines = [fixedFeeLine({ feeDiscountPercent: '10' }), managedServiceLine()];
    const estimates = [estimate('L1', '1000', '100'), estimate('L1', '160', '50'), estimate('L5', '1080', '100')];
    const margin = accepted(asSoldMargin(dealOf({ lines }), estimates, rates, 'USD', '2026-01-23'));
    expect(margin.lines).toEqual([
      { lineId: 'L1', currency: 'USD', price: '216000', cost: '108000', marginPercent: '50' },
      { lineId: 'L5', currency: 'EUR', price: '216000', cost: '108000', marginPercent: '50' },
    ]);
    expect(margin.blendedPercent).toBe('50');
  });

  test.each([
    ['40', '40'],
    ['60.00000001', '39.999999'],
    ['100', '0'],
    ['133.33333333', '-33.333334'],
  ])('cost of %s percent of the price gives %s, towards the worse', (costPercent, marginPercent) => {
    const line = fixedFeeLine({ fixedFee: usd('100.00') });
    const cost = costPercent === '40' ? '60' : costPercent;
    const margin = accepted(asSoldMargin(dealOf({ lines: [line] }), [estimate('L1', '1', cost)], rates, 'USD', '2026-01-23'));
    expect(margin.lines[0]?.marginPercent).toBe(marginPercent);
  });

  test('the highest discount of any line counts', () => {
    expect(highestDiscountPercent(dealOf())).toBe('0');
    expect(
      highestDiscountPercent(dealOf({ lines: [cappedLine({ feeDiscountPercent: '2.5' }), cappedLine({ feeDiscountPercent: '10' })] })),
    ).toBe('10');
  });
});
