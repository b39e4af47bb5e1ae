import { type Kysely } from 'kysely';
import { type DB } from '../../db/types';
import { type BankEntry, type BankStatementFile } from '../../integrations/bank/statement';
import { uniqueName } from './temporal';

/** A payment of a generated file; `returned` takes an earlier credit of the same `endToEndId` back. */
export interface GeneratedPayment {
  readonly debtor: string;
  readonly reference: string;
  readonly minor: number;
  readonly endToEndId?: string;
  readonly freeText?: string;
  readonly returned?: boolean;
}

/** A bank file of one statement of an entity's account that balances, with one entry per payment. */
export async function bankFile(
  db: Kysely<DB>,
  entityId: string,
  payments: readonly GeneratedPayment[],
  on = '2026-03-20',
): Promise<BankStatementFile> {
  const { account, currency } = await db
    .selectFrom('entity_bank_account')
    .selectAll()
    .where('entity_id', '=', entityId)
    .executeTakeFirstOrThrow();
  const statementId = uniqueName('S');
  return {
    messageId: statementId,
    createdAt: `${on}T18:00:00.000Z`,
    statements: [
      {
        statementId,
        sequence: null,
        account,
        currency,
        from: on,
        to: on,
        openingMinor: 0,
        closingMinor: payments.reduce((sum, each) => sum + (each.returned === true ? -each.minor : each.minor), 0),
        unbookedEntries: 0,
        entries: payments.map((each, index) => entryOf(each, `${statementId}/${index + 1}`, currency, on)),
      },
    ],
  };
}

function entryOf(payment: GeneratedPayment, entryRef: string, currency: string, on: string): BankEntry {
  const { debtor, reference, minor, endToEndId = entryRef, freeText = '', returned = false } = payment;
  const amount = { minor, currency };
  const structured = freeText === '' ? [{ reference, amount }] : [];
  return {
    entryRef,
    amount,
    direction: returned ? 'debit' : 'credit',
    reversal: returned,
    status: 'booked',
    bookedOn: on,
    valueOn: on,
    bankReference: null,
    information: null,
    transactions: [{ endToEndId, amount, debtorName: debtor, creditorName: null, structured, freeText }],
  };
}
