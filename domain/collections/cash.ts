import { type LocalDate } from '../deal/terms';
import { type Money } from '../money';
import { referencesIn } from './references';
import { withinTolerance, type TolerancePolicy } from './tolerance';

/** A credit on one of our bank accounts. `freeText` is the unstructured remittance, pieces joined by a blank. */
export interface BankCredit {
  readonly endToEndId: string;
  readonly debtorName: string;
  readonly bookedOn: LocalDate;
  readonly amount: Money;
  readonly remittances: readonly { readonly reference: string; readonly amount: Money | null }[];
  readonly freeText: string;
}

/** A bill-to account and the name under which it pays. */
export interface PayingParty {
  readonly billToId: string;
  readonly name: string;
}

/**
 * An invoice as collections sees it. Give every invoice of the party, the settled ones (`openMinor` 0) and those planned
 * (`issueDate` null) too, so that a reference to them is recognised and its money stays on account.
 */
export interface CollectableInvoice {
  readonly invoiceId: string;
  readonly reference: string;
  /** References of the credited invoices that this one bills once more: who pays them means it. */
  readonly replaces?: readonly string[];
  readonly billToId: string;
  readonly currency: string;
  readonly issueDate: LocalDate | null;
  readonly totalMinor: number;
  readonly openMinor: number;
}

export interface InvoiceAmount {
  readonly invoiceId: string;
  readonly amountMinor: number;
}

export type MatchMethod = 'structured' | 'free-text' | 'amount-and-party' | 'unapplied';

/** Applications plus money on account are the payment; tolerances come on top and settle what is left of an invoice. */
export interface MatchedPayment {
  readonly billToId: string;
  readonly applications: readonly InvoiceAmount[];
  readonly tolerance: readonly InvoiceAmount[];
  readonly onAccountMinor: number;
  readonly method: MatchMethod;
  readonly confidence: number;
}

/** How sure each method is, 0 to 1; a person confirms what lies below the threshold of the policy. */
const CONFIDENCE: Readonly<Record<MatchMethod, number>> = { structured: 1, 'free-text': 0.9, 'amount-and-party': 0.7, unapplied: 0 };

/** A claim on the payment: a reference and the amount remitted for it, null where the payer gave none. */
interface Claim {
  readonly reference: string;
  readonly amountMinor: number | null;
}

/**
 * Applies a bank credit to the party's issued invoices in its currency (R-070, R-071, S-30, S-31): by structured references, else by
 * references in the free text, else by the only open invoice of exactly this amount. Each reference gets its remitted amount, or up to
 * its open amount, in order; the money of a reference that is unknown, not issued or settled stays on account, as any excess does.
 * A small rest is given up (R-073, S-32). `not-ours` where the debtor is another. Throws for an amount that is not positive.
 */
export function matchPayment(
  credit: BankCredit,
  party: PayingParty,
  invoices: readonly CollectableInvoice[],
  tolerance: TolerancePolicy,
): MatchedPayment | 'not-ours' {
  if (!(credit.amount.minor > 0)) throw new RangeError(`a credit is positive: ${credit.amount.minor}`);
  if (nameKey(credit.debtorName) !== nameKey(party.name)) return 'not-ours';
  const known = invoices.filter((invoice) => invoice.billToId === party.billToId);
  const collectable = known.filter(
    (invoice) =>
      invoice.issueDate !== null &&
      invoice.issueDate <= credit.bookedOn &&
      invoice.currency === credit.amount.currency &&
      invoice.openMinor > 0,
  );
  const { method, claims } = claimsOf(credit, known, collectable);
  const applications = apply(claims, collectable, credit.amount.minor);
  const applied = applications.reduce((sum, each) => sum + each.amountMinor, 0);
  const reached = applications.length > 0 ? method : 'unapplied';
  return {
    billToId: party.billToId,
    applications,
    tolerance: restsGivenUp(applications, collectable, tolerance),
    onAccountMinor: credit.amount.minor - applied,
    method: reached,
    confidence: CONFIDENCE[reached],
  };
}

/** The bill-to account that pays under a debtor name, letter case and spacing ignored; null for a stranger (R-070, S-30). */
export function partyOf<Party extends PayingParty>(debtorName: string, parties: readonly Party[]): Party | null {
  return parties.find((party) => nameKey(party.name) === nameKey(debtorName)) ?? null;
}

function claimsOf(
  credit: BankCredit,
  known: readonly CollectableInvoice[],
  collectable: readonly CollectableInvoice[],
): { readonly method: MatchMethod; readonly claims: readonly Claim[] } {
  const structured = credit.remittances.filter(({ reference }) => reference.trim() !== '');
  if (structured.length > 0) return { method: 'structured', claims: structured.map((each) => claim(each, credit.amount.currency)) };
  const written = referencesIn(credit.freeText, known.flatMap(referencesOf));
  if (written.length > 0) return { method: 'free-text', claims: written.map((reference) => ({ reference, amountMinor: null })) };
  const [only, ...others] = collectable.filter((invoice) => invoice.openMinor === credit.amount.minor);
  if (only === undefined || others.length > 0) return { method: 'unapplied', claims: [] };
  return { method: 'amount-and-party', claims: [{ reference: only.reference, amountMinor: null }] };
}

/** A remitted amount in another currency than the payment says nothing about this payment and is left aside. */
function claim({ reference, amount }: { readonly reference: string; readonly amount: Money | null }, currency: string): Claim {
  return { reference, amountMinor: amount !== null && amount.currency === currency ? amount.minor : null };
}

/** In the order of the claims; a remitted amount for an invoice that cannot take it is set aside before later claims. */
function apply(claims: readonly Claim[], collectable: readonly CollectableInvoice[], paidMinor: number): InvoiceAmount[] {
  const applied = new Map<string, number>();
  let left = paidMinor;
  for (const { reference, amountMinor } of claims) {
    const invoice = collectable.find((each) => referencesOf(each).some((own) => referenceKey(own) === referenceKey(reference)));
    const open = invoice === undefined ? 0 : invoice.openMinor - (applied.get(invoice.invoiceId) ?? 0);
    const amount = Math.max(0, Math.min(amountMinor ?? open, open, left));
    if (invoice !== undefined && amount > 0) applied.set(invoice.invoiceId, (applied.get(invoice.invoiceId) ?? 0) + amount);
    left -= Math.max(0, Math.min(amountMinor ?? amount, left));
  }
  return [...applied].map(([invoiceId, amountMinor]) => ({ invoiceId, amountMinor }));
}

function restsGivenUp(
  applications: readonly InvoiceAmount[],
  invoices: readonly CollectableInvoice[],
  policy: TolerancePolicy,
): InvoiceAmount[] {
  return applications.flatMap(({ invoiceId, amountMinor }) => {
    const invoice = invoices.find((each) => each.invoiceId === invoiceId);
    if (invoice === undefined) return [];
    const restMinor = invoice.openMinor - amountMinor;
    return withinTolerance(restMinor, { minor: invoice.totalMinor, currency: invoice.currency }, policy)
      ? [{ invoiceId, amountMinor: restMinor }]
      : [];
  });
}

function referencesOf({ reference, replaces = [] }: CollectableInvoice): string[] {
  return [reference, ...replaces];
}

function nameKey(name: string): string {
  return name.normalize('NFKC').trim().replace(/\s+/g, ' ').toLowerCase();
}

function referenceKey(reference: string): string {
  return reference.trim().toUpperCase();
}
