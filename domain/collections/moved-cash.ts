/** Money that stands on an invoice: paid, or given up as a tolerance. */
export interface StandingCash {
  readonly applicationId: string;
  readonly paymentId: string;
  readonly kind: 'applied' | 'tolerance';
  readonly amountMinor: number;
  readonly appliedOn: string;
}

/** Where money goes when its invoice is corrected: what still pays, and what does not: on account, or no longer given up. */
export interface MovedCash extends StandingCash {
  readonly paysMinor: number;
  readonly freedMinor: number;
}

/**
 * Applied cash moves with a correction (R-214, RULES Correction): what was paid pays what is due now, in the order in which it came, and
 * an excess goes on account; a tolerance is given up again only as far as something is still open then. `dueMinor` is what the invoice
 * that takes the money is about.
 */
export function moveCash(standing: readonly StandingCash[], dueMinor: number): MovedCash[] {
  let open = dueMinor;
  return [...standing].sort(paidFirst).map((cash) => {
    const paysMinor = Math.min(open, cash.amountMinor);
    open -= paysMinor;
    return { ...cash, paysMinor, freedMinor: cash.amountMinor - paysMinor };
  });
}

function paidFirst(a: StandingCash, b: StandingCash): number {
  return order(a.kind, b.kind) || order(a.appliedOn, b.appliedOn) || order(a.applicationId, b.applicationId);
}

function order(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
