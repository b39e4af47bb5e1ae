import { type FollowUpFacts } from '../../domain/engagement/follow-up';
import { type PricedTimeFact } from '../../domain/engagement/model';
import { waivedItems, type Waiver } from '../../domain/engagement/waiver';
import { cappedLine, eur, newYork, noOverage, refusal, retainerLine, usd } from './deal-builders';

const line = cappedLine();
const amountOf = (text: string) => (line.currency === 'EUR' ? eur(text) : usd(text));
const other = line.currency === 'EUR' ? usd('100.00') : eur('100.00');

const entry = (entryId: string, amount: string, changes: Partial<PricedTimeFact> = {}): PricedTimeFact => ({
  entryId,
  workDate: '2026-03-02',
  hours: '8',
  amount: amountOf(amount),
  billedParts: [],
  parked: false,
  personId: 'P-1',
  roleCode: 'SC',
  unitPrice: '100',
  approvedAt: '2026-03-03T09:00:00.000Z',
  ...changes,
});

/** 300.00 left of a split entry that is parked, 800.00 parked whole, 500.00 of other time, 40.00 of expenses. */
const facts: FollowUpFacts = {
  items: [],
  time: [],
  overage: noOverage,
  fees: [],
  timeAndMaterials: {
    time: [
      entry('T-1', '800.00', { parked: true, billedParts: [{ part: 1, amount: amountOf('500.00'), hours: '5' }] }),
      entry('T-2', '800.00', { parked: true }),
      entry('T-3', '500.00', { hours: '5' }),
    ],
    expenses: [
      { expenseId: 'X-1', category: 'taxi', spendDate: '2026-03-02', approvedAt: '2026-03-03T09:00:00.000Z', amount: amountOf('40.00') },
    ],
  },
  context: { shortCode: 'T26', sellingEntityCalendar: newYork, cutOffDay: 6, billingLeadWorkingDays: 5 },
  at: '2026-05-01T09:00:00.000Z',
};

const decide = (kind: Exclude<Waiver['kind'], 'overage'>, amount: string) => waivedItems(line, { kind, amount: amountOf(amount) }, facts);

describe('what finance gives up', () => {
  test('is what stands there, whole: of a split entry only the part that is not billed', () => {
    expect(decide('parked-time', '1100.00')).toEqual([
      { itemKind: 'time-entry', itemId: 'T-1', amount: amountOf('300.00'), hours: '3' },
      { itemKind: 'time-entry', itemId: 'T-2', amount: amountOf('800.00'), hours: '8' },
    ]);
    expect(decide('unbilled-time', '500.00')).toEqual([{ itemKind: 'time-entry', itemId: 'T-3', amount: amountOf('500.00'), hours: '5' }]);
    expect(decide('unbilled-expenses', '40.00')).toEqual([{ itemKind: 'expense', itemId: 'X-1', amount: amountOf('40.00'), hours: null }]);
  });

  test.each([
    ['an amount that is no longer the one that stands there', { kind: 'parked-time', amount: amountOf('800.00') }, 'WaiverAmountDiffers'],
    ['an amount in another currency', { kind: 'parked-time', amount: other }, 'WaiverAmountDiffers'],
    ['overage, which such a line has not', { kind: 'overage', period: '2026-03', hours: '1' }, 'LineWithoutOverage'],
  ] as const)('is refused for %s', (_, waiver, code) => {
    expect(refusal(waivedItems(line, waiver, facts))).toBe(code);
  });

  test('is refused where nothing stands there', () => {
    const none = { ...facts, timeAndMaterials: { time: [], expenses: [] } };
    for (const kind of ['parked-time', 'unbilled-time', 'unbilled-expenses'] as const)
      expect(refusal(waivedItems(line, { kind, amount: amountOf('1.00') }, none))).toBe('NothingToWaive');
  });

  test('needs the facts of time and materials: a retainer without them is a bug of the caller', () => {
    const { timeAndMaterials, ...others } = facts;
    expect(timeAndMaterials).toBeDefined();
    expect(() => waivedItems(retainerLine(), { kind: 'unbilled-time', amount: usd('1.00') }, others)).toThrow(RangeError);
  });
});
