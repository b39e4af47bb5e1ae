import fc from 'fast-check';
import { type Money } from '../../domain/money';
import { judgeCost, type RecordedCosts, type ReportedCost } from '../../domain/procurement/cost';
import { covered, overspendOf, type RecordedCost, spendOf, spendWithout } from '../../domain/procurement/spend';
import { isViolation } from '../../domain/violation';

const usd = (minor: number): Money => ({ minor, currency: 'USD' });
const eur = (minor: number): Money => ({ minor, currency: 'EUR' });

describe('what a report of procurement is to what is on record', () => {
  const order: ReportedCost = {
    costId: 'PO-1',
    contractLineId: 'line',
    workPackageId: null,
    vendorId: 'V-1',
    kind: 'commitment',
    commitmentId: null,
    amount: usd(1_000),
    incurredOn: '2026-03-02',
    supersedes: null,
  };
  const bill: ReportedCost = { ...order, costId: 'BILL-1', kind: 'bill', commitmentId: 'PO-1', amount: usd(400) };
  const later: ReportedCost = { ...order, costId: 'PO-1b', supersedes: 'PO-1', amount: usd(900) };
  const record = (over: Partial<RecordedCosts> = {}): RecordedCosts => ({
    own: null,
    superseded: null,
    supersededBy: null,
    commitment: null,
    ...over,
  });
  const said = (cost: ReportedCost, known: RecordedCosts) => {
    const judged = judgeCost(cost, known);
    return isViolation(judged) ? `${judged.violation} ${judged.path ?? ''}` : judged;
  };

  test.each<[string, ReportedCost, RecordedCosts, string]>([
    ['its id with another amount', { ...order, amount: usd(1) }, record({ own: order }), 'SubcontractorCostChanged cost_id'],
    ['its id of another day', { ...order, incurredOn: '2026-03-03' }, record({ own: order }), 'SubcontractorCostChanged cost_id'],
    ['a correction of what never came', later, record(), 'SubcontractorCostUnknown supersedes'],
    ['a second correction', later, record({ superseded: order, supersededBy: 'PO-1a' }), 'SubcontractorCostSuperseded supersedes'],
    ['a correction by another vendor', { ...later, vendorId: 'V-2' }, record({ superseded: order }), 'CostSupersedesOther supersedes'],
    ['a correction on another line', { ...later, contractLineId: 'x' }, record({ superseded: order }), 'CostSupersedesOther supersedes'],
    ['a correction in another currency', { ...later, amount: eur(1) }, record({ superseded: order }), 'CostSupersedesOther supersedes'],
    ['a bill that corrects an order', { ...bill, supersedes: 'PO-1' }, record({ superseded: order }), 'CostSupersedesOther supersedes'],
    ['a bill of an order that never came', bill, record(), 'SubcontractorCostUnknown commitment_id'],
    ['a bill of a bill', bill, record({ commitment: { ...bill, costId: 'PO-1' } }), 'CommitmentDiffers commitment_id'],
    ['a bill in another currency', { ...bill, amount: eur(1) }, record({ commitment: order }), 'CommitmentDiffers commitment_id'],
    ['the same once more', order, record({ own: order }), 'known'],
    ['an order', order, record(), 'new'],
    ['a bill of it', bill, record({ commitment: order }), 'new'],
    ['a bill without an order', { ...bill, commitmentId: null }, record(), 'new'],
    ['a correction', later, record({ superseded: order }), 'new'],
    ['a cancellation', { ...later, amount: usd(0) }, record({ superseded: order }), 'new'],
  ])('%s', (_what, cost, known, judged) => expect(said(cost, known)).toBe(judged));
});

describe('the spend of a line', () => {
  const cost = (costId: string, over: Partial<RecordedCost> = {}): RecordedCost => {
    const amount = over.amount ?? eur(1_000);
    return { costId, kind: 'commitment', commitmentId: null, amount, cost: amount, supersedes: null, isRefused: false, ...over };
  };
  const bill = (costId: string, commitmentId: string | null, minor: number, over: Partial<RecordedCost> = {}) =>
    cost(costId, { kind: 'bill', commitmentId, amount: eur(minor), ...over });
  const figures = (costs: readonly RecordedCost[]) => {
    const { committed, billed, spent } = spendOf(costs, 'EUR');
    return [committed.minor, billed.minor, spent.minor];
  };

  test.each<[string, RecordedCost[], number[]]>([
    ['nothing', [], [0, 0, 0]],
    ['a commitment', [cost('C')], [1_000, 0, 1_000]],
    ['a bill that consumes a part of it', [cost('C'), bill('B', 'C', 400)], [600, 400, 1_000]],
    ['bills that go beyond it', [cost('C'), bill('B', 'C', 700), bill('D', 'C', 700)], [0, 1_400, 1_400]],
    ['a bill without a commitment', [cost('C'), bill('B', null, 700)], [1_000, 700, 1_700]],
    ['a commitment that was raised', [cost('C'), cost('C2', { supersedes: 'C', amount: eur(1_500) })], [1_500, 0, 1_500]],
    ['and bills of the one that it was', [cost('C'), cost('C2', { supersedes: 'C', amount: eur(1_500) }), bill('B', 'C', 400)], [1_100, 400, 1_500]], // prettier-ignore
    ['a commitment that was cancelled', [cost('C'), cost('C2', { supersedes: 'C', amount: eur(0) })], [0, 0, 0]],
    ['and was billed before', [cost('C'), bill('B', 'C', 400), cost('C2', { supersedes: 'C', amount: eur(0) })], [0, 400, 400]],
    ['a commitment that was refused, and a bill of it', [cost('C', { isRefused: true }), bill('B', 'C', 400)], [0, 400, 400]],
    ['a bill in dispute', [cost('C'), bill('B', 'C', 400, { isRefused: true })], [1_000, 0, 1_000]],
    ['a bill in dispute that was corrected', [bill('B', null, 400, { isRefused: true }), bill('B2', null, 300, { supersedes: 'B' })], [0, 300, 300]], // prettier-ignore
  ])('%s', (_what, costs, spend) => {
    expect(figures(costs)).toEqual(spend);
    expect(figures([...costs].reverse())).toEqual(spend);
  });

  test('converts what is open of a commitment at its own rate, half-up', () => {
    const order = cost('C', { amount: usd(1_000), cost: eur(901) });
    const billed = bill('B', 'C', 0, { amount: usd(500), cost: eur(460) });
    // 901 × 500 / 1000 = 450.5
    expect(spendOf([order, billed], 'EUR')).toEqual({ committed: eur(451), billed: eur(460), spent: eur(911) });
  });

  test('counts every order or what was billed of it, whichever is more, and never both', () => {
    const orders = fc.array(fc.record({ amount: fc.nat(10_000), bills: fc.array(fc.nat(5_000), { maxLength: 4 }) }), { maxLength: 6 });
    fc.assert(
      fc.property(orders, fc.array(fc.nat(5_000), { maxLength: 4 }), (ordered, loose) => {
        const costs = [
          ...ordered.flatMap(({ amount, bills }, index) => [
            cost(`C${index}`, { amount: eur(amount) }),
            ...bills.map((minor, position) => bill(`C${index}/${position}`, `C${index}`, minor)),
          ]),
          ...loose.map((minor, position) => bill(`L${position}`, null, minor)),
        ];
        const sum = (list: readonly number[]) => list.reduce((total, each) => total + each, 0);
        const wanted = sum(ordered.map(({ amount, bills }) => Math.max(amount, sum(bills)))) + sum(loose);
        const spend = spendOf(costs, 'EUR');
        expect(spend.spent.minor).toBe(wanted);
        expect(spend.committed.minor + spend.billed.minor).toBe(wanted);
      }),
    );
  });

  test('without one of its costs', () => {
    const costs = [cost('C'), bill('B', 'C', 400), bill('L', null, 50)];
    expect(spendWithout(costs, 'C', 'EUR').spent).toEqual(eur(450));
    // What a bill in dispute had consumed is committed again.
    expect(spendWithout(costs, 'B', 'EUR').spent).toEqual(eur(1_050));
    expect(spendWithout(costs, 'L', 'EUR').spent).toEqual(eur(1_000));
  });
});

describe('spend beyond a budget', () => {
  test.each<[spent: number, budget: number, tolerance: string, over: number | null]>([
    [0, 0, '2', null],
    [1, 0, '2', 1],
    [10_200, 10_000, '2', null],
    [10_201, 10_000, '2', 201],
    [10_201, 10_000, '2.5', null],
    [10_001, 10_000, '0', 1],
    // Exact, also where two percent of the budget is no whole minor unit.
    [101, 99, '2', 2],
    [100, 99, '2', null],
  ])('%d of %d at %s %%', (spent, budget, tolerance, over) =>
    expect(overspendOf(eur(spent), eur(budget), tolerance)).toEqual(over === null ? null : eur(over)),
  );

  test('is covered as it was chosen, and no more than there is', () => {
    expect(covered(eur(500), eur(700))).toEqual(eur(500));
    expect(covered(eur(500), eur(300))).toEqual(eur(300));
  });
});
