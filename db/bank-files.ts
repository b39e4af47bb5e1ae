import { sql, type Kysely, type Transaction } from 'kysely';
import { type DB } from './types';

/** A statement as the bank names it: it counts once for the firm. */
export interface StatementName {
  readonly account: string;
  readonly statementId: string;
}

/**
 * Lets one bank file after the other through the door, until the end of the caller's transaction: what is looked up before a file is
 * taken still holds when it is stored.
 */
export async function lockBankDoor(trx: Transaction<DB>): Promise<void> {
  await sql`select pg_advisory_xact_lock(hashtextextended('bank files', 0))`.execute(trx);
}

/** Which of some statements are imported already, whoever asks, or came in another file that is taken and not refused. */
export async function knownStatements(db: Kysely<DB>, statements: readonly StatementName[], importId: string): Promise<string[]> {
  if (statements.length === 0) return [];
  const names = sql.join(statements.map((each) => sql`(${each.account}, ${each.statementId})`));
  const { rows } = await sql<{ statementId: string }>`
    select statement_id as "statementId" from bank_statement where (account, statement_id) in (${names})
    union
    select receipt.statement_id from bank_statement_receipt receipt join inbox_event event on event.id = receipt.inbox_event_id
     where (receipt.account, receipt.statement_id) in (${names})
       and event.state in ('received', 'delivered') and event.payload ->> 'importId' is distinct from ${importId}
     order by 1`.execute(db);
  return rows.map(({ statementId }) => statementId);
}

/** Notes which statements came in a bank file; again changes nothing. */
export async function noteStatements(trx: Transaction<DB>, inboxEventId: string, statements: readonly StatementName[]): Promise<void> {
  await trx
    .insertInto('bank_statement_receipt')
    .values(statements.map((each) => ({ account: each.account, statement_id: each.statementId, inbox_event_id: inboxEventId })))
    .onConflict((conflict) => conflict.doNothing())
    .execute();
}
