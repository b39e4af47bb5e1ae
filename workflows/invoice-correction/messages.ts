import { defineQuery, defineUpdate } from '@temporalio/workflow';
import type {
  ClockState,
  CorrectionInput,
  CorrectionReceipt,
  CorrectionView,
  DisputeInput,
  DisputeResolution,
} from '../../contracts/workflow-state';

export interface InvoiceCorrectionInput {
  readonly invoiceId: string;
  readonly dealId: string;
  readonly contractLineId: string;
  readonly clock: ClockState;
}

export const raiseDisputeUpdate = defineUpdate<CorrectionView, [DisputeInput]>('raiseDispute');
export const resolveDisputeUpdate = defineUpdate<CorrectionView, [DisputeResolution]>('resolveDispute');
/** Answers after the correction is kept for its approval; it is issued when that was given. */
export const requestCorrectionUpdate = defineUpdate<CorrectionReceipt, [CorrectionInput]>('requestCorrection');
export const correctionQuery = defineQuery<CorrectionView | null>('correction');
