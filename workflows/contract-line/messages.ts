import { defineQuery, defineSignal, defineUpdate } from '@temporalio/workflow';
import type {
  BillingWaiver,
  ClockState,
  ItemRelease,
  LineView,
  MilestoneDelivery,
  MilestoneResponse,
  RunRequest,
  UsageReport,
} from '../../contracts/workflow-state';

export interface ContractLineInput {
  readonly contractLineId: string;
  readonly dealId: string;
  readonly projectId: string;
  readonly customerId: string | null;
  readonly entityId: string;
  readonly engagementModel: string;
  readonly clock: ClockState;
  /** Set over continue-as-new. */
  readonly goOn?: boolean;
  /** Set where the line had finished before: its closing project looks again when it ends anew. */
  readonly reopened?: boolean;
  readonly stop?: { readonly stoppedOn: string; readonly at: string } | null;
}

export const deliverMilestoneUpdate = defineUpdate<LineView, [MilestoneDelivery]>('deliverMilestone');
export const respondToMilestoneUpdate = defineUpdate<LineView, [MilestoneResponse]>('respondToMilestone');
export const reportUsageUpdate = defineUpdate<LineView, [UsageReport]>('reportUsage');
/** Finance releases an item whose draft was refused. */
export const releaseItemUpdate = defineUpdate<LineView, [ItemRelease]>('releaseItem');
/** Finance decides what is not billed. */
export const waiveUpdate = defineUpdate<LineView, [BillingWaiver]>('waive');
/** Finance asks for a run after the planned ones. */
export const planRunUpdate = defineUpdate<LineView, [RunRequest]>('planRun');
/** An invoice of the line reached its end, or was voided. */
export const invoiceClosedSignal = defineSignal<[{ invoiceId: string; at: string }]>('invoiceClosed');
/** Facts changed outside (time approved, purchase order raised, a hold released): look again. */
export const recheckLineSignal = defineSignal<[{ at: string }]>('recheckLine');
export const stopLineSignal = defineSignal<[{ stoppedOn: string; at: string }]>('stopLine');
export const lineQuery = defineQuery<LineView | null>('line');
