import { type Insertable, type Kysely, type Transaction } from 'kysely';
import { uuidv7 } from 'uuidv7';
import { type DealStageReported } from '../contracts/deal-closed';
import { knownAliases, resolveDeal, takenBy } from '../db/aliases';
import { appendAudit } from '../db/audit';
import { type DealRow, lockDeal } from '../db/deals';
import { hashOf } from '../db/hash';
import { type InboxRow } from '../db/inbox';
import { type InboxOutcome } from '../db/inbox-delivery';
import { type DB } from '../db/types';
import { type DealAlias, type DealClosed, type DealTerms } from '../domain/deal/terms';
import { isViolation, type Violation } from '../domain/violation';

export interface TakenReport {
  readonly dealId: string;
  readonly entityId: string;
  readonly customerId: string | null;
  readonly superseded: boolean;
  readonly finished: boolean;
}

const FINISHED = ['closed', 'declined', 'cancelled'];

/**
 * Takes a won deal as a CRM tells it, in one transaction: finds or creates the deal behind its names, and while it is still being handed
 * over brings its terms up to date; afterwards the report is only recorded (D7, R-020). Refused where the names belong to two deals,
 * where another deal has the number, or where the lead entity is none of ours.
 */
export async function takeReport(db: Kysely<DB>, event: InboxRow, deal: DealClosed): Promise<TakenReport | Violation> {
  return refusable(db, async (trx) => {
    const known = await trx.selectFrom('legal_entity').select('id').where('id', '=', deal.terms.leadEntityId).executeTakeFirst();
    if (known === undefined) return { violation: 'LegalEntityUnknown', detail: deal.terms.leadEntityId, path: '/terms/leadEntityId' };
    const customerId = await knownCustomer(trx, deal.terms.customerId);
    const names = namesOf(event, deal.aliases);
    const resolved = await resolveDeal(trx, names, event.source_order, () => newDeal(event, deal, customerId));
    if (isViolation(resolved)) return resolved;
    const { dealId, created, superseded } = resolved;
    const row = await lockDeal(trx, dealId);
    const changed = created || superseded || row.state !== 'handoff' ? false : await updateTerms(trx, row, deal);
    if (isViolation(changed)) return changed;
    const first = await markEvent(trx, event, dealId);
    if (first || changed) {
      const action = created ? 'deal.created' : changed ? 'deal.terms-updated' : superseded ? 'deal.report-superseded' : 'deal.reported';
      await audit(trx, event, dealId, action, { termsHash: hashOf(deal.terms), names: names.map(({ source }) => source) });
    }
    return { dealId, entityId: deal.terms.leadEntityId, customerId, superseded, finished: FINISHED.includes(row.state) };
  });
}

/** A CRM tells another stage than won: recorded with the deal if there is one; nothing that is signed follows a stage backwards. */
export async function recordStage(db: Kysely<DB>, event: InboxRow, report: DealStageReported): Promise<InboxOutcome> {
  const outcome = await refusable<InboxOutcome>(db, async (trx) => {
    const names = namesOf(event, report.aliases);
    if ((await knownAliases(trx, names)).length === 0)
      return { state: 'ignored', errors: [{ violation: 'EventIgnored', detail: `stage ${report.stage} of a deal that is not known` }] };
    const resolved = await resolveDeal(trx, names, event.source_order, () => {
      throw new Error('a deal that is known is not created');
    });
    if (isViolation(resolved)) return resolved;
    const { dealId, superseded } = resolved;
    if (await markEvent(trx, event, dealId)) await audit(trx, event, dealId, 'deal.stage-reported', { stage: report.stage, superseded });
    return { state: superseded ? 'superseded' : 'delivered', dealId };
  });
  return isViolation(outcome) ? { state: 'invalid', errors: [outcome] } : outcome;
}

/** A violation leaves the transaction undone. */
async function refusable<T>(db: Kysely<DB>, work: (trx: Transaction<DB>) => Promise<T | Violation>): Promise<T | Violation> {
  try {
    return await db.transaction().execute(async (trx) => {
      const outcome = await work(trx);
      if (isViolation(outcome)) throw new Undone(outcome);
      return outcome;
    });
  } catch (error) {
    if (error instanceof Undone) return error.violation;
    throw error;
  }
}

class Undone extends Error {
  constructor(readonly violation: Violation) {
    super(violation.violation);
  }
}

/** The name under which the event came first: its channel has an order of its own. */
function namesOf(event: InboxRow, aliases: readonly DealAlias[]): DealAlias[] {
  const own = { source: event.source, externalId: event.subject };
  return [own, ...aliases.filter(({ source, externalId }) => source !== own.source || externalId !== own.externalId)];
}

async function knownCustomer(trx: Transaction<DB>, customerId: string | null): Promise<string | null> {
  if (customerId === null) return null;
  return (await trx.selectFrom('customer').select('id').where('id', '=', customerId).executeTakeFirst())?.id ?? null;
}

function newDeal(
  event: InboxRow,
  { terms, sellerId, deliveryLeadId, closedAt }: DealClosed,
  customerId: string | null,
): Insertable<DB['deal']> {
  return {
    id: uuidv7(),
    state: 'handoff',
    state_since: event.business_received_at,
    seller_id: sellerId,
    delivery_lead_id: deliveryLeadId,
    closed_won_at: closedAt,
    customer_id: customerId,
    ...columnsOf(terms),
  };
}

function columnsOf(terms: DealTerms) {
  return {
    name: terms.name,
    contract_number: terms.contractNumber,
    short_code: terms.shortCode,
    project_code: terms.projectCode,
    lead_entity_id: terms.leadEntityId,
    entity_ids: [...new Set([terms.leadEntityId, ...terms.lines.map((line) => line.sellingEntityId)])],
    signed_date: terms.signedDate,
    terms: JSON.stringify(terms),
    terms_hash: hashOf(terms),
  };
}

/** Brings the terms of a deal in handoff up to date; true where something changed. */
async function updateTerms(trx: Transaction<DB>, row: DealRow, deal: DealClosed): Promise<boolean | Violation> {
  const terms = merged(row.terms, deal.terms);
  const customerId = await knownCustomer(trx, terms.customerId);
  const sellerId = deal.sellerId ?? row.seller_id;
  const deliveryLeadId = deal.deliveryLeadId ?? row.delivery_lead_id;
  const same = sellerId === row.seller_id && deliveryLeadId === row.delivery_lead_id && customerId === row.customer_id;
  if (same && hashOf(terms) === row.terms_hash) return false;
  const taken = await takenBy(trx, row.id, terms);
  if (taken !== null) return taken;
  await trx
    .updateTable('deal')
    .set({
      ...columnsOf(terms),
      customer_id: customerId,
      seller_id: sellerId,
      delivery_lead_id: deliveryLeadId,
      revision: row.revision + 1,
    })
    .where('id', '=', row.id)
    .execute();
  return true;
}

/** A CRM that does not know a term does not take it away from one that does: which of them reports last makes no difference. */
function merged(known: DealTerms, told: DealTerms): DealTerms {
  return {
    ...told,
    customerId: told.customerId ?? known.customerId,
    customerRateCardId: told.customerRateCardId ?? known.customerRateCardId,
    deemedAcceptanceBusinessDays: told.deemedAcceptanceBusinessDays ?? known.deemedAcceptanceBusinessDays,
    statementOfWork: told.statementOfWork ?? known.statementOfWork,
  };
}

/** Ties the event to its deal; false where an earlier attempt at this event did so already. */
async function markEvent(trx: Transaction<DB>, event: InboxRow, dealId: string): Promise<boolean> {
  const marked = await trx
    .updateTable('inbox_event')
    .set({ deal_id: dealId })
    .where('id', '=', event.id)
    .where('deal_id', 'is', null)
    .executeTakeFirst();
  return marked.numUpdatedRows > 0n;
}

async function audit(
  trx: Transaction<DB>,
  event: InboxRow,
  dealId: string,
  action: string,
  details: Record<string, unknown>,
): Promise<void> {
  await appendAudit(trx, {
    stream: `deal/${dealId}`,
    action,
    subject: dealId,
    actor: `crm/${event.source}`,
    at: event.business_received_at,
    details: { inboxEventId: event.id, ...details },
  });
}
