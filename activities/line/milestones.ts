import { type Transaction } from 'kysely';
import { type LineActivities } from '../../contracts/activities';
import { ENGINE_ACTOR } from '../../contracts/names';
import { type LineRow, type MilestoneRow } from '../../db/lines';
import { billToOf, entityOf } from '../../db/parties';
import { type DB } from '../../db/types';
import { acceptanceDate, deemedAcceptance } from '../../domain/billing/dates';
import { isViolation, type Violation } from '../../domain/violation';
import { type ActivityDeps } from '../deps';
import { lineEffect, unblock } from './effect';

/** A delivery opens the customer's review; its silence becomes acceptance where the contract says so (R-048, S-14). */
export function recordDelivery(deps: ActivityDeps): LineActivities['recordDelivery'] {
  return ({ contractLineId, delivery }) => {
    const { deliveryId, milestoneId, deliveredAt, by, at } = delivery;
    return lineEffect(
      deps,
      contractLineId,
      {
        key: `milestone-delivery/${deliveryId}`,
        identity: { contractLineId, milestoneId, deliveredAt, by },
        at,
        actor: by,
        ifMatch: delivery.ifMatch,
      },
      async (trx, line) => {
        const milestone = await milestoneOf(trx, line, milestoneId);
        if (isViolation(milestone)) return milestone;
        if (milestone.state !== 'planned' && milestone.state !== 'rejected')
          return { violation: 'MilestoneNotDeliverable', detail: `${milestoneId} is ${milestone.state}` };
        if (Date.parse(deliveredAt) > Date.parse(at))
          return { violation: 'DeliveryInFuture', detail: `${deliveredAt} has not come yet`, path: '/deliveredAt' };
        const before = await lastResponse(trx, milestone);
        if (before !== null && Date.parse(deliveredAt) < Date.parse(before))
          return { violation: 'DeliveryBackdated', detail: `the delivery before was answered at ${before}`, path: '/deliveredAt' };
        const deemed = await deemedMoment(trx, line, deliveredAt);
        if (isViolation(deemed)) return deemed;
        if (deemed !== null && Date.parse(deemed) <= Date.parse(at))
          return { violation: 'DeliveryBackdated', detail: 'the time to answer would be over already', path: '/deliveredAt' };
        const attempt = milestone.attempt + 1;
        await trx
          .updateTable('milestone')
          .set({ state: 'delivered', attempt, delivered_at: deliveredAt, deemed_at: deemed, revision: milestone.revision + 1 })
          .where('id', '=', milestone.id)
          .execute();
        return { action: 'milestone.delivered', subject: milestoneId, details: { attempt, deliveredAt, deemedAt: deemed } };
      },
    );
  };
}

/** The customer accepts in writing or rejects with reasons; after a rejection the periods start anew (SOW 5.2, 5.3 as R-048). */
export function recordResponse(deps: ActivityDeps): LineActivities['recordResponse'] {
  return ({ contractLineId, response }) => {
    const { responseId, milestoneId, attempt, respondedAt, reasonId, documentReference, by, at } = response;
    const accepted = response.response === 'accepted';
    const identity = { contractLineId, milestoneId, attempt, response: response.response, respondedAt, by };
    return lineEffect(
      deps,
      contractLineId,
      { key: `milestone-response/${responseId}`, identity, at, actor: by, ifMatch: response.ifMatch },
      async (trx, line) => {
        const milestone = await milestoneOf(trx, line, milestoneId);
        if (isViolation(milestone)) return milestone;
        const refused = refuseResponse(milestone, attempt, respondedAt, accepted, reasonId, at);
        if (refused) return refused;
        await addResponse(trx, milestone, { response: response.response, respondedAt, reasonId, documentReference, by });
        const { timeZone } = await entityOf(trx, line.selling_entity_id);
        const acceptedOn = accepted ? acceptanceDate(respondedAt, timeZone) : null;
        await trx
          .updateTable('milestone')
          .set({
            state: accepted ? 'accepted' : 'rejected',
            deemed_at: null,
            accepted_on: acceptedOn,
            acceptance: accepted ? 'written' : null,
            revision: milestone.revision + 1,
          })
          .where('id', '=', milestone.id)
          .execute();
        await unblock(trx, line.id, at);
        return {
          action: `milestone.${response.response}`,
          subject: milestoneId,
          details: { attempt, respondedAt, acceptedOn },
          texts: { reason: reasonId },
        };
      },
    );
  };
}

/** Nobody answered in time: accepted at the end of the last day of the period (R-048, S-14). */
export function recordDeemedAcceptance(deps: ActivityDeps): LineActivities['recordDeemedAcceptance'] {
  return ({ contractLineId, milestoneId, attempt, at }) =>
    lineEffect(
      deps,
      contractLineId,
      {
        key: `deemed-acceptance/${contractLineId}/${milestoneId}/${attempt}`,
        identity: { contractLineId, milestoneId, attempt },
        at,
        actor: ENGINE_ACTOR,
      },
      async (trx, line) => {
        const milestone = await milestoneOf(trx, line, milestoneId);
        if (isViolation(milestone)) return milestone;
        if (milestone.state !== 'delivered' || milestone.attempt !== attempt)
          return { action: 'milestone.answered-in-time', subject: milestoneId, details: { attempt } };
        const silence = await silenceOf(trx, line, milestone.delivered_at ?? at);
        if (silence === null || isViolation(silence)) return silence ?? { violation: 'DeemedAcceptanceNotAgreed', detail: milestoneId };
        await addResponse(trx, milestone, {
          response: 'deemed',
          respondedAt: silence.moment,
          reasonId: null,
          documentReference: null,
          by: ENGINE_ACTOR,
        });
        await trx
          .updateTable('milestone')
          .set({ state: 'accepted', deemed_at: null, accepted_on: silence.date, acceptance: 'deemed', revision: milestone.revision + 1 })
          .where('id', '=', milestone.id)
          .execute();
        return { action: 'milestone.deemed-accepted', subject: milestoneId, details: { attempt, acceptedOn: silence.date } };
      },
    );
}

function refuseResponse(
  milestone: MilestoneRow,
  attempt: number,
  respondedAt: string,
  accepted: boolean,
  reasonId: string | null,
  at: string,
): Violation | null {
  const { milestone_id: id, state } = milestone;
  if (state === 'accepted') return { violation: 'MilestoneAlreadyAccepted', detail: `${id} was accepted on ${milestone.accepted_on}` };
  if (state !== 'delivered') return { violation: 'MilestoneNotDelivered', detail: `${id} is ${state}` };
  if (milestone.attempt !== attempt)
    return { violation: 'VersionOutdated', detail: `attempt ${milestone.attempt} is under review`, path: '/attempt' };
  if (Date.parse(respondedAt) > Date.parse(at))
    return { violation: 'ResponseInFuture', detail: `${respondedAt} has not come yet`, path: '/respondedAt' };
  if (milestone.deemed_at !== null && Date.parse(respondedAt) >= Date.parse(milestone.deemed_at))
    return { violation: 'MilestoneAlreadyAccepted', detail: `${id} counts as accepted since ${milestone.deemed_at}` };
  if (Date.parse(respondedAt) < Date.parse(milestone.delivered_at ?? respondedAt))
    return { violation: 'ResponseBeforeDelivery', detail: `${id} was delivered at ${milestone.delivered_at}`, path: '/respondedAt' };
  return accepted || reasonId !== null ? null : { violation: 'ReasonMissing', detail: 'a rejection states its reasons', path: '/reason' };
}

async function milestoneOf(trx: Transaction<DB>, line: LineRow, milestoneId: string): Promise<MilestoneRow | Violation> {
  const row = await trx
    .selectFrom('milestone')
    .selectAll()
    .where('contract_line_id', '=', line.id)
    .where('milestone_id', '=', milestoneId)
    .executeTakeFirst();
  return row ?? { violation: 'MilestoneUnknown', detail: milestoneId };
}

async function addResponse(
  trx: Transaction<DB>,
  milestone: MilestoneRow,
  answer: { response: string; respondedAt: string; reasonId: string | null; documentReference: string | null; by: string },
): Promise<void> {
  await trx
    .insertInto('milestone_response')
    .values({
      milestone_id: milestone.id,
      attempt: milestone.attempt,
      response: answer.response,
      responded_at: answer.respondedAt,
      reason_id: answer.reasonId,
      document_reference: answer.documentReference,
      recorded_by: answer.by,
    })
    .execute();
}

async function lastResponse(trx: Transaction<DB>, milestone: MilestoneRow): Promise<string | null> {
  const row = await trx
    .selectFrom('milestone_response')
    .select((eb) => eb.fn.max('responded_at').as('at'))
    .where('milestone_id', '=', milestone.id)
    .executeTakeFirstOrThrow();
  return row.at;
}

async function deemedMoment(trx: Transaction<DB>, line: LineRow, deliveredAt: string): Promise<string | null | Violation> {
  const silence = await silenceOf(trx, line, deliveredAt);
  return silence === null || isViolation(silence) ? silence : silence.moment;
}

async function silenceOf(trx: Transaction<DB>, line: LineRow, deliveredAt: string) {
  const days = line.contract.deemedAcceptanceBusinessDays;
  if (days === null) return null;
  const { calendar } = await billToOf(trx, line.bill_to_id);
  return deemedAcceptance(deliveredAt, calendar, days);
}
