import { type Selectable, type Transaction } from 'kysely';
import { type BreakGlass } from '../domain/approval/break-glass';
import { type Instant } from '../domain/deal/terms';
import { tell } from './outbox';
import { type DB } from './types';

export type BreakGlassRow = Selectable<DB['break_glass']>;

/** A row as the rules know it; one whose time ran out is as it was then. */
export function asBreakGlass(row: BreakGlassRow): BreakGlass & { readonly id: string } {
  const state = row.state === 'lapsed' ? 'requested' : (row.state as BreakGlass['state']);
  return { id: row.id, by: row.user_id, ruleIds: row.rule_ids, state, lapsesAt: row.lapses_at };
}

/** What a person was granted on an approval and has not used, also where its time is over; the transaction holds it. */
export async function grantedBreakGlass(
  trx: Transaction<DB>,
  approvalId: string,
  userId: string,
): Promise<(BreakGlass & { readonly id: string }) | null> {
  const row = await trx
    .selectFrom('break_glass')
    .selectAll()
    .where('approval_id', '=', approvalId)
    .where('user_id', '=', userId)
    .where('state', '=', 'granted')
    .forUpdate()
    .executeTakeFirst();
  return row === undefined ? null : asBreakGlass(row);
}

/** By what a person took a decision that rules of duties bar them from, if by anything. */
export async function usedBreakGlass(trx: Transaction<DB>, decisionId: string): Promise<BreakGlass | null> {
  const row = await trx.selectFrom('break_glass').selectAll().where('decision_id', '=', decisionId).executeTakeFirst();
  return row === undefined ? null : asBreakGlass(row);
}

/** It counts for one decision, which is told; gives its id for the record of the decision. */
export async function useBreakGlass(trx: Transaction<DB>, id: string, decisionId: string, at: Instant): Promise<string> {
  const used = trx.updateTable('break_glass').set({ state: 'used', decision_id: decisionId, used_at: at }).where('id', '=', id);
  const { approval_id: approvalId, entity_id: entityId } = await used.returning(['approval_id', 'entity_id']).executeTakeFirstOrThrow();
  await tell(trx, { kind: 'break-glass.used', data: { breakGlassId: id, approvalId, entityId } }, `break-glass/${id}/used`, at);
  return id;
}

export async function lockedBreakGlass(trx: Transaction<DB>, id: string): Promise<BreakGlassRow | undefined> {
  return trx.selectFrom('break_glass').selectAll().where('id', '=', id).forUpdate().executeTakeFirst();
}

/** Makes way for a new one where the time of an earlier one is over; true where one is still open. */
export async function hasOpenBreakGlass(trx: Transaction<DB>, approvalId: string, userId: string, at: Instant): Promise<boolean> {
  const open = trx
    .updateTable('break_glass')
    .set({ state: 'lapsed' })
    .where('approval_id', '=', approvalId)
    .where('user_id', '=', userId)
    .where('state', 'in', ['requested', 'granted']);
  await open.where('lapses_at', '<=', at).execute();
  const left = await trx
    .selectFrom('break_glass')
    .select('id')
    .where('approval_id', '=', approvalId)
    .where('user_id', '=', userId)
    .where('state', 'in', ['requested', 'granted'])
    .executeTakeFirst();
  return left !== undefined;
}
