import * as fc from 'fast-check';
import { rateBook, type Rate, type RateScope } from '../../domain/rates/rate-book';
import { resolveRate, type RateQuery } from '../../domain/rates/resolve';
import { accepted, refusal } from './deal-builders';

const rate = (rateId: string, changes: Partial<Rate> = {}): Rate => ({
  rateId,
  cardId: 'CARD',
  cardVersion: '1',
  scope: 'global',
  scopeId: null,
  currency: 'EUR',
  region: 'EU',
  roleCode: 'DEV',
  serviceLine: null,
  location: null,
  personId: null,
  unit: 'hour',
  rate: '100',
  validFrom: '2026-01-01',
  validTo: '2026-12-31',
  ...changes,
});

const query = (changes: Partial<RateQuery> = {}): RateQuery => ({
  contractNumber: 'CT-1',
  customerId: 'C-1',
  sellingEntityId: 'E-1',
  currency: 'EUR',
  region: 'EU',
  date: '2026-05-04',
  personId: 'P-1',
  roleCode: 'DEV',
  serviceLine: 'integration',
  location: 'FR',
  unit: 'hour',
  ...changes,
});

const winner = (rates: Rate[], changes: Partial<RateQuery> = {}) => resolveRate(rateBook(rates), query(changes));

describe('an entry without a rate is refused, never priced at zero', () => {
  test.each([
    ['another currency', { currency: 'USD' }],
    ['another region', { region: 'NA' }],
    ['another role', { roleCode: 'TST' }],
    ['another unit', { unit: 'day' }],
    ['a date before the card', { date: '2025-12-31' }],
    ['a date after the card', { date: '2027-01-01' }],
  ])('%s', (_, changes) => {
    expect(refusal(winner([rate('R-1')], changes))).toBe('RateUnresolved');
  });

  test.each<[RateScope, string]>([
    ['contract', 'CT-2'],
    ['customer', 'C-2'],
    ['entity', 'E-2'],
  ])('a card of another %s', (scope, scopeId) => {
    expect(refusal(winner([rate('R-1', { scope, scopeId })]))).toBe('RateUnresolved');
  });

  test('two rates with the same highest sum are named, even where they say the same', () => {
    const tied = [rate('R-2', { serviceLine: 'integration' }), rate('R-1', { serviceLine: 'integration' }), rate('R-3')];
    expect(winner(tied)).toMatchObject({ violation: 'RateAmbiguous', rateIds: ['R-1', 'R-2'] });
  });

  test('a tie below the highest sum does not matter', () => {
    expect(winner([rate('R-1'), rate('R-2'), rate('R-3', { location: 'FR' })])).toMatchObject({ rateId: 'R-3' });
  });

  test('two rows with one id are a bug', () => {
    expect(() => rateBook([rate('R-1'), rate('R-1')])).toThrow('two rates R-1');
  });
});

describe('the rate that wins', () => {
  test('names rate, card, scope and score', () => {
    expect(winner([rate('R-1', { cardId: 'RC', cardVersion: '2', location: 'FR', rate: '154.25' })])).toEqual({
      rateId: 'R-1',
      cardId: 'RC',
      cardVersion: '2',
      scope: 'global',
      score: 11,
      currency: 'EUR',
      rate: '154.25',
    });
  });

  test('is of the first scope with a candidate, however specific the others are', () => {
    const rates = [
      rate('R-global', { personId: 'P-1', serviceLine: 'integration', location: 'FR' }),
      rate('R-entity', { scope: 'entity', scopeId: 'E-1', personId: 'P-1' }),
      rate('R-customer', { scope: 'customer', scopeId: 'C-1', location: 'FR' }),
      rate('R-contract', { scope: 'contract', scopeId: 'CT-1', roleCode: null, unit: null }),
    ];
    const order = ['R-contract', 'R-customer', 'R-entity', 'R-global'];
    order.forEach((expected, index) => {
      const left = rates.filter((each) => !order.slice(0, index).includes(each.rateId));
      expect(winner(left)).toMatchObject({ rateId: expected });
    });
  });

  test('first and last day are included', () => {
    const versions = [rate('R-1', { validTo: '2026-06-30' }), rate('R-2', { validFrom: '2026-07-01', cardVersion: '2' })];
    expect(winner(versions, { date: '2026-06-30' })).toMatchObject({ rateId: 'R-1' });
    expect(winner(versions, { date: '2026-07-01' })).toMatchObject({ rateId: 'R-2', cardVersion: '2' });
  });

  const selectors = { personId: 16, roleCode: 8, serviceLine: 4, location: 2, unit: 1 } as const;
  const names = Object.keys(selectors) as (keyof typeof selectors)[];

  test('within a scope has the highest sum of weights, whatever the order of the rows', () => {
    const subsets = fc.uniqueArray(fc.integer({ min: 0, max: 31 }), { minLength: 1, maxLength: 12 });
    fc.assert(
      fc.property(subsets, (masks) => {
        const rates = masks.map((mask) =>
          rate(`R-${mask}`, Object.fromEntries(names.map((name) => [name, (mask & selectors[name]) === 0 ? null : query()[name]]))),
        );
        const best = Math.max(...masks);
        expect(winner(rates)).toMatchObject({ rateId: `R-${best}`, score: best });
        expect(winner([...rates].reverse())).toEqual(winner(rates));
      }),
    );
  });

  test('never has a selector that differs from the entry', () => {
    const value = (own: string) => fc.constantFrom(null, own, 'OTHER');
    const row = fc.record({
      personId: value('P-1'),
      roleCode: value('DEV'),
      serviceLine: value('integration'),
      location: value('FR'),
      unit: value('hour'),
    });
    fc.assert(
      fc.property(fc.array(row, { maxLength: 15 }), (rows) => {
        const rates = rows.map((each, index) => rate(`R-${index}`, each));
        const fitting = rates.filter((each) => names.every((name) => each[name] === null || each[name] === query()[name]));
        const result = winner(rates);
        if (fitting.length === 0) expect(refusal(result)).toBe('RateUnresolved');
        else if (refusal(result) === undefined) expect(fitting.map((each) => each.rateId)).toContain(accepted(result).rateId);
        else expect(refusal(result)).toBe('RateAmbiguous');
      }),
    );
  });
});
