import * as fc from 'fast-check';
import { completeInvoice } from '../../domain/billing/invoice';
import { type TimeAndMaterialsLine } from '../../domain/deal/terms';
import { sum } from '../../domain/decimal';
import {
  type BillableExpenseFact,
  type BillingPlanItem,
  type ItemisedDraftLine,
  type PlanContext,
  type PricedTimeFact,
  type TimeAndMaterialsFacts,
  type WithheldItem,
} from '../../domain/engagement/model';
import { timeAndMaterials } from '../../domain/engagement/time-and-materials';
import { extraRun, runMonths } from '../../domain/engagement/time-and-materials-plan';
import { entryAmount } from '../../domain/rates/price';
import {
  accepted,
  billingFacts,
  cappedLine,
  dealOf,
  newYork,
  noOverage,
  refusal,
  retainerLine,
  managedServiceLine,
  revenueFacts,
  usd,
} from './deal-builders';

const context: PlanContext = { shortCode: 'TST', sellingEntityCalendar: newYork, cutOffDay: 6, billingLeadWorkingDays: 3 };
const line = (changes: Partial<TimeAndMaterialsLine> = {}): TimeAndMaterialsLine =>
  cappedLine({ startDate: '2026-03-02', endDate: '2026-05-31', notToExceed: usd('10000.00'), ...changes });
const plan = (of = line(), changes: Partial<PlanContext> = {}): readonly BillingPlanItem[] =>
  accepted(timeAndMaterials.plan(of, { ...context, ...changes }));
const itemOf = (period: string): BillingPlanItem => {
  const item = plan().find((each) => each.period === period);
  if (item === undefined) throw new Error(`no run of ${period}`);
  return item;
};

const time = (entryId: string, changes: Partial<PricedTimeFact> = {}): PricedTimeFact => ({
  entryId,
  personId: 'P-1',
  roleCode: 'DEV',
  workDate: '2026-03-04',
  approvedAt: '2026-03-09T15:00:00Z',
  hours: '8',
  unitPrice: '100',
  amount: usd('800.00'),
  billedParts: [],
  parked: false,
  ...changes,
});
const spent = (expenseId: string, changes: Partial<BillableExpenseFact> = {}): BillableExpenseFact => ({
  expenseId,
  category: 'hotel',
  spendDate: '2026-03-04',
  approvedAt: '2026-03-09T15:00:00Z',
  amount: usd('120.50'),
  ...changes,
});
const facts = (changes: Partial<TimeAndMaterialsFacts> = {}) => ({
  time: [],
  expenses: [],
  withheld: [],
  limits: [{ inForceFrom: '2026-01-22', contractVersion: 1, limit: usd('10000.00') }],
  billedFees: usd('0.00'),
  softLimitReported: false,
  plannedItemKeys: [],
  ...changes,
});
const bill = (changes: Partial<TimeAndMaterialsFacts>, period = '2026-03', of = line()) =>
  accepted(timeAndMaterials.bill(of, itemOf(period), billingFacts({ timeAndMaterials: facts(changes) })));
const shown = (draft: ReturnType<typeof bill>): unknown[] =>
  draft?.lines.map((each) => [each.description, each.quantity, each.unitPrice, each.amountMinor, each.itemIds ?? []]) ?? [];

describe('the plan', () => {
  test('has a run for each month of the line and one after it, drafted at the cut-off and issued in arrears', () => {
    expect(plan()).toEqual(
      [
        ['2026-03', '2026-04-06T04:00:00.000Z', '2026-04-06'],
        ['2026-04', '2026-05-06T04:00:00.000Z', '2026-05-06'],
        ['2026-05', '2026-06-06T04:00:00.000Z', '2026-06-08'],
        ['2026-06', '2026-07-06T04:00:00.000Z', '2026-07-06'],
      ].map(([period, draftAt, issueDate]) => ({
        itemKey: `run/${period}`,
        lineId: 'L4',
        kind: 'period-run',
        period,
        trigger: { kind: 'moment', draftAt, issueDate },
        reference: `TST-L4-${period}`,
        amount: null,
      })),
    );
  });

  test('runs from the first month of the deal to the month after delivery; managed services are no delivery', () => {
    const deal = dealOf({
      startDate: '2026-02-01',
      lines: [line(), retainerLine({ endDate: '2026-09-30' }), managedServiceLine({ endDate: '2027-09-30' })],
    });
    const runs = runMonths(deal);
    expect(runs).toEqual({ first: '2026-02', last: '2026-10' });
    expect(plan(line(), { runs }).map((item) => item.period)).toHaveLength(9);
    expect(runMonths({ ...deal, startDate: '2026-04-01', lines: [line({ endDate: '2026-12-31' })] })).toEqual({
      first: '2026-03',
      last: '2027-01',
    });
  });

  test.each([
    ['2026-07-06T03:59:59Z', '2026-06', '2026-07-06'],
    ['2026-07-06T04:00:00Z', '2026-07', '2026-08-06'],
    ['2026-11-20T00:00:00Z', '2026-11', '2026-12-07'],
  ])('finance may ask for a run of the next month whose cut-off has not passed: %s', (at, period, issueDate) => {
    const extra = accepted(extraRun(line(), context, at));
    expect(extra).toMatchObject({ itemKey: `run/${period}`, period, reference: `TST-L4-${period}`, trigger: { issueDate } });
    expect(plan(line({ endDate: '2026-12-31' }))).toContainEqual(extra);
  });

  test('needs working days', () => {
    expect(refusal(timeAndMaterials.plan(line(), { ...context, sellingEntityCalendar: { ...newYork, workingWeekdays: [] } }))).toBe(
      'CalendarWithoutWorkingDay',
    );
  });
});

describe('what a run takes', () => {
  test.each<[string, Partial<PricedTimeFact>, boolean]>([
    ['the last day of the month', { workDate: '2026-03-31' }, true],
    ['the next month', { workDate: '2026-04-01' }, false],
    ['an earlier month, approved late', { workDate: '2026-02-10', approvedAt: '2026-04-01T00:00:00Z' }, true],
    ['approved just before the cut-off in the zone of the entity', { approvedAt: '2026-04-06T03:59:59.999Z' }, true],
    ['approved at the cut-off', { approvedAt: '2026-04-06T04:00:00Z' }, false],
  ])('%s', (_, changes, taken) => {
    expect(bill({ time: [time('A', changes)] }) !== null).toBe(taken);
    const { workDate, approvedAt } = { ...time('A'), ...changes };
    expect(bill({ expenses: [spent('X', { spendDate: workDate, approvedAt })] }) !== null).toBe(taken);
  });

  test('what came late goes to the next run', () => {
    expect(bill({ time: [time('A', { approvedAt: '2026-04-06T04:00:00Z' })] }, '2026-04')).toMatchObject({
      reference: 'TST-L4-2026-04',
      period: '2026-04',
    });
  });

  test('a run that was billed is refused', () => {
    const before = billingFacts({ billedItemKeys: ['run/2026-03'], timeAndMaterials: facts() });
    expect(refusal(timeAndMaterials.bill(line(), itemOf('2026-03'), before))).toBe('AlreadyBilled');
  });

  test('nothing may be billed before a contract version is in force', () => {
    const early = facts({ time: [time('A')], limits: [{ inForceFrom: '2026-04-01', contractVersion: 1, limit: null }] });
    expect(refusal(timeAndMaterials.bill(line(), itemOf('2026-03'), billingFacts({ timeAndMaterials: early })))).toBe('LimitNotInForce');
  });

  test('a line without its facts, and an item that is no run, are bugs', () => {
    expect(() => timeAndMaterials.bill(line(), itemOf('2026-03'), billingFacts())).toThrow('needs its time');
    const other = { ...itemOf('2026-03'), kind: 'milestone' as const };
    expect(() => timeAndMaterials.bill(line(), other, billingFacts({ timeAndMaterials: facts() }))).toThrow('no run of a month');
  });
});

describe('the document of a run', () => {
  test('groups time by person, role and unit price, and expenses by category', () => {
    const draft = bill({
      time: [
        time('D', { personId: 'P-2' }),
        time('C', { unitPrice: '15', amount: usd('120.00') }),
        time('B', { workDate: '2026-03-05', hours: '4.5', amount: usd('450.00') }),
        time('A', { roleCode: 'ARC' }),
        time('E'),
      ],
      expenses: [spent('X-2'), spent('X-3', { category: 'airfare', amount: usd('900.00') }), spent('X-1')],
    });
    expect(shown(draft)).toEqual([
      ['Implementation 2026-03: ARC', '8', '100', 80_000, ['A']],
      ['Implementation 2026-03: DEV', '8', '15', 12_000, ['C']],
      ['Implementation 2026-03: DEV', '12.5', '100', 125_000, ['E', 'B']],
      ['Implementation 2026-03: DEV', '8', '100', 80_000, ['D']],
      ['Implementation 2026-03: expenses, airfare', null, null, 90_000, ['X-3']],
      ['Implementation 2026-03: expenses, hotel', null, null, 24_100, ['X-1', 'X-2']],
    ]);
    expect(draft).toMatchObject({ documentKind: 'invoice', kind: 'period-run', lineId: 'L4', currency: 'USD' });
  });

  test('deducts the discount from the fees, not from the expenses, half-up', () => {
    const draft = bill(
      { time: [time('A', { amount: usd('333.40') })], expenses: [spent('X')] },
      '2026-03',
      line({ feeDiscountPercent: '2.5' }),
    );
    expect(shown(draft).slice(1)).toEqual([
      ['Implementation: discount of 2.5 % on the fees', null, null, -834, []], // 8.335
      ['Implementation 2026-03: expenses, hotel', null, null, 12_050, ['X']],
    ]);
  });

  test('has expenses alone where there are no fees, and does not exist where there is nothing', () => {
    expect(shown(bill({ expenses: [spent('X')] }, '2026-03', line({ feeDiscountPercent: '2.5' })))).toHaveLength(1);
    expect(bill({})).toBeNull();
    expect(bill({ time: [time('A', { amount: usd('0.00') })] })).toBeNull();
  });

  test('keeps an entry that is worth nothing, so that it counts as billed', () => {
    const draft = bill({ time: [time('A'), time('B', { unitPrice: '0', amount: usd('0.00') })] });
    expect(draft?.lines.map((each) => each.itemIds)).toEqual([['B'], ['A']]);
  });

  test('bills up to the limit before discount; the next run bills the rest when the limit rises', () => {
    const parts = { time: [time('A', { amount: usd('6000.00') }), time('B', { workDate: '2026-03-05', amount: usd('5000.00') })] };
    const first = bill(parts, '2026-03', line({ feeDiscountPercent: '2.5' }));
    expect(first?.lines.map((each) => each.amountMinor)).toEqual([1_000_000, -25_000]);
    expect((first?.lines[0] as ItemisedDraftLine).items).toEqual([
      { itemId: 'A', amountMinor: 600_000, hours: '8' },
      { itemId: 'B', amountMinor: 400_000, hours: '6.4' },
    ]);
    const later = facts({
      time: [{ ...parts.time[1], billedParts: [{ part: 1, amount: usd('4000.00'), hours: '6.4' }], parked: true } as PricedTimeFact],
      billedFees: usd('10000.00'),
      limits: [...facts().limits, { inForceFrom: '2026-04-20', contractVersion: 2, limit: usd('20000.00') }],
    });
    const second = bill(later, '2026-04');
    expect((second?.lines[0] as ItemisedDraftLine).items).toEqual([{ itemId: 'B/2', amountMinor: 100_000, hours: '1.6' }]);
    expect(timeAndMaterials.run?.(line(), itemOf('2026-04'), billingFacts({ timeAndMaterials: later }))).toMatchObject({
      limit: usd('20000.00'),
      billedFees: usd('1000.00'),
      billedToDate: usd('11000.00'),
      releasedFromParked: usd('1000.00'),
      parkedAfter: usd('0.00'),
    });
  });

  test('the items of a line sum to it, and the lines to the net, before and after tax', () => {
    const entries = fc.array(
      fc.record({
        personId: fc.constantFrom('P-1', 'P-2'),
        roleCode: fc.constantFrom('DEV', 'ARC'),
        unitPrice: fc.constantFrom('100', '33.335', '57.5'),
        quarters: fc.integer({ min: 1, max: 96 }),
        day: fc.integer({ min: 1, max: 9 }),
      }),
      { minLength: 1, maxLength: 30 },
    );
    fc.assert(
      fc.property(entries, fc.integer({ min: 1, max: 2_000_000 }), (rows, limit) => {
        const list = rows.map(({ personId, roleCode, unitPrice, quarters, day }, index) => {
          const hours = (quarters / 4).toString();
          return time(`E-${index}`, {
            personId,
            roleCode,
            unitPrice,
            hours,
            workDate: `2026-03-0${day}`,
            amount: entryAmount(hours, unitPrice, 'USD'),
          });
        });
        const limits = [{ inForceFrom: '2026-01-22', contractVersion: 1, limit: { minor: limit, currency: 'USD' } }];
        const draft = bill({ time: list, limits, expenses: [spent('X')] }, '2026-03', line({ feeDiscountPercent: '2.5' }));
        if (draft === null) throw new Error('no draft');
        for (const each of draft.lines as readonly ItemisedDraftLine[]) {
          if (each.items.length === 0) continue;
          expect(each.items.reduce((all, part) => all + part.amountMinor, 0)).toBe(each.amountMinor);
          if (each.quantity !== null) expect(sum(each.items.map((part) => part.hours ?? '0'))).toBe(each.quantity);
        }
        const fees = Math.min(
          limit,
          list.reduce((all, each) => all + each.amount.minor, 0),
        );
        const net = draft.lines.reduce((all, each) => all + each.amountMinor, 0);
        expect(net).toBe(fees - Math.floor((fees * 25 + 500) / 1000) + 12_050);
        const tax = { category: 'S', ratePercent: '19', reasonCode: null, note: null } as const;
        expect(completeInvoice(draft, tax, { level: 'line', mode: 'half-up' })).toMatchObject({ netMinor: net });
        const ids = draft.lines.flatMap((each) => each.itemIds ?? []);
        expect(new Set(ids).size).toBe(ids.length);
      }),
    );
  });

  test('a document of 100,000 entries takes seconds at most', () => {
    const list = Array.from({ length: 100_000 }, (_, index) => time(`E-${index}`, { personId: `P-${index % 300}`, amount: usd('8.00') }));
    const before = performance.now();
    expect(bill({ time: list })?.lines).toHaveLength(300);
    expect(performance.now() - before).toBeLessThan(15_000);
  });
});

describe('what is told before a run is billed', () => {
  const codes = (changes: Partial<TimeAndMaterialsFacts>, other: Parameters<typeof billingFacts>[0] = {}) =>
    timeAndMaterials
      .readiness(line(), itemOf('2026-04'), billingFacts({ timeAndMaterials: facts(changes), ...other }))
      .map(({ code, severity }) => `${severity} ${code}`);
  const withheld = (reason: WithheldItem['reason'], date = '2026-04-30'): WithheldItem => ({ itemId: `I-${reason}`, date, reason });

  test('nothing where all is well', () => {
    expect(codes({ time: [time('A')] })).toEqual([]);
  });

  test('items left out are shown and do not hold the run; a missing rate of exchange does', () => {
    const reasons = ['time-not-approved', 'time-blocked', 'rate-unresolved', 'expense-not-approved', 'expense-error'] as const;
    expect(codes({ withheld: [...reasons.map((reason) => withheld(reason)), withheld('fx-rate-missing')] })).toEqual([
      'warns TimeNotApproved',
      'warns TimeBlocked',
      'warns RateUnresolved',
      'warns ExpenseNotApproved',
      'warns ExpenseInError',
      'blocks FxRateMissing',
    ]);
    expect(codes({ withheld: [withheld('fx-rate-missing', '2026-05-01')] })).toEqual([]);
  });

  test('counts what waits', () => {
    const two = facts({ withheld: [withheld('time-not-approved'), withheld('time-not-approved')] });
    expect(timeAndMaterials.readiness(line(), itemOf('2026-04'), billingFacts({ timeAndMaterials: two }))[0]?.action).toBe(
      'approve or reject 2 time entries',
    );
  });

  test('runs go one after the other', () => {
    expect(codes({ plannedItemKeys: ['run/2026-04', 'run/2026-05'] })).toEqual([]);
    expect(codes({ plannedItemKeys: ['run/2026-03', 'run/2026-04'] })).toEqual(['blocks EarlierRunOpen']);
  });

  test('the limits', () => {
    expect(codes({ time: [time('A', { amount: usd('8000.00') })] })).toEqual(['warns SoftLimitReached']);
    expect(codes({ time: [time('A', { amount: usd('10000.01') })], softLimitReported: true })).toEqual(['warns LimitReached']);
    expect(codes({ limits: [] })).toEqual(['blocks LimitNotInForce']);
  });

  test('a limit whose contract names no soft share, at eighty percent', () => {
    const reaches = (amount: string) => {
      const known = billingFacts({ timeAndMaterials: facts({ time: [time('A', { amount: usd(amount) })] }) });
      return timeAndMaterials.readiness(line({ capSoftPercent: null }), itemOf('2026-04'), known).map(({ code }) => code);
    };
    expect([reaches('7999.99'), reaches('8000.00')]).toEqual([[], ['SoftLimitReached']]);
  });

  test('a purchase order that the net would exceed', () => {
    const purchaseOrder = {
      number: 'PO-1',
      limit: usd('800.00'),
      invoiced: usd('0.01'),
      validFrom: '2026-01-01',
      validTo: '2026-12-31',
    };
    expect(codes({ time: [time('A')] }, { purchaseOrder })).toEqual(['blocks PurchaseOrderExhausted']);
    expect(codes({}, { purchaseOrder })).toEqual([]);
  });
});

describe('revenue', () => {
  test('of a month is the net of its document, whichever month the work was done and the document was issued', () => {
    const billedByPeriod = [
      { period: '2026-02', amount: usd('5.00') },
      { period: '2026-03', amount: usd('100.00') },
      { period: '2026-04', amount: usd('50.00') },
      { period: '2026-04', amount: usd('-10.00') },
    ];
    const billed = [
      { period: '2026-04', amount: usd('105.00') },
      { period: '2026-05', amount: usd('40.00') },
    ];
    const months = accepted(timeAndMaterials.recognise(line(), revenueFacts({ billedByPeriod, billed }), '2026-05'));
    expect(months.map(({ period, revenue, contractAsset }) => [period, revenue.minor, contractAsset.minor])).toEqual([
      ['2026-02', 500, 500],
      ['2026-03', 10_000, 10_500],
      ['2026-04', 4_000, 4_000],
      ['2026-05', 0, 0],
    ]);
  });

  test('by another method is refused; without the documents by period the caller has a bug', () => {
    expect(refusal(timeAndMaterials.recognise(line({ revenueMethod: 'cost-to-cost' }), revenueFacts(), '2026-05'))).toBe(
      'RevenueMethodNotSupported',
    );
    expect(() => timeAndMaterials.recognise(line(), revenueFacts(), '2026-05')).toThrow('by period');
  });
});

describe('changing and finishing', () => {
  const changeFacts = { acceptedMilestoneIds: [], billedToDate: usd('4875.00'), lastBilledMonth: '2026-04', billedFees: usd('5000.00') };
  const change = (path: string, to: string, currency?: string) =>
    timeAndMaterials.change(line(), [{ path, to, ...(currency === undefined ? {} : { currency }) }], changeFacts);

  test('limit, soft share, end and discount may change', () => {
    expect(change('notToExceed', '18650.00', 'USD')).toEqual(line({ notToExceed: usd('18650.00') }));
    expect(change('notToExceed', '5000.00', 'USD')).toEqual(line({ notToExceed: usd('5000.00') }));
    expect(change('capSoftPercent', '90')).toEqual(line({ capSoftPercent: '90' }));
    expect(change('endDate', '2026-12-31')).toEqual(line({ endDate: '2026-12-31' }));
    expect(change('feeDiscountPercent', '3')).toEqual(line({ feeDiscountPercent: '3' }));
  });

  test.each([
    ['a limit below the fees billed', change('notToExceed', '4999.99', 'USD'), 'LimitBelowBilled'],
    ['another currency', change('notToExceed', '9000.00', 'EUR'), 'TermCurrencyMismatch'],
    ['an end before what is billed', change('endDate', '2026-03-31'), 'EndBeforeBilled'],
    ['the start', change('startDate', '2026-03-01'), 'TermNotChangeable'],
  ])('%s is refused', (_, result, code) => {
    expect(refusal(result)).toBe(code);
  });

  const finish = (changes: { time?: PricedTimeFact[]; expenses?: BillableExpenseFact[] }) =>
    timeAndMaterials
      .finish(line(), {
        items: [],
        invoices: [],
        milestones: [],
        time: [],
        overage: noOverage,
        timeAndMaterials: { time: [], expenses: [], ...changes },
      })
      .map(({ code, action }) => `${code}: ${action}`);

  test('parked time wants a decision, approved time and expenses want a document', () => {
    const parked = time('A', { billedParts: [{ part: 1, amount: usd('300.00'), hours: '3' }], parked: true });
    expect(finish({ time: [parked, time('B')], expenses: [spent('X')] })).toEqual([
      'ParkedTimeUndecided: have the limit raised for the parked 500.00 USD, or waive it',
      'TimeNotBilled: bill or waive 800.00 USD of approved time',
      'ExpenseNotBilled: bill or waive 120.50 USD of approved expenses',
    ]);
  });

  test('a line without anything left is complete', () => {
    expect(finish({ time: [time('A', { amount: usd('0.00') })] })).toEqual([]);
    expect(() => timeAndMaterials.finish(line(), { items: [], invoices: [], milestones: [], time: [], overage: noOverage })).toThrow(
      'unbilled',
    );
  });
});
