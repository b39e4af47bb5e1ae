import { monthOf, monthsBetween } from '../calendar/dates';
import { convertSum, type FxRate } from '../fx';
import { money, multiplyMoney, type Money } from '../money';
import { isViolation, type Violation } from '../violation';
import { type DealTerms, type LineTerms, type LocalDate } from './terms';

/**
 * Contract value of a deal for approvals: fixed fees + caps + months × monthly fee, converted at the rates of the request date and rounded
 * once, half-up (R-023, S-03, S-25). Refuses with `FxRateMissing`, and with `LineAmountUnknown` for a time-and-materials line without a cap:
 * an amount that nobody knows must not pass as a small one.
 */
export function dealAmount(deal: DealTerms, rates: readonly FxRate[], groupCurrency: string, requestDate: LocalDate): Money | Violation {
  const amounts: Money[] = [];
  for (const line of deal.lines) {
    const amount = lineAmount(line);
    if (isViolation(amount)) return amount;
    amounts.push(amount);
  }
  return convertSum(amounts, groupCurrency, rates, requestDate, 'half-up');
}

/** Value of one line in its own currency, before discount and tax (R-023, S-03). */
export function lineAmount(line: LineTerms): Money | Violation {
  switch (line.engagementModel) {
    case 'fixed-fee':
      return line.fixedFee;
    case 'time-and-materials':
      return (
        line.notToExceed ?? { violation: 'LineAmountUnknown', detail: 'time and materials without a cap', path: `lines.${line.lineId}` }
      );
    case 'managed-service':
    case 'retainer':
      return multiplyMoney(money(line.monthlyFee.minor, line.currency), String(termMonths(line).length), 'half-up');
  }
}

/** Every calendar month that a line touches, whole or in part (R-023, S-03). */
export function termMonths(line: { readonly startDate: LocalDate; readonly endDate: LocalDate }): string[] {
  return monthsBetween(monthOf(line.startDate), monthOf(line.endDate));
}
