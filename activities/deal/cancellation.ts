import { sql, type Transaction } from 'kysely';
import { uuidv7 } from 'uuidv7';
import { type DealActivities } from '../../contracts/activities';
import { ENGINE_ACTOR } from '../../contracts/names';
import { type ApprovalView, type DealView } from '../../contracts/workflow-state';
import { lockDeal, setDealState, type DealRow } from '../../db/deals';
import { entityOf } from '../../db/parties';
import { endOpenChangeOrders } from '../../db/change-orders';
import { lapseExceptions } from '../../db/exceptions';
import { type DB } from '../../db/types';
import { localDateOf } from '../../domain/calendar/zone';
import { isViolation, type Violation } from '../../domain/violation';
import { askApproval } from '../approval/ask';
import { type ActivityDeps } from '../deps';
import { lifecycleEffect } from '../lifecycle';
import { recognisedToEnd } from '../project/facts';
import { dealView, runWait, standingWaits } from './view';

const OVER = ['closed', 'declined', 'cancelled', 'cancelling'];

/** A person asks to cancel the deal on a date; the request is decided by an approval of its own. */
export function requestCancellation(deps: ActivityDeps): DealActivities['requestCancellation'] {
  return ({ dealId, cancellation }) => {
    const { requestId, by, reasonId, effectiveOn, at } = cancellation;
    return lifecycleEffect<DealView & { asked: ApprovalView }>(
      deps,
      {
        key: `request-cancellation/${requestId}`,
        identity: { dealId, by, reasonId, effectiveOn },
        at,
        actor: by,
        ifMatch: cancellation.ifMatch,
      },
      async (trx, workflowId) => {
        const deal = await lockDeal(trx, dealId);
        const refused = await refuseCancellation(trx, deal, effectiveOn, at);
        if (refused) return refused;
        const approvalId = uuidv7();
        await trx
          .insertInto('cancellation_request')
          .values({
            id: requestId,
            deal_id: dealId,
            approval_id: approvalId,
            reason_id: reasonId,
            effective_on: effectiveOn,
            requested_by: by,
            requested_at: at,
            state: 'pending',
          })
          .execute();
        const askedWith = { update: 'requestCancellation', workflowId, input: cancellation } as const;
        const asked = await askApproval(trx, { approvalId, subjectKind: 'cancellation', subjectId: requestId, dealId, at, askedWith });
        if (isViolation(asked)) return asked;
        const view = await dealView(trx, workflowId, deal, await standingWaits(trx, workflowId), at);
        return {
          answer: { ...view, asked: asked.view },
          audit: {
            stream: `deal/${dealId}`,
            action: 'cancellation.requested',
            subject: requestId,
            details: { effectiveOn, approval: asked.terms },
            texts: { reason: reasonId },
          },
        };
      },
    );
  };
}

export function dropCancellation(deps: ActivityDeps): DealActivities['dropCancellation'] {
  return ({ dealId, requestId, at }) =>
    lifecycleEffect(
      deps,
      { key: `drop-cancellation/${requestId}`, identity: { dealId }, at, actor: ENGINE_ACTOR },
      async (trx, workflowId) => {
        const deal = await lockDeal(trx, dealId);
        const waits = await standingWaits(trx, workflowId);
        await trx.updateTable('cancellation_request').set({ state: 'dropped' }).where('id', '=', requestId).execute();
        const answer = await dealView(trx, workflowId, deal, waits, at);
        return { answer, audit: { stream: `deal/${dealId}`, action: 'cancellation.dropped', subject: requestId } };
      },
    );
}

/** The cancellation is approved: from here the deal only unwinds (I-13). */
export function startCancellation(deps: ActivityDeps): DealActivities['startCancellation'] {
  return ({ dealId, requestId, approvalId, at }) =>
    lifecycleEffect(
      deps,
      { key: `start-cancellation/${requestId}`, identity: { dealId, approvalId }, at, actor: ENGINE_ACTOR },
      async (trx, workflowId) => {
        const next = await setDealState(trx, await lockDeal(trx, dealId), 'cancelling', at);
        await trx.updateTable('cancellation_request').set({ state: 'granted' }).where('id', '=', requestId).execute();
        await endOpenChangeOrders(trx, dealId, 'DealCancelled', at);
        const waits = [runWait(next, 'cancellation', dealId, 'lines to stop and what is owed to be settled')];
        const answer = await dealView(trx, workflowId, next, waits, at);
        return { answer, audit: { stream: `deal/${dealId}`, action: 'cancellation.started', subject: requestId, details: { approvalId } } };
      },
    );
}

/** Writes the cancellation statement: what was billed, paid and is owed, line by line, which sums to what remains (I-13). */
export function finishCancellation(deps: ActivityDeps): DealActivities['finishCancellation'] {
  return ({ dealId, requestId, at }) =>
    lifecycleEffect(
      deps,
      { key: `finish-cancellation/${requestId}`, identity: { dealId }, at, actor: ENGINE_ACTOR },
      async (trx, workflowId) => {
        const deal = await setDealState(trx, await lockDeal(trx, dealId), 'cancelled', at);
        const request = await trx.selectFrom('cancellation_request').selectAll().where('id', '=', requestId).executeTakeFirstOrThrow();
        await endWhatNeverStarted(trx, dealId, at);
        await lapseExceptions(trx, dealId, at);
        const statement = await statementOf(trx, dealId);
        await trx
          .insertInto('cancellation_statement')
          .values({
            deal_id: dealId,
            effective_on: request.effective_on,
            reason_id: request.reason_id,
            statement: JSON.stringify(statement),
            created_at: at,
          })
          .execute();
        const answer = await dealView(trx, workflowId, deal, [], at);
        return { answer, audit: { stream: `deal/${dealId}`, action: 'deal.cancelled', subject: requestId, details: { statement } } };
      },
    );
}

/** A cancellation may come before terms are confirmed, or the project or a line has begun: nothing of it stays open (I-13). */
async function endWhatNeverStarted(trx: Transaction<DB>, dealId: string, at: string): Promise<void> {
  const lines = trx.selectFrom('contract_line').select('id').where('deal_id', '=', dealId);
  await trx.updateTable('sow_proposal').set({ state: 'refused' }).where('deal_id', '=', dealId).where('state', '=', 'proposed').execute();
  await trx
    .updateTable('billing_plan_item')
    .set({ state: 'void', settled_at: at })
    .where('contract_line_id', 'in', lines)
    .where('state', '=', 'planned')
    .execute();
  await trx
    .updateTable('milestone')
    .set({ state: 'cancelled', deemed_at: null })
    .where('contract_line_id', 'in', lines)
    .where('state', 'in', ['planned', 'delivered', 'rejected'])
    .execute();
  await trx.updateTable('contract_line').set({ state: 'cancelled' }).where('deal_id', '=', dealId).where('state', '=', 'planned').execute();
  await trx
    .updateTable('project')
    .set({ state: 'cancelled', closed_at: at })
    .where('deal_id', '=', dealId)
    .where('state', 'not in', ['closed', 'cancelled'])
    .execute();
}

async function refuseCancellation(trx: Transaction<DB>, deal: DealRow, effectiveOn: string, at: string): Promise<Violation | null> {
  if (OVER.includes(deal.state)) return { violation: 'DealNotCancellable', detail: `the deal is ${deal.state}` };
  const { timeZone } = await entityOf(trx, deal.lead_entity_id);
  const today = localDateOf(at, timeZone);
  return effectiveOn < today
    ? { violation: 'CancellationBackdated', detail: `${effectiveOn} is before ${today}`, path: '/effectiveOn' }
    : null;
}

/**
 * Line by line what was billed, paid and is owed with tax, and beside it the net that was billed and the revenue to the last day where the
 * method of the line says it from these facts alone: the two agree, because what was not earned was credited.
 */
async function statementOf(trx: Transaction<DB>, dealId: string) {
  const lines = await trx
    .selectFrom('contract_line as line')
    .leftJoin('invoice', (join) =>
      join.onRef('invoice.contract_line_id', '=', 'line.id').on('invoice.state', 'in', ['issued', 'settled', 'credited']),
    )
    .where('line.deal_id', '=', dealId)
    .groupBy(['line.id', 'line.line_id', 'line.currency', 'line.stopped_on'])
    .orderBy('line.line_id')
    .select([
      'line.id as contractLineId',
      'line.line_id as lineId',
      'line.currency as currency',
      'line.stopped_on as stoppedOn',
      sql<number>`coalesce(sum(invoice.total_minor), 0)::bigint`.as('billedMinor'),
      sql<number>`coalesce(sum(invoice.total_minor - invoice.open_minor), 0)::bigint`.as('settledMinor'),
      sql<number>`coalesce(sum(invoice.open_minor), 0)::bigint`.as('owedMinor'),
      sql<number>`coalesce(sum(invoice.net_minor), 0)::bigint`.as('netMinor'),
    ])
    .execute();
  const statement = [];
  for (const { contractLineId, ...line } of lines) {
    const earned = line.stoppedOn === null ? null : await recognisedToEnd(trx, contractLineId);
    statement.push({ ...line, earnedMinor: earned?.minor ?? null });
  }
  return statement;
}
