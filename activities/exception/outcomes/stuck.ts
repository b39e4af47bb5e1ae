import { type Transaction } from 'kysely';
import { type CancellationInput, type OutcomeMessage } from '../../../contracts/workflow-state';
import { ENGINE_SOURCE } from '../../../db/books/running';
import { endChangeOrder } from '../../../db/change-orders';
import { dropDeadLetter, sendDeadLetterAgain } from '../../../db/dead-letters';
import { CANCELLATION_ASKED, type ExceptionRow } from '../../../db/exceptions';
import { putInboxEvent } from '../../../db/inbox';
import { handOnAgain, ignoreFailedEvent } from '../../../db/inbox-delivery';
import { failBatch } from '../../../db/intake-batches';
import { entityOf } from '../../../db/parties';
import { type DB } from '../../../db/types';
import { localDateOf } from '../../../domain/calendar/zone';
import { type Instant } from '../../../domain/deal/terms';
import { dealWorkflowId } from '../../../domain/ids';
import { isViolation, type Violation } from '../../../domain/violation';
import { endDraft } from '../../invoice/issue';
import { lockInvoice } from '../../invoice/view';
import { subjectOf } from '../view';
import { type CarriedOut, type Outcome } from './table';

/** Tried once more, as it is or after the cause was removed: a step by its run, an event by its stream, a message by the notifier. */
export const retry: Outcome = {
  carryOut: async (trx, { row }) => {
    const { about } = subjectOf(row);
    if (about === 'step') return { settles: false, tells: [retryOf(row)] };
    const again = about === 'inbox-event' ? await handOnAgain(trx, idIn(row)) : await sendDeadLetterAgain(trx, idIn(row));
    return isViolation(again) ? again : { settles: true, tells: [] };
  },
};

/** Left out: a fact takes the place of what could not be done, so that the step, tried once more, finds nothing left to do. */
export const skip: Outcome = {
  refuse: async (_trx, { row }) => (subjectOf(row).about === 'step' ? refuseUnknownStep(row) : null),
  carryOut: async (trx, { row, at }) => {
    const { about, step } = subjectOf(row);
    if (about === 'inbox-event') return left(await ignoreFailedEvent(trx, idIn(row), row.id));
    if (about === 'notification') return left(await dropDeadLetter(trx, idIn(row)));
    const refused = refuseUnknownStep(row) ?? (await SKIPS[step ?? '']?.(trx, row, at)) ?? null;
    return refused ?? { settles: false, tells: [retryOf(row)], details: { step } };
  },
};

/** Cancelled with its deal: what was begun is undone by the deal's own saga, once the cancellation is approved (I-13). */
export const cancelDeal: Outcome = {
  refuse: async (trx, { row }) => {
    const open = await trx
      .selectFrom('cancellation_request')
      .select('id')
      .where('deal_id', '=', row.deal_id)
      .where('state', '=', 'pending')
      .executeTakeFirst();
    return open === undefined ? null : { violation: 'CancellationPending', detail: 'a cancellation is being decided' };
  },
  carryOut: async (trx, { row, choice, at }) => {
    const dealId = row.deal_id ?? '';
    const { timeZone } = await entityOf(trx, row.entityId ?? '');
    const { id: requestId, chosen_by: by, reason_id: reasonId } = choice;
    const cancellation: CancellationInput = { requestId, by, reasonId, effectiveOn: localDateOf(at, timeZone), at };
    await putInboxEvent(trx, {
      source: ENGINE_SOURCE,
      eventId: `cancellation/${requestId}`,
      type: CANCELLATION_ASKED,
      subject: dealWorkflowId(dealId),
      sourceOrder: '1',
      occurredAt: at,
      businessReceivedAt: at,
      payload: { dealId, cancellation },
    });
    return { settles: false, tells: [], details: { requestId } };
  },
};

type Skip = (trx: Transaction<DB>, row: ExceptionRow, at: Instant) => Promise<Violation | null>;

/** By the step that is stuck: the fact that takes its place. */
const SKIPS: Readonly<Record<string, Skip>> = {
  applyIntake: skipEvent,
  applyIntakeBlock: skipEvent,
  applyChangeOrder: async (trx, { facts }, at) => {
    const end = { state: 'refused', code: 'ChangeOrderSkipped', detail: 'left out by the outcome of an exception', at } as const;
    await endChangeOrder(trx, facts.changeOrderId ?? '', end);
    return null;
  },
  billItem: async (trx, { facts }) => {
    await trx
      .updateTable('billing_plan_item')
      .set({ held_reason: 'skipped' })
      .where('id', '=', facts.itemId ?? '')
      .where('state', '=', 'planned')
      .execute();
    return null;
  },
  issueInvoice: async (trx, { facts }, at) => {
    const invoice = await lockInvoice(trx, facts.invoiceId ?? '');
    if (invoice.state !== 'approved') return { violation: 'InvoiceNotOpen', detail: `the invoice is ${invoice.state}` };
    await endDraft(trx, invoice, at, 'skipped');
    return null;
  },
};

/** What its stream cannot apply is as if it had not come; what it applied of a file stays. */
async function skipEvent(trx: Transaction<DB>, { facts, id }: ExceptionRow): Promise<null> {
  const errors = JSON.stringify([{ violation: 'EventSkipped', detail: `by the outcome of exception ${id}` }]);
  await trx
    .updateTable('inbox_event')
    .set({ state: 'ignored', errors })
    .where('id', '=', facts.inboxEventId ?? '')
    .execute();
  await failBatch(trx, facts.inboxEventId ?? '');
  return null;
}

/** The step is kept with ids of what it was about; without them nothing can take its place. */
const FACT_OF_STEP: Readonly<Record<string, string>> = {
  applyIntake: 'inboxEventId',
  applyIntakeBlock: 'inboxEventId',
  applyChangeOrder: 'changeOrderId',
  billItem: 'itemId',
  issueInvoice: 'invoiceId',
};

function refuseUnknownStep(row: ExceptionRow): Violation | null {
  const fact = FACT_OF_STEP[subjectOf(row).step ?? ''] ?? '';
  return row.facts[fact] === undefined ? { violation: 'OutcomeNotOffered', detail: 'what the step is about is not on record' } : null;
}

function left(outcome: Violation | null): CarriedOut | Violation {
  return outcome ?? { settles: true, tells: [] };
}

/** The run of a step that is stuck tries it once more. */
export function retryOf({ workflow_id: workflowId }: ExceptionRow): OutcomeMessage {
  return { workflowId, message: 'retry', reasonId: null };
}

/** `inbox/<id>`, `notification/<id>`. */
function idIn({ workflow_id: name }: ExceptionRow): string {
  return name.slice(name.indexOf('/') + 1);
}
