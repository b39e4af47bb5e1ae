import { type Transaction } from 'kysely';
import { uuidv7 } from 'uuidv7';
import { type IntakeResult } from '../../contracts/workflow-state';
import { collectionsPolicy } from '../../db/policies';
import { type DB } from '../../db/types';
import { partyOf } from '../../domain/collections/cash';
import { isViolation, type Violation } from '../../domain/violation';
import { type BankEntry, type BankStatement, type BankStatementFile, type BankTransaction } from '../../integrations/bank/statement';
import { creditParty, type PaymentPlace } from './payment';
import { type Applied, type IntakeEvent } from './intake';
import { reverseCredit } from './reversal';

/** The invoices whose open amount an intake moved, each once. */
export type TouchedInvoices = Map<string, IntakeResult['invoices'][number]>;

/** A bank file: statements in its order, entries in theirs; only credits of our bill-to accounts and their returns concern us (S-30). */
export async function applyBankStatements(trx: Transaction<DB>, event: IntakeEvent): Promise<Applied | Violation> {
  const { statements } = event.payload as BankStatementFile;
  const touched: TouchedInvoices = new Map();
  const applied: string[] = [];
  for (const [position, statement] of statements.entries()) {
    const stored = await storeStatement(trx, event, statement, position);
    if (isViolation(stored)) return stored;
    if (stored === null) continue;
    for (const [index, entry] of statement.entries.entries()) await applyEntry(trx, entry, { ...stored, entryPosition: index }, touched);
    applied.push(statement.statementId);
  }
  return {
    stream: 'bank',
    action: 'bank.statements-applied',
    details: { statements: applied },
    rowErrors: [],
    invoices: [...touched.values()],
    lines: [],
    deals: [],
    projects: [],
  };
}

interface StatementPlace {
  readonly statementId: string;
  readonly entityId: string;
  readonly entryPosition: number;
}

/** Null where the statement is known: it came before in another file. */
async function storeStatement(
  trx: Transaction<DB>,
  event: IntakeEvent,
  statement: BankStatement,
  position: number,
): Promise<Omit<StatementPlace, 'entryPosition'> | null | Violation> {
  const account = await trx.selectFrom('entity_bank_account').selectAll().where('account', '=', statement.account).executeTakeFirst();
  if (!account)
    return { violation: 'BankAccountUnknown', detail: `statement ${statement.statementId} is of an account that no entity of ours has` };
  const id = uuidv7();
  const inserted = await trx
    .insertInto('bank_statement')
    .values({
      id,
      inbox_event_id: event.id,
      entity_id: account.entity_id,
      account: statement.account,
      statement_id: statement.statementId,
      position,
      currency: statement.currency,
      from_date: statement.from,
      to_date: statement.to,
      opening_minor: statement.openingMinor,
      closing_minor: statement.closingMinor,
      applied_at: event.at,
    })
    .onConflict((conflict) => conflict.columns(['account', 'statement_id']).doNothing())
    .returning('id')
    .executeTakeFirst();
  return inserted ? { statementId: id, entityId: account.entity_id } : null;
}

async function applyEntry(trx: Transaction<DB>, entry: BankEntry, place: StatementPlace, touched: TouchedInvoices): Promise<void> {
  for (const [index, transaction] of entry.transactions.entries()) {
    if (entry.direction === 'credit' && !entry.reversal)
      await applyCredit(trx, entry, transaction, { ...place, transactionPosition: index }, touched);
    else if (entry.reversal) await reverseCredit(trx, place.entityId, place.statementId, entry.bookedOn, transaction, touched);
  }
}

async function applyCredit(
  trx: Transaction<DB>,
  entry: BankEntry,
  transaction: BankTransaction,
  place: PaymentPlace,
  touched: TouchedInvoices,
): Promise<void> {
  const parties = await trx
    .selectFrom('bill_to_account')
    .select(['id as billToId', 'name', 'dunning_class as dunningClass', 'customer_id as customerId', 'served_by as servedBy'])
    .orderBy('id')
    .execute();
  const name = transaction.debtorName;
  if (name === null) return;
  const party = partyOf(
    name,
    parties.filter((each) => each.servedBy === place.entityId),
  );
  if (party === null) {
    if (partyOf(name, parties)) await openPaymentTask(trx, place, `a customer of another entity paid on the account of ${place.entityId}`);
    return;
  }
  const { tolerance } = await collectionsPolicy(trx, party.dunningClass, entry.bookedOn);
  const credit = {
    endToEndId: transaction.endToEndId ?? '',
    debtorName: transaction.debtorName ?? '',
    bookedOn: entry.bookedOn,
    amount: transaction.amount,
    remittances: transaction.structured,
    freeText: transaction.freeText,
  };
  await creditParty(trx, credit, party, tolerance, place, touched);
}

/** What people have to look at: money that belongs to somebody, but not where it came in. */
async function openPaymentTask(trx: Transaction<DB>, place: PaymentPlace, detail: string): Promise<void> {
  const kind = `payment/${place.entryPosition}/${place.transactionPosition}`;
  await trx
    .insertInto('process_exception')
    .values({
      id: uuidv7(),
      workflow_id: `bank-statement/${place.statementId}`,
      kind,
      detail,
      owner_role: 'accounts-receivable',
      opened_at: new Date().toISOString(),
    })
    .onConflict((conflict) => conflict.doNothing())
    .execute();
}
