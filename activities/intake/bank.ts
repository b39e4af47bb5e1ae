import { type Transaction } from 'kysely';
import { uuidv7 } from 'uuidv7';
import { type DB } from '../../db/types';
import { isViolation, type Violation } from '../../domain/violation';
import { type BankStatement, type BankStatementFile } from '../../integrations/bank/statement';
import { applyItem, itemsOf, type BankItem, type OpenStatement, type TouchedInvoices } from './bank-entry';
import { CashBook } from './cash-book';
import { type Applied, type IntakeEvent } from './intake';

/** Payments that one transaction applies: well under a second of work, also where every one of them is posted. */
export const BANK_BLOCK = 250;

/**
 * A bank file is checked as a whole and refused whole: a statement of an account that is not ours, or one that is known. A file of one
 * block is applied at once. Of a larger one the statements are opened here as `applying`, and blocks of payments follow, each an effect
 * of its own; a statement is `applied` when its last payment is (ADR 0021).
 */
export async function applyBankStatements(trx: Transaction<DB>, event: IntakeEvent): Promise<Applied | Violation> {
  const file = event.payload as BankStatementFile;
  const refused = await refuseKnown(trx, file);
  if (refused) return refused;
  const items = itemsOf(file);
  const whole = items.length <= BANK_BLOCK;
  const statements: OpenStatement[] = [];
  for (const [position, statement] of file.statements.entries()) {
    const opened = await openStatement(trx, event, statement, position, whole);
    if (isViolation(opened)) return opened;
    statements.push(opened);
  }
  const touched = whole ? await applyItems(trx, items, statements, event.at) : new Map<string, never>();
  return {
    stream: 'bank',
    action: whole ? 'bank.statements-applied' : 'bank.statements-opened',
    details: { statements: file.statements.map((each) => each.statementId), payments: items.length },
    rowErrors: [],
    invoices: [...touched.values()],
    lines: [],
    deals: [],
    projects: [],
    ...(whole ? {} : { blocks: Math.ceil(items.length / BANK_BLOCK) }),
  };
}

/** The block of a number, counted from 1, of a file whose statements are open. */
export async function applyBankBlock(trx: Transaction<DB>, event: IntakeEvent, block: number): Promise<Applied> {
  const file = event.payload as BankStatementFile;
  const rows = await trx
    .selectFrom('bank_statement')
    .select(['id', 'entity_id'])
    .where('inbox_event_id', '=', event.id)
    .orderBy('position')
    .execute();
  const items = itemsOf(file).slice((block - 1) * BANK_BLOCK, block * BANK_BLOCK);
  const statements = rows.map((row) => ({ statementId: row.id, entityId: row.entity_id }));
  const touched = await applyItems(trx, items, statements, event.at);
  for (const [position, { statementId }] of statements.entries()) {
    const applied = items.filter((item) => item.statementPosition === position).length;
    if (applied > 0) await noteProgress(trx, statementId, applied, event.at);
  }
  return {
    stream: 'bank',
    action: 'bank.block-applied',
    details: { block, payments: items.length },
    rowErrors: [],
    invoices: [...touched.values()],
    lines: [],
    deals: [],
    projects: [],
  };
}

async function applyItems(
  trx: Transaction<DB>,
  items: readonly BankItem[],
  statements: readonly OpenStatement[],
  at: string,
): Promise<TouchedInvoices> {
  const touched: TouchedInvoices = new Map();
  const book = new CashBook(trx);
  for (const item of items) {
    const statement = statements[item.statementPosition];
    if (!statement) throw new Error(`statement ${item.statementPosition} of the file is not open`);
    await applyItem(trx, book, item, statement, at, touched);
  }
  return touched;
}

/** The door refuses such a file too; here nobody can have come in between. */
async function refuseKnown(trx: Transaction<DB>, { statements }: BankStatementFile): Promise<Violation | null> {
  const known = await trx
    .selectFrom('bank_statement')
    .select('statement_id')
    .where((eb) =>
      eb(
        eb.refTuple('account', 'statement_id'),
        'in',
        statements.map((each) => eb.tuple(each.account, each.statementId)),
      ),
    )
    .execute();
  if (known.length === 0) return null;
  return { violation: 'StatementAlreadyImported', detail: known.map((row) => row.statement_id).join(', ') };
}

async function openStatement(
  trx: Transaction<DB>,
  event: IntakeEvent,
  statement: BankStatement,
  position: number,
  whole: boolean,
): Promise<OpenStatement | Violation> {
  const account = await trx.selectFrom('entity_bank_account').selectAll().where('account', '=', statement.account).executeTakeFirst();
  if (!account)
    return { violation: 'BankAccountUnknown', detail: `statement ${statement.statementId} is of an account that no entity of ours has` };
  const id = uuidv7();
  const payments = statement.entries.reduce((sum, entry) => sum + entry.transactions.length, 0);
  const applied = whole || payments === 0;
  await trx
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
      state: applied ? 'applied' : 'applying',
      transaction_count: payments,
      applied_count: applied ? payments : 0,
    })
    .execute();
  return { statementId: id, entityId: account.entity_id };
}

async function noteProgress(trx: Transaction<DB>, statementId: string, applied: number, at: string): Promise<void> {
  await trx
    .updateTable('bank_statement')
    .set((eb) => ({
      applied_at: at,
      applied_count: eb('applied_count', '+', applied),
      state: eb
        .case()
        .when(eb('applied_count', '+', applied), '=', eb.ref('transaction_count'))
        .then('applied')
        .else('applying')
        .end(),
    }))
    .where('id', '=', statementId)
    .execute();
}
