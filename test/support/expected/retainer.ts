import { monthOf, monthsOf } from './days';
import { type ExpectedInvoice, type LineParties } from './document';
import { fraction, inMinor, least, minus, plus, rounded, times, zero, type Fraction } from './fraction';
import { arrearsInvoice, feeInvoices } from './monthly';
import { billableEntries } from './time';

/** How the hours of a month are drawn; `overage` in minor units. */
export interface Drawdown {
  readonly period: string;
  readonly used: Fraction;
  readonly overageHours: Fraction;
  readonly rolledOut: Fraction;
  readonly overage: bigint;
}

/** Hours drawn from the rolled-over, then from the included ones, then as overage; nothing rolls out of the last month (S-17). */
export function drawdownsOf({ line, folder }: LineParties): Drawdown[] {
  const hours = new Map<string, Fraction>();
  for (const entry of billableEntries(folder, line.id)) {
    const month = monthOf(entry.work_date ?? '');
    hours.set(month, plus(hours.get(month) ?? zero, fraction(entry.hours ?? '')));
  }
  const included = fraction(line.includedHoursPerMonth);
  let rolledIn = zero;
  return monthsOf(line.startDate, line.endDate).map((period) => {
    const used = hours.get(period) ?? zero;
    const beyondRollover = minus(used, least(used, rolledIn));
    const fromIncluded = least(beyondRollover, included);
    const overageHours = minus(beyondRollover, fromIncluded);
    const isLast = period === monthOf(line.endDate);
    const rolledOut = line.rollover && !isLast ? least(minus(included, fromIncluded), fraction(line.rollover.maxHours)) : zero;
    rolledIn = rolledOut;
    const amount = times(overageHours, inMinor(fraction(line.overageRatePerHour), line.currency));
    return { period, used, overageHours, rolledOut, overage: rounded(amount, 'half-up') };
  });
}

/** Fees in advance, and overage in arrears (S-13, S-17). */
export function retainerInvoices(parties: LineParties): ExpectedInvoice[] {
  const overage = drawdownsOf(parties).flatMap(({ period, overage: amount }) => arrearsInvoice(parties, period, 'OV', [amount]));
  return [...feeInvoices(parties), ...overage];
}
