import fc from 'fast-check';
import {
  absolute,
  canonical,
  compare,
  decimal,
  divide,
  isDecimal,
  isNegative,
  isZero,
  max,
  min,
  minus,
  negate,
  plus,
  round,
  sum,
  times,
  toSafeInteger,
} from '../../domain/decimal';
import { isViolation } from '../../domain/violation';

/** Any decimal of up to 12 + 8 digits, often with trailing zeros and negative zero. */
const anyDecimal = fc
  .tuple(fc.boolean(), fc.bigInt(0n, 999_999_999_999n), fc.stringMatching(/^\d{0,8}$/))
  .map(([negative, whole, fraction]) => `${negative ? '-' : ''}${whole}${fraction === '' ? '' : `.${fraction}`}`);

/** The value as an integer of 10^-16 units, by other means than the code under test. */
function scaled(text: string): bigint {
  const [whole = '0', fraction = ''] = text.replace('-', '').split('.');
  const value = BigInt(whole + fraction.padEnd(16, '0'));
  return text.startsWith('-') ? -value : value;
}

describe('decimals', () => {
  test.each([
    '',
    ' ',
    '1 ',
    '+1',
    '1e3',
    '1E-7',
    '.5',
    '5.',
    '1,000',
    '0x10',
    '01',
    '00',
    'NaN',
    'Infinity',
    '--1',
    '1.2.3',
    '١',
    '9'.repeat(61),
  ])('refuses %j', (text) => {
    expect(canonical(text)).toMatchObject({ violation: 'DecimalMalformed' });
    expect(isDecimal(text)).toBe(false);
    expect(() => decimal(text)).toThrow(RangeError);
  });

  test('refuses a float even where the type is lied about', () => {
    expect(isViolation(canonical(1.5 as unknown as string))).toBe(true);
    expect(() => plus(1.5 as unknown as string, '1')).toThrow(TypeError);
  });

  test.each([
    ['10.50', '10.5'],
    ['-0', '0'],
    ['-0.00', '0'],
    ['0.10', '0.1'],
    ['100', '100'],
    ['123456789012345678901234567890', '123456789012345678901234567890'],
    ['0.000000000000000000001', '0.000000000000000000001'],
  ])('%s is written %s', (text, expected) => expect(canonical(text)).toBe(expected));

  test.each([
    ['1', '3', 2, 'half-up', '0.33'],
    ['2', '3', 2, 'half-up', '0.67'],
    ['2', '3', 2, 'down', '0.66'],
    ['-2', '3', 2, 'half-up', '-0.67'],
    ['-2', '3', 2, 'down', '-0.66'],
    ['1', '8', 2, 'half-up', '0.13'],
    ['-1', '8', 2, 'half-up', '-0.13'],
    ['1', '8', 2, 'down', '0.12'],
    ['10', '5', 0, 'half-up', '2'],
    ['0.4444444444444444444444444444', '1', 0, 'half-up', '0'],
  ] as const)('%s / %s at %d places %s is %s', (a, b, places, mode, expected) => expect(divide(a, b, places, mode)).toBe(expected));

  test.each([
    ['2.5', 0, 'half-up', '3'],
    ['-2.5', 0, 'half-up', '-3'],
    ['2.4999999999', 0, 'half-up', '2'],
    ['-2.9', 0, 'down', '-2'],
    ['1.005', 2, 'half-up', '1.01'],
    ['-0.4', 0, 'half-up', '0'],
  ] as const)('%s at %d places %s is %s', (a, places, mode, expected) => expect(round(a, places, mode)).toBe(expected));

  test('dividing by zero is a bug', () => expect(() => divide('1', '0', 2, 'down')).toThrow());

  test('small helpers', () => {
    expect([min('2', '10'), max('2', '10.0'), negate('0'), negate('1.50'), absolute('-3')]).toEqual(['2', '10', '0', '-1.5', '3']);
    expect([isZero('-0.0'), isZero('0.01'), isNegative('-0'), isNegative('-0.1'), sum([])]).toEqual([true, false, false, true, '0']);
    expect(compare('1.0', '1')).toBe(0);
    expect(toSafeInteger('-12')).toBe(-12);
    expect(Object.is(toSafeInteger('-0'), 0)).toBe(true);
    expect(() => toSafeInteger('1.5')).toThrow(RangeError);
    expect(() => toSafeInteger('9007199254740992')).toThrow(RangeError);
  });

  test('sums, differences and products are exact and canonical', () => {
    fc.assert(
      fc.property(anyDecimal, anyDecimal, (a, b) => {
        expect(scaled(plus(a, b))).toBe(scaled(a) + scaled(b));
        expect(scaled(minus(a, b))).toBe(scaled(a) - scaled(b));
        expect(scaled(times(a, b)) * 10n ** 16n).toBe(scaled(a) * scaled(b));
        for (const result of [plus(a, b), minus(a, b), times(a, b)]) expect(canonical(result)).toBe(result);
      }),
    );
  });

  test('a quotient is rounded once and within half a unit of the last place', () => {
    fc.assert(
      fc.property(
        anyDecimal,
        anyDecimal.filter((b) => !isZero(b)),
        fc.integer({ min: 0, max: 6 }),
        (a, b, places) => {
          const quotient = divide(a, b, places, 'half-up');
          const unit = 10n ** BigInt(16 - places);
          const error = scaled(quotient) * scaled(b) - scaled(a) * 10n ** 16n;
          const bound = unit * scaled(b);
          expect((error < 0n ? -error : error) * 2n <= (bound < 0n ? -bound : bound)).toBe(true);
        },
      ),
    );
  });
});
