import { defineQuery, defineUpdate } from '@temporalio/workflow';
import type { ClockState, PolicyChangeInput, PolicyChangeReceipt, PolicyChangeView } from '../../contracts/workflow-state';

export interface PolicyRunInput {
  readonly kind: string;
  /** The entity that says something otherwise; null for the group. */
  readonly entityId: string | null;
  readonly clock: ClockState;
}

/** Answers after the change is kept for its approval; it is in force when that was given. */
export const requestPolicyChangeUpdate = defineUpdate<PolicyChangeReceipt, [PolicyChangeInput]>('requestPolicyChange');
export const policyChangeQuery = defineQuery<PolicyChangeView | null>('policyChange');
