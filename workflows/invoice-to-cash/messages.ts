import { defineQuery, defineSignal, defineUpdate } from '@temporalio/workflow';
import type { ClockState, CollectionHoldInput, HoldLift, InvoiceView } from '../../contracts/workflow-state';

export interface InvoiceToCashInput {
  readonly invoiceId: string;
  readonly dealId: string;
  readonly contractLineId: string;
  readonly clock: ClockState;
  /** Set when collection goes on: over continue-as-new, or after a payment was returned. */
  readonly collectAgain?: boolean;
}

/** Cash was applied or taken back. */
export const receivableChangedSignal = defineSignal<[{ at: string }]>('receivableChanged');
export const holdUpdate = defineUpdate<InvoiceView, [CollectionHoldInput]>('hold');
export const liftHoldUpdate = defineUpdate<InvoiceView, [HoldLift]>('liftHold');
export const invoiceQuery = defineQuery<InvoiceView | null>('invoice');
