import { entry, ofModel, type TermEntry } from './term-entry';
import { dateValue, flagValue, moneyValue, percentValue, quantityValue, wholeValue, wordValue } from './term-values';
import {
  type DealTerms,
  type FixedFeeLine,
  type LineTerms,
  type ManagedServiceLine,
  type MilestoneTerms,
  type RetainerLine,
  type TimeAndMaterialsLine,
} from './terms';

/** Terms of the deal as a whole (R-021, S-01). */
export const dealTermTable: readonly TermEntry<DealTerms>[] = [
  entry<DealTerms, number>(
    'paymentTermsDays',
    wholeValue,
    (d) => d.paymentTermsDays,
    (d, paymentTermsDays) => ({ ...d, paymentTermsDays }),
  ),
  entry<DealTerms, string>(
    'lateInterestPercentPerYear',
    percentValue,
    (d) => d.lateInterestPercentPerYear,
    (d, lateInterestPercentPerYear) => ({ ...d, lateInterestPercentPerYear }),
  ),
  entry<DealTerms, number>(
    'deemedAcceptanceBusinessDays',
    wholeValue,
    (d) => d.deemedAcceptanceBusinessDays,
    (d, deemedAcceptanceBusinessDays) => ({ ...d, deemedAcceptanceBusinessDays }),
  ),
  entry<DealTerms, boolean>(
    'purchaseOrderRequired',
    flagValue,
    (d) => d.purchaseOrderRequired,
    (d, purchaseOrderRequired) => ({ ...d, purchaseOrderRequired }),
  ),
  entry<DealTerms, string>(
    'signedDate',
    dateValue,
    (d) => d.signedDate,
    (d, signedDate) => ({ ...d, signedDate }),
  ),
  entry<DealTerms, string>(
    'startDate',
    dateValue,
    (d) => d.startDate,
    (d, startDate) => ({ ...d, startDate }),
  ),
  entry<DealTerms, string>(
    'endDate',
    dateValue,
    (d) => d.endDate,
    (d, endDate) => ({ ...d, endDate }),
  ),
];

/** Terms of one line; the path is the part behind `lines.<lineId>.` (R-021, S-01). */
export const lineTermTable: readonly TermEntry<LineTerms>[] = [
  entry<LineTerms, string>(
    'startDate',
    dateValue,
    (l) => l.startDate,
    (l, startDate) => ({ ...l, startDate }),
  ),
  entry<LineTerms, string>(
    'endDate',
    dateValue,
    (l) => l.endDate,
    (l, endDate) => ({ ...l, endDate }),
  ),
  entry<LineTerms, string>(
    'feeDiscountPercent',
    percentValue,
    (l) => l.feeDiscountPercent,
    (l, feeDiscountPercent) => ({ ...l, feeDiscountPercent }),
  ),
  entry<LineTerms, boolean>(
    'expensesBillable',
    flagValue,
    (l) => l.expensesBillable,
    (l, expensesBillable) => ({ ...l, expensesBillable }),
  ),
  ...ofModel<FixedFeeLine>('fixed-fee', [
    entry(
      'fixedFee',
      moneyValue,
      (l) => l.fixedFee,
      (l, fixedFee) => ({ ...l, fixedFee }),
    ),
    entry(
      'milestones.*.percent',
      percentValue,
      (l, id) => milestone(l, id)?.percent,
      (l, percent, id) => withMilestone(l, id, { percent }),
    ),
    entry(
      'milestones.*.plannedDate',
      dateValue,
      (l, id) => milestone(l, id)?.plannedDate,
      (l, plannedDate, id) => withMilestone(l, id, { plannedDate }),
    ),
  ]),
  ...ofModel<TimeAndMaterialsLine>('time-and-materials', [
    entry(
      'notToExceed',
      moneyValue,
      (l) => l.notToExceed,
      (l, notToExceed) => ({ ...l, notToExceed }),
    ),
    entry(
      'capSoftPercent',
      percentValue,
      (l) => l.capSoftPercent,
      (l, capSoftPercent) => ({ ...l, capSoftPercent }),
    ),
  ]),
  ...ofModel<ManagedServiceLine>('managed-service', [
    entry(
      'monthlyFee',
      moneyValue,
      (l) => l.monthlyFee,
      (l, monthlyFee) => ({ ...l, monthlyFee }),
    ),
    entry(
      'includedTicketsPerMonth',
      wholeValue,
      (l) => l.includedTicketsPerMonth,
      (l, includedTicketsPerMonth) => ({ ...l, includedTicketsPerMonth }),
    ),
    entry(
      'overagePerTicket',
      moneyValue,
      (l) => l.overagePerTicket,
      (l, overagePerTicket) => ({ ...l, overagePerTicket }),
    ),
    entry(
      'minimumCommitment.amount',
      moneyValue,
      (l) => l.minimumCommitment?.amount ?? null,
      (l, amount) => ({ ...l, minimumCommitment: { period: 'contract-quarter' as const, amount } }),
    ),
  ]),
  ...ofModel<RetainerLine>('retainer', [
    entry(
      'monthlyFee',
      moneyValue,
      (l) => l.monthlyFee,
      (l, monthlyFee) => ({ ...l, monthlyFee }),
    ),
    entry(
      'includedHoursPerMonth',
      quantityValue,
      (l) => l.includedHoursPerMonth,
      (l, includedHoursPerMonth) => ({ ...l, includedHoursPerMonth }),
    ),
    entry(
      'overageRatePerHour',
      moneyValue,
      (l) => l.overageRatePerHour,
      (l, overageRatePerHour) => ({ ...l, overageRatePerHour }),
    ),
    entry(
      'rollover.maxHours',
      quantityValue,
      (l) => l.rollover?.maxHours ?? null,
      (l, maxHours) => ({ ...l, rollover: { months: 1, ...l.rollover, maxHours } }),
    ),
    entry(
      'rollover.months',
      wholeValue,
      (l) => l.rollover?.months,
      (l, months) => ({ ...l, rollover: { maxHours: '0', ...l.rollover, months } }),
    ),
    entry(
      'availability',
      wordValue(['on-issue', 'on-payment'] as const),
      (l) => l.availability,
      (l, availability) => ({ ...l, availability }),
    ),
  ]),
];

function milestone(line: FixedFeeLine, id: string): MilestoneTerms | undefined {
  return line.milestones.find((each) => each.milestoneId === id);
}

function withMilestone(line: FixedFeeLine, id: string, change: Partial<MilestoneTerms>): FixedFeeLine {
  return { ...line, milestones: line.milestones.map((each) => (each.milestoneId === id ? { ...each, ...change } : each)) };
}
