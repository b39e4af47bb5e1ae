import { type Kysely } from 'kysely';
import { type DB } from '../db/types';
import { billingFigures, type BillingFigures } from './billing-figures';
import { bookFigures, type BookFigures } from './books-figures';
import { correctionFigures, type CorrectionFigure } from './correction-figures';
import { invoiceFigure, type InvoiceFigure } from './invoice-figure';

export interface Figures extends BookFigures, BillingFigures {
  readonly invoices: readonly InvoiceFigure[];
  readonly corrections: readonly CorrectionFigure[];
}

/** Every issued document of a deal before corrections (S-35), by issue date, then reference; what corrections made of them; and what the books say, at the days of `statements` too. */
export async function figuresOf(db: Kysely<DB>, dealId: string, statements: readonly string[] = []): Promise<Figures> {
  const rows = await db
    .selectFrom('invoice')
    .innerJoin('contract_line', 'contract_line.id', 'invoice.contract_line_id')
    .selectAll('invoice')
    .select('contract_line.line_id')
    .where('invoice.deal_id', '=', dealId)
    .where('invoice.state', 'in', ['issued', 'settled', 'credited'])
    .where('invoice.corrects_id', 'is', null)
    .orderBy('invoice.issue_date')
    .orderBy('invoice.reference')
    .execute();
  return {
    ...(await bookFigures(db, dealId, statements)),
    ...(await billingFigures(db, dealId)),
    invoices: rows.map(invoiceFigure),
    corrections: await correctionFigures(db, dealId),
  };
}
