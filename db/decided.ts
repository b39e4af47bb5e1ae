import { type Transaction } from 'kysely';
import { type Instant } from '../domain/deal/terms';
import { approvalWorkflowId } from '../domain/ids';
import { ENGINE_SOURCE } from './books/running';
import { putInboxEvent } from './inbox';
import { type DB } from './types';

/** Type of the event by which the run of an approval hears of a decision that was not taken through it. */
export const APPROVAL_DECIDED = 'approval-decided';

/** Until then a person who decides on hundreds of things has their answers: hundreds of runs that go on would slow them down. */
const TOLD_IN_SECONDS = 3;

/** Has the run of an approval told of a decision, by an event of the inbox in the decision's own transaction (D8). */
export async function tellOfDecision(trx: Transaction<DB>, approvalId: string, decisionId: string, at: Instant): Promise<void> {
  await putInboxEvent(trx, {
    source: ENGINE_SOURCE,
    eventId: `approval/${approvalId}/decided/${decisionId}`,
    type: APPROVAL_DECIDED,
    subject: approvalWorkflowId(approvalId),
    sourceOrder: '1',
    occurredAt: at,
    businessReceivedAt: at,
    payload: { approvalId, decisionId },
    inSeconds: TOLD_IN_SECONDS,
  });
}
