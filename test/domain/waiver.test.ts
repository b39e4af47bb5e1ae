import { type FollowUpFacts } from '../../domain/engagement/follow-up';
import { type PricedTimeFact } from '../../domain/engagement/model';
import { waivedItems, type Waiver } from '../../domain/engagement/waiver';
import { cappedLine, eur, usd } from './deal-builders';

const line = cappedLine({ lineId: 'T', currency: 'USD' });

function entry(entryId: string, over: Partial<PricedTimeFact> = {}): PricedTimeFact {
  return {
    entryId,
    personId: 'P',
    roleCode: 'DEV',
    workDate: '2026-02-02',
    hours: '8',
    amount: usd('800.00'),
    unitPrice: '100',
    approvedAt: '2026-02-10T09:00:00Z',
    billedParts: [],
    parked: false,
    ...over,
  };
}

const split = entry('SPLIT', { parked: true, billedParts: [{ part: 1, amount: usd('300.00'), hours: '3' }] });
const spent = { expenseId: 'X', category: 'airfare', spendDate: '2026-02-03', approvedAt: '2026-02-10T09:00:00Z', amount: usd('120.50') };
const facts = (over: object = {}) => ({ timeAndMaterials: { time: [split, entry('WHOLE'), entry('PARKED', { parked: true })], expenses: [spent], ...over } }) as unknown as FollowUpFacts; // prettier-ignore
const waive = (waiver: Waiver, over: object = {}) => waivedItems(line, waiver, facts(over));

describe('what finance gives up of a time-and-materials line', () => {
  test('parked time: the rest of a split entry and whole entries, in money and hours', () => {
    expect(waive({ kind: 'parked-time', amount: usd('1300.00') })).toEqual([
      { itemKind: 'time-entry', itemId: 'SPLIT', amount: usd('500.00'), hours: '5' },
      { itemKind: 'time-entry', itemId: 'PARKED', amount: usd('800.00'), hours: '8' },
    ]);
  });

  test('other time, and expenses', () => {
    expect(waive({ kind: 'unbilled-time', amount: usd('800.00') })).toEqual([
      { itemKind: 'time-entry', itemId: 'WHOLE', amount: usd('800.00'), hours: '8' },
    ]);
    expect(waive({ kind: 'unbilled-expenses', amount: usd('120.50') })).toEqual([
      { itemKind: 'expense', itemId: 'X', amount: usd('120.50'), hours: null },
    ]);
  });

  test.each([
    [{ kind: 'parked-time', amount: usd('1299.99') }, {}, 'WaiverAmountDiffers'],
    [{ kind: 'parked-time', amount: eur('1300.00') }, {}, 'WaiverAmountDiffers'],
    [{ kind: 'parked-time', amount: usd('0.00') }, { time: [] }, 'NothingToWaive'],
    [{ kind: 'unbilled-expenses', amount: usd('120.50') }, { expenses: [] }, 'NothingToWaive'],
    [{ kind: 'overage', period: '2026-02', hours: '1' }, {}, 'LineWithoutOverage'],
  ] as const)('%j is refused', (waiver, over, violation) => {
    expect(waive(waiver, over)).toMatchObject({ violation });
  });
});
