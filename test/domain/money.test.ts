import fc from 'fast-check';
import {
  addMoney,
  allocate,
  compareMoney,
  formatMoney,
  isCurrency,
  minorDigits,
  money,
  multiplyByRatio,
  multiplyMoney,
  negateMoney,
  parseMoney,
  percentOf,
  roundToMoney,
  subtractMoney,
  sumMoney,
  toDecimal,
  zeroMoney,
  type Money,
} from '../../domain/money';
import { minorDigitsByCurrency } from '../../domain/currency';

const currencies = ['JPY', 'CLP', 'USD', 'EUR', 'KWD', 'CLF'];
const anyMoney = fc.record({ minor: fc.maxSafeInteger(), currency: fc.constantFrom(...currencies) });
const usd = (minor: number): Money => ({ minor, currency: 'USD' });

describe('reading and writing money', () => {
  test.each([
    ['1.234', 'USD', 'MoneyTooPrecise'],
    ['1.000', 'USD', 'MoneyTooPrecise'],
    ['1.0', 'JPY', 'MoneyTooPrecise'],
    ['1.2345', 'KWD', 'MoneyTooPrecise'],
    ['1e3', 'USD', 'MoneyMalformed'],
    ['+1', 'USD', 'MoneyMalformed'],
    ['1,000.00', 'USD', 'MoneyMalformed'],
    ['.50', 'USD', 'MoneyMalformed'],
    ['5.', 'USD', 'MoneyMalformed'],
    ['007', 'USD', 'MoneyMalformed'],
    [' 1', 'USD', 'MoneyMalformed'],
    ['', 'USD', 'MoneyMalformed'],
    ['NaN', 'USD', 'MoneyMalformed'],
    ['90071992547409.92', 'USD', 'MoneyTooLarge'],
    ['-90071992547409.92', 'USD', 'MoneyTooLarge'],
    ['1'.repeat(41), 'USD', 'MoneyMalformed'],
    ['1.00', 'usd', 'CurrencyUnknown'],
    ['1.00', 'XXX', 'CurrencyUnknown'],
    ['1.00', 'DEM', 'CurrencyUnknown'],
    ['1.00', 'constructor', 'CurrencyUnknown'],
  ])('refuses %j %s as %s', (text, currency, violation) => expect(parseMoney(text, currency)).toMatchObject({ violation }));

  test('refuses a float', () => expect(parseMoney(240000.5 as unknown as string, 'USD')).toMatchObject({ violation: 'MoneyMalformed' }));

  test.each([
    ['240000.00', 'USD', 24_000_000, '240000.00'],
    ['250000', 'USD', 25_000_000, '250000.00'],
    ['0.5', 'USD', 50, '0.50'],
    ['-12.5', 'EUR', -1250, '-12.50'],
    ['-0.01', 'EUR', -1, '-0.01'],
    ['-0', 'EUR', 0, '0.00'],
    ['90000000', 'JPY', 90_000_000, '90000000'],
    ['-7', 'JPY', -7, '-7'],
    ['1.005', 'KWD', 1005, '1.005'],
    ['0.0001', 'CLF', 1, '0.0001'],
    ['90071992547409.91', 'USD', Number.MAX_SAFE_INTEGER, '90071992547409.91'],
  ])('%s %s is %d minor units and is written %s', (text, currency, minor, written) => {
    expect(parseMoney(text, currency)).toEqual({ minor, currency });
    expect(formatMoney({ minor, currency })).toBe(written);
  });

  test('what is written is read back', () => {
    fc.assert(
      fc.property(anyMoney, (amount) =>
        expect(parseMoney(formatMoney(amount), amount.currency)).toEqual(money(amount.minor, amount.currency)),
      ),
    );
  });

  test('every currency has 0, 2, 3 or 4 digits and a code of three letters', () => {
    expect(minorDigitsByCurrency.size).toBeGreaterThan(150);
    for (const [code, digits] of minorDigitsByCurrency)
      expect([/^[A-Z]{3}$/.test(code), [0, 2, 3, 4].includes(digits)]).toEqual([true, true]);
    expect(['CLP', 'JPY', 'EUR', 'SGD', 'KWD', 'BHD', 'UYW'].map(minorDigits)).toEqual([0, 0, 2, 2, 3, 3, 4]);
    expect(isCurrency('XAU')).toBe(false);
    expect(() => minorDigits('ABC')).toThrow(RangeError);
  });
});

describe('arithmetic', () => {
  test('two currencies never add up', () => {
    for (const operation of [addMoney, subtractMoney, compareMoney])
      expect(() => operation(usd(1), { minor: 1, currency: 'EUR' })).toThrow(RangeError);
    expect(() => sumMoney([usd(1), { minor: 1, currency: 'EUR' }], 'USD')).toThrow(RangeError);
  });

  test('fractions of a minor unit and unsafe results are bugs', () => {
    expect(() => money(1.5, 'USD')).toThrow(RangeError);
    expect(() => addMoney(usd(Number.MAX_SAFE_INTEGER), usd(1))).toThrow(RangeError);
    expect(() => multiplyMoney(usd(Number.MAX_SAFE_INTEGER), '2', 'down')).toThrow(RangeError);
  });

  test('sums and differences', () => {
    expect(sumMoney([usd(1), usd(2), usd(-5)], 'USD')).toEqual(usd(-2));
    expect(sumMoney([], 'JPY')).toEqual(zeroMoney('JPY'));
    expect(subtractMoney(usd(5), usd(7))).toEqual(usd(-2));
    expect(Object.is(negateMoney(usd(0)).minor, 0)).toBe(true);
    expect([compareMoney(usd(1), usd(2)), compareMoney(usd(2), usd(2)), compareMoney(usd(3), usd(2))]).toEqual([-1, 0, 1]);
    expect(toDecimal(usd(1250))).toBe('12.5');
  });

  test.each([
    [10_005, '10', 'half-up', 1001],
    [10_005, '10', 'down', 1000],
    [-10_005, '10', 'half-up', -1001],
    [-10_005, '10', 'down', -1000],
    [10_000, '2.5', 'half-up', 250],
    [1, '49.9', 'half-up', 0],
    [1, '50', 'half-up', 1],
  ] as const)('%d at %s percent %s is %d', (minor, percent, mode, expected) =>
    expect(percentOf(usd(minor), percent, mode)).toEqual(usd(expected)),
  );

  test('a ratio is not rounded before it is used: 14 of 31 days of 1000.00', () => {
    expect(multiplyByRatio(usd(100_000), '14', '31', 'half-up')).toEqual(usd(45_161));
    expect(multiplyByRatio(usd(300), '1', '3', 'down')).toEqual(usd(100)); // 0.333… × 300 would give 99
  });

  test('amounts of time are rounded once', () => {
    expect(roundToMoney('83.335', 'USD', 'half-up')).toEqual(usd(8334));
    expect(roundToMoney('83.335', 'USD', 'down')).toEqual(usd(8333));
    expect(roundToMoney('10.5', 'JPY', 'half-up')).toEqual({ minor: 11, currency: 'JPY' });
    expect(multiplyMoney(usd(333), '1.5', 'half-up')).toEqual(usd(500));
  });
});

describe('splitting', () => {
  test.each([
    [10_000, ['50', '25', '75'], [3333, 1667, 5000]],
    [100, ['1', '1', '1'], [34, 33, 33]],
    [-100, ['1', '1', '1'], [-34, -33, -33]],
    [24_000_000, ['30', '40', '30'], [7_200_000, 9_600_000, 7_200_000]],
    [1, ['0', '0.5', '0.5'], [0, 1, 0]],
    [0, ['1', '2'], [0, 0]],
    [5, ['0.1', '0', '0.2'], [2, 0, 3]],
  ])('%d by %j is %j', (minor, weights, expected) => expect(allocate(usd(minor), weights).map((part) => part.minor)).toEqual(expected));

  test('nonsensical weights are bugs', () => {
    expect(() => allocate(usd(1), [])).toThrow(RangeError);
    expect(() => allocate(usd(1), ['0', '0'])).toThrow(RangeError);
    expect(() => allocate(usd(1), ['2', '-1'])).toThrow(RangeError);
  });

  const weights = fc.array(
    fc.tuple(fc.nat(1_000_000), fc.nat(999)).map(([whole, part]) => `${whole}.${String(part).padStart(3, '0')}`),
    { minLength: 1, maxLength: 12 },
  );

  test('the parts sum to the whole and each lies within one minor unit of its share', () => {
    fc.assert(
      fc.property(anyMoney, weights, (amount, list) => {
        const thousandths = list.map((weight) => BigInt(weight.replace('.', '')));
        const total = thousandths.reduce((a, b) => a + b, 0n);
        fc.pre(total > 0n);
        const parts = allocate(amount, list);
        expect(parts.reduce((sum, part) => sum + BigInt(part.minor), 0n)).toBe(BigInt(amount.minor));
        parts.forEach((part, index) => {
          const error = BigInt(part.minor) * total - BigInt(amount.minor) * (thousandths[index] ?? 0n);
          expect((error < 0n ? -error : error) < total).toBe(true);
        });
      }),
    );
  });

  test('a negative amount splits like its absolute value', () => {
    fc.assert(
      fc.property(anyMoney, weights, (amount, list) => {
        fc.pre(list.some((weight) => weight !== '0.000'));
        expect(allocate(negateMoney(amount), list)).toEqual(allocate(amount, list).map(negateMoney));
      }),
    );
  });
});
