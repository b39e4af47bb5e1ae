import { type Transaction } from 'kysely';
import { type IntakeResult } from '../../contracts/workflow-state';
import { type DB } from '../../db/types';
import { type BankEntry, type BankStatementFile, type BankTransaction } from '../../integrations/bank/statement';
import { type CashBook } from './cash-book';
import { creditParty } from './payment';
import { reverseCredit } from './reversal';

/** The invoices whose open amount an intake moved, each once. */
export type TouchedInvoices = Map<string, IntakeResult['invoices'][number]>;

/** One payment of a file with its place in it: the unit in which a file is counted and cut into blocks. */
export interface BankItem {
  readonly statementPosition: number;
  readonly entryPosition: number;
  readonly transactionPosition: number;
  readonly entry: BankEntry;
  readonly transaction: BankTransaction;
}

/** A statement of ours that is being applied. */
export interface OpenStatement {
  readonly statementId: string;
  readonly entityId: string;
}

/** Every payment of a file: statements in its order, entries in theirs (S-30). An entry may be a batch of many payments. */
export function itemsOf({ statements }: BankStatementFile): BankItem[] {
  return statements.flatMap((statement, statementPosition) =>
    statement.entries.flatMap((entry, entryPosition) =>
      entry.transactions.map((transaction, transactionPosition) => ({
        statementPosition,
        entryPosition,
        transactionPosition,
        entry,
        transaction,
      })),
    ),
  );
}

/** Only credits of our bill-to accounts and their returns concern us (S-30); what moves no money, as banks write for notices, does not. */
export async function applyItem(
  trx: Transaction<DB>,
  book: CashBook,
  item: BankItem,
  statement: OpenStatement,
  at: string,
  touched: TouchedInvoices,
): Promise<void> {
  const { entry, transaction, entryPosition, transactionPosition } = item;
  if (transaction.amount.minor === 0) return;
  const place = { ...statement, entryPosition, transactionPosition, at };
  if (entry.reversal) {
    await reverseCredit(trx, place, entry.bookedOn, transaction, touched);
    book.reopened();
  } else if (entry.direction === 'credit' && transaction.debtorName !== null) {
    const credit = {
      endToEndId: transaction.endToEndId ?? '',
      debtorName: transaction.debtorName,
      bookedOn: entry.bookedOn,
      amount: transaction.amount,
      remittances: transaction.structured,
      freeText: transaction.freeText,
    };
    await creditParty(trx, book, credit, place, touched);
  }
}
