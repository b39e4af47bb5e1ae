import { sql, type Transaction } from 'kysely';
import { lockBankDoor, noteStatements, type StatementName } from '../../../db/bank-files';
import { correctionOf, refuseOvertaken, replaceEvent } from '../../../db/corrected-events';
import { sendDeadLetterAgain } from '../../../db/dead-letters';
import { correctedFacts } from '../../../db/exception-enclosures';
import { type ExceptionRow } from '../../../db/exceptions';
import { hashOf } from '../../../db/hash';
import { inboxEvent, type InboxRow } from '../../../db/inbox';
import { type DB } from '../../../db/types';
import {
  correctableAs,
  correctedPlaces,
  type CorrectionShown,
  eventOfException,
  refuseTooLarge,
} from '../../../domain/exception/correction';
import { isViolation, type Violation } from '../../../domain/violation';
import { subjectOf } from '../view';
import { type CarriedOut, type Decided, type Outcome } from './table';
import { retry, retryOf } from './stuck';

/**
 * What was wrong is put right: elsewhere, and it is tried once more; or by corrected facts that come in the place of what was sent, once somebody
 * else has approved them. What was sent stays as it was.
 */
export const fix: Outcome = {
  refuse: async (trx, { row, choice: { corrected } }) => (corrected === null ? null : refuseCorrection(trx, row, corrected)),
  carryOut: async (trx, decided) => {
    const corrected = await correctedFacts(trx, decided.choice.id);
    if (corrected === null) return retry.carryOut(trx, decided);
    if (isViolation(corrected)) return corrected;
    await lockEvent(trx, decided.row);
    const refused = await refuseCorrection(trx, decided.row, corrected.payload);
    if (refused) return refused;
    return subjectOf(decided.row).about === 'notification'
      ? correctAddress(trx, decided.row, addressIn(corrected.payload))
      : correctEvent(trx, decided, corrected.payload);
  },
};

async function refuseCorrection(trx: Transaction<DB>, row: ExceptionRow, payload: unknown): Promise<Violation | null> {
  if (subjectOf(row).about === 'notification') return refuseAddress(trx, row, addressIn(payload));
  const event = await eventOf(trx, row);
  if (event === undefined || correctableAs(event) === null)
    return { violation: 'CorrectionNotTaken', detail: 'what it is about is put right where it came from', path: '/correction' };
  if (event.erased_at !== null) return { violation: 'InboxEventErased', detail: event.erased_at };
  // A step that is stuck has its event, which therefore counts as delivered.
  const isWaiting = subjectOf(row).about === 'step' ? event.state === 'delivered' : event.state === 'failed' || event.state === 'invalid';
  if (!isWaiting) return { violation: 'InboxEventNotReplayable', detail: `${event.id} is ${event.state}` };
  const other = await correctionOf(trx, event.id);
  if (other !== undefined) return { violation: 'InboxEventNotReplayable', detail: `${other.id} came in the place of ${event.id}` };
  return refuseTooLarge(correctedPlaces(event.payload, payload)) ?? refuseOvertaken(trx, event);
}

async function correctEvent(trx: Transaction<DB>, { row, choice, at }: Decided, payload: unknown): Promise<CarriedOut | Violation> {
  const original = await eventOf(trx, row);
  if (original === undefined) throw new Error('an exception about an event that is not there');
  if (original.type === 'bank-statements') await lockBankDoor(trx);
  const fresh = await replaceEvent(trx, original, { payload, choiceId: choice.id, failedAt: row.opened_at, at });
  const { statements = [] } = payload as { statements?: readonly StatementName[] };
  if (original.type === 'bank-statements') await noteStatements(trx, fresh.id, statements);
  const details = { corrects: original.id, inboxEventId: fresh.id, before: original.payload_hash, after: fresh.payload_hash };
  return subjectOf(row).about === 'step' ? { settles: false, tells: [retryOf(row)], details } : { settles: true, tells: [], details };
}

/** The address of a person whose mail nobody takes; of others it is none, and master data that comes later says what holds. */
async function correctAddress(trx: Transaction<DB>, row: ExceptionRow, address: string): Promise<CarriedOut | Violation> {
  const { user_id: userId, email } = await receiverOf(trx, row);
  await trx
    .updateTable('app_user')
    .set({ email: address })
    .where('id', '=', userId ?? '')
    .execute();
  const again = await sendDeadLetterAgain(trx, messageOf(row));
  if (isViolation(again)) return again;
  return { settles: true, tells: [], details: { userId }, personal: { before: email ?? '', after: address } };
}

async function refuseAddress(trx: Transaction<DB>, row: ExceptionRow, address: string): Promise<Violation | null> {
  const { user_id: userId, erased_at: erasedAt, state } = await receiverOf(trx, row);
  if (userId === null || erasedAt !== null)
    return {
      violation: 'CorrectionNotTaken',
      detail: 'an endpoint is made anew, and nobody who was erased is written to',
      path: '/correction',
    };
  if (state !== 'dead') return { violation: 'NotificationNotDead', detail: `it is ${state}` };
  const other = await trx
    .selectFrom('app_user')
    .select('id')
    .where(sql<boolean>`lower(email) = lower(${address})`)
    .where('id', '<>', userId)
    .executeTakeFirst();
  return other === undefined ? null : { violation: 'AddressOfAnother', detail: `it is that of ${other.id}`, path: '/correction/address' };
}

function receiverOf(trx: Transaction<DB>, row: ExceptionRow) {
  return trx
    .selectFrom('notification')
    .leftJoin('app_user', 'app_user.id', 'notification.user_id')
    .select(['notification.user_id', 'notification.state', 'app_user.email', 'app_user.erased_at'])
    .where('notification.id', '=', messageOf(row))
    .executeTakeFirstOrThrow();
}

/**
 * What approvers of corrected facts are asked to approve: the places that change and hashes of what stood and of what will, never the values, which
 * are a matter of rights and are erased; `db/reads/approval-correction.ts` shows them as long as they are there. Null where none came.
 */
export async function correctionShown(trx: Transaction<DB>, row: ExceptionRow, choiceId: string): Promise<CorrectionShown | null> {
  if (row.path !== 'stuck-integration') return null;
  const corrected = await correctedFacts(trx, choiceId);
  if (corrected === null) return null;
  // Nobody approved this: what is shown of corrected facts that are gone is what no approval was given for.
  if (isViolation(corrected)) return { of: 'erased', changes: [] };
  if (subjectOf(row).about === 'notification') {
    const { user_id: userId } = await receiverOf(trx, row);
    return { of: 'address', userId, after: corrected.payloadHash, changes: [{ path: '/address' }] };
  }
  const event = await eventOf(trx, row);
  return {
    of: event?.type ?? '',
    inboxEventId: event?.id ?? null,
    before: event?.payload_hash ?? null,
    after: hashOf(corrected.payload),
    changes: correctedPlaces(event?.payload, corrected.payload).map(({ path }) => ({ path })),
  };
}

/** One at a time, also where two exceptions are about one event. */
async function lockEvent(trx: Transaction<DB>, row: ExceptionRow): Promise<void> {
  const id = eventOfException(row.workflow_id, row.facts);
  if (id !== null) await trx.selectFrom('inbox_event').select('id').where('id', '=', id).forUpdate().execute();
}

async function eventOf(trx: Transaction<DB>, row: ExceptionRow): Promise<InboxRow | undefined> {
  const id = eventOfException(row.workflow_id, row.facts);
  return id === null ? undefined : inboxEvent(trx, id);
}

function messageOf({ workflow_id: name }: ExceptionRow): string {
  return name.slice('notification/'.length);
}

function addressIn(payload: unknown): string {
  return (payload as { address: string }).address;
}
