import { type Transaction } from 'kysely';
import { type DealActivities } from '../../contracts/activities';
import { ENGINE_ACTOR } from '../../contracts/names';
import { lockDeal, setDealState, type DealRow } from '../../db/deals';
import { directory } from '../../db/directory';
import { entityOf, masterFacts } from '../../db/parties';
import { slaMinutes } from '../../db/policies';
import { recordSlaEvents } from '../../db/sla-events';
import { type DB } from '../../db/types';
import { type Wait } from '../../db/waits';
import { holdersOf } from '../../domain/approval/holders';
import { localDateOf } from '../../domain/calendar/zone';
import { missingForBaseline, type MissingItem } from '../../domain/deal/handoff';
import { type Instant } from '../../domain/deal/terms';
import { type ActivityDeps } from '../deps';
import { lifecycleEffect, reviewKey } from '../lifecycle';
import { deadline } from '../sla';
import { dealView, standingWaits } from './view';

/** Checks a deal for completeness and opens the tasks of what is missing (R-020). */
export function reviewHandoff(deps: ActivityDeps): DealActivities['reviewHandoff'] {
  return ({ dealId, look, at }) =>
    lifecycleEffect(
      deps,
      { key: reviewKey('review-handoff', dealId, look), identity: { dealId }, at, actor: ENGINE_ACTOR },
      async (trx, workflowId) => {
        const deal = await lockDeal(trx, dealId);
        // A look whose answer was lost has moved the deal on already, and people with it.
        if (deal.state !== 'handoff') return seenAgain(trx, workflowId, deal, at);
        const missing = missingForBaseline(deal.terms, await masterFacts(trx, deal.terms, deal.closed_won_at));
        const complete = missing.length === 0;
        const next = await setDealState(trx, deal, complete ? 'terms' : 'handoff', at);
        const waits = complete ? [await termsWait(trx, next, at)] : await handoffWaits(trx, workflowId, next, missing, at);
        const answer = { ...(await dealView(trx, workflowId, next, waits, at)), complete };
        return {
          answer,
          audit: {
            stream: `deal/${dealId}`,
            action: complete ? 'handoff.complete' : 'handoff.incomplete',
            subject: dealId,
            details: { missing: missing.map(({ code, path }) => ({ code, path })) },
          },
        };
      },
    );
}

async function seenAgain(trx: Transaction<DB>, workflowId: string, deal: DealRow, at: Instant) {
  const view = await dealView(trx, workflowId, deal, await standingWaits(trx, workflowId), at);
  const audit = { stream: `deal/${deal.id}`, action: 'handoff.complete', subject: deal.id, details: { missing: [] } };
  return { answer: { ...view, complete: true }, audit };
}

/** The deal waits for somebody of sales to propose the governing terms of the signed statement of work. */
export async function termsWait(trx: Transaction<DB>, deal: DealRow, at: Instant): Promise<Wait> {
  const entity = await entityOf(trx, deal.lead_entity_id);
  const minutes = await slaMinutes(trx, 'sow', localDateOf(at, entity.timeZone), { entityId: deal.lead_entity_id });
  return {
    kind: 'sow-terms',
    subject: deal.id,
    role: 'account-executive',
    entityId: deal.lead_entity_id,
    dealId: deal.id,
    asks: 'propose the governing terms of the signed statement of work',
    due: deadline(entity.calendar, at, minutes),
    wakesAt: null,
  };
}

/** One task per role that owes something; when its time is over, the breach is recorded once and the sales director is asked too. */
async function handoffWaits(
  trx: Transaction<DB>,
  workflowId: string,
  deal: DealRow,
  missing: readonly MissingItem[],
  at: Instant,
): Promise<Wait[]> {
  const entity = await leadEntity(trx, deal);
  const minutes = await slaMinutes(trx, 'handoff', at.slice(0, 10), { entityId: deal.lead_entity_id });
  const due = entity === null ? null : deadline(entity.calendar, deal.state_since, minutes);
  const late = due !== null && Date.parse(due) <= Date.parse(at);
  const roles = [...new Set(missing.map((item) => item.ownerRole))];
  const waits = roles.map((role): Wait => {
    const owed = missing.filter((item) => item.ownerRole === role);
    const asks = `${owed.length} missing: ${owed.map((item) => `${item.code} (${item.path})`).join(', ')}`;
    return {
      kind: 'handoff',
      subject: deal.id,
      role,
      entityId: entity?.id ?? null,
      dealId: deal.id,
      asks,
      due,
      wakesAt: late ? null : due,
    };
  });
  if (!late) return waits;
  await recordBreach(trx, workflowId, deal, roles[0] ?? 'account-executive', due);
  const escalated: Wait = {
    kind: 'handoff-escalation',
    subject: deal.id,
    role: 'sales-director',
    entityId: entity?.id ?? null,
    dealId: deal.id,
    asks: `the handoff is late since ${due}`,
    due: null,
    wakesAt: null,
  };
  return [...waits, escalated];
}

async function leadEntity(trx: Transaction<DB>, deal: DealRow) {
  const known = await trx.selectFrom('legal_entity').select('id').where('id', '=', deal.lead_entity_id).executeTakeFirst();
  return known ? entityOf(trx, known.id) : null;
}

async function recordBreach(trx: Transaction<DB>, workflowId: string, deal: DealRow, role: string, due: Instant): Promise<void> {
  const holders = holdersOf(await directory(trx), role, deal.lead_entity_id, []);
  const breach = { kind: 'breach', subject: deal.id, role, since: deal.state_since, at: due, rung: 1 } as const;
  await recordSlaEvents(trx, [{ workflowId, ...breach, holders }]);
}
