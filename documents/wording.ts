import { type DocumentParty, type DocumentTaxLine, type InvoiceDocument } from '../contracts/invoice-document';

/** What the document is called. Sellers registered for a goods and services tax have to say that it is a tax invoice. */
export function titleOf({ kind, seller, taxes }: InvoiceDocument): string {
  const isTaxed = taxes.some(({ category }) => category === 'S');
  const saysTax = isTaxed && seller.registrations.some(({ type }) => type === 'GST' || type === 'HST');
  if (kind === 'credit-note') return saysTax ? 'Tax credit note' : 'Credit note';
  return saysTax ? 'Tax invoice' : 'Invoice';
}

/** What the tax of a seller is called. */
export function taxName({ registrations }: DocumentParty): string {
  const found = TAX_NAMES.find(([type]) => registrations.some((each) => each.type === type));
  return found?.[1] ?? 'Tax';
}

/** The sentence that a category without tax has to carry, by its EN 16931 reason. */
export function taxReason({ category, reasonCode }: DocumentTaxLine): string | null {
  if (category === 'S' && reasonCode === null) return null;
  return (reasonCode === null ? undefined : REASONS[reasonCode]) ?? BY_CATEGORY[category] ?? reasonCode;
}

export function categoryName({ category, ratePercent }: DocumentTaxLine): string {
  const name = CATEGORIES[category] ?? category;
  return category === 'S' ? `${name} (${category}), ${ratePercent} %` : `${name} (${category})`;
}

export function registrationName(type: string): string {
  return (
    REGISTRATIONS[type] ??
    type
      .toLowerCase()
      .replaceAll('_', ' ')
      .replace(/^./u, (first) => first.toUpperCase())
  );
}

const TAX_NAMES: readonly (readonly [string, string])[] = [
  ['VAT', 'VAT'],
  ['GST', 'GST'],
  ['HST', 'HST'],
  ['QUALIFIED_INVOICE_ISSUER', 'Consumption tax'],
  ['CONSUMPTION_TAX', 'Consumption tax'],
];

const REVERSE_CHARGE = 'Reverse charge: the customer is liable for the tax (article 196 of Directive 2006/112/EC).';
const OUT_OF_SCOPE = 'Not subject to tax: the supply is outside the scope of tax in the country of the seller.';
const REASONS: Readonly<Record<string, string>> = { 'VATEX-EU-AE': REVERSE_CHARGE, 'VATEX-EU-O': OUT_OF_SCOPE };
const BY_CATEGORY: Readonly<Record<string, string>> = { AE: REVERSE_CHARGE, O: OUT_OF_SCOPE };
const CATEGORIES: Readonly<Record<string, string>> = { S: 'Standard rate', AE: 'Reverse charge', O: 'Outside the scope of tax' };

const REGISTRATIONS: Readonly<Record<string, string>> = {
  VAT: 'VAT ID',
  GST: 'GST registration',
  HST: 'HST registration',
  EIN: 'EIN',
  UEN: 'UEN',
  SIREN: 'SIREN',
  SIRET: 'SIRET',
  QUALIFIED_INVOICE_ISSUER: 'Qualified invoice issuer',
};
