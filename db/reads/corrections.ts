import { type Kysely, type Selectable } from 'kysely';
import { type DB } from '../types';
import { textsOf } from '../free-text';
import { amount, amountOrNull } from './amount';

type Fate = 'rebill' | 'waive' | 'hold';

/** Disputes and corrections of one invoice, and the invoice that it corrects itself. Words are null once they were erased. */
export interface CorrectionsOfInvoice {
  readonly corrects: { readonly invoiceId: string; readonly reference: string; readonly correctionId: string } | null;
  readonly creditedOn: string | null;
  readonly disputes: readonly {
    readonly disputeId: string;
    readonly reference: string | null;
    readonly amount: string | null;
    readonly reasonCode: string;
    readonly reason: string | null;
    readonly ownerRole: string;
    readonly raisedBy: string;
    readonly raisedAt: string;
    readonly outcome: 'rejected' | 'upheld' | 'upheld-in-part' | null;
    readonly notBillable: readonly ({ readonly item: string } | { readonly line: number })[];
    readonly resolvedBy: string | null;
    readonly resolvedAt: string | null;
    readonly resolution: string | null;
  }[];
  readonly corrections: readonly CorrectionOfInvoice[];
}

interface CorrectionOfInvoice {
  readonly correctionId: string;
  readonly kind: 'full' | 'partial' | 'release';
  readonly state: 'requested' | 'approved' | 'issued' | 'refused' | 'withdrawn' | 'outdated';
  readonly disputeId: string | null;
  readonly reasonCode: string;
  readonly reason: string | null;
  readonly requestedBy: string;
  readonly requestedAt: string;
  readonly approvalId: string;
  readonly issueAt: string | null;
  readonly endedAt: string | null;
  readonly documents: readonly {
    readonly invoiceId: string;
    readonly reference: string;
    readonly documentKind: 'invoice' | 'credit-note';
    readonly total: string;
  }[];
  readonly things: readonly {
    readonly line: number;
    readonly item: string | null;
    readonly fate: Fate;
    readonly amount: string;
    readonly released: boolean;
  }[];
}

type Invoice = Pick<Selectable<DB['invoice']>, 'id' | 'currency' | 'corrects_id' | 'correction_id' | 'credited_on'>;

export async function readCorrections(db: Kysely<DB>, invoice: Invoice): Promise<CorrectionsOfInvoice> {
  const disputes = await db.selectFrom('invoice_dispute').selectAll().where('invoice_id', '=', invoice.id).orderBy('raised_at').execute();
  const corrections = await db
    .selectFrom('invoice_correction')
    .selectAll()
    .where('invoice_id', '=', invoice.id)
    .orderBy('requested_at')
    .orderBy('id')
    .execute();
  const words = await textsOf(db, [
    ...disputes.flatMap((each) => [each.reason_id, each.resolution_id]),
    ...corrections.map((each) => each.reason_id),
  ]);
  const said = (id: string | null): string | null => (id === null ? null : (words.get(id) ?? null));
  const documents = corrections.length === 0 ? [] : await documentsOf(db, invoice.id);
  const things = corrections.length === 0 ? [] : await thingsOf(db, invoice.id);
  return {
    corrects: await correctedBy(db, invoice),
    creditedOn: invoice.credited_on,
    disputes: disputes.map((each) => ({
      disputeId: each.id,
      reference: each.reference,
      amount: amountOrNull(each.amount_minor, invoice.currency),
      reasonCode: each.reason_code,
      reason: said(each.reason_id),
      ownerRole: each.owner_role,
      raisedBy: each.raised_by,
      raisedAt: each.raised_at,
      outcome: each.outcome as CorrectionsOfInvoice['disputes'][number]['outcome'],
      notBillable: each.not_billable as CorrectionsOfInvoice['disputes'][number]['notBillable'],
      resolvedBy: each.resolved_by,
      resolvedAt: each.resolved_at,
      resolution: said(each.resolution_id),
    })),
    corrections: corrections.map((each) => ({
      correctionId: each.id,
      kind: each.kind as CorrectionOfInvoice['kind'],
      state: each.state as CorrectionOfInvoice['state'],
      disputeId: each.dispute_id,
      reasonCode: each.reason_code,
      reason: said(each.reason_id),
      requestedBy: each.requested_by,
      requestedAt: each.requested_at,
      approvalId: each.approval_id,
      issueAt: each.issue_at,
      endedAt: each.ended_at,
      documents: documents
        .filter((document) => document.correction_id === each.id)
        .map(({ id, reference, document_kind: kind, total_minor: total }) => ({
          invoiceId: id,
          reference,
          documentKind: kind as 'invoice' | 'credit-note',
          total: amount(total, invoice.currency),
        })),
      things: things
        .filter((thing) => thing.correction_id === each.id)
        .map((thing) => ({
          line: thing.position,
          item: thing.entry_id ?? thing.expense_id ?? thing.item_id,
          fate: thing.fate as Fate,
          amount: amount(thing.amount_minor, invoice.currency),
          released: thing.released_by !== null,
        })),
    })),
  };
}

async function correctedBy(db: Kysely<DB>, { corrects_id, correction_id }: Invoice): Promise<CorrectionsOfInvoice['corrects']> {
  if (corrects_id === null || correction_id === null) return null;
  const { reference } = await db.selectFrom('invoice').select('reference').where('id', '=', corrects_id).executeTakeFirstOrThrow();
  return { invoiceId: corrects_id, reference, correctionId: correction_id };
}

function documentsOf(db: Kysely<DB>, invoiceId: string) {
  return db
    .selectFrom('invoice')
    .select(['id', 'reference', 'document_kind', 'total_minor', 'correction_id'])
    .where('corrects_id', '=', invoiceId)
    .orderBy('document_kind')
    .execute();
}

function thingsOf(db: Kysely<DB>, invoiceId: string) {
  return db
    .selectFrom('credited_thing as thing')
    .leftJoin('invoiced_item as item', 'item.id', 'thing.invoiced_item_id')
    .selectAll('thing')
    .select('item.item_id')
    .where('thing.invoice_id', '=', invoiceId)
    .orderBy('thing.ordinal')
    .execute();
}
