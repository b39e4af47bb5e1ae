import { type ApprovalOutcome } from '../../contracts/workflow-state';

/** How a request ends whose approval did not come: what nobody decided in its time is taken back; that it expired says its approval. */
export function endOfRequest(outcome: Exclude<ApprovalOutcome, 'approved'>): 'refused' | 'withdrawn' {
  return outcome === 'expired' ? 'withdrawn' : outcome;
}
