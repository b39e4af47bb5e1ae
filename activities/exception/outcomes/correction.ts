import { sql, type Transaction } from 'kysely';
import { lockBankDoor, noteStatements, type StatementName } from '../../../db/bank-files';
import { sendDeadLetterAgain } from '../../../db/dead-letters';
import { correctedFacts } from '../../../db/exception-enclosures';
import { type ExceptionRow } from '../../../db/exceptions';
import { inboxEvent, type InboxRow } from '../../../db/inbox';
import { replaceEvent } from '../../../db/inbox-delivery';
import { type DB } from '../../../db/types';
import { differences } from '../../../domain/difference';
import { correctableAs, eventOfException } from '../../../domain/exception/correction';
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
    if (corrected === undefined) return retry.carryOut(trx, decided);
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
  return isWaiting ? null : { violation: 'InboxEventNotReplayable', detail: `${event.id} is ${event.state}` };
}

async function correctEvent(trx: Transaction<DB>, { row, choice, at }: Decided, payload: unknown): Promise<CarriedOut | Violation> {
  const original = await eventOf(trx, row);
  if (original === undefined) throw new Error('an exception about an event that is not there');
  if (original.type === 'bank-statements') await lockBankDoor(trx);
  const fresh = await replaceEvent(trx, original, { payload, choiceId: choice.id, at });
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

/** So many places are shown to who approves; the hash is of all. */
const SHOWN_PLACES = 100;
const SHOWN_LETTERS = 200;
const NAMES = ['id', 'entryId', 'lineId', 'taskId', 'statementId'];

/**
 * What approvers are shown of corrected facts: each place that changes, with what stood there; of an address who it is of and its domain,
 * because the rest is a person's. Null where none came.
 */
export async function correctionShown(trx: Transaction<DB>, row: ExceptionRow, choiceId: string): Promise<Record<string, unknown> | null> {
  if (row.path !== 'stuck-integration') return null;
  const corrected = await correctedFacts(trx, choiceId);
  if (corrected === undefined) return null;
  if (subjectOf(row).about === 'notification') {
    const { user_id: userId } = await receiverOf(trx, row);
    return { of: 'address', userId, domain: addressIn(corrected.payload).split('@').at(-1) };
  }
  const event = await eventOf(trx, row);
  const places = differences(event?.payload, corrected.payload, NAMES);
  return {
    of: event?.type,
    inboxEventId: event?.id,
    before: event?.payload_hash,
    after: corrected.payload_hash,
    places: places.length,
    changes: places.slice(0, SHOWN_PLACES).map(({ path, before, after }) => ({ path, before: cut(before), after: cut(after) })),
  };
}

function cut(value: unknown): string | null {
  if (value === undefined) return null;
  return (typeof value === 'string' ? value : (JSON.stringify(value) ?? '')).slice(0, SHOWN_LETTERS);
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
