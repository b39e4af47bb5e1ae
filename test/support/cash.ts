import { type Kysely } from 'kysely';
import { type DB } from '../../db/types';
import { intakeWorkflowId } from '../../domain/ids';
import { putInboxEvent } from '../../db/inbox';
import { type BankEntry, type BankStatementFile } from '../../integrations/bank/statement';
import { enqueueSignal } from '../../workflows/intake/messages';
import { intake } from '../../workflows/intake/workflow';
import { uniqueName } from './temporal';
import { type TestEngine } from './worker';

interface Paid {
  readonly reference: string;
  readonly minor: number;
  readonly on: string;
  /** True where the bank takes an earlier credit of the same reference back. */
  readonly returned?: boolean;
}

/**
 * A statement of the entity's bank account in which the customer pays documents, or payments come back, after as many payments of
 * strangers as wanted; waits until it is applied.
 */
export async function bankStatement(
  engine: TestEngine,
  paid: readonly Paid[],
  entityId = 'LE-US',
  debtor = 'BA-US',
  strangers = 0,
): Promise<void> {
  const event = await bankEvent(engine.db, paid, entityId, debtor, strangers);
  const handle = await engine.client.workflow.signalWithStart(intake, {
    workflowId: intakeWorkflowId(event.name),
    taskQueue: engine.taskQueue,
    args: [{ stream: event.name, clock: { simulated: true, moment: event.at } }],
    signal: enqueueSignal,
    signalArgs: [{ inboxEventId: event.inboxEventId, at: event.at }],
  });
  await handle.result();
}

/** The same as an event in the inbox that is still to be applied. */
export async function bankEvent(
  db: Kysely<DB>,
  paid: readonly Paid[],
  entityId: string,
  debtor: string,
  strangers = 0,
): Promise<{ readonly inboxEventId: string; readonly name: string; readonly at: string }> {
  const account = await db.selectFrom('entity_bank_account').selectAll().where('entity_id', '=', entityId).executeTakeFirstOrThrow();
  const party = await db.selectFrom('bill_to_account').select('name').where('id', '=', debtor).executeTakeFirstOrThrow();
  const name = uniqueName('statement');
  const on = paid[0]?.on ?? '';
  const others = Array.from({ length: strangers }, (_, index) => ({ reference: `X-${index}`, minor: 1, on, debtor: 'Somebody' }));
  const entries: readonly (Paid & { debtor?: string })[] = [...others, ...paid];
  const file: BankStatementFile = {
    messageId: name,
    createdAt: `${on}T18:00:00.000Z`,
    statements: [
      {
        statementId: name,
        sequence: null,
        account: account.account,
        currency: account.currency,
        from: on,
        to: on,
        openingMinor: 0,
        closingMinor: entries.reduce((sum, each) => sum + (each.returned ? -each.minor : each.minor), 0),
        unbookedEntries: 0,
        entries: entries.map((each) => bankEntry(each, account.currency, each.debtor ?? party.name)),
      },
    ],
  };
  const at = `${on}T18:00:00.000Z`;
  const { row } = await putInboxEvent(db, {
    source: 'bank',
    eventId: name,
    type: 'bank-statements',
    subject: 'bank',
    sourceOrder: '1',
    occurredAt: at,
    businessReceivedAt: at,
    payload: file,
  });
  return { inboxEventId: row.id, name, at };
}

function bankEntry({ reference, minor, on, returned = false }: Paid, currency: string, debtorName: string): BankEntry {
  const amount = { minor, currency };
  const transaction = {
    endToEndId: `E2E-${reference}`,
    amount,
    debtorName,
    creditorName: null,
    structured: [{ reference, amount }],
    freeText: '',
  };
  return {
    entryRef: reference,
    amount,
    direction: returned ? 'debit' : 'credit',
    reversal: returned,
    status: 'booked',
    bookedOn: on,
    valueOn: on,
    bankReference: null,
    information: null,
    transactions: [transaction],
  };
}
