import { type Instant, type LocalDate, type Month } from '../deal/terms';
import { type Decimal } from '../decimal';
import { type Money } from '../money';
import { type BillingPlanItem, type OpenPoint, type PlanContext, type TimeAndMaterialsFacts, type TimeFact } from './model';

/** Hours of an entry that stand on a document; the first part of an entry is part 1. */
export interface BilledHours {
  readonly entryId: string;
  readonly part: number;
  readonly hours: Decimal;
}

/** A run that has settled a month of work: it took what was approved before its cut-off. */
export interface SettledRun {
  readonly period: Month;
  readonly cutOff: Instant;
}

/**
 * What became of overage hours so far, by month of work. Credited documents count as billed: a credit says itself what becomes of its
 * items. Waived hours are negative where finance decided that too many stay billed.
 */
export interface OverageFacts {
  readonly billed: readonly BilledHours[];
  readonly waived: Readonly<Record<Month, Decimal>>;
  readonly runs: readonly SettledRun[];
}

/** A fee of a month on a document, net; a draft is not issued yet. */
export interface FeeDocument {
  readonly period: Month;
  readonly amount: Money;
  readonly issued: boolean;
}

/** A billing plan item as it stands. */
export interface StandingItem {
  readonly itemKey: string;
  readonly kind: string;
  readonly period: Month | null;
  readonly state: string;
}

export interface FollowUpFacts {
  readonly items: readonly StandingItem[];
  readonly time: readonly TimeFact[];
  readonly overage: OverageFacts;
  readonly fees: readonly FeeDocument[];
  /** Billable time and expenses that are not billed; needed for time-and-materials lines. */
  readonly timeAndMaterials?: Pick<TimeAndMaterialsFacts, 'time' | 'expenses'>;
  readonly context: PlanContext;
  readonly at: Instant;
}

/** What has to be planned beside the first plan, and what only a person can settle. */
export interface FollowUp {
  readonly items: readonly BillingPlanItem[];
  readonly open: readonly OpenPoint[];
}

/** The day on which a line was stopped, where that was before the end of its term. */
export interface Stopped {
  readonly stoppedOn?: LocalDate;
}
