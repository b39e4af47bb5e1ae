import { type Transaction } from 'kysely';
import { uuidv7 } from 'uuidv7';
import { type DealActivities } from '../../contracts/activities';
import { ENGINE_ACTOR } from '../../contracts/names';
import { type ApprovalView, type DealView } from '../../contracts/workflow-state';
import { lockDeal, setDealState, type DealRow } from '../../db/deals';
import { endOpenChangeOrders } from '../../db/change-orders';
import { lapseExceptions } from '../../db/exceptions';
import { type DB } from '../../db/types';
import { type Wait } from '../../db/waits';
import { type Instant } from '../../domain/deal/terms';
import { projectWorkflowId } from '../../domain/ids';
import { isViolation, type Violation } from '../../domain/violation';
import { askApproval, type AskedApproval } from '../approval/ask';
import { type ActivityDeps } from '../deps';
import { reviewWeeks } from '../policy/time-review';
import { lifecycleEffect } from '../lifecycle';
import { approvalWaits, dealView, runWait } from './view';

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

export function sendBackKickoff(deps: ActivityDeps): DealActivities['sendBackKickoff'] {
  return ({ dealId, approvalId, at }) => {
    const effect = { key: `send-back-kickoff/${approvalId}`, identity: { dealId }, at, actor: ENGINE_ACTOR };
    return lifecycleEffect<DealView>(deps, effect, async (trx, workflowId) => {
      const deal = await lockDeal(trx, dealId);
      const asks = 'put right what the kickoff was refused for, then have the handoff rechecked';
      const wait = { ...runWait(deal, 'mobilisation', dealId, asks), role: 'delivery-director' };
      const answer = await dealView(trx, workflowId, deal, [wait], at);
      return { answer, audit: { stream: `deal/${dealId}`, action: 'kickoff.sent-back', subject: dealId, details: { approvalId } } };
    });
  };
}

export function askKickoffAgain(deps: ActivityDeps): DealActivities['askKickoffAgain'] {
  return ({ dealId, approvalId, at }) => {
    const effect = { key: `ask-kickoff-again/${approvalId}`, identity: { dealId }, at, actor: ENGINE_ACTOR };
    return lifecycleEffect<DealView & { asked: ApprovalView }>(deps, effect, async (trx, workflowId) => {
      const deal = await lockDeal(trx, dealId);
      const asked = await askKickoff(trx, dealId, at);
      if (isViolation(asked)) return asked;
      const view = await dealView(trx, workflowId, deal, approvalWaits(deal, asked.view, KICKOFF), at);
      const details = { approvalId, approval: asked.terms };
      const audit = { stream: `deal/${dealId}`, action: 'kickoff.asked-again', subject: dealId, details };
      return { answer: { ...view, asked: asked.view }, audit };
    });
  };
}

/** What is asked at the gate between contract and delivery. */
export const KICKOFF = 'open the kickoff gate';

export async function askKickoff(trx: Transaction<DB>, dealId: string, at: Instant): Promise<AskedApproval | Violation> {
  const approvalId = uuidv7();
  const subjectId = `${await projectIdOf(trx, dealId)}/${approvalId}`;
  return askApproval(trx, { approvalId, subjectKind: 'kickoff', subjectId, dealId, at });
}

export function startDelivery(deps: ActivityDeps): DealActivities['startDelivery'] {
  return ({ dealId, at }) =>
    move(deps, { dealId, at, key: `start-delivery/${dealId}`, state: 'delivering', action: 'delivery.started' }, openDelivery);
}

/** The project is active, and the deal waits for its lines. */
export async function openDelivery(trx: Transaction<DB>, deal: DealRow): Promise<Wait[]> {
  await trx.updateTable('project').set({ state: 'active' }).where('deal_id', '=', deal.id).execute();
  return [runWait(deal, 'contract-lines', deal.id, 'every contract line to be delivered, billed and settled')];
}

export function startClosing(deps: ActivityDeps): DealActivities['startClosing'] {
  return ({ dealId, at }) =>
    move(deps, { dealId, at, key: `start-closing/${dealId}`, state: 'closing', action: 'closing.started' }, async (trx, deal) => {
      await endOpenChangeOrders(trx, dealId, 'DealFinished', at);
      await reviewWeeks(trx, dealId, at);
      return [runWait(deal, 'project', projectWorkflowId(await projectIdOf(trx, dealId)), 'the project to close')];
    });
}

export function closeDeal(deps: ActivityDeps): DealActivities['closeDeal'] {
  return ({ dealId, at }) =>
    move(deps, { dealId, at, key: `close-deal/${dealId}`, state: 'closed', action: 'deal.closed' }, async (trx) => {
      await lapseExceptions(trx, dealId, at);
      return [];
    });
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
