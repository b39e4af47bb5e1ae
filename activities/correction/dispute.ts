import { type Transaction } from 'kysely';
import { type CorrectionActivities } from '../../contracts/activities';
import { type DB } from '../../db/types';
import { byItem, byPosition } from '../../domain/billing/correction/choice';
import { type Violation } from '../../domain/violation';
import { type ActivityDeps } from '../deps';
import { type InvoiceRow } from '../invoice/view';
import { standingOf } from './standing';
import { correctionEffect } from './view';

/** A customer does not accept an open invoice, or a part of it: dunning rests until it is resolved. */
export function raiseDispute(deps: ActivityDeps): CorrectionActivities['raiseDispute'] {
  return ({ invoiceId, dispute }) => {
    const { disputeId, reference, amountMinor, reasonCode, reasonId, ownerRole, raisedAt, by, at, ifMatch } = dispute;
    const identity = { invoiceId, reference, amountMinor, reasonCode, reasonId, ownerRole, raisedAt, by };
    return correctionEffect(deps, invoiceId, { key: `dispute/${disputeId}`, identity, at, actor: by, ifMatch }, async (trx, invoice) => {
      const refused = refuseDispute(invoice, amountMinor, raisedAt, at);
      if (refused) return refused;
      const hold = { amount_minor: amountMinor, reason_id: reasonId, from_moment: raisedAt, until_moment: null, recorded_by: by };
      await trx
        .insertInto('collection_hold')
        .values({ id: disputeId, invoice_id: invoiceId, kind: 'dispute', ...hold })
        .execute();
      await trx
        .insertInto('invoice_dispute')
        .values({
          id: disputeId,
          invoice_id: invoiceId,
          reference,
          amount_minor: amountMinor,
          reason_code: reasonCode,
          reason_id: reasonId,
          owner_role: ownerRole,
          raised_by: by,
          raised_at: raisedAt,
        })
        .execute();
      const details = { disputeId, amountMinor, reasonCode, ownerRole };
      return { action: 'dispute.raised', subject: invoiceId, details, texts: { reason: reasonId }, answer: (view) => view };
    });
  };
}

/**
 * What was found: a dispute that is rejected holds dunning no more; one that is upheld does until the invoice is corrected. What is
 * found not billable stands on the invoice.
 */
export function resolveDispute(deps: ActivityDeps): CorrectionActivities['resolveDispute'] {
  return ({ invoiceId, resolution }) => {
    const { resolutionId, disputeId, outcome, notBillable, reasonId, by, at, ifMatch } = resolution;
    const identity = { invoiceId, disputeId, outcome, notBillable, reasonId, by };
    const effect = { key: `resolve-dispute/${resolutionId}`, identity, at, actor: by, ifMatch };
    return correctionEffect(deps, invoiceId, effect, async (trx, invoice) => {
      const known = await trx
        .selectFrom('invoice_dispute')
        .select('outcome')
        .where('id', '=', disputeId)
        .where('invoice_id', '=', invoiceId)
        .executeTakeFirst();
      if (known === undefined) return { violation: 'DisputeUnknown', detail: disputeId };
      if (known.outcome !== null) return { violation: 'DisputeResolved', detail: `it is ${known.outcome}` };
      const refused = await refuseForeign(trx, invoice, notBillable);
      if (refused) return refused;
      await trx
        .updateTable('invoice_dispute')
        .set({ outcome, not_billable: JSON.stringify(notBillable), resolved_by: by, resolved_at: at, resolution_id: reasonId })
        .where('id', '=', disputeId)
        .execute();
      if (outcome === 'rejected') await liftDispute(trx, disputeId, at);
      const details = { disputeId, outcome, notBillable };
      return { action: 'dispute.resolved', subject: invoiceId, details, texts: { reason: reasonId }, answer: (view) => view };
    });
  };
}

export async function liftDispute(trx: Transaction<DB>, disputeId: string, at: string): Promise<void> {
  await trx.updateTable('collection_hold').set({ lifted_at: at }).where('id', '=', disputeId).where('lifted_at', 'is', null).execute();
}

function refuseDispute(invoice: InvoiceRow, amountMinor: number | null, raisedAt: string, at: string): Violation | null {
  if (invoice.state !== 'issued') return { violation: 'InvoiceNotOpen', detail: `${invoice.reference} is ${invoice.state}` };
  if (amountMinor !== null && amountMinor > invoice.open_minor)
    return { violation: 'HoldAboveOpenAmount', detail: `${invoice.open_minor} minor units are open`, path: '/amount' };
  return Date.parse(raisedAt) > Date.parse(at)
    ? { violation: 'DisputeInFuture', detail: `${raisedAt} lies in the future`, path: '/raisedAt' }
    : null;
}

async function refuseForeign(
  trx: Transaction<DB>,
  invoice: InvoiceRow,
  notBillable: readonly ({ readonly item: string } | { readonly line: number })[],
): Promise<Violation | null> {
  const standing = await standingOf(trx, invoice);
  for (const [index, each] of notBillable.entries()) {
    const found = 'item' in each ? byItem(standing, each.item) : byPosition(standing, each.line);
    const detail = 'item' in each ? each.item : `line ${each.line}`;
    if (found === null) return { violation: 'CorrectionItemUnknown', detail, path: `/notBillable/${index}` };
  }
  return null;
}
