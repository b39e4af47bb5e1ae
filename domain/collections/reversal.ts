import { type Money } from '../money';
import { type Violation } from '../violation';
import { type InvoiceAmount, type MatchedPayment } from './cash';

/** A payment applied earlier, as it stands in the books. */
export interface AppliedPayment extends Pick<MatchedPayment, 'billToId' | 'applications' | 'tolerance' | 'onAccountMinor'> {
  readonly paymentId: string;
  readonly endToEndId: string;
  readonly amount: Money;
  readonly reversed: boolean;
}

/** A debit of the bank that takes a credit back. */
export interface BankReversal {
  readonly endToEndId: string;
  readonly amount: Money;
}

/** What a reversal undoes: each invoice is open again by what was applied and given up, and money on account is gone. */
export interface ReversedPayment {
  readonly paymentId: string;
  readonly billToId: string;
  readonly reopened: readonly InvoiceAmount[];
  readonly onAccountMinor: number;
}

/** What a bank writes where the payer gave no identification (ISO 20022). */
const NO_IDENTIFICATION = 'NOTPROVIDED';

/**
 * Takes back the application of the payment with the same `EndToEndId` as if it had never been, tolerances included (R-074, S-32).
 * `payments` are in the order of booking; the latest one not yet reversed is meant. Refuses a reversal without identification, one
 * that fits no payment, and one of another amount: these are for a person.
 */
export function reversePayment(payments: readonly AppliedPayment[], reversal: BankReversal): ReversedPayment | Violation {
  const { endToEndId, amount } = reversal;
  if (endToEndId.trim() === '' || endToEndId === NO_IDENTIFICATION)
    return { violation: 'ReversalUnidentified', detail: 'the reversal names no payment' };
  const payment = payments.findLast((each) => each.endToEndId === endToEndId && !each.reversed);
  if (payment === undefined) return { violation: 'ReversalUnmatched', detail: endToEndId };
  if (payment.amount.minor !== amount.minor || payment.amount.currency !== amount.currency)
    return { violation: 'ReversalAmountDiffers', detail: endToEndId };
  const reopened = new Map<string, number>();
  for (const { invoiceId, amountMinor } of [...payment.applications, ...payment.tolerance])
    reopened.set(invoiceId, (reopened.get(invoiceId) ?? 0) + amountMinor);
  return {
    paymentId: payment.paymentId,
    billToId: payment.billToId,
    reopened: [...reopened].map(([invoiceId, amountMinor]) => ({ invoiceId, amountMinor })),
    onAccountMinor: payment.onAccountMinor,
  };
}
