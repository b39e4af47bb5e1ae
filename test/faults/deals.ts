import { type DealShape, LINE_BASE, wonDeal } from '../../bench/lifecycle/standard-deal';

/** The business moment of a fault run: whatever is over by then happens at once, the rest when time is moved on. */
export const MOMENT = '2026-05-20T16:00:00.000Z';

/** When milestones were delivered: the day before. */
export const DELIVERED = '2026-05-19T15:00:00.000Z';

/** A bill-to account of the reference customer that only these deals use: it loses its tax registrations now and then. */
export const FRAIL_ACCOUNT = 'BA-FRAIL';

export const ENDINGS = ['closed', 'declined', 'cancelled'] as const;

/** What is sold, and what people do that does not go straight to the end. */
export interface Story {
  readonly name: string;
  readonly shape: Pick<DealShape, 'lines' | 'billTo'>;
  readonly ends: (typeof ENDINGS)[number];
  /** Subjects whose first approval is refused. */
  readonly refuses?: readonly string[];
  /** What somebody does, once, when the deal waits for something of this kind, before what is always done then. */
  readonly asides?: Readonly<Record<string, readonly Aside[]>>;
  /** People ask before they decide on the terms, stand back, and grant under a condition. */
  readonly talks?: true;
  /** Milestones about which the customer says nothing. */
  readonly silentOn?: readonly string[];
  /** So many payments of strangers stand in the statement before the customer's. */
  readonly strangers?: number;
}

export type Aside =
  | 'plan-delivery'
  | 'change-contract'
  | 'cancel'
  | 'cancel-for-good'
  | 'lose-registrations'
  | 'dispute'
  | 'correct'
  | 'report-overage'
  | 'report-late-time'
  | 'let-it-wait'
  | 'change-policy';

const TERM = { startDate: '2026-04-01', endDate: '2026-08-31' };
const OVER = { startDate: '2026-04-01', endDate: '2026-04-30' };
const TO_COME = { startDate: '2026-06-01', endDate: '2026-06-30' };

const fixedFee = (milestones: readonly object[] = [milestone('M1', '100')], over: object = {}) => ({
  ...LINE_BASE,
  ...TERM,
  id: 'A',
  name: 'Assessment',
  engagementModel: 'fixed-fee',
  fixedFee: '100000.00',
  billingMethod: 'milestone',
  revenueMethod: 'cost-to-cost',
  milestones,
  ...over,
});
const milestone = (id: string, percent: string) => ({ id, name: `Part ${id} accepted`, percent, plannedDate: '2026-05-20' });
const service = {
  ...LINE_BASE,
  ...TO_COME,
  id: 'B',
  name: 'Support',
  engagementModel: 'managed-service',
  monthlyFee: '10000.00',
  includedTicketsPerMonth: 50,
  overagePerTicket: '40.00',
  billingMethod: 'monthly-advance',
  revenueMethod: 'straight-line-daily',
};
const retainer = {
  ...LINE_BASE,
  ...TO_COME,
  id: 'C',
  name: 'Advice',
  engagementModel: 'retainer',
  monthlyFee: '5000.00',
  includedHoursPerMonth: '20',
  overageRatePerHour: '300.00',
  rollover: { maxHours: '10', months: 1 },
  availability: 'on-issue',
  billingMethod: 'monthly-advance',
  revenueMethod: 'straight-line-daily',
};
const timeAndMaterials = {
  ...LINE_BASE,
  ...OVER,
  id: 'D',
  name: 'Work',
  engagementModel: 'time-and-materials',
  notToExceed: '500000.00',
  capSoftPercent: '80',
  billingMethod: 'monthly-arrears',
  revenueMethod: 'as-invoiced',
};

const standard: Story = { name: 'standard', shape: { lines: [fixedFee()] }, ends: 'closed' };

/** Together they use every activity; run after run from the first on, for as many deals as there are. */
export const STORIES: readonly Story[] = [
  { name: 'declined', shape: { lines: [fixedFee()] }, ends: 'declined', refuses: ['sow', 'deal'] },
  { ...standard, name: 'kickoff-refused', refuses: ['kickoff'] },
  {
    name: 'retainer',
    shape: { lines: [retainer] },
    ends: 'closed',
    asides: { 'sow-terms': ['plan-delivery'], 'billing-date': ['report-overage'] },
  },
  {
    name: 'late-time',
    shape: { lines: [fixedFee(), timeAndMaterials] },
    ends: 'closed',
    asides: { 'sow-terms': ['plan-delivery'], 'close-checklist': ['report-late-time'] },
  },
  { ...standard, name: 'reminded', ends: 'declined', refuses: ['deal'], asides: { deal: ['let-it-wait'] } },
  { ...standard, name: 'service', shape: { lines: [service] }, talks: true },
  { name: 'cancelled-early', shape: { lines: [fixedFee()] }, ends: 'cancelled', asides: { kickoff: ['cancel-for-good'] } },
  {
    name: 'cancelled-in-delivery',
    shape: { lines: [fixedFee()] },
    ends: 'cancelled',
    refuses: ['cancellation'],
    asides: { delivery: ['cancel', 'cancel-for-good'] },
  },
  { ...standard, name: 'changed', asides: { deal: ['change-policy'], delivery: ['change-contract'] } },
  {
    name: 'stuck',
    shape: { billTo: FRAIL_ACCOUNT, lines: [fixedFee(undefined, { billTo: FRAIL_ACCOUNT })] },
    ends: 'closed',
    asides: { deal: ['lose-registrations'] },
  },
  {
    name: 'refused-and-corrected',
    shape: { lines: [fixedFee([milestone('M1', '60'), milestone('M2', '40')])] },
    ends: 'closed',
    refuses: ['invoice', 'project-close'],
    silentOn: ['M2'],
    strangers: 300,
    asides: { payment: ['dispute', 'correct'] },
  },
  standard,
  standard,
];

/** The CRM's event of a deal of a story. */
export function eventOf(code: string, story: Story) {
  return wonDeal(code, { at: MOMENT, startDate: TERM.startDate, endDate: TERM.endDate, ...story.shape });
}
