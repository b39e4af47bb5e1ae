import { type LocalDate } from '../deal/terms';
import { money } from '../money';
import { ACCOUNTS, type Account } from './accounts';
import { balance, type JournalDimensions, type JournalEntry, type JournalLine } from './journal';

/** What every entry names. */
export interface EntryHead {
  readonly book: string;
  readonly entityId: string;
  readonly date: LocalDate;
  readonly currency: string;
}

/** Amounts of an issued document in minor units; those of a credit note are negative. */
export interface DocumentIssued extends EntryHead {
  readonly invoiceId: string;
  readonly reference: string;
  readonly netMinor: number;
  readonly taxMinor: number;
  readonly dimensions: JournalDimensions;
}

/** A credit on a bank account and what became of it: applications plus money on account are the amount. */
export interface PaymentPosted extends EntryHead {
  readonly paymentId: string;
  readonly amountMinor: number;
  readonly applications: readonly { readonly invoiceId: string; readonly amountMinor: number; readonly dimensions: JournalDimensions }[];
  readonly onAccountMinor: number;
  readonly customerId: string;
}

/** A rest within tolerance that is given up after a payment. */
export interface TolerancePosted extends EntryHead {
  readonly paymentId: string;
  readonly invoiceId: string;
  readonly amountMinor: number;
  readonly dimensions: JournalDimensions;
}

/** What a correction leaves of a payment that stood on its invoice. */
export interface CashMovedOn extends EntryHead {
  readonly paymentId: string;
  readonly correctionId: string;
  /** Paid beyond what is due now, and given up beyond what is open now. */
  readonly excessMinor: number;
  readonly toleranceMinor: number;
  readonly dimensions: JournalDimensions;
}

/** What a correction changes of the revenue of a line. */
export interface RevenueCorrected extends EntryHead {
  readonly correctionId: string;
  readonly amountMinor: number;
  readonly dimensions: JournalDimensions;
}

/** Receivables against contract balance (net) and output tax (R-052, S-19). Throws for a net that is not positive. */
export function invoiceIssued(input: DocumentIssued): JournalEntry {
  if (input.netMinor <= 0) throw new RangeError(`an invoice has a positive net: ${input.netMinor}`);
  return documentIssued('invoice-issued', `Invoice ${input.reference}`, input);
}

/** The mirror of an invoice: contract balance and output tax against receivables. Throws for a net that is not negative. */
export function creditNoteIssued(input: DocumentIssued): JournalEntry {
  if (input.netMinor >= 0) throw new RangeError(`a credit note has a negative net: ${input.netMinor}`);
  return documentIssued('credit-note-issued', `Credit note ${input.reference}`, input);
}

/** Bank against receivables per application and the liability for money on account (R-053, S-31, S-32). Throws where they do not add up. */
export function paymentReceived(input: PaymentPosted): JournalEntry {
  const customer: JournalDimensions = { ...NOTHING, customerId: input.customerId };
  return entry(input, `payment-received/${input.paymentId}`, 'Payment received', [
    post(ACCOUNTS.bank, input.amountMinor, input.currency, customer),
    ...input.applications.map((each) => post(ACCOUNTS.receivables, -each.amountMinor, input.currency, each.dimensions)),
    post(ACCOUNTS.customerOnAccount, -input.onAccountMinor, input.currency, customer),
  ]);
}

/** Bank charges against receivables (R-053, S-32). */
export function toleranceWrittenOff(input: TolerancePosted): JournalEntry {
  if (input.amountMinor <= 0) throw new RangeError(`a tolerance is positive: ${input.amountMinor}`);
  return entry(input, `tolerance-written-off/${input.paymentId}/${input.invoiceId}`, 'Payment difference within tolerance', [
    post(ACCOUNTS.bankCharges, input.amountMinor, input.currency, input.dimensions),
    post(ACCOUNTS.receivables, -input.amountMinor, input.currency, input.dimensions),
  ]);
}

/**
 * Takes back a payment and its tolerances, every line with its sides exchanged, on the date of the bank's reversal (R-054, S-32).
 * `entries` are the entries of the payment in one book and entity; throws for a mixture or for none.
 */
export function paymentReversed(input: {
  readonly paymentId: string;
  readonly date: LocalDate;
  readonly entries: readonly JournalEntry[];
}): JournalEntry {
  const [first, ...rest] = input.entries;
  if (first === undefined) throw new RangeError('there is nothing to reverse');
  if (rest.some((each) => each.book !== first.book || each.entityId !== first.entityId))
    throw new RangeError('entries of several books or entities');
  const lines = input.entries
    .flatMap((each) => each.lines)
    .map((line) => ({ ...line, debitMinor: line.creditMinor, creditMinor: line.debitMinor }));
  return entry(
    { book: first.book, entityId: first.entityId, date: input.date },
    `payment-reversed/${input.paymentId}`,
    'Payment reversed by the bank',
    lines,
  );
}

/** Receivables against money on account and bank charges: what was paid or given up of an invoice beyond its correction. */
export function cashMoved(input: CashMovedOn): JournalEntry {
  const { paymentId, correctionId, excessMinor, toleranceMinor, currency, dimensions } = input;
  return entry(input, `cash-moved/${paymentId}/${correctionId}`, 'Payment beyond a corrected invoice', [
    post(ACCOUNTS.receivables, excessMinor + toleranceMinor, currency, dimensions),
    post(ACCOUNTS.customerOnAccount, -excessMinor, currency, { ...NOTHING, customerId: dimensions.customerId }),
    post(ACCOUNTS.bankCharges, -toleranceMinor, currency, dimensions),
  ]);
}

/** Contract balance against revenue: what a correction takes back or earns anew, in the month of the correction (R-215, S-35). */
export function revenueCorrected(input: RevenueCorrected): JournalEntry {
  const { correctionId, amountMinor, currency, dimensions } = input;
  return entry(input, `revenue-corrected/${correctionId}`, 'Revenue changed by a correction', [
    post(ACCOUNTS.contractBalance, amountMinor, currency, dimensions),
    post(ACCOUNTS.revenue, -amountMinor, currency, dimensions),
  ]);
}

const NOTHING: JournalDimensions = { customerId: null, projectId: null, lineId: null, serviceLine: null, practice: null, region: null };

function documentIssued(event: string, narrative: string, input: DocumentIssued): JournalEntry {
  const { currency, dimensions, netMinor, taxMinor } = input;
  return entry(input, `${event}/${input.invoiceId}`, narrative, [
    post(ACCOUNTS.receivables, netMinor + taxMinor, currency, dimensions),
    post(ACCOUNTS.contractBalance, -netMinor, currency, dimensions),
    post(ACCOUNTS.taxPayable, -taxMinor, currency, dimensions),
  ]);
}

/** Drops empty lines and holds the entry to its rule, because an entry of ours that does not balance is a bug. */
export function entry(head: Omit<EntryHead, 'currency'>, identity: string, narrative: string, lines: readonly JournalLine[]): JournalEntry {
  const made: JournalEntry = {
    entryKey: `${identity}/${head.book}`,
    book: head.book,
    entityId: head.entityId,
    date: head.date,
    narrative,
    lines: lines.filter((line) => line.debitMinor !== 0 || line.creditMinor !== 0),
  };
  const wrong = balance(made);
  if (wrong !== null) throw new RangeError(`${wrong.violation}: ${wrong.detail}`);
  return made;
}

/** A positive amount is a debit, a negative one a credit. */
export function post(account: Account, minor: number, currency: string, dimensions: JournalDimensions): JournalLine {
  const amount = money(minor, currency).minor;
  return { account: account.code, debitMinor: Math.max(amount, 0), creditMinor: Math.max(-amount, 0), currency, dimensions };
}
