import { ownerOfStuckStep } from '../../domain/data-gaps';
import { crossRate } from '../../domain/fx';
import { refusal } from './deal-builders';

test.each(['FxRateMissing', 'TaxRateMissing', 'SellerVatIdMissing', 'PolicyNotInForce', 'CalendarWithoutWorkingDay'])(
  'a step that is refused with %s asks finance for the data',
  (code) => {
    expect(ownerOfStuckStep(code)).toBe('finance-controller');
  },
);

test.each(['BaselineIncomplete', 'JournalEntryUnbalanced', 'EffectIdentityMismatch', null])(
  'a step that is stuck with %s asks the operators',
  (code) => {
    expect(ownerOfStuckStep(code)).toBe('operator');
  },
);

test('a rate that is missing carries the code that finance is asked by', () => {
  expect(ownerOfStuckStep(refusal(crossRate([], 'USD', 'CHF', '2026-01-23')) ?? null)).toBe('finance-controller');
});
