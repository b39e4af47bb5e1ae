import { type InvoiceDraft, type InvoiceDraftLine } from '../billing/invoice';
import { type WorkingCalendar } from '../calendar/working-day';
import { type EngagementModelCode, type Instant, type LineTerms, type LocalDate, type Month } from '../deal/terms';
import { type Decimal } from '../decimal';
import { type Money } from '../money';
import { type Violation } from '../violation';
import { type FeeDocument, type FollowUp, type FollowUpFacts, type OverageFacts } from './follow-up';
import { type LimitRun, type QueuedEntry } from './not-to-exceed';
import { type LimitInForce } from './not-to-exceed-limit';
import { type WaivedItem, type Waiver } from './waiver';

/**
 * What the core asks of an engagement model (R-030, DESIGN 4.1): a new model is one module behind these six questions and a row in the
 * registry. All are pure; nobody else knows how a model bills or earns.
 */
export interface EngagementModel<Line extends LineTerms = LineTerms> {
  readonly code: EngagementModelCode;
  /** Everything that will be billed for the line, in the order in which it falls due. */
  plan(line: Line, context: PlanContext): readonly BillingPlanItem[] | Violation;
  /** What keeps an item from being billed, or should be seen before it is. */
  readiness(line: Line, item: BillingPlanItem, facts: BillingFacts): readonly ReadinessBlocker[];
  /** The document of an item before tax; null where there is nothing to bill. */
  bill(line: Line, item: BillingPlanItem, facts: BillingFacts): InvoiceDraft | null | Violation;
  /** What a run leaves behind beside its document: limit, fees billed, released and parked (S-15); only models with a limit have it. */
  readonly run?: (line: Line, item: BillingPlanItem, facts: BillingFacts) => LimitRun | Violation;
  /** Revenue of each month from the first of the line to `asOf`, and the contract position at its end. */
  recognise(line: Line, facts: RevenueFacts, asOf: Month): readonly RevenueMonth[] | Violation;
  /** The terms of the line after a change order, or why it may not change so. */
  change(line: Line, changes: readonly LineChange[], facts: ChangeFacts): Line | Violation;
  /** What is open before the line is complete; empty when it is. */
  finish(line: Line, facts: FinishFacts): readonly OpenPoint[];
  /** What has to be planned beside the first plan, because it came late or the line was stopped, and what only a person can settle. */
  followUp?(line: Line, facts: FollowUpFacts): FollowUp | Violation;
  /** What finance gives up by a waiver, item by item, or why it may not; a model without it has nothing to waive. */
  readonly waive?: (line: Line, waiver: Waiver, facts: FollowUpFacts) => readonly WaivedItem[] | Violation;
}

export type BillingPlanItemKind =
  'milestone' | 'advance-fee' | 'arrears-fee' | 'usage-settlement' | 'retainer-overage' | 'fee-credit' | 'period-run';

/** When an item is drafted and issued: at a planned moment, or after the acceptance of a milestone. */
export type PlanTrigger =
  | { readonly kind: 'moment'; readonly draftAt: Instant; readonly issueDate: LocalDate }
  | { readonly kind: 'acceptance'; readonly milestoneId: string };

/** One document to come. `itemKey` is unique in the line; `amount` is null until usage or time says it. */
export interface BillingPlanItem {
  readonly itemKey: string;
  readonly lineId: string;
  readonly kind: BillingPlanItemKind;
  readonly period: Month | null;
  readonly trigger: PlanTrigger;
  readonly reference: string;
  readonly amount: Money | null;
}

/** `cutOffDay` is the day of the next month at whose start a month's run is cut off; the lead is how early an advance invoice is drafted. */
export interface PlanContext {
  readonly shortCode: string;
  readonly sellingEntityCalendar: WorkingCalendar;
  readonly cutOffDay: number;
  readonly billingLeadWorkingDays: number;
  /** First and last month that is run for time and materials (S-10, S-47); without it the months of the line and the one after. */
  readonly runs?: { readonly first: Month; readonly last: Month };
}

export interface MilestoneFact {
  readonly milestoneId: string;
  readonly acceptedOn: LocalDate | null;
}

/** A monthly report of a service desk; `supersedes` names the report it replaces. */
export interface UsageReport {
  readonly eventId: string;
  readonly period: Month;
  readonly tickets: number;
  readonly p1Tickets: number;
  readonly p1WithinTarget: number;
  readonly supersedes: string | null;
  readonly reportedAt: Instant;
}

/** Time on the line; `approvedAt` is null while it waits for approval. Rejected and blocked entries are not handed over (S-07, S-22). */
export interface TimeFact {
  readonly entryId: string;
  readonly workDate: LocalDate;
  readonly hours: Decimal;
  readonly approvedAt: Instant | null;
  readonly billable: boolean;
}

/** Time, priced and billable (S-04 to S-07), of which something is left to bill; parked time stays one until it is billed or waived. */
export interface PricedTimeFact extends QueuedEntry {
  readonly personId: string;
  readonly roleCode: string;
  readonly unitPrice: Decimal;
  readonly approvedAt: Instant;
}

/** A billable expense that stands on no uncredited document, in the currency of the line (S-24). */
export interface BillableExpenseFact {
  readonly expenseId: string;
  readonly category: string;
  readonly spendDate: LocalDate;
  readonly approvedAt: Instant;
  readonly amount: Money;
}

/** Time or an expense that cannot be billed as things stand; `date` is its work or spend date. */
export interface WithheldItem {
  readonly itemId: string;
  readonly date: LocalDate;
  readonly reason: 'time-not-approved' | 'time-blocked' | 'rate-unresolved' | 'expense-not-approved' | 'expense-error' | 'fx-rate-missing';
}

/** What a run of a time-and-materials line needs: what is left, not the history (S-10, S-15). */
export interface TimeAndMaterialsFacts {
  readonly time: readonly PricedTimeFact[];
  readonly expenses: readonly BillableExpenseFact[];
  readonly withheld: readonly WithheldItem[];
  readonly limits: readonly LimitInForce[];
  /** Fees on uncredited documents of the line, before discount, without expenses (S-09, S-15). */
  readonly billedFees: Money;
  /** Fees that corrections took off and that are not billed once more. */
  readonly creditedFees?: Money;
  readonly softLimitReported: boolean;
  /** Keys of the line's runs that are still to be billed or voided. */
  readonly plannedItemKeys: readonly string[];
}

/** The customer's purchase order for the line and what was invoiced under it so far, net. */
export interface PurchaseOrderState {
  readonly number: string;
  readonly limit: Money | null;
  readonly invoiced: Money;
  readonly validFrom: LocalDate;
  readonly validTo: LocalDate;
}

export interface BillingFacts {
  readonly milestones: readonly MilestoneFact[];
  readonly usage: readonly UsageReport[];
  readonly time: readonly TimeFact[];
  /** Needed for time-and-materials lines. */
  readonly timeAndMaterials?: TimeAndMaterialsFacts;
  readonly overage: OverageFacts;
  /** Monthly fees on documents that are not void. */
  readonly fees: readonly FeeDocument[];
  /** Keys of the items that already have a document, and of those whose document is settled. */
  readonly billedItemKeys: readonly string[];
  readonly settledItemKeys: readonly string[];
  readonly purchaseOrderRequired: boolean;
  readonly purchaseOrder: PurchaseOrderState | null;
  readonly taxTreatmentKnown: boolean;
  readonly contractVersionPending: boolean;
  readonly holdReason: string | null;
  /** Policy: whether an exhausted or lapsed purchase order stops the invoice or is only shown. */
  readonly purchaseOrderPolicy: { readonly exhausted: Severity; readonly lapsed: Severity };
}

export type Severity = 'blocks' | 'warns';

/** Why an item is not ready; every blocker has an owner and an action. */
export interface ReadinessBlocker {
  readonly code: string;
  readonly severity: Severity;
  readonly ownerRole: string;
  readonly action: string;
}

/** Cost (or hours) to date and to complete at the end of a month, in the line's currency, exact (S-26). */
export interface EffortFact {
  readonly period: Month;
  readonly toDate: Decimal;
  readonly toComplete: Decimal;
}

/** `billed` holds the net of every document by the month of its issue date, credit notes negative. */
export interface RevenueFacts {
  readonly effort: readonly EffortFact[];
  readonly milestones: readonly MilestoneFact[];
  readonly usage: readonly UsageReport[];
  readonly time: readonly TimeFact[];
  /** Overage hours that finance waived, by month of work. */
  readonly waivedOverage: Readonly<Record<Month, Decimal>>;
  readonly billed: readonly { readonly period: Month; readonly amount: Money }[];
  /** The same net by the period that the document bills; needed for time-and-materials lines (S-27). */
  readonly billedByPeriod?: readonly { readonly period: Month; readonly amount: Money }[];
}

export interface RevenueMonth {
  readonly period: Month;
  readonly revenueToDate: Money;
  readonly revenue: Money;
  readonly billedToDate: Money;
  readonly contractAsset: Money;
  readonly contractLiability: Money;
}

/** One change: `path` behind `lines.<lineId>.` as in the statement of work, its new value as text, currency for money. */
export interface LineChange {
  readonly path: string;
  readonly to: string;
  readonly currency?: string;
}

export interface ChangeFacts {
  readonly acceptedMilestoneIds: readonly string[];
  readonly billedToDate: Money;
  readonly lastBilledMonth: Month | null;
  /** Fees on uncredited documents before discount: what a limit may not fall below (S-09, S-15). */
  readonly billedFees?: Money;
}

export interface FinishFacts {
  readonly items: readonly { readonly itemKey: string; readonly state: 'planned' | 'billed' | 'nothing-to-bill' | 'void' }[];
  readonly invoices: readonly {
    readonly reference: string;
    readonly state: 'draft' | 'approved' | 'issued' | 'settled' | 'credited' | 'written-off' | 'void';
  }[];
  readonly milestones: readonly { readonly milestoneId: string; readonly state: 'open' | 'accepted' | 'cancelled' }[];
  readonly time: readonly TimeFact[];
  readonly overage: OverageFacts;
  /** Billable time and expenses that are not billed; needed for time-and-materials lines. */
  readonly timeAndMaterials?: Pick<TimeAndMaterialsFacts, 'time' | 'expenses'>;
}

/** What a document bills of an item; `hours` is null for what is not time. */
export interface DraftItem {
  readonly itemId: string;
  readonly amountMinor: number;
  readonly hours: Decimal | null;
}

/** A document line that says what each of its items contributes: the amounts sum to the line (I-04, I-05). */
export interface ItemisedDraftLine extends InvoiceDraftLine {
  readonly items: readonly DraftItem[];
}

/** Something between a line and its end: still to bill, or still to collect. */
export interface OpenPoint {
  readonly code: string;
  readonly stage: 'billing' | 'cash';
  readonly subject: string;
  readonly ownerRole: string;
  readonly action: string;
}
