import * as fc from 'fast-check';
import { compare, times } from '../../domain/decimal';
import { minorDigits, toDecimal } from '../../domain/money';
import { entryAmount, priceEntry, unitPrice, upliftPercent, type Uplift } from '../../domain/rates/price';
import { rateBook } from '../../domain/rates/rate-book';
import { type HourType } from '../../domain/time-policy/entry';
import { accepted, refusal } from './deal-builders';

const uplift = (kind: Uplift['kind'], percent: string, changes: Partial<Uplift> = {}): Uplift => ({
  lineId: 'L3',
  kind,
  percent,
  validFrom: '2026-01-22',
  validTo: '2026-12-31',
  ...changes,
});
const UPLIFTS = [uplift('overtime', '15'), uplift('rest_day', '50'), uplift('onsite', '7.5'), uplift('onsite', '99', { lineId: 'L4' })];
const work = (hourType: HourType, onsite: boolean, workDate = '2026-05-04') => ({ lineId: 'L3', workDate, hourType, onsite });

describe('uplifts', () => {
  test.each<[HourType, boolean, string]>([
    ['regular', false, '0'],
    ['overtime', false, '15'],
    ['rest_day', false, '50'],
    ['regular', true, '7.5'],
    ['overtime', true, '22.5'],
    ['rest_day', true, '57.5'],
  ])('%s, on site %s: %s %', (hourType, onsite, percent) => {
    expect(upliftPercent(UPLIFTS, work(hourType, onsite))).toBe(percent);
  });

  test.each([
    ['2026-01-21', '0'],
    ['2026-01-22', '15'],
    ['2026-12-31', '15'],
    ['2027-01-01', '0'],
  ])('hold from the first to the last day: %s', (workDate, percent) => {
    expect(upliftPercent(UPLIFTS, work('overtime', false, workDate))).toBe(percent);
  });

  test('are added, never multiplied, in any order', () => {
    expect(unitPrice('100', upliftPercent(UPLIFTS, work('overtime', true)))).toBe('122.5');
    const percents = fc.array(
      fc.integer({ min: 0, max: 2000 }).map((tenths) => uplift('overtime', (tenths / 10).toString())),
      {
        maxLength: 6,
      },
    );
    fc.assert(
      fc.property(percents, fc.integer({ min: 0, max: 50 }), (list, turn) => {
        const turned = [...list.slice(turn % (list.length || 1)), ...list.slice(0, turn % (list.length || 1))].reverse();
        expect(upliftPercent(turned, work('overtime', false))).toBe(upliftPercent(list, work('overtime', false)));
      }),
    );
  });
});

describe('the price of an entry', () => {
  test('published: 8 hours at 100 and 2 hours of overtime at 15 % are 1,030', () => {
    const regular = entryAmount('8', unitPrice('100', '0'), 'USD').minor;
    const overtime = entryAmount('2', unitPrice('100', '15'), 'USD').minor;
    expect(regular + overtime).toBe(103_000);
  });

  test.each([
    ['7.25', '149.75', '0', 'EUR', 108_569], // 1,085.6875
    ['0.5', '100.01', '0', 'EUR', 5_001], // 50.005: half a cent goes up
    ['0.5', '100.0099', '0', 'EUR', 5_000], // 50.00495
    ['8', '252.54', '7.5', 'SGD', 217_184], // 8 × 271.4805 = 2,171.844
    ['7.5', '20626', '25', 'JPY', 193_369], // 7.5 × 25,782.5 = 193,368.75: yen have no minor unit
    ['1.5', '16283', '0', 'JPY', 24_425], // 24,424.5
    ['2', '10.0005', '0', 'KWD', 20_001],
  ])('%s h × %s + %s %% in %s', (hours, rate, percent, currency, minor) => {
    expect(entryAmount(hours, unitPrice(rate, percent), currency)).toEqual({ minor, currency });
  });

  test('is within half a minor unit of the exact product, and a tie goes up', () => {
    const hundredths = fc.integer({ min: 1, max: 2400 }).map((count) => (count / 100).toString());
    const rates = fc.integer({ min: 1, max: 5_000_000 }).map((count) => (count / 100).toString());
    fc.assert(
      fc.property(
        hundredths,
        rates,
        fc.constantFrom('0', '5', '7.5', '22.5'),
        fc.constantFrom('USD', 'JPY', 'KWD'),
        (h, r, p, currency) => {
          const price = unitPrice(r, p);
          const amount = toDecimal(entryAmount(h, price, currency));
          const half = `0.${'0'.repeat(minorDigits(currency))}5`;
          const exact = times(h, price);
          const difference = Number(amount) - Number(exact);
          expect(difference).toBeGreaterThan(-Number(half) - 1e-6);
          expect(difference).toBeLessThanOrEqual(Number(half) + 1e-6);
          expect(compare(amount, '0')).not.toBe(-1);
        },
      ),
    );
  });

  const query = {
    contractNumber: 'CT-1',
    customerId: 'C-1',
    sellingEntityId: 'E-1',
    currency: 'EUR',
    region: 'EU',
    date: '2026-05-04',
    personId: 'P-1',
    roleCode: 'SDV',
    serviceLine: 'erp-core',
    location: 'FR',
    unit: 'hour',
  };
  const book = rateBook([
    {
      rateId: 'R-1',
      cardId: 'RC',
      cardVersion: '1',
      scope: 'global',
      scopeId: null,
      currency: 'EUR',
      region: 'EU',
      roleCode: 'SDV',
      serviceLine: null,
      location: null,
      personId: null,
      unit: 'hour',
      rate: '149.75',
      validFrom: '2026-01-01',
      validTo: '2026-06-30',
    },
  ]);

  test('comes with the rule that won', () => {
    expect(accepted(priceEntry(book, UPLIFTS, { ...work('overtime', true), hours: '2' }, query))).toMatchObject({
      rate: { rateId: 'R-1', scope: 'global', score: 9 },
      upliftPercent: '22.5',
      unitPrice: '183.44375',
      amount: { minor: 36_689, currency: 'EUR' },
    });
  });

  test('is refused without a rate', () => {
    expect(refusal(priceEntry(book, UPLIFTS, { ...work('regular', false), hours: '2' }, { ...query, date: '2026-07-01' }))).toBe(
      'RateUnresolved',
    );
  });
});
