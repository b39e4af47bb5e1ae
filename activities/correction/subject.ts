import { type Transaction } from 'kysely';
import { hashOf } from '../../db/hash';
import { type DB } from '../../db/types';
import { type PolicyFacts } from '../../domain/approval/policy';
import { type CorrectionRequest } from '../../domain/billing/correction/choice';
import { type Correction, type CorrectingDocument } from '../../domain/billing/correction/correction';
import { formatMoney } from '../../domain/money';
import { isViolation, type Violation } from '../../domain/violation';
import { type CorrectionRow } from './view';
import { proposalOf } from './request';

/** Of long lists approvers are shown so many; the hash is over all of it. */
const MOST_SHOWN = 200;

/** What approvers of a correction are shown, and what decides its tiers. Refused where it does not fit the invoice any more. */
export async function correctionSubject(
  trx: Transaction<DB>,
  { subjectId }: { readonly subjectId: string },
): Promise<{ requestedBy: string; entityId: string; shown: Record<string, unknown>; policy: PolicyFacts } | Violation> {
  const row = await trx.selectFrom('invoice_correction').selectAll().where('id', '=', subjectId).executeTakeFirstOrThrow();
  const invoice = await trx.selectFrom('invoice').selectAll().where('id', '=', row.invoice_id).executeTakeFirstOrThrow();
  const correction = await proposalOf(trx, invoice, row.request as CorrectionRequest);
  if (isViolation(correction)) return correction;
  const amount = { minor: row.value_minor, currency: row.value_currency };
  return {
    requestedBy: row.requested_by,
    entityId: row.entity_id,
    shown: correctionShown(row, invoice.reference, correction),
    policy: { amount, marginPercent: null, discountPercent: null, paymentTermsDays: null },
  };
}

/** Both documents with their lines, and what becomes of each thing; of what is billed once more only how much there is. */
export function correctionShown(row: CorrectionRow, reference: string, correction: Correction): Record<string, unknown> {
  const { credit, rebill, things } = correction;
  const of = (fate: string): string[] =>
    things.filter((thing) => thing.fate === fate).map((thing) => thing.item?.names[0] ?? `line ${thing.position}`);
  const [waived, held, rebilled] = [of('waive'), of('hold'), of('rebill')];
  return {
    invoice: reference,
    kind: row.kind,
    reasonCode: row.reason_code,
    reasonId: row.reason_id,
    disputeId: row.dispute_id,
    amount: { amount: formatMoney({ minor: row.value_minor, currency: row.value_currency }), currency: row.value_currency },
    credit: shownDocument(credit),
    rebill: shownDocument(rebill),
    neverBilled: waived.slice(0, MOST_SHOWN),
    keptBack: held.slice(0, MOST_SHOWN),
    contentHash: hashOf({ credit, rebill, things }),
    counts: { neverBilled: waived.length, keptBack: held.length, billedOnceMore: rebilled.length },
  };
}

function shownDocument(part: CorrectingDocument | null): Record<string, unknown> | null {
  if (part === null) return null;
  const { reference, currency, netMinor, taxMinor, totalMinor, taxCategory, lines } = part.document;
  const text = (minor: number): string => formatMoney({ minor, currency });
  return {
    reference,
    currency,
    net: text(netMinor),
    tax: text(taxMinor),
    total: text(totalMinor),
    taxCategory,
    lines: lines.map(({ description, quantity, unitPrice, amountMinor }) => ({
      description,
      quantity,
      unitPrice,
      amount: text(amountMinor),
    })),
  };
}
