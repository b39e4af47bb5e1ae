import fc from 'fast-check';
import { fixedFee, milestoneAmounts } from '../../domain/engagement/fixed-fee';
import { type BillingPlanItem, type ChangeFacts, type EffortFact } from '../../domain/engagement/model';
import { money, sumMoney } from '../../domain/money';
import { accepted, billingFacts, fixedFeeLine, newYork, noOverage, refusal, revenueFacts, usd } from './deal-builders';

const context = { shortCode: 'TST', sellingEntityCalendar: newYork, cutOffDay: 6, billingLeadWorkingDays: 3 };
const plan = (line = fixedFeeLine()): readonly BillingPlanItem[] => accepted(fixedFee.plan(line, context));
const itemOf = (milestoneId: string): BillingPlanItem =>
  plan().find((item) => item.itemKey === `milestone/${milestoneId}`) as BillingPlanItem;
const withMilestones = (percents: readonly string[]) =>
  fixedFeeLine({
    milestones: percents.map((percent, index) => ({ milestoneId: `M${index + 1}`, name: 'M', percent, plannedDate: '2026-03-01' })),
  });

describe('billing a milestone', () => {
  test('that is not accepted is refused, and the blocker says who has to do what', () => {
    const facts = billingFacts({ milestones: [{ milestoneId: 'L1-M1', acceptedOn: null }] });
    expect(refusal(fixedFee.bill(fixedFeeLine(), itemOf('L1-M1'), facts))).toBe('MilestoneNotAccepted');
    expect(fixedFee.readiness(fixedFeeLine(), itemOf('L1-M1'), facts)).toEqual([
      { code: 'MilestoneNotAccepted', severity: 'blocks', ownerRole: 'project-manager', action: 'have the customer accept L1-M1' },
    ]);
  });

  test('twice is refused', () => {
    const facts = billingFacts({ milestones: [{ milestoneId: 'L1-M1', acceptedOn: '2026-03-11' }], billedItemKeys: ['milestone/L1-M1'] });
    expect(refusal(fixedFee.bill(fixedFeeLine(), itemOf('L1-M1'), facts))).toBe('AlreadyBilled');
  });

  test('that a change removed is refused', () => {
    const facts = billingFacts({ milestones: [{ milestoneId: 'L1-M1', acceptedOn: '2026-03-11' }] });
    expect(refusal(fixedFee.bill(withMilestones(['100']), itemOf('L1-M1'), facts))).toBe('MilestoneUnknown');
  });

  test('bills its share in the month of acceptance', () => {
    const facts = billingFacts({ milestones: [{ milestoneId: 'L1-M2', acceptedOn: '2026-04-28' }] });
    expect(fixedFee.readiness(fixedFeeLine(), itemOf('L1-M2'), facts)).toEqual([]);
    expect(fixedFee.bill(fixedFeeLine(), itemOf('L1-M2'), facts)).toMatchObject({
      documentKind: 'invoice',
      kind: 'milestone',
      period: '2026-04',
      reference: 'TST-L1-M2',
      lines: [{ amountMinor: 9_600_000, itemKind: 'milestone', itemIds: ['L1-M2'] }],
    });
  });

  test('of a fee of nothing bills nothing', () => {
    const line = fixedFeeLine({ fixedFee: usd('0.00') });
    const facts = billingFacts({ milestones: [{ milestoneId: 'L1-M1', acceptedOn: '2026-03-11' }] });
    expect(fixedFee.bill(line, itemOf('L1-M1'), facts)).toBeNull();
  });
});

describe('what blocks every document', () => {
  const order = { number: 'PO-1', limit: usd('100000.00'), invoiced: usd('20000.00'), validFrom: '2026-01-01', validTo: '2026-12-31' };
  const facts = billingFacts({
    milestones: [{ milestoneId: 'L1-M1', acceptedOn: '2026-03-11' }],
    purchaseOrderRequired: true,
    purchaseOrder: order,
  });
  const found = (changes: Partial<typeof facts>) =>
    fixedFee.readiness(fixedFeeLine(), itemOf('L1-M1'), { ...facts, ...changes }).map(({ code, severity }) => `${code} ${severity}`);
  test.each([
    [{ purchaseOrder: null }, ['PurchaseOrderMissing blocks']],
    [{ purchaseOrder: { ...order, invoiced: usd('28000.01') } }, ['PurchaseOrderExhausted blocks']],
    [{ purchaseOrder: { ...order, invoiced: usd('28000.00') } }, []],
    [{ purchaseOrder: { ...order, limit: null, invoiced: usd('9999999.00') } }, []],
    [{ purchaseOrder: { ...order, validTo: '2026-01-31' } }, ['PurchaseOrderLapsed warns']],
    [{ contractVersionPending: true }, ['ContractVersionPending blocks']],
    [{ holdReason: 'dispute' }, ['LineOnHold blocks']],
    [{ taxTreatmentKnown: false }, ['TaxTreatmentUnknown blocks']],
    [{ purchaseOrder: null, purchaseOrderRequired: false }, []],
  ])('%j', (changes, codes) => {
    expect(found(changes)).toEqual(codes);
  });

  test('policy decides whether an exhausted order stops the document', () => {
    const warning = {
      purchaseOrder: { ...order, invoiced: usd('90000.00') },
      purchaseOrderPolicy: { exhausted: 'warns', lapsed: 'blocks' } as const,
    };
    expect(found(warning)).toEqual(['PurchaseOrderExhausted warns']);
  });
});

describe('the plan of a fixed fee', () => {
  test('has one item for each milestone, triggered by acceptance', () => {
    expect(plan().map(({ itemKey, reference, trigger, amount, period }) => ({ itemKey, reference, trigger, amount, period }))).toEqual([
      {
        itemKey: 'milestone/L1-M1',
        reference: 'TST-L1-M1',
        trigger: { kind: 'acceptance', milestoneId: 'L1-M1' },
        amount: usd('72000.00'),
        period: null,
      },
      {
        itemKey: 'milestone/L1-M2',
        reference: 'TST-L1-M2',
        trigger: { kind: 'acceptance', milestoneId: 'L1-M2' },
        amount: usd('96000.00'),
        period: null,
      },
      {
        itemKey: 'milestone/L1-M3',
        reference: 'TST-L1-M3',
        trigger: { kind: 'acceptance', milestoneId: 'L1-M3' },
        amount: usd('72000.00'),
        period: null,
      },
    ]);
  });

  test('names the line in a reference whose milestone id does not', () => {
    expect(plan(withMilestones(['100']))[0]?.reference).toBe('TST-L1-M1');
  });

  test('published: 100 by 50, 25 and 75 is 33.33, 16.67 and 50.00', () => {
    const line = { ...withMilestones(['50', '25', '75']), fixedFee: usd('100.00') };
    expect(milestoneAmounts(line)).toEqual([usd('33.33'), usd('16.67'), usd('50.00')]);
  });

  test('the parts always sum to the fee', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 1e11 }),
        fc.array(fc.integer({ min: 1, max: 9999 }), { minLength: 1, maxLength: 12 }),
        (fee, weights) => {
          const line = { ...withMilestones(weights.map((weight) => `${(weight / 100).toFixed(2)}`)), fixedFee: money(fee, 'USD') };
          expect(sumMoney(milestoneAmounts(line), 'USD')).toEqual(line.fixedFee);
        },
      ),
    );
  });
});

describe('revenue of a fixed fee', () => {
  const line = (fee: string, changes = {}) =>
    fixedFeeLine({ fixedFee: usd(fee), startDate: '2026-01-01', endDate: '2026-03-31', ...changes });
  const effort = (period: string, toDate: string, toComplete: string): EffortFact => ({ period, toDate, toComplete });

  test('a month of the service without an estimate to complete is refused', () => {
    const facts = revenueFacts({ effort: [effort('2026-01', '1', '1')] });
    expect(refusal(fixedFee.recognise(line('100.00'), facts, '2026-02'))).toBe('EstimateToCompleteMissing');
  });

  test('published: 30 %, then 5.6 of 8.5 million, then complete', () => {
    const facts = revenueFacts({
      effort: [effort('2026-01', '2400000', '5600000'), effort('2026-02', '5600000', '2900000'), effort('2026-03', '8300000', '0')],
    });
    const months = accepted(fixedFee.recognise(line('10000000.00'), facts, '2026-03'));
    expect(months.map((month) => month.revenueToDate)).toEqual([usd('3000000.00'), usd('6588235.29'), usd('10000000.00')]);
  });

  test.each([
    ['550000.00', { contractAsset: usd('0.00'), contractLiability: usd('50000.00') }],
    ['450000.00', { contractAsset: usd('50000.00'), contractLiability: usd('0.00') }],
  ])('published: 425k of 850k of a million, %s billed', (billed, position) => {
    const facts = revenueFacts({ effort: [effort('2026-01', '425000', '425000')], billed: [{ period: '2026-01', amount: usd(billed) }] });
    expect(accepted(fixedFee.recognise(line('1000000.00'), facts, '2026-01'))).toEqual([
      { period: '2026-01', revenueToDate: usd('500000.00'), revenue: usd('500000.00'), billedToDate: usd(billed), ...position },
    ]);
  });

  test('published: 400k done, 400k to do, 450k billed, 250k posted gives a period of 250,000', () => {
    const facts = revenueFacts({
      effort: [effort('2026-01', '200000', '600000'), effort('2026-02', '400000', '400000')],
      billed: [{ period: '2026-02', amount: usd('450000.00') }],
    });
    expect(accepted(fixedFee.recognise(line('1000000.00'), facts, '2026-02')).at(-1)).toMatchObject({
      revenueToDate: usd('500000.00'),
      revenue: usd('250000.00'),
      contractAsset: usd('50000.00'),
    });
  });

  test('no effort yet is no revenue, and after the end the last estimate stands', () => {
    const facts = revenueFacts({ effort: [effort('2026-01', '0', '0'), effort('2026-02', '1', '1'), effort('2026-03', '2', '0')] });
    const months = accepted(fixedFee.recognise(line('100.00'), facts, '2026-05'));
    expect(months.map((month) => month.revenue.minor)).toEqual([0, 5000, 5000, 0, 0]);
  });

  const acceptances = [
    { milestoneId: 'L1-M1', acceptedOn: '2026-01-31' },
    { milestoneId: 'L1-M2', acceptedOn: '2026-02-01' },
    { milestoneId: 'L1-M3', acceptedOn: '2026-03-15' },
  ];
  test.each([
    ['milestone', [3000, 7000, 10000]],
    ['completed-contract', [0, 0, 10000]],
    ['point-in-time', [0, 0, 10000]],
    ['straight-line-daily', [3444, 6556, 10000]],
    ['as-invoiced', [0, 2500, 2500]],
  ] as const)('method %s', (revenueMethod, toDate) => {
    const facts = revenueFacts({ milestones: acceptances, billed: [{ period: '2026-02', amount: usd('25.00') }] });
    const months = accepted(fixedFee.recognise(line('100.00', { revenueMethod }), facts, '2026-03'));
    expect(months.map((month) => month.revenueToDate.minor)).toEqual(toDate);
  });

  test('revenue to date never exceeds the fee, and the months sum to it', () => {
    const amounts = fc.array(fc.tuple(fc.nat(1e9), fc.nat(1e9)), { minLength: 3, maxLength: 3 });
    fc.assert(
      fc.property(fc.nat(1e11), amounts, (fee, efforts) => {
        const facts = revenueFacts({ effort: efforts.map(([done, rest], index) => effort(`2026-0${index + 1}`, `${done}`, `${rest}`)) });
        const months = accepted(fixedFee.recognise({ ...line('1.00'), fixedFee: money(fee, 'USD') }, facts, '2026-03'));
        const last = months.at(-1)?.revenueToDate ?? usd('0.00');
        expect(months.every((month) => month.revenueToDate.minor <= fee)).toBe(true);
        expect(
          sumMoney(
            months.map((month) => month.revenue),
            'USD',
          ),
        ).toEqual(last);
      }),
    );
  });
});

describe('changing a fixed fee', () => {
  const facts: ChangeFacts = { acceptedMilestoneIds: [], billedToDate: usd('72000.00'), lastBilledMonth: '2026-03' };
  test.each([
    [[{ path: 'currency', to: 'EUR' }], facts, 'TermNotChangeable'],
    [[{ path: 'startDate', to: '2026-03-01' }], facts, 'TermNotChangeable'],
    [[{ path: 'fixedFee', to: 'much', currency: 'USD' }], facts, 'TermValueInvalid'],
    [[{ path: 'milestones.L1-M9.percent', to: '1' }], facts, 'UnknownTermPath'],
    [[{ path: 'milestones.L1-M1.percent', to: '31' }], facts, 'MilestonesNotWhole'],
    [[{ path: 'endDate', to: '2026-01-31' }], facts, 'DatesOutOfOrder'],
    [[{ path: 'endDate', to: '2026-02-28' }], facts, 'EndBeforeBilled'],
    [[{ path: 'fixedFee', to: '250000.00', currency: 'USD' }], { ...facts, acceptedMilestoneIds: ['L1-M1'] }, 'AcceptedMilestoneChanged'],
    [[{ path: 'fixedFee', to: '71999.99', currency: 'USD' }], facts, 'FeeBelowBilled'],
  ])('by %j is refused as %s', (changes, given, code) => {
    expect(refusal(fixedFee.change(fixedFeeLine(), changes, given))).toBe(code);
  });

  test('moves shares that are not accepted yet', () => {
    const changes = [
      { path: 'milestones.L1-M2.percent', to: '50' },
      { path: 'milestones.L1-M3.percent', to: '20' },
      { path: 'endDate', to: '2026-10-31' },
    ];
    const changed = accepted(fixedFee.change(fixedFeeLine(), changes, { ...facts, acceptedMilestoneIds: ['L1-M1'] }));
    expect(changed.milestones.map((milestone) => milestone.percent)).toEqual(['30', '50', '20']);
    expect(changed.endDate).toBe('2026-10-31');
  });
});

describe('a line is complete', () => {
  const done = { items: [], invoices: [], milestones: [], time: [], overage: noOverage };
  test('when nothing is open', () => {
    const facts = {
      ...done,
      items: [
        { itemKey: 'a', state: 'billed' },
        { itemKey: 'b', state: 'void' },
        { itemKey: 'c', state: 'nothing-to-bill' },
      ] as const,
      invoices: [
        { reference: 'A', state: 'settled' },
        { reference: 'B', state: 'credited' },
        { reference: 'C', state: 'written-off' },
        { reference: 'D', state: 'void' },
      ] as const,
      milestones: [
        { milestoneId: 'M', state: 'accepted' },
        { milestoneId: 'N', state: 'cancelled' },
      ] as const,
    };
    expect(fixedFee.finish(fixedFeeLine(), facts)).toEqual([]);
  });

  test.each([
    [{ milestones: [{ milestoneId: 'M', state: 'open' as const }] }, 'MilestoneOpen', 'billing'],
    [{ items: [{ itemKey: 'a', state: 'planned' as const }] }, 'ItemNotBilled', 'billing'],
    [{ invoices: [{ reference: 'A', state: 'draft' as const }] }, 'InvoiceNotIssued', 'billing'],
    [{ invoices: [{ reference: 'A', state: 'approved' as const }] }, 'InvoiceNotIssued', 'billing'],
    [{ invoices: [{ reference: 'A', state: 'issued' as const }] }, 'InvoiceNotSettled', 'cash'],
  ])('not with %j', (changes, code, stage) => {
    expect(fixedFee.finish(fixedFeeLine(), { ...done, ...changes })).toEqual([expect.objectContaining({ code, stage })]);
  });
});
