/**
 * What stands on an invoice or credit note, fixed with its number: every text and figure that is printed, nothing that is looked up
 * later. Amounts are minor units of `currency` as they are printed: on a credit note what is credited is positive.
 */
export interface InvoiceDocument {
  readonly format: 1;
  readonly kind: 'invoice' | 'credit-note';
  readonly number: string;
  /** What a payment quotes; cash is matched by it. */
  readonly reference: string;
  readonly issuedAt: string;
  readonly issueDate: string;
  readonly dueDate: string;
  /** Below zero where a rebill keeps a due date that has passed. */
  readonly paymentTermsDays: number;
  /** Days of the supply, both inclusive; one day where both are the same. */
  readonly supply: { readonly from: string; readonly to: string };
  readonly corrects: readonly { readonly number: string; readonly reference: string; readonly issueDate: string }[];
  readonly currency: string;
  readonly seller: DocumentParty & { readonly legalForm: string; readonly bankAccount: Readonly<Record<string, string>> | null };
  readonly buyer: DocumentParty & { readonly buyerReference: string | null; readonly purchaseOrder: string | null };
  readonly contract: { readonly number: string; readonly version: number; readonly lineId: string; readonly lineName: string };
  readonly lines: readonly DocumentLine[];
  /** Allowances on the document: part of the lines, shown in the totals too. Zero where there is none. */
  readonly discountMinor: number;
  readonly netMinor: number;
  readonly taxMinor: number;
  readonly totalMinor: number;
  readonly taxes: readonly DocumentTaxLine[];
  /** The tax in the currency of the seller's country where the document is in another (VAT directive, article 230). */
  readonly taxInSellerCurrency: { readonly currency: string; readonly minor: number; readonly rateAsOf: string } | null;
  readonly time: readonly TimeRow[];
  readonly expenses: readonly ExpenseRow[];
}

export interface DocumentParty {
  readonly name: string;
  readonly country: string;
  readonly address: readonly string[];
  readonly registrations: readonly { readonly type: string; readonly value: string }[];
}

export interface DocumentLine {
  readonly description: string;
  /** As policy shows people; null where the line bills nobody's time. */
  readonly person: string | null;
  readonly quantity: string | null;
  readonly unit: string | null;
  readonly unitPrice: string | null;
  readonly netMinor: number;
}

export interface DocumentTaxLine {
  readonly category: string;
  readonly ratePercent: string;
  readonly reasonCode: string | null;
  readonly netMinor: number;
  readonly taxMinor: number;
}

export interface TimeRow {
  readonly date: string;
  readonly person: string;
  readonly roleCode: string;
  readonly hours: string;
  readonly unitPrice: string | null;
  readonly amountMinor: number | null;
}

export interface ExpenseRow {
  readonly date: string;
  readonly person: string;
  readonly category: string;
  readonly country: string;
  readonly spent: { readonly minor: number; readonly currency: string };
  readonly amountMinor: number | null;
}
