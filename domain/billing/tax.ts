import { type LocalDate } from '../deal/terms';
import { canonical, type Decimal } from '../decimal';
import { isViolation, type Violation } from '../violation';
import { EU_MEMBER_STATES, isVatId } from './vat-id';

/** EN 16931 categories in use: standard rate, outside the scope of tax, reverse charge. */
export type TaxCategory = 'S' | 'O' | 'AE';

/** The tax of a document. `ratePercent` is `'0'` for O and AE; these carry an EN 16931 exemption code (VATEX) and a sentence for the document. */
export interface TaxTreatment {
  readonly category: TaxCategory;
  readonly ratePercent: Decimal;
  readonly reasonCode: string | null;
  readonly note: string | null;
}

/** A row of master data: the rate of a country on services from `validFrom` to `validTo` (inclusive, null = open). Kind `none` says that there is no such tax. */
export interface TaxRate {
  readonly country: string;
  readonly kind: string;
  readonly ratePercent: Decimal;
  readonly validFrom: LocalDate;
  readonly validTo: LocalDate | null;
}

/** Country (ISO 3166 alpha-2) and registrations of a seller or a customer. */
export interface TaxParty {
  readonly country: string;
  readonly taxRegistrations: readonly { readonly type: string; readonly value: string }[];
}

/** Registrations that only exist where a country taxes services: who holds one in its country must charge that country's rate. */
const CONSUMPTION_TAX_REGISTRATIONS: readonly string[] = ['VAT', 'GST', 'HST', 'CONSUMPTION_TAX', 'QUALIFIED_INVOICE_ISSUER'];

const OUTSIDE_SCOPE: TaxTreatment = { category: 'O', ratePercent: '0', reasonCode: 'VATEX-EU-O', note: 'Not subject to tax' };
const REVERSE_CHARGE: TaxTreatment = { category: 'AE', ratePercent: '0', reasonCode: 'VATEX-EU-AE', note: 'Reverse charge' };

/**
 * Tax of services by the countries and registrations of both sides on a date (R-040, S-19, S-47): same country, its rate, or O where it
 * has no such tax; two EU member states, reverse charge AE; otherwise O. Refuses a missing or ambiguous rate where one is due, and a
 * supply inside the EU without a well-formed VAT id on both sides.
 */
export function taxTreatment(
  parties: { readonly seller: TaxParty; readonly customer: TaxParty },
  date: LocalDate,
  taxRates: readonly TaxRate[],
): TaxTreatment | Violation {
  const { seller, customer } = parties;
  if (seller.country === customer.country) return domestic(seller, date, taxRates);
  if (!EU_MEMBER_STATES.has(seller.country) || !EU_MEMBER_STATES.has(customer.country)) return OUTSIDE_SCOPE;
  if (!hasVatId(seller)) return { violation: 'SellerVatIdMissing', detail: `seller in ${seller.country} has no valid VAT id` };
  if (!hasVatId(customer)) return { violation: 'CustomerVatIdMissing', detail: `customer in ${customer.country} has no valid VAT id` };
  return REVERSE_CHARGE;
}

function domestic(seller: TaxParty, date: LocalDate, taxRates: readonly TaxRate[]): TaxTreatment | Violation {
  const ofCountry = taxRates.filter((rate) => rate.country === seller.country);
  const [rate, ...others] = ofCountry.filter((each) => each.validFrom <= date && (each.validTo === null || date <= each.validTo));
  if (rate === undefined) {
    const due = ofCountry.length > 0 || taxesServices(seller);
    return due ? { violation: 'TaxRateMissing', detail: `no rate of ${seller.country} is valid on ${date}` } : OUTSIDE_SCOPE;
  }
  if (others.length > 0) return { violation: 'TaxRateAmbiguous', detail: `several rates of ${seller.country} are valid on ${date}` };
  if (rate.kind === 'none') return OUTSIDE_SCOPE;
  const ratePercent = canonical(rate.ratePercent);
  return isViolation(ratePercent) ? ratePercent : { category: 'S', ratePercent, reasonCode: null, note: null };
}

function taxesServices(seller: TaxParty): boolean {
  return EU_MEMBER_STATES.has(seller.country) || seller.taxRegistrations.some(({ type }) => CONSUMPTION_TAX_REGISTRATIONS.includes(type));
}

function hasVatId(party: TaxParty): boolean {
  return party.taxRegistrations.some(({ type, value }) => type === 'VAT' && isVatId(party.country, value));
}
