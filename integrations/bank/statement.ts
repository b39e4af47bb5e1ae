import { type Instant, type LocalDate } from '../../domain/deal/terms';
import { type Money } from '../../domain/money';

/** One reference of a structured remittance; `amount` is what was remitted for it, null where the payer did not split the payment. */
export interface RemittanceReference {
  readonly reference: string;
  readonly amount: Money | null;
}

/** One payment inside an entry. `endToEndId` is null where the payer gave none (`NOTPROVIDED`); `freeText` is `''` where there is none. */
export interface BankTransaction {
  readonly endToEndId: string | null;
  readonly amount: Money;
  readonly debtorName: string | null;
  readonly creditorName: string | null;
  readonly structured: readonly RemittanceReference[];
  readonly freeText: string;
}

/**
 * A booked entry. `direction` is what it does to the balance; with `reversal` it undoes an earlier entry of the other direction.
 * `transactions` sum to `amount`, or there are none (fees). Entries that are not booked yet are no entries: they are only counted.
 */
export interface BankEntry {
  readonly entryRef: string;
  readonly amount: Money;
  readonly direction: 'credit' | 'debit';
  readonly reversal: boolean;
  readonly status: 'booked';
  readonly bookedOn: LocalDate;
  readonly valueOn: LocalDate;
  readonly bankReference: string | null;
  readonly information: string | null;
  readonly transactions: readonly BankTransaction[];
}

/**
 * The statement of one account over a period. Opening + credits − debits = closing, in minor units of `currency`, signed (an overdrawn
 * account is negative). `account` is the IBAN or the bank's own number. `sequence` is the bank's count of its statements, if it counts.
 */
export interface BankStatement {
  readonly statementId: string;
  readonly sequence: number | null;
  readonly account: string;
  readonly currency: string;
  readonly from: LocalDate;
  readonly to: LocalDate;
  readonly openingMinor: number;
  readonly closingMinor: number;
  readonly unbookedEntries: number;
  readonly entries: readonly BankEntry[];
}

/** A file as the bank delivers it; statements and entries are read in this order (S-30). */
export interface BankStatementFile {
  readonly messageId: string;
  readonly createdAt: Instant;
  readonly statements: readonly BankStatement[];
}
