import { type ReadinessBlocker, type WithheldItem } from './model';
import { blocked, warned } from './readiness';

/** Who is told what about items that a run leaves out; without a rate of exchange the run waits, the rest is only shown (R-125, S-07). */
const WITHHELD: Readonly<Record<WithheldItem['reason'], readonly [string, string, (count: number) => string]>> = {
  'time-not-approved': ['TimeNotApproved', 'project-manager', (count) => `approve or reject ${count} time entries`],
  'time-blocked': ['TimeBlocked', 'project-manager', (count) => `cure the breaches of ${count} time entries`],
  'rate-unresolved': ['RateUnresolved', 'finance-controller', (count) => `agree the rate of ${count} time entries`],
  'expense-not-approved': ['ExpenseNotApproved', 'project-manager', (count) => `approve or reject ${count} expenses`],
  'expense-error': ['ExpenseInError', 'project-manager', (count) => `cure the errors of ${count} expenses`],
  'fx-rate-missing': ['FxRateMissing', 'finance-controller', (count) => `record the rates of exchange of ${count} expenses`],
};

/** What items that wait for somebody ask of whom, by reason. */
export function withheldBlockers(withheld: readonly WithheldItem[]): ReadinessBlocker[] {
  const counts = new Map<WithheldItem['reason'], number>();
  for (const { reason } of withheld) counts.set(reason, (counts.get(reason) ?? 0) + 1);
  return [...counts].map(([reason, count]) => {
    const [code, ownerRole, action] = WITHHELD[reason];
    return (reason === 'fx-rate-missing' ? blocked : warned)(code, ownerRole, action(count));
  });
}
