import fc from 'fast-check';
import { type BillingPlanItem, type UsageReport } from '../../domain/engagement/model';
import { managedService } from '../../domain/engagement/managed-service';
import { engagementModel } from '../../domain/engagement/registry';
import { creditPercent, monthsNeededFor, settlements } from '../../domain/engagement/settlements';
import { asStopped } from '../../domain/engagement/stop';
import { sumMoney } from '../../domain/money';
import { isViolation } from '../../domain/violation';
import {
  accepted,
  billingFacts,
  csvOf,
  eur,
  fixedFeeLine,
  managedServiceLine,
  newYork,
  noOverage,
  refusal,
  retainerLine,
  revenueFacts,
  usage,
} from './deal-builders';

const context = { shortCode: 'TST', sellingEntityCalendar: newYork, cutOffDay: 6, billingLeadWorkingDays: 3 };
const line = managedServiceLine();
const plan = accepted(managedService.plan(line, context));
const itemOf = (key: string): BillingPlanItem => plan.find((item) => item.itemKey === key) as BillingPlanItem;
const bands = line.slaCredits?.table ?? [];
const referenceUsage = (): UsageReport[] =>
  csvOf('usage.csv').map((row) => ({
    eventId: row['event_id'] ?? '',
    period: row['service_period'] ?? '',
    tickets: Number(row['tickets']),
    p1Tickets: Number(row['p1_tickets']),
    p1WithinTarget: Number(row['p1_within_target']),
    supersedes: row['supersedes'] === '' ? null : (row['supersedes'] ?? null),
    reportedAt: row['reported_at'] ?? '',
  }));
const figures = (list: readonly UsageReport[]) =>
  settlements(line, list).map((month) =>
    month.kind === 'reported'
      ? [month.overage.minor, month.trueUp?.minor ?? null, month.serviceCredit.minor, month.net.minor]
      : 'unreported',
  );

describe('a settlement that cannot be billed', () => {
  test('without its usage report', () => {
    const facts = billingFacts();
    expect(refusal(managedService.bill(line, itemOf('settlement/2026-10'), facts))).toBe('UsageReportMissing');
    expect(managedService.readiness(line, itemOf('settlement/2026-10'), facts)).toEqual([
      expect.objectContaining({
        code: 'UsageReportMissing',
        severity: 'blocks',
        ownerRole: 'project-manager',
        action: 'report the usage of 2026-10 for L5',
      }),
    ]);
  });

  test('at the end of a quarter of which a report is missing', () => {
    const facts = billingFacts({ usage: [usage('2026-10'), usage('2026-12')] });
    expect(refusal(managedService.bill(line, itemOf('settlement/2026-12'), facts))).toBe('UsageReportMissing');
    expect(managedService.readiness(line, itemOf('settlement/2026-12'), facts).map(({ action }) => action)).toEqual([
      'report the usage of 2026-11 for L5',
    ]);
  });

  test('twice', () => {
    const facts = billingFacts({ usage: [usage('2026-10')], billedItemKeys: ['settlement/2026-10'] });
    expect(refusal(managedService.bill(line, itemOf('settlement/2026-10'), facts))).toBe('AlreadyBilled');
  });
});

describe('the credit table', () => {
  test.each([
    [0, 0, '0'],
    [20, 19, '0'],
    [100_000, 94_999, '5'],
    [1_000_000, 949_999, '5'],
    [10, 9, '5'],
    [1_000_000, 899_999, '10'],
    [20, 17, '10'],
    [1_000_000, 849_999, '15'],
    [3, 0, '15'],
    [41, 36, '10'],
  ])('%i tickets, %i in time: %s percent, read without rounding', (p1Tickets, p1WithinTarget, percent) => {
    expect(creditPercent(bands, { p1Tickets, p1WithinTarget })).toBe(percent);
  });

  test('without a table there is no credit', () => {
    expect(creditPercent([], { p1Tickets: 10, p1WithinTarget: 0 })).toBe('0');
  });
});

describe('settlements', () => {
  test('of the reference usage: superseded and repeated reports count once', () => {
    expect(figures(referenceUsage())).toEqual([
      [0, 0, 0, 0],
      [75_600, 0, 0, 75_600],
      [0, 74_400, 0, 74_400],
      [232_200, 0, 90_000, 142_200],
      [167_400, 0, 180_000, -12_600],
      [0, 0, 90_000, -90_000],
      [334_800, 0, 270_000, 64_800],
      [0, 0, 0, 0],
      [27_000, 0, 0, 27_000],
      [0, 0, 0, 0],
      [0, 0, 90_000, -90_000],
      [151_200, 0, 0, 151_200],
    ]);
  });

  test('the order and number of deliveries do not matter', () => {
    const expected = figures(referenceUsage());
    fc.assert(
      fc.property(fc.shuffledSubarray(referenceUsage(), { minLength: referenceUsage().length }), fc.nat(13), (shuffled, again) => {
        expect(figures([...shuffled, ...shuffled.slice(0, again)])).toEqual(expected);
      }),
    );
  });

  test('of two reports without a link the later one governs', () => {
    const first = usage('2026-10', { eventId: 'A', tickets: 201, reportedAt: '2026-11-01T07:00:00Z' });
    const second = usage('2026-10', { eventId: 'B', tickets: 202, reportedAt: '2026-11-01T07:00:00.5Z' });
    expect(settlements(line, [second, first])[0]).toMatchObject({ eventId: 'B', overageTickets: 2 });
  });

  test('a report replaces only one of its own month', () => {
    const october = usage('2026-10', { eventId: 'A', tickets: 201 });
    const december = usage('2026-12', { eventId: 'B', tickets: 1, supersedes: 'A' });
    expect(settlements(line, [october, december])[0]).toMatchObject({ kind: 'reported', eventId: 'A', overageTickets: 1 });
  });

  test('published: a minimum of 100 with 80 used is trued up by 20', () => {
    const small = managedServiceLine({
      monthlyFee: eur('20.00'),
      overagePerTicket: eur('20.00'),
      includedTicketsPerMonth: 0,
      minimumCommitment: { period: 'contract-quarter', amount: eur('100.00') },
    });
    const list = [usage('2026-10', { tickets: 1 }), usage('2026-11'), usage('2026-12')];
    expect(settlements(small, list)[2]).toMatchObject({ trueUp: eur('20.00') });
  });

  test('a term cut inside a quarter has no true-up there, a month in part counts its own fee', () => {
    const cut = managedServiceLine({ startDate: '2026-10-16', endDate: '2027-02-28' });
    const list = ['2026-10', '2026-11', '2026-12', '2027-01', '2027-02'].map((period) => usage(period));
    const trueUps = settlements(cut, list).map((month) => (month.kind === 'reported' ? month.trueUp?.minor : null));
    expect(trueUps).toEqual([0, 0, 5_550_000 - 3_600_000 - 929_032, 0, 0]);
  });

  test('without a commitment there is no true-up, and a quarter needs no other report', () => {
    const free = managedServiceLine({ minimumCommitment: null });
    const facts = billingFacts({ usage: [usage('2026-12', { tickets: 201 })] });
    expect(managedService.readiness(free, itemOf('settlement/2026-12'), facts)).toEqual([]);
    expect(managedService.bill(free, itemOf('settlement/2026-12'), facts)).toMatchObject({ lines: [{ amountMinor: 5400 }] });
  });
});

describe('the documents of a managed service', () => {
  const facts = billingFacts({ usage: referenceUsage() });
  const bill = (period: string) => managedService.bill(line, itemOf(`settlement/${period}`), facts);

  test('zero makes no document, zero amounts no line', () => {
    expect(bill('2026-10')).toBeNull();
    expect(bill('2027-05')).toBeNull();
    expect(bill('2026-11')).toMatchObject({
      documentKind: 'invoice',
      lines: [{ amountMinor: 75_600, quantity: '14', unit: 'ticket', unitPrice: '54' }],
    });
  });

  test('overage and credit that cancel out make no document', () => {
    const even = managedServiceLine({ overagePerTicket: eur('900.00') });
    const cancelling = billingFacts({ usage: [usage('2026-10', { tickets: 201, p1Tickets: 10, p1WithinTarget: 9 })] });
    expect(managedService.bill(even, itemOf('settlement/2026-10'), cancelling)).toBeNull();
  });

  test('a negative net is a credit note with the period of the service', () => {
    expect(bill('2027-02')).toMatchObject({
      documentKind: 'credit-note',
      reference: 'TST-L5-2027-02-US',
      period: '2027-02',
      currency: 'EUR',
      lines: [
        { amountMinor: 167_400, itemIds: ['USG-005'] },
        { amountMinor: -180_000, itemKind: 'service-credit' },
      ],
    });
  });

  test('the fee is billed in advance, or in arrears where the line says so', () => {
    expect(managedService.bill(line, itemOf('fee/2026-10'), facts)).toMatchObject({
      kind: 'advance-fee',
      reference: 'TST-L5-2026-10',
      lines: [{ amountMinor: 1_800_000 }],
    });
    const arrears = accepted(managedService.plan(managedServiceLine({ billingMethod: 'monthly-arrears' }), context));
    expect(arrears[0]).toMatchObject({
      itemKey: 'fee/2026-10',
      kind: 'arrears-fee',
      trigger: { draftAt: '2026-11-06T05:00:00.000Z', issueDate: '2026-11-06' },
    });
  });

  test('the plan has a fee and a settlement for each month', () => {
    expect(plan).toHaveLength(24);
    expect(itemOf('settlement/2026-10')).toMatchObject({
      reference: 'TST-L5-2026-10-US',
      trigger: { draftAt: '2026-11-06T05:00:00.000Z', issueDate: '2026-11-06' },
    });
    expect(itemOf('settlement/2027-09').trigger).toMatchObject({ issueDate: '2027-10-06' });
  });
});

describe('revenue of a managed service', () => {
  test('is the fees by day, plus overage and true-up, less credits, in the month they concern', () => {
    const facts = revenueFacts({ usage: referenceUsage(), billed: [{ period: '2026-10', amount: eur('18000.00') }] });
    const months = accepted(managedService.recognise(line, facts, '2027-09'));
    expect(months[0]).toEqual({
      period: '2026-10',
      revenueToDate: eur('18345.21'),
      revenue: eur('18345.21'),
      billedToDate: eur('18000.00'),
      contractAsset: eur('345.21'),
      contractLiability: eur('0.00'),
    });
    expect(months[1]?.revenue).toEqual(eur('18509.42'));
    expect(
      sumMoney(
        months.map((month) => month.revenue),
        'EUR',
      ),
    ).toEqual(eur('219426.00'));
  });
});

describe('a managed service stopped in the middle of a month', () => {
  const reports = ['2026-10', '2026-11', '2026-12'].map((month) => usage(month, { tickets: 210, p1Tickets: 10, p1WithinTarget: 8 }));
  const billed = (own: typeof line, key: string) => {
    const item = accepted(managedService.plan(own, context)).find(({ itemKey }) => itemKey === key);
    return item && managedService.bill(own, item, billingFacts({ usage: reports }));
  };

  test('owes the fee of its days; tickets stay included whole; the credit is a share of that fee', () => {
    const stopped = asStopped(line, '2026-11-10');
    expect(billed(stopped, 'fee/2026-11')).toMatchObject({ lines: [{ amountMinor: 600_000 }] });
    expect(billed(stopped, 'settlement/2026-11')).toMatchObject({
      lines: [{ amountMinor: 54_000 }, { amountMinor: -90_000, itemKind: 'service-credit' }],
    });
    expect(billed(stopped, 'settlement/2026-12')).toBeUndefined();
  });

  test.each(['2026-11-30', '2026-12-30'])('owes no commitment for the quarter that the stop of %s cuts short', (stoppedOn) => {
    const stopped = asStopped(line, stoppedOn);
    const settled = settlements(stopped, reports).map((each) => each.kind === 'reported' && each.trueUp);
    expect(settled.every((trueUp) => trueUp !== false && trueUp?.minor === 0)).toBe(true);
    expect(monthsNeededFor(stopped, stoppedOn.slice(0, 7))).toEqual([stoppedOn.slice(0, 7)]);
  });

  test('owes the commitment of a quarter that ended before or with it', () => {
    const idle = ['2026-10', '2026-11', '2026-12'].map((month) => usage(month));
    expect(settlements(asStopped(line, '2026-12-31'), idle).at(-1)).toMatchObject({ trueUp: eur('1500.00') });
  });

  test('earns what it bills less what it credits', () => {
    const stopped = asStopped(line, '2026-11-10');
    const months = accepted(managedService.recognise(stopped, revenueFacts({ usage: reports }), '2026-12'));
    expect(months.at(-1)?.revenueToDate).toEqual(eur('21480.00')); // 18,000 + 540 - 2,700, and 6,000 + 540 - 900
  });
});

describe('the registry of engagement models', () => {
  test.each(['unknown', 'toString'])('%s has no module', (code) => {
    expect(refusal(engagementModel(code))).toBe('EngagementModelNotSupported');
  });

  test.each([fixedFeeLine(), line, retainerLine()])('a line of $engagementModel is planned by its own module and by no other', (own) => {
    const model = accepted(engagementModel(own.engagementModel));
    expect(model.code).toBe(own.engagementModel);
    expect(isViolation(model.plan(own, context))).toBe(false);
    const other = own.engagementModel === 'retainer' ? line : retainerLine();
    expect(() => model.plan(other, context)).toThrow(TypeError);
  });

  test('all six questions are answered through it', () => {
    const model = accepted(engagementModel('managed-service'));
    const change = { acceptedMilestoneIds: [], billedToDate: eur('0.00'), lastBilledMonth: '2026-12' };
    const finish = { items: [], invoices: [], milestones: [], time: [], overage: noOverage };
    expect(model.bill(line, itemOf('fee/2026-10'), billingFacts())).toMatchObject({ kind: 'advance-fee' });
    expect(model.readiness(line, itemOf('fee/2026-10'), billingFacts())).toEqual([]);
    expect(accepted(model.recognise(line, revenueFacts(), '2026-10'))).toHaveLength(1);
    expect(model.change(line, [{ path: 'overagePerTicket', to: '60.00', currency: 'EUR' }], change)).toEqual(
      managedServiceLine({ overagePerTicket: eur('60.00') }),
    );
    expect(refusal(model.change(line, [{ path: 'endDate', to: '2026-11-30' }], change))).toBe('EndBeforeBilled');
    expect(model.finish(line, finish)).toEqual([]);
  });
});
