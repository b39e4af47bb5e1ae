import { type Transaction } from 'kysely';
import { type DealActivities } from '../../contracts/activities';
import { ENGINE_ACTOR } from '../../contracts/names';
import { type DealView } from '../../contracts/workflow-state';
import { lockDeal, setDealState, type DealRow } from '../../db/deals';
import { endOpenChangeOrders } from '../../db/change-orders';
import { type DB } from '../../db/types';
import { type Wait } from '../../db/waits';
import { type Instant } from '../../domain/deal/terms';
import { approvalWorkflowId, projectWorkflowId } from '../../domain/ids';
import { type ActivityDeps } from '../deps';
import { lifecycleEffect } from '../lifecycle';
import { dealView, runWait } from './view';

interface Move {
  readonly dealId: string;
  readonly at: Instant;
  readonly key: string;
  readonly state: string;
  readonly action: string;
  readonly details?: Record<string, unknown>;
  readonly texts?: Record<string, string | null>;
}

/** Moves the deal to its next state, with what it waits for there. */
async function move(deps: ActivityDeps, step: Move, waitsFor: (trx: Transaction<DB>, deal: DealRow) => Promise<Wait[]>): Promise<DealView> {
  const { dealId, at, key, state, action, details, texts } = step;
  return lifecycleEffect(deps, { key, identity: { dealId, ...details, ...texts }, at, actor: ENGINE_ACTOR }, async (trx, workflowId) => {
    const next = await setDealState(trx, await lockDeal(trx, dealId), state, at);
    const answer = await dealView(trx, workflowId, next, await waitsFor(trx, next), at);
    const said = { ...(details ? { details } : {}), ...(texts ? { texts } : {}) };
    return { answer, audit: { stream: `deal/${dealId}`, action, subject: dealId, ...said } };
  });
}

export function settleKickoff(deps: ActivityDeps): DealActivities['settleKickoff'] {
  return ({ dealId, approvalId, nextApprovalId, at }) => {
    const sentBack = nextApprovalId === null;
    const step = {
      dealId,
      at,
      key: `kickoff/${approvalId}/${nextApprovalId ?? 'sent-back'}`,
      state: 'mobilising',
      action: sentBack ? 'kickoff.sent-back' : 'kickoff.asked-again',
      details: { approvalId },
    };
    return move(deps, step, async (_, deal) => [
      sentBack
        ? {
            ...runWait(deal, 'mobilisation', dealId, 'put right what the kickoff was refused for, then have the handoff rechecked'),
            role: 'delivery-director',
          }
        : runWait(deal, 'approval', approvalWorkflowId(nextApprovalId), 'open the kickoff gate'),
    ]);
  };
}

export function startDelivery(deps: ActivityDeps): DealActivities['startDelivery'] {
  return ({ dealId, at }) =>
    move(deps, { dealId, at, key: `start-delivery/${dealId}`, state: 'delivering', action: 'delivery.started' }, async (trx, deal) => {
      await trx.updateTable('project').set({ state: 'active' }).where('deal_id', '=', dealId).execute();
      return [runWait(deal, 'contract-lines', dealId, 'every contract line to be delivered, billed and settled')];
    });
}

export function startClosing(deps: ActivityDeps): DealActivities['startClosing'] {
  return ({ dealId, at }) =>
    move(deps, { dealId, at, key: `start-closing/${dealId}`, state: 'closing', action: 'closing.started' }, async (trx, deal) => {
      await endOpenChangeOrders(trx, dealId, 'DealFinished', at);
      return [runWait(deal, 'project', projectWorkflowId(await projectIdOf(trx, dealId)), 'the project to close')];
    });
}

export function closeDeal(deps: ActivityDeps): DealActivities['closeDeal'] {
  return ({ dealId, at }) =>
    move(deps, { dealId, at, key: `close-deal/${dealId}`, state: 'closed', action: 'deal.closed' }, async () => []);
}

export function declineDeal(deps: ActivityDeps): DealActivities['declineDeal'] {
  return ({ dealId, reasonId, at }) =>
    move(
      deps,
      { dealId, at, key: `decline-deal/${dealId}`, state: 'declined', action: 'deal.declined', texts: { reason: reasonId } },
      async () => [],
    );
}

/** The one project of a deal; throws before the baseline, which is a bug of the caller. */
export async function projectIdOf(trx: Transaction<DB>, dealId: string): Promise<string> {
  return (await trx.selectFrom('project').select('id').where('deal_id', '=', dealId).executeTakeFirstOrThrow()).id;
}
