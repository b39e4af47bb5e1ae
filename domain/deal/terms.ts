import { type Decimal } from '../decimal';
import { type Money } from '../money';

/** Local business date, `YYYY-MM-DD`. */
export type LocalDate = string;
/** ISO 8601 in UTC with `Z`. */
export type Instant = string;
/** Calendar month, `YYYY-MM`. */
export type Month = string;

export type BillingMethod = 'milestone' | 'monthly-arrears' | 'monthly-advance';
export type RevenueMethod =
  'cost-to-cost' | 'hours-percent-complete' | 'milestone' | 'straight-line-daily' | 'as-invoiced' | 'completed-contract' | 'point-in-time';

/** What every contract line has, whatever its engagement model. `lineId` is unique inside the deal only (for example `L1`). */
export interface LineBase {
  readonly lineId: string;
  readonly name: string;
  readonly serviceLine: string;
  readonly practice: string;
  readonly region: string;
  readonly sellingEntityId: string;
  readonly billToId: string;
  readonly currency: string;
  readonly startDate: LocalDate;
  readonly endDate: LocalDate;
  readonly billingMethod: BillingMethod;
  readonly revenueMethod: RevenueMethod;
  readonly feeDiscountPercent: Decimal | null;
  readonly expensesBillable: boolean;
  /** What contract versions changed from a day on; the terms of the line itself are the last (R-191, S-02). */
  readonly earlier?: readonly EarlierTerms[] | undefined;
}

/** Terms of a line as they were before contract version `version` changed them; the change is in force from the day `before`. */
export interface EarlierTerms {
  readonly before: LocalDate;
  readonly version: number;
  readonly terms: Readonly<Record<string, unknown>>;
}

export interface MilestoneTerms {
  readonly milestoneId: string;
  readonly name: string;
  readonly percent: Decimal;
  readonly plannedDate: LocalDate;
}

export interface FixedFeeLine extends LineBase {
  readonly engagementModel: 'fixed-fee';
  readonly fixedFee: Money;
  readonly milestones: readonly MilestoneTerms[];
}

export interface TimeAndMaterialsLine extends LineBase {
  readonly engagementModel: 'time-and-materials';
  readonly notToExceed: Money | null;
  readonly capSoftPercent: Decimal | null;
  readonly rateCards?: readonly AgreedRateCard[] | undefined;
}

/** A rate card that a change order agreed for a line; it prices work from that day on (R-194, S-02). */
export interface AgreedRateCard {
  readonly cardId: string;
  readonly inForceFrom: LocalDate;
  readonly version: number;
}

export interface SlaCreditBand {
  readonly fromPercent: Decimal;
  readonly belowPercent: Decimal | null;
  readonly creditPercentOfMonthlyFee: Decimal;
}

export interface ManagedServiceLine extends LineBase {
  readonly engagementModel: 'managed-service';
  readonly monthlyFee: Money;
  readonly includedTicketsPerMonth: number;
  readonly overagePerTicket: Money;
  readonly minimumCommitment: { readonly period: 'contract-quarter'; readonly amount: Money } | null;
  readonly slaCredits: { readonly measure: string; readonly table: readonly SlaCreditBand[] } | null;
  readonly addOns?: readonly ServiceAddOn[] | undefined;
}

/** Service beside that of the line, with a monthly fee of its own for its own days, both included (R-193, S-18). */
export interface ServiceAddOn {
  readonly addOnId: string;
  readonly monthlyFee: Money;
  readonly serviceFrom: LocalDate;
  readonly serviceTo: LocalDate;
}

export interface RetainerLine extends LineBase {
  readonly engagementModel: 'retainer';
  readonly monthlyFee: Money;
  readonly includedHoursPerMonth: Decimal;
  readonly overageRatePerHour: Money;
  readonly rollover: { readonly maxHours: Decimal; readonly months: number } | null;
  readonly availability: 'on-issue' | 'on-payment';
}

export type LineTerms = FixedFeeLine | TimeAndMaterialsLine | ManagedServiceLine | RetainerLine;
export type EngagementModelCode = LineTerms['engagementModel'];

/**
 * The terms of a deal, the same whichever CRM told them. Everything that a handoff can complete may be null; the baseline
 * requires it. `deemedAcceptanceBusinessDays` is null where nothing says that silence is acceptance.
 */
export interface DealTerms {
  readonly name: string;
  readonly contractNumber: string;
  readonly shortCode: string;
  readonly projectCode: string;
  readonly signedDate: LocalDate;
  readonly startDate: LocalDate;
  readonly endDate: LocalDate;
  readonly customerId: string | null;
  readonly leadEntityId: string;
  readonly paymentTermsDays: number;
  readonly purchaseOrderRequired: boolean;
  readonly lateInterestPercentPerYear: Decimal;
  readonly customerRateCardId: string | null;
  readonly deemedAcceptanceBusinessDays: number | null;
  readonly statementOfWork: { readonly documentId: string; readonly sha256: string } | null;
  readonly lines: readonly LineTerms[];
}

/** Names a deal in an outside system: `source` is `hubspot`, `salesforce`, `contract` … (D7). */
export interface DealAlias {
  readonly source: string;
  readonly externalId: string;
}

/** A deal reported as won by a CRM, normalised. `aliases` holds every name the report gives for the deal, its own first. */
export interface DealClosed {
  readonly aliases: readonly DealAlias[];
  readonly closedAt: Instant;
  readonly sellerId: string | null;
  readonly deliveryLeadId: string | null;
  readonly terms: DealTerms;
}

/** One term of the signed statement of work, confirmed by people. `path` points into the deal, for example `lines.L5.monthlyFee`. */
export interface SowTerm {
  readonly path: string;
  readonly value: string;
  readonly unit: string;
  readonly clause: string;
  readonly currency?: string;
}

/** A term on which the statement of work and the deal differ; the statement of work governs (S-01). */
export interface TermDiscrepancy {
  readonly path: string;
  readonly deal: string | null;
  readonly sow: string;
  readonly clause: string;
}
