import { type DocumentParty, type DocumentTaxLine, type InvoiceDocument } from '../contracts/invoice-document';
import { type DocumentFacts, type FactItem } from '../db/document-facts';
import { daysBetween } from '../domain/calendar/dates';
import { type Instant, type LocalDate } from '../domain/deal/terms';
import { negate } from '../domain/decimal';
import { convert, crossRate } from '../domain/fx';
import { isViolation, type Violation } from '../domain/violation';
import { peopleLabels } from './people';
import { supplyOf } from './supply';

/** What the document gets with its issue. */
export interface Issued {
  readonly number: string;
  readonly issueDate: LocalDate;
  readonly dueDate: LocalDate;
  readonly issuedAt: Instant;
}

/**
 * The document of an invoice or credit note (R-055; VAT directive 2006/112/EC, article 226): what is printed, and nothing that is looked up
 * later. A credit note shows what it credits as positive amounts. Refused where the tax has to be told in another currency too
 * (article 230) and no rate is there.
 */
export function composeDocument(facts: DocumentFacts, issued: Issued): InvoiceDocument | Violation {
  const { invoice, head } = facts;
  const isCredit = invoice.document_kind === 'credit-note';
  const shown = (minor: number): number => (isCredit && minor !== 0 ? -minor : minor);
  const taxInSellerCurrency = taxAtHome(facts, shown(invoice.tax_minor), issued.issueDate);
  if (isViolation(taxInSellerCurrency)) return taxInSellerCurrency;
  const labelOf = peopleLabels(facts);
  return {
    format: 1,
    kind: isCredit ? 'credit-note' : 'invoice',
    reference: invoice.reference,
    ...issued,
    paymentTermsDays: daysBetween(issued.issueDate, issued.dueDate),
    supply: supplyOf(facts),
    corrects: facts.corrects,
    currency: invoice.currency,
    seller: { ...sellerOf(facts), bankAccount: bankAccountOf(facts) },
    buyer: buyerOf(facts),
    contract: { number: head.contractNumber, version: invoice.contract_version, lineId: head.lineId, lineName: head.lineName },
    lines: facts.lines.map((line) => ({
      description: line.description,
      person: line.personId === null ? null : labelOf(line.personId),
      quantity: line.quantity !== null && isCredit ? negate(line.quantity) : line.quantity,
      unit: line.unit,
      unitPrice: line.unitPrice,
      netMinor: shown(line.amountMinor),
    })),
    discountMinor: discountOf(facts),
    netMinor: shown(invoice.net_minor),
    taxMinor: shown(invoice.tax_minor),
    totalMinor: shown(invoice.total_minor),
    taxes: [taxLine(facts, shown)],
    taxInSellerCurrency,
    time: facts.items.flatMap((item) => timeRow(facts, item, shown, labelOf)),
    expenses: facts.items.flatMap((item) => expenseRow(item, shown, labelOf)),
  };
}

type Shown = (minor: number) => number;
type LabelOf = (personId: string) => string;

/** All lines of a document have one treatment of tax. */
function taxLine({ invoice }: DocumentFacts, shown: Shown): DocumentTaxLine {
  return {
    category: invoice.tax_category,
    ratePercent: invoice.tax_rate_percent,
    reasonCode: invoice.tax_reason_code,
    netMinor: shown(invoice.net_minor),
    taxMinor: shown(invoice.tax_minor),
  };
}

function taxAtHome({ invoice, head, rates }: DocumentFacts, taxMinor: number, date: LocalDate) {
  if (taxMinor === 0 || head.sellerCurrency === invoice.currency) return null;
  const rate = crossRate(rates, invoice.currency, head.sellerCurrency, date);
  if (isViolation(rate)) return rate;
  const { minor, currency } = convert({ minor: taxMinor, currency: invoice.currency }, rate, 'half-up');
  return { minor, currency, rateAsOf: rate.asOf };
}

/** An allowance is a line of an invoice that takes something off and stands for no item of its own. */
function discountOf({ invoice, lines, items }: DocumentFacts): number {
  if (invoice.document_kind === 'credit-note') return 0;
  const allowances = lines.filter((line) => line.amountMinor < 0 && !items.some((item) => item.position === line.position));
  return allowances.reduce((total, line) => total - line.amountMinor, 0);
}

function timeRow({ lines }: DocumentFacts, item: FactItem, shown: Shown, labelOf: LabelOf): InvoiceDocument['time'] {
  const { workDate, personId, roleCode, hours } = item;
  if (workDate === null || personId === null || roleCode === null || hours === null) return [];
  const line = lines.find((each) => each.position === item.position);
  const amountMinor = item.amountMinor === null ? null : shown(item.amountMinor);
  return [
    { date: workDate, person: labelOf(personId), roleCode, hours, unitPrice: item.unitPrice ?? line?.unitPrice ?? null, amountMinor },
  ];
}

function expenseRow(item: FactItem, shown: Shown, labelOf: LabelOf): InvoiceDocument['expenses'] {
  const { spendDate, personId, category, country, spentMinor, spentCurrency } = item;
  if (spendDate === null || personId === null || category === null || country === null) return [];
  if (spentMinor === null || spentCurrency === null) return [];
  const spent = { minor: spentMinor, currency: spentCurrency };
  const amountMinor = item.amountMinor === null ? null : shown(item.amountMinor);
  return [{ date: spendDate, person: labelOf(personId), category, country, spent, amountMinor }];
}

function sellerOf({ head }: DocumentFacts): DocumentParty & { readonly legalForm: string } {
  return {
    name: head.sellerName,
    legalForm: head.sellerLegalForm,
    country: head.sellerCountry,
    address: addressLines(head.sellerAddress, head.sellerCountry),
    registrations: head.sellerRegistrations.map(({ type, value }) => ({ type, value })),
  };
}

function buyerOf({ invoice, head }: DocumentFacts): InvoiceDocument['buyer'] {
  return {
    name: head.buyerName,
    country: head.buyerCountry,
    address: addressLines(head.buyerAddress, head.buyerCountry),
    registrations: head.buyerRegistrations.map(({ type, value }) => ({ type, value })),
    buyerReference: head.buyerReference,
    purchaseOrder: invoice.purchase_order,
  };
}

/** Street lines, then place with region and postal code, then the country; what is not there makes no line. */
function addressLines(address: Record<string, unknown> | null, country: string): string[] {
  const field = (name: string): string => (typeof address?.[name] === 'string' ? address[name].trim() : '');
  const place = [field('postalCode'), field('city'), field('region')].filter((part) => part !== '').join(' ');
  return [field('line1'), field('line2'), place, countryName(field('country') || country)].filter((line) => line !== '');
}

const countries = new Intl.DisplayNames('en', { type: 'region', fallback: 'code' });

function countryName(code: string): string {
  return /^[A-Z]{2}$/.test(code) ? (countries.of(code) ?? code) : code;
}

/** The account in the currency of the document, else the entity's first one. */
function bankAccountOf({ bankAccounts, invoice }: DocumentFacts): Readonly<Record<string, string>> | null {
  const account = bankAccounts.find(({ currency }) => currency === invoice.currency) ?? bankAccounts[0];
  if (account === undefined) return null;
  const texts = Object.entries(account.details).filter((entry): entry is [string, string] => typeof entry[1] === 'string');
  return { ...Object.fromEntries(texts), account: account.account, currency: account.currency };
}
