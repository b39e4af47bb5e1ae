import { addDays, firstOf, lastOf, monthAfter, monthsOf, workingDayFrom, daysFrom } from './days';
import { calendarOf, documentOf, type ExpectedInvoice, type LineParties } from './document';
import { fraction, inMinor, over, rounded, times } from './fraction';

/** Fees of a line in advance, each on the first working day of its month (S-11, S-13); a part of a month by days, half-up (S-18). */
export function feeInvoices(parties: LineParties): ExpectedInvoice[] {
  const { line, entity, folder } = parties;
  return monthsOf(line.startDate, line.endDate).flatMap((month) =>
    documentOf(parties, {
      reference: `${folder.deal.shortCode}-${line.id}-${month}`,
      period: month,
      issueDate: workingDayFrom(calendarOf(folder, entity.calendarId), firstOf(month)),
      amounts: [feeOf(parties, month)],
    }),
  );
}

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

function feeOf({ line }: LineParties, month: string): bigint {
  const from = line.startDate > firstOf(month) ? line.startDate : firstOf(month);
  const to = line.endDate < lastOf(month) ? line.endDate : lastOf(month);
  const share = over(fraction(daysFrom(from, to) + 1), fraction(daysFrom(firstOf(month), lastOf(month)) + 1));
  return rounded(times(inMinor(fraction(line.monthlyFee), line.currency), share), 'half-up');
}
