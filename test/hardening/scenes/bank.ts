import { formatMoney, money, parseMoney } from '../../../domain/money';
import { isViolation } from '../../../domain/violation';
import { type Firm } from '../firm';
import { writeCamt053 } from '../../../integrations/bank/camt053-writer';

export interface Paid {
  readonly reference: string;
  readonly total: string;
  readonly payer: string;
  /** Not before the document was issued. */
  readonly on: string;
}

/** A statement of one account in which customers pay documents. */
export function writeStatement(statementId: string, account: string, paid: Paid): string {
  const { on } = paid;
  const entries = [paid].map(({ reference, total, payer }, index) => {
    const read = parseMoney(total, 'USD');
    const amount = isViolation(read) ? money(0, 'USD') : read;
    return {
      entryRef: `${statementId}/${index + 1}`,
      amount,
      direction: 'credit' as const,
      reversal: false,
      status: 'booked' as const,
      bookedOn: on,
      valueOn: on,
      bankReference: null,
      information: null,
      transactions: [
        {
          endToEndId: `${statementId}/${index + 1}`,
          amount,
          debtorName: payer,
          creditorName: null,
          structured: [{ reference, amount }],
          freeText: '',
        },
      ],
    };
  });
  const closingMinor = entries.reduce((sum, { amount }) => sum + amount.minor, 0);
  const statement = {
    statementId,
    sequence: null,
    account,
    currency: 'USD',
    from: on,
    to: on,
    openingMinor: 0,
    closingMinor,
    unbookedEntries: 0,
    entries,
  };
  return writeCamt053({ messageId: statementId, createdAt: `${on}T18:00:00.000Z`, statements: [statement] });
}

/** What the customer pays of an issued invoice, and the account it is paid to. */
export async function paymentOf(firm: Firm, invoiceId: string): Promise<{ account: string; paid: Paid }> {
  const { reference, totalMinor, currency, ...found } = await firm.installation.db
    .selectFrom('invoice')
    .innerJoin('bill_to_account as payer', 'payer.id', 'invoice.bill_to_id')
    .innerJoin('entity_bank_account as bank', 'bank.entity_id', 'invoice.entity_id')
    .select(['invoice.reference', 'invoice.currency', 'invoice.total_minor as totalMinor', 'payer.name as payer', 'bank.account'])
    .where('invoice.id', '=', invoiceId)
    .whereRef('bank.currency', '=', 'invoice.currency')
    .executeTakeFirstOrThrow();
  return {
    account: found.account,
    paid: { reference, total: formatMoney({ minor: totalMinor, currency }), payer: found.payer, on: (await firm.now()).slice(0, 10) },
  };
}
