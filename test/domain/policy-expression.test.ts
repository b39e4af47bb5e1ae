import fc from 'fast-check';
import { requiredTiers, type PolicyFacts } from '../../domain/approval/policy';
import { compare } from '../../domain/decimal';
import { expressionHolds, refusedExpression, type ExpressionFacts } from '../../domain/policy/expression';
import { accepted, refusal, usd } from './deal-builders';

const facts: ExpressionFacts = {
  subject: 'deal',
  entityId: 'LE-DE',
  amount: '250000.01',
  marginPercent: '39.5',
  discountPercent: '0',
  paymentTermsDays: 45,
  beyondBudget: false,
  engagementModels: ['fixed-fee', 'retainer'],
  currencies: ['EUR', 'USD'],
};
const unknown: ExpressionFacts = {
  ...facts,
  entityId: null,
  amount: null,
  marginPercent: null,
  discountPercent: null,
  paymentTermsDays: null,
  beyondBudget: null,
  engagementModels: null,
  currencies: null,
};

test.each([
  ['amount > 250000', true],
  ['amount > decimal("250000.01")', false],
  ['amount >= decimal("250000.01")', true],
  ['amount == decimal("250000.010")', true],
  ['amount != 5', true],
  ['amount * marginPercent > decimal("98.7") * decimal("100000")', true],
  ['amount - decimal("0.01") == 250000', true],
  ['entityId == "LE-DE" && paymentTermsDays > 30', true],
  ['entityId in ["LE-US", "LE-SG"]', false],
  ['entityId.startsWith("LE-") && !beyondBudget', true],
  ['"retainer" in engagementModels', true],
  ['engagementModels.all(model, model == "retainer")', false],
  ['engagementModels.exists(model, model.contains("fee")) || size(currencies) > 5', true],
  ['size(currencies) > 1 ? marginPercent < 40 : marginPercent < 30', true],
  ['subject == "invoice"', false],
])('%s gives %s (R-351)', (text, holds) => {
  expect(refusedExpression(text)).toBeNull();
  expect(expressionHolds(text, facts)).toBe(holds);
});

test.each([
  ['amount >', 'ExpressionMalformed', 'character'],
  ['', 'ExpressionMalformed', ''],
  ['ammount > 5', 'ExpressionMalformed', 'ammount'],
  ['amount > 0.5', 'ExpressionMalformed', 'write decimal("0.5")'],
  ['amount > "5"', 'ExpressionMalformed', 'decimal > string'],
  ['amount > decimal("much")', 'ExpressionMalformed', 'exact decimal in quotes'],
  ['amount > decimal(entityId)', 'ExpressionMalformed', 'exact decimal in quotes'],
  ['entityId.constructor == "x"', 'ExpressionMalformed', ''],
  ['process.exit(1)', 'ExpressionMalformed', 'process'],
  ['paymentTermsDays', 'ExpressionNotBoolean', 'gives int'],
  ['amount + 1 > 5', 'ExpressionMalformed', 'decimal + int'],
  ['entityId.matches("(a+)+$")', 'ExpressionFunctionRefused', 'matches'],
  ['currencies.map(each, each) == currencies', 'ExpressionFunctionRefused', 'map'],
  ['dyn(entityId) == 5', 'ExpressionFunctionRefused', 'dyn'],
  ['engagementModels.exists(a, currencies.exists(b, a == b))', 'ExpressionNested', 'within another'],
  ['1 == 1', 'ExpressionConstant', 'no fact'],
  [`amount > 1 ${'|| amount > 1 '.repeat(60)}`, 'ExpressionMalformed', 'odes'],
  [`amount > ${'('.repeat(400)}1${')'.repeat(400)}`, 'ExpressionMalformed', ''],
  [`amount > ${'9'.repeat(2000)}`, 'ExpressionTooLong', '1000'],
])('%.60s is refused as %s (R-350)', (text, code, detail) => {
  const refused = refusedExpression(text);
  expect(refused?.violation).toBe(code);
  expect(refused?.detail).toContain(detail);
  expect(refused?.detail).not.toContain('Exact');
  expect(() => expressionHolds(text, facts)).toThrow(code);
});

test.each([
  'amount > 5',
  '!(amount > 5)',
  'entityId == "LE-DE"',
  'marginPercent < 3 && amount > 5',
  '"retainer" in engagementModels',
  'engagementModels[7] == "x"',
])('%s holds where the fact is not known: somebody is asked', (text) => {
  expect(expressionHolds(text, unknown)).toBe(true);
});

test('amounts are compared exactly, however many digits they have', () => {
  const exact = fc.tuple(fc.bigInt({ min: -(10n ** 24n), max: 10n ** 24n }), fc.integer({ min: 0, max: 9 })).map(([digits, places]) => {
    const text = String(digits < 0n ? -digits : digits).padStart(places + 1, '0');
    const whole = places === 0 ? text : `${text.slice(0, -places)}.${text.slice(-places)}`;
    return `${digits < 0n ? '-' : ''}${whole}`;
  });
  fc.assert(
    fc.property(exact, exact, (amount, limit) => {
      const order = compare(amount, limit);
      expect(expressionHolds(`amount > decimal("${limit}")`, { ...facts, amount })).toBe(order > 0);
      expect(expressionHolds(`amount <= decimal("${limit}")`, { ...facts, amount })).toBe(order <= 0);
      expect(expressionHolds(`amount == decimal("${limit}")`, { ...facts, amount })).toBe(order === 0);
    }),
  );
});

test('whatever is written is kept or refused with a code, and never throws', () => {
  const word = fc.constantFrom('amount', 'entityId', 'currencies', '>', '==', '&&', '(', ')', '"', '[', ']', '.', 'exists', 'x', ',', '5', '!', '?', ':', 'null', '{', '}'); // prettier-ignore
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.array(word, { maxLength: 30 }).map((words) => words.join(' ')),
      ),
      (text) => {
        const refused = refusedExpression(text);
        if (refused === null) expect([true, false]).toContain(expressionHolds(text, facts));
        else expect(`${refused.violation}: ${refused.detail}`).toMatch(/^Expression[A-Z]\w+: ./s);
      },
    ),
    { numRuns: 2000 },
  );
});

describe('a rule with a condition of its own', () => {
  const rule = (expression: string) => [
    { id: 'OWN', subject: 'deal', when: { amountAbove: '1000', expression }, approvers: [{ tier: 1, role: 'cfo', quorum: '1' }] },
  ];
  const given: PolicyFacts = { amount: usd('5000.00'), marginPercent: '50', discountPercent: '0', paymentTermsDays: 30, entityId: 'LE-DE' };
  const asks = (expression: string, changes: Partial<PolicyFacts> = {}): boolean =>
    accepted(requiredTiers(rule(expression), 'deal', { ...given, ...changes })).length > 0;

  test('asks where all conditions hold', () => {
    expect(asks('entityId == "LE-DE"')).toBe(true);
    expect(asks('entityId == "LE-US"')).toBe(false);
    expect(asks('entityId == "LE-DE"', { amount: usd('1000.00') })).toBe(false);
    expect(asks('"retainer" in engagementModels')).toBe(true);
    expect(asks('"retainer" in engagementModels', { engagementModels: ['fixed-fee'] })).toBe(false);
  });

  test('is refused where it cannot be understood', () => {
    expect(refusal(requiredTiers(rule('entityId'), 'deal', given))).toBe('PolicyLimitMalformed');
  });
});
