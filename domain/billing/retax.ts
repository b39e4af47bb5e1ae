import { completeInvoice, type CompletedInvoice, type InvoiceDraft, type TaxRounding } from './invoice';
import { type Violation } from '../violation';
import { type TaxTreatment } from './tax';

/** What a completed document carries of its tax. */
export type DocumentTax = Pick<CompletedInvoice, 'taxCategory' | 'taxRatePercent' | 'taxReasonCode'>;

/**
 * A document of which the day of issue moved, with the tax of that day (R-049, S-19): null where nothing of its tax changes, so that what
 * was approved stands. Amounts before tax stay as they are. Refuses what `completeInvoice` refuses.
 */
export function retaxed(
  draft: InvoiceDraft,
  before: DocumentTax,
  tax: TaxTreatment,
  rounding: TaxRounding,
): CompletedInvoice | null | Violation {
  const same = before.taxCategory === tax.category && before.taxRatePercent === tax.ratePercent && before.taxReasonCode === tax.reasonCode;
  return same ? null : completeInvoice(draft, tax, rounding);
}
