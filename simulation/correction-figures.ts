import { type Kysely } from 'kysely';
import { type DB } from '../db/types';
import { invoiceFigure, type InvoiceFigure } from './invoice-figure';

/** A credit note or rebill with what it corrects (S-35). */
export interface CorrectionFigure extends InvoiceFigure {
  readonly corrects: string;
  readonly dispute: string;
}

/** What corrections of a deal made, the credit before its rebill; stated by itself, because all other figures are those before (S-35). */
export async function correctionFigures(db: Kysely<DB>, dealId: string): Promise<CorrectionFigure[]> {
  const rows = await db
    .selectFrom('invoice')
    .innerJoin('contract_line', 'contract_line.id', 'invoice.contract_line_id')
    .innerJoin('invoice as corrected', 'corrected.id', 'invoice.corrects_id')
    .innerJoin('invoice_correction as correction', 'correction.id', 'invoice.correction_id')
    .leftJoin('invoice_dispute as dispute', 'dispute.id', 'correction.dispute_id')
    .selectAll('invoice')
    .select(['contract_line.line_id', 'corrected.reference as corrects', 'dispute.reference as dispute'])
    .where('invoice.deal_id', '=', dealId)
    .orderBy('contract_line.line_id')
    .orderBy('correction.ended_at')
    .orderBy('invoice.document_kind')
    .execute();
  return rows.map((row) => ({ ...invoiceFigure(row), corrects: row.corrects, dispute: row.dispute ?? '' }));
}
