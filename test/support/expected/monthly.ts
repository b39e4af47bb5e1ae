import { addDays, firstOf, lastOf, monthAfter, monthsOf, workingDayFrom, daysFrom } from './days';
import { type AddOn } from './amendments';
import { calendarOf, documentOf, type ExpectedInvoice, type LineParties } from './document';
import { type RawLine } from './folder';
import { fraction, inMinor, over, rounded, times } from './fraction';

/**
 * Fees of a line in advance, each on the first working day of its month (S-11, S-13); a part of a month by days, half-up (S-18). The fee
 * of an add-on is a line of the same invoice in every month that its service touches: one invoice per line and period.
 */
export function feeInvoices(parties: LineParties, addOns: readonly AddOn[] = []): ExpectedInvoice[] {
  const { line, entity, folder } = parties;
  return monthsOf(line.startDate, line.endDate).flatMap((month) =>
    documentOf(parties, {
      reference: `${folder.deal.shortCode}-${line.id}-${month}`,
      period: month,
      issueDate: workingDayFrom(calendarOf(folder, entity.calendarId), firstOf(month)),
      amounts: [feeOf(line, month), ...addOns.map((addOn) => feeOf(serviceOf(line, addOn), month))],
    }),
  );
}

/** A monthly fee with the days on which it runs. */
export type Service = Pick<RawLine, 'startDate' | 'endDate' | 'monthlyFee' | 'currency'>;

export const serviceOf = ({ currency }: RawLine, { monthlyFee, serviceFrom, serviceTo }: AddOn): Service => ({
  monthlyFee,
  currency,
  startDate: serviceFrom,
  endDate: serviceTo,
});

/** What a month brings beyond its fee, on the first working day from the 6th of the next month (S-11, S-13). */
export function arrearsInvoice(parties: LineParties, month: string, suffix: string, amounts: readonly bigint[]): ExpectedInvoice[] {
  const { line, entity, folder } = parties;
  return documentOf(parties, {
    reference: `${folder.deal.shortCode}-${line.id}-${month}-${suffix}`,
    period: month,
    issueDate: workingDayFrom(calendarOf(folder, entity.calendarId), addDays(firstOf(monthAfter(month)), 5)),
    amounts,
  });
}

/** By days active of the days of the month, half-up; nothing in a month outside the service. */
export function feeOf({ startDate, endDate, monthlyFee, currency }: Service, month: string): bigint {
  const from = startDate > firstOf(month) ? startDate : firstOf(month);
  const to = endDate < lastOf(month) ? endDate : lastOf(month);
  if (to < from) return 0n;
  const share = over(fraction(daysFrom(from, to) + 1), fraction(daysFrom(firstOf(month), lastOf(month)) + 1));
  return rounded(times(inMinor(fraction(monthlyFee), currency), share), 'half-up');
}
