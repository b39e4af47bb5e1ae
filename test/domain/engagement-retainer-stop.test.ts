import { type BillingPlanItem } from '../../domain/engagement/model';
import { type FeeDocument } from '../../domain/engagement/follow-up';
import { retainer } from '../../domain/engagement/retainer';
import { asStopped, unearnedFees } from '../../domain/engagement/stop';
import { subtractMoney, sumMoney } from '../../domain/money';
import { accepted, billingFacts, fixedFeeLine, noOverage, retainerLine, revenueFacts, usd, worked } from './deal-builders';
import { context } from './overage-book';

const line = asStopped(retainerLine(), '2026-04-12');
const items = (own = line) => accepted(retainer.plan(own, context));
const itemOf = (key: string): BillingPlanItem => items().find(({ itemKey }) => itemKey === key) as BillingPlanItem;
const fee = (period: string, amount: string, issued = true): FeeDocument => ({ period, amount: usd(amount), issued });
const follow = (fees: FeeDocument[], at = '2026-04-13T00:00:00Z', known: BillingPlanItem[] = []) =>
  accepted(
    retainer.followUp?.(line, {
      items: [...items(), ...known].map((item) => ({ ...item, state: 'planned' })),
      time: [],
      overage: noOverage,
      fees,
      context,
      at,
    }) ?? { items: [], open: [] },
  ).items;

describe('a retainer stopped in the middle of a month', () => {
  test('ends on that day: the last fee is for its days, half-up, and nothing comes after it', () => {
    expect(items().map(({ itemKey, amount }) => [itemKey, amount])).toEqual([
      ['fee/2026-02', usd('5600.00')],
      ['fee/2026-03', usd('5600.00')],
      ['overage/2026-02', null],
      ['fee/2026-04', usd('2240.00')],
      ['overage/2026-03', null],
      ['overage/2026-04', null],
    ]);
    expect(retainer.bill(line, itemOf('fee/2026-04'), billingFacts())).toMatchObject({ lines: [{ amountMinor: 224_000 }] });
  });

  test('keeps the included hours of its last month whole, and bills no work done after it', () => {
    const time = [worked('2026-04-02', '28'), worked('2026-04-12', '5'), worked('2026-04-13', '8')];
    expect(retainer.bill(line, itemOf('overage/2026-04'), billingFacts({ time }))).toMatchObject({
      lines: [{ quantity: '3', itemIds: ['T-2026-04-12'] }],
    });
  });

  test('takes back the unearned part of fees issued in advance, on one credit note of the final settlement', () => {
    const fees = [fee('2026-03', '5600.00'), fee('2026-04', '5600.00'), fee('2026-05', '5600.00'), fee('2026-06', '5600.00', false)];
    const [credit, ...more] = follow(fees);
    expect(more).toEqual([]);
    expect(credit).toEqual({
      itemKey: 'fee-credit/2026-04',
      lineId: 'L6',
      kind: 'fee-credit',
      period: '2026-04',
      trigger: { kind: 'moment', draftAt: '2026-05-06T04:00:00.000Z', issueDate: '2026-05-06' },
      reference: 'TST-L6-2026-04-UF',
      amount: null,
    });
    expect(credit && retainer.bill(line, credit, billingFacts({ fees }))).toMatchObject({
      documentKind: 'credit-note',
      kind: 'fee-credit',
      lines: [
        { amountMinor: -336_000, itemKind: 'unearned-fee', itemIds: ['L6/2026-04'] },
        { amountMinor: -560_000, itemIds: ['L6/2026-05'] },
      ],
    });
    expect(credit && follow(fees, '2026-05-07T00:00:00Z', [credit])).toEqual([]);
  });

  test('a stop approved late is settled in the run that comes next', () => {
    expect(follow([fee('2026-04', '5600.00')], '2026-06-10T00:00:00Z')).toMatchObject([{ trigger: { issueDate: '2026-07-06' } }]);
  });

  test('credits nothing where the fee is not issued, or is what the days come to', () => {
    expect(follow([fee('2026-04', '5600.00', false)])).toEqual([]);
    expect(follow([fee('2026-03', '5600.00'), fee('2026-04', '2240.00')])).toEqual([]);
    expect(unearnedFees(retainerLine(), [fee('2026-04', '9999.00')])).toEqual([]);
  });

  test('earns what it bills less what it credits', () => {
    const time = [worked('2026-03-05', '32'), worked('2026-04-20', '30')];
    const months = accepted(retainer.recognise(line, revenueFacts({ time }), '2026-08'));
    const fees = [fee('2026-02', '5600.00'), fee('2026-03', '5600.00'), fee('2026-04', '5600.00')];
    const billed = sumMoney([...fees.map((each) => each.amount), usd('620.00')], 'USD'); // 20 and 10 rolled over of 32 hours
    const credited = sumMoney(
      unearnedFees(line, fees).map((each) => each.amount),
      'USD',
    );
    expect(months.at(-1)?.revenueToDate).toEqual(subtractMoney(billed, credited));
    expect(months.at(-1)?.revenueToDate).toEqual(usd('14060.00'));
  });
});

describe('a line stopped', () => {
  test('on the last day of a month owes that month whole', () => {
    const whole = asStopped(retainerLine(), '2026-04-30');
    expect(items(whole).find(({ itemKey }) => itemKey === 'fee/2026-04')?.amount).toEqual(usd('5600.00'));
  });

  test('before it began bills and earns nothing, and gives back what was billed in advance', () => {
    const never = asStopped(retainerLine({ startDate: '2026-05-01' }), '2026-02-12');
    expect(items(never)).toEqual([]);
    expect(accepted(retainer.recognise(never, revenueFacts(), '2026-06')).map((month) => month.revenueToDate)).toEqual([
      usd('0.00'),
      usd('0.00'),
    ]);
    expect(unearnedFees(never, [fee('2026-05', '5600.00')])).toEqual(
      [fee('2026-05', '5600.00')].map(({ period, amount }) => ({ period, amount })),
    );
  });

  test('after its term, or not at all, or billed by milestones, stays as it is', () => {
    expect(asStopped(retainerLine(), '2026-09-30')).toEqual(retainerLine());
    expect(asStopped(retainerLine(), null)).toEqual(retainerLine());
    expect(asStopped(fixedFeeLine(), '2026-03-03')).toEqual(fixedFeeLine());
  });
});
