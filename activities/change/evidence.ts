import { type Transaction } from 'kysely';
import { type ChangeActivities } from '../../contracts/activities';
import { ENGINE_ACTOR } from '../../contracts/names';
import { type ChangeOrderView } from '../../contracts/workflow-state';
import { changeOrderOf, endChangeOrder, orderOf, type ChangeOrderRow } from '../../db/change-orders';
import { lockDeal, type DealRow } from '../../db/deals';
import { entityOf } from '../../db/parties';
import { type DB } from '../../db/types';
import { localDateOf } from '../../domain/calendar/zone';
import { paysDoneWork, treatmentOf } from '../../domain/change/accounting';
import { valuesOf } from '../../domain/change/value';
import { isViolation, type Violation } from '../../domain/violation';
import { endOfRequest } from '../approval/outcome';
import { type ActivityDeps } from '../deps';
import { lifecycleEffect, type LifecycleEffect } from '../lifecycle';
import { plannedVersion } from './facts';
import { changeOrderView } from './view';

interface Said {
  readonly action: string;
  readonly details?: Record<string, unknown>;
  readonly texts?: Record<string, string | null>;
}

/** One effect on an open change order; one that has ended is refused with what became of it. */
async function onOpenOrder(
  deps: ActivityDeps,
  dealId: string,
  changeOrderId: string,
  effect: LifecycleEffect,
  change: (trx: Transaction<DB>, order: ChangeOrderRow, deal: DealRow) => Promise<Said | Violation>,
): Promise<ChangeOrderView> {
  return lifecycleEffect<ChangeOrderView>(deps, effect, async (trx, workflowId) => {
    const deal = await lockDeal(trx, dealId);
    const order = await changeOrderOf(trx, dealId, changeOrderId);
    if (order === undefined) return { violation: 'ChangeOrderUnknown', detail: changeOrderId };
    if (order.settled_at !== null) return { violation: 'ChangeOrderSettled', detail: `it is ${order.state}` };
    const said = await change(trx, order, deal);
    if (isViolation(said)) return said;
    const answer = await changeOrderView(trx, workflowId, deal, changeOrderId, effect.at);
    return { answer, audit: { stream: `deal/${dealId}`, subject: changeOrderId, ...said } };
  });
}

/** The customer's approval is evidence: which document, signed on which day, recorded by whom; who signed is kept as a text. */
export function recordCustomerApproval(deps: ActivityDeps): ChangeActivities['recordCustomerApproval'] {
  return ({ dealId, approval }) => {
    const { changeOrderId, documentReference, signedOn, signatoryId, by, at } = approval;
    const effect = { key: `customer-approval/${changeOrderId}`, identity: { documentReference, signedOn, signatoryId, by }, at, actor: by };
    return onOpenOrder(deps, dealId, changeOrderId, effect, async (trx, order, deal) => {
      const { timeZone } = await entityOf(trx, deal.lead_entity_id);
      if (signedOn > localDateOf(at, timeZone)) return { violation: 'SignatureInFuture', detail: signedOn, path: '/signedOn' };
      const asked = localDateOf(order.requested_at, timeZone);
      if (signedOn < asked) return { violation: 'SignatureBeforeRequest', detail: `it was asked for on ${asked}`, path: '/signedOn' };
      await trx
        .updateTable('change_order')
        .set({
          customer_document: documentReference,
          customer_signed_on: signedOn,
          customer_signatory_id: signatoryId,
          customer_recorded_by: by,
          customer_recorded_at: at,
        })
        .where('id', '=', changeOrderId)
        .execute();
      return {
        action: 'change-order.customer-approved',
        details: { documentReference, signedOn },
        texts: { signatory: signatoryId },
      };
    });
  };
}

/** Finance answers how the change is accounted for; the treatment follows from the answers and is recorded with who gave them. */
export function answerAccounting(deps: ActivityDeps): ChangeActivities['answerAccounting'] {
  return ({ dealId, accounting }) => {
    const { changeOrderId, answers, by, at } = accounting;
    const effect = { key: `change-accounting/${changeOrderId}`, identity: { answers, by }, at, actor: by };
    return onOpenOrder(deps, dealId, changeOrderId, effect, async (trx, order, deal) => {
      const planned = await plannedVersion(trx, deal, orderOf(order), changeOrderId);
      if (isViolation(planned)) return planned;
      const { before, next } = planned;
      const { timeZone } = await entityOf(trx, deal.lead_entity_id);
      const doneWork = paysDoneWork(next.accepted, valuesOf(before, next.terms, next.lineIds), localDateOf(order.requested_at, timeZone));
      const treatment = treatmentOf(answers, doneWork);
      await trx
        .updateTable('change_order')
        .set({
          accounting_treatment: treatment,
          accounting_answers: JSON.stringify({ ...answers, concernsWorkDone: answers.concernsWorkDone ?? doneWork }),
          accounting_by: by,
          accounting_at: at,
        })
        .where('id', '=', changeOrderId)
        .execute();
      return { action: 'change-order.accounted', details: { treatment, answers } };
    });
  };
}

/** Who asked takes the change order back. */
export function withdrawChangeOrder(deps: ActivityDeps): ChangeActivities['withdrawChangeOrder'] {
  return ({ dealId, withdrawal }) => {
    const { changeOrderId, reasonId, by, at } = withdrawal;
    const effect = { key: `withdraw-change-order/${changeOrderId}`, identity: { reasonId, by }, at, actor: by };
    return onOpenOrder(deps, dealId, changeOrderId, effect, async (trx, order) => {
      if (order.requested_by !== by) return { violation: 'RequesterRequired', detail: `requested by ${order.requested_by}` };
      await endChangeOrder(trx, changeOrderId, {
        state: 'withdrawn',
        code: 'ChangeOrderWithdrawn',
        detail: 'taken back by its requester',
        at,
      });
      return { action: 'change-order.withdrawn', texts: { reason: reasonId } };
    });
  };
}

const ENDED_BY = { refused: 'ApprovalRefused', withdrawn: 'ApprovalWithdrawn', expired: 'ApprovalExpired' } as const;

/** How the approval of the firm ended: granted, the order waits for what else it needs; else it has ended. */
export function settleChangeOrder(deps: ActivityDeps): ChangeActivities['settleChangeOrder'] {
  return ({ dealId, changeOrderId, outcome, at }) =>
    lifecycleEffect<ChangeOrderView>(
      deps,
      { key: `settle-change-order/${changeOrderId}`, identity: { dealId, outcome }, at, actor: ENGINE_ACTOR },
      async (trx, workflowId) => {
        const deal = await lockDeal(trx, dealId);
        if (outcome === 'approved')
          await trx
            .updateTable('change_order')
            .set({ state: 'approved' })
            .where('id', '=', changeOrderId)
            .where('state', '=', 'requested')
            .execute();
        else {
          const code = ENDED_BY[outcome];
          await endChangeOrder(trx, changeOrderId, { state: endOfRequest(outcome), code, detail: `its approval was ${outcome}`, at });
        }
        const answer = await changeOrderView(trx, workflowId, deal, changeOrderId, at);
        return { answer, audit: { stream: `deal/${dealId}`, action: `change-order.${answer.orderState}`, subject: changeOrderId } };
      },
    );
}
