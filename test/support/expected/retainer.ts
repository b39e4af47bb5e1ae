import { monthOf, monthsOf } from './days';
import { type ExpectedInvoice, type LineParties } from './document';
import { fraction, inMinor, least, minus, plus, rounded, times, zero, type Fraction } from './fraction';
import { arrearsInvoice, feeInvoices } from './monthly';
import { billableEntries } from './time';

/** Fees in advance, hours drawn from the rolled-over, then from the included ones, and overage in arrears (S-13, S-17). */
export function retainerInvoices(parties: LineParties): ExpectedInvoice[] {
  const { line, folder } = parties;
  const hours = new Map<string, Fraction>();
  for (const entry of billableEntries(folder, line.id)) {
    const month = monthOf(entry.work_date ?? '');
    hours.set(month, plus(hours.get(month) ?? zero, fraction(entry.hours ?? '')));
  }
  const included = fraction(line.includedHoursPerMonth);
  let rolledOver = zero;
  const overage = monthsOf(line.startDate, line.endDate).flatMap((month) => {
    const used = hours.get(month) ?? zero;
    const beyondRollover = minus(used, least(used, rolledOver));
    const fromIncluded = least(beyondRollover, included);
    rolledOver = line.rollover ? least(minus(included, fromIncluded), fraction(line.rollover.maxHours)) : zero;
    const amount = times(minus(beyondRollover, fromIncluded), inMinor(fraction(line.overageRatePerHour), line.currency));
    return arrearsInvoice(parties, month, 'OV', [rounded(amount, 'half-up')]);
  });
  return [...feeInvoices(parties), ...overage];
}
