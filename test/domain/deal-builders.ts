import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type WorkingCalendar } from '../../domain/calendar/working-day';
import {
  type DealTerms,
  type FixedFeeLine,
  type ManagedServiceLine,
  type RetainerLine,
  type SowTerm,
  type TimeAndMaterialsLine,
} from '../../domain/deal/terms';
import { type OverageFacts } from '../../domain/engagement/follow-up';
import { type BillingFacts, type RevenueFacts, type TimeFact, type UsageReport } from '../../domain/engagement/model';
import { parseMoney, type Money } from '../../domain/money';
import { isViolation, type Violation } from '../../domain/violation';

const FOLDER = join(__dirname, '../../examples/reference-deal');

/** Unwraps what must not be a refusal, nor a list of refusals. */
export function accepted<Result>(result: Result): Exclude<Result, Violation | Violation[]> {
  if (Array.isArray(result) && result.length > 0 && result.every(isViolation)) throw new Error(JSON.stringify(result));
  if (isViolation(result)) throw new Error(`${result.violation}: ${result.detail}`);
  return result as Exclude<Result, Violation | Violation[]>;
}

/** The code of a refusal; undefined for anything else. */
export function refusal(value: unknown): string | undefined {
  return isViolation(value) ? value.violation : undefined;
}

export const usd = (text: string): Money => accepted(parseMoney(text, 'USD'));
export const eur = (text: string): Money => accepted(parseMoney(text, 'EUR'));

const base = {
  serviceLine: 'advisory',
  practice: 'advisory',
  region: 'NA',
  sellingEntityId: 'E-1',
  billToId: 'B-1',
  currency: 'USD',
  startDate: '2026-02-01',
  endDate: '2026-09-30',
  feeDiscountPercent: null,
  expensesBillable: false,
};

export const fixedFeeLine = (changes: Partial<FixedFeeLine> = {}): FixedFeeLine => ({
  ...base,
  lineId: 'L1',
  name: 'Discovery',
  engagementModel: 'fixed-fee',
  billingMethod: 'milestone',
  revenueMethod: 'cost-to-cost',
  fixedFee: usd('240000.00'),
  milestones: [
    { milestoneId: 'L1-M1', name: 'Assessment', percent: '30', plannedDate: '2026-03-06' },
    { milestoneId: 'L1-M2', name: 'Architecture', percent: '40', plannedDate: '2026-04-10' },
    { milestoneId: 'L1-M3', name: 'Roadmap', percent: '30', plannedDate: '2026-05-13' },
  ],
  ...changes,
});

export const cappedLine = (changes: Partial<TimeAndMaterialsLine> = {}): TimeAndMaterialsLine => ({
  ...base,
  lineId: 'L4',
  name: 'Implementation',
  engagementModel: 'time-and-materials',
  billingMethod: 'monthly-arrears',
  revenueMethod: 'as-invoiced',
  notToExceed: usd('100000.00'),
  capSoftPercent: '80',
  ...changes,
});

export const managedServiceLine = (changes: Partial<ManagedServiceLine> = {}): ManagedServiceLine => ({
  ...base,
  lineId: 'L5',
  name: 'Support',
  engagementModel: 'managed-service',
  currency: 'EUR',
  startDate: '2026-10-01',
  endDate: '2027-09-30',
  billingMethod: 'monthly-advance',
  revenueMethod: 'straight-line-daily',
  monthlyFee: eur('18000.00'),
  includedTicketsPerMonth: 200,
  overagePerTicket: eur('54.00'),
  minimumCommitment: { period: 'contract-quarter', amount: eur('55500.00') },
  slaCredits: {
    measure: 'priority 1 in time',
    table: [
      { fromPercent: '95', belowPercent: null, creditPercentOfMonthlyFee: '0' },
      { fromPercent: '90', belowPercent: '95', creditPercentOfMonthlyFee: '5' },
      { fromPercent: '85', belowPercent: '90', creditPercentOfMonthlyFee: '10' },
      { fromPercent: '0', belowPercent: '85', creditPercentOfMonthlyFee: '15' },
    ],
  },
  ...changes,
});

export const retainerLine = (changes: Partial<RetainerLine> = {}): RetainerLine => ({
  ...base,
  lineId: 'L6',
  name: 'Retainer',
  engagementModel: 'retainer',
  billingMethod: 'monthly-advance',
  revenueMethod: 'straight-line-daily',
  monthlyFee: usd('5600.00'),
  includedHoursPerMonth: '20',
  overageRatePerHour: usd('310.00'),
  rollover: { maxHours: '10', months: 1 },
  availability: 'on-issue',
  ...changes,
});

export const dealOf = (changes: Partial<DealTerms> = {}): DealTerms => ({
  name: 'A deal',
  contractNumber: 'CT-1',
  shortCode: 'TST',
  projectCode: 'PRJ-1',
  signedDate: '2026-01-22',
  startDate: '2026-02-01',
  endDate: '2027-09-30',
  customerId: 'C-1',
  leadEntityId: 'E-1',
  paymentTermsDays: 30,
  purchaseOrderRequired: true,
  lateInterestPercentPerYear: '8',
  customerRateCardId: null,
  deemedAcceptanceBusinessDays: null,
  statementOfWork: { documentId: 'SOW-1', sha256: 'ab' },
  lines: [fixedFeeLine(), managedServiceLine({ billToId: 'B-2' }), retainerLine()],
  ...changes,
});

export const term = (path: string, value: string, currency?: string): SowTerm => ({
  path,
  value,
  unit: '',
  clause: '6.1',
  ...(currency === undefined ? {} : { currency }),
});

export const newYork: WorkingCalendar = {
  calendarId: 'CAL-NY',
  timeZone: 'America/New_York',
  workingWeekdays: ['MO', 'TU', 'WE', 'TH', 'FR'],
  dayStart: '09:00',
  dayEnd: '17:30',
  hoursPerDay: '8',
  holidays: ['2026-02-16', '2026-05-25', '2026-07-03', '2026-09-07'],
};

/** Nothing of the overage is settled yet. */
export const noOverage: OverageFacts = { billed: [], waived: {}, runs: [] };

export const billingFacts = (changes: Partial<BillingFacts> = {}): BillingFacts => ({
  milestones: [],
  usage: [],
  time: [],
  overage: noOverage,
  fees: [],
  billedItemKeys: [],
  settledItemKeys: [],
  purchaseOrderRequired: false,
  purchaseOrder: null,
  taxTreatmentKnown: true,
  contractVersionPending: false,
  holdReason: null,
  purchaseOrderPolicy: { exhausted: 'blocks', lapsed: 'warns' },
  ...changes,
});

export const revenueFacts = (changes: Partial<RevenueFacts> = {}): RevenueFacts => ({
  effort: [],
  milestones: [],
  usage: [],
  time: [],
  waivedOverage: {},
  billed: [],
  ...changes,
});

export const usage = (period: string, changes: Partial<UsageReport> = {}): UsageReport => ({
  eventId: `U-${period}`,
  period,
  tickets: 0,
  p1Tickets: 0,
  p1WithinTarget: 0,
  supersedes: null,
  reportedAt: `${period}-28T07:00:00Z`,
  ...changes,
});

export const worked = (workDate: string, hours: string, changes: Partial<TimeFact> = {}): TimeFact => ({
  entryId: `T-${workDate}`,
  workDate,
  hours,
  approvedAt: `${workDate}T20:00:00Z`,
  billable: true,
  ...changes,
});

/** Rows of a CSV of the reference deal that has no quoted cells. */
export function csvOf(file: string): Record<string, string>[] {
  const [head = '', ...rows] = readFileSync(join(FOLDER, file), 'utf8').trim().split('\n');
  const names = head.split(',');
  return rows.map((row) => Object.fromEntries(row.split(',').map((cell, index) => [names[index] ?? '', cell])));
}

/** A JSON file of the reference deal. */
export function jsonOf<Shape>(file: string): Shape {
  return JSON.parse(readFileSync(join(FOLDER, file), 'utf8')) as Shape;
}
