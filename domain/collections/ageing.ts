import { daysBetween } from '../calendar/dates';
import { type LocalDate } from '../deal/terms';
import { money } from '../money';

export const AGEING_BUCKETS = ['not-due', '1-30', '31-60', '61-90', 'over-90'] as const;
export type AgeingBucket = (typeof AGEING_BUCKETS)[number];

/** An issued document and what has reduced it, by day: applications, tolerances and credits positive, reversals negative. */
export interface Receivable {
  readonly invoiceId: string;
  readonly reference: string;
  readonly billToId: string;
  readonly currency: string;
  readonly issueDate: LocalDate;
  readonly dueDate: LocalDate;
  readonly totalMinor: number;
  readonly reductions: readonly { readonly on: LocalDate; readonly amountMinor: number }[];
}

/** Money of a bill-to account that is applied to no invoice, as it stands on the day of the statement. */
export interface OnAccount {
  readonly billToId: string;
  readonly currency: string;
  readonly amountMinor: number;
}

export interface OpenReceivable {
  readonly invoiceId: string;
  readonly reference: string;
  readonly billToId: string;
  readonly currency: string;
  readonly dueDate: LocalDate;
  readonly openMinor: number;
  readonly daysOverdue: number;
  readonly bucket: AgeingBucket;
}

/** Sums per bill-to account and currency; money on account stands beside and is not netted. */
export interface AgeingSummary {
  readonly billToId: string;
  readonly currency: string;
  readonly openMinor: number;
  readonly overdueMinor: number;
  readonly buckets: Readonly<Record<AgeingBucket, number>>;
  readonly onAccountMinor: number;
}

/** Open receivables at the end of a day, in the order given, with their age and sums (R-075, R-076, S-33). */
export function ageReceivables(
  receivables: readonly Receivable[],
  onAccount: readonly OnAccount[],
  asOf: LocalDate,
): { readonly asOf: LocalDate; readonly items: readonly OpenReceivable[]; readonly summaries: readonly AgeingSummary[] } {
  const items = receivables
    .filter((each) => each.issueDate <= asOf)
    .map((each) => openAt(each, asOf))
    .filter((each) => each.openMinor !== 0);
  const keys = [
    ...new Map([...items, ...onAccount].map(({ billToId, currency }) => [`${billToId} ${currency}`, { billToId, currency }])).values(),
  ];
  return { asOf, items, summaries: keys.map((key) => summarise(key, items, onAccount)) };
}

/** Days after the due date, 0 for what is not overdue; a document is overdue from the day after its due date (R-075, S-33). */
export function daysOverdue(dueDate: LocalDate, asOf: LocalDate): number {
  return Math.max(0, daysBetween(dueDate, asOf));
}

/** The ageing bucket of so many days overdue (R-076, S-33). */
export function bucketOf(days: number): AgeingBucket {
  if (days <= 0) return 'not-due';
  if (days <= 30) return '1-30';
  if (days <= 60) return '31-60';
  return days <= 90 ? '61-90' : 'over-90';
}

function openAt(receivable: Receivable, asOf: LocalDate): OpenReceivable {
  const { invoiceId, reference, billToId, currency, dueDate } = receivable;
  const reduced = receivable.reductions.filter(({ on }) => on <= asOf).reduce((sum, { amountMinor }) => sum + amountMinor, 0);
  const days = daysOverdue(dueDate, asOf);
  const openMinor = money(receivable.totalMinor - reduced, currency).minor;
  return { invoiceId, reference, billToId, currency, dueDate, openMinor, daysOverdue: days, bucket: bucketOf(days) };
}

function summarise(
  key: { readonly billToId: string; readonly currency: string },
  items: readonly OpenReceivable[],
  onAccount: readonly OnAccount[],
): AgeingSummary {
  const belongs = (each: { readonly billToId: string; readonly currency: string }) =>
    each.billToId === key.billToId && each.currency === key.currency;
  const own = items.filter(belongs);
  const openIn = (list: readonly OpenReceivable[]) => list.reduce((sum, { openMinor }) => sum + openMinor, 0);
  const buckets = Object.fromEntries(AGEING_BUCKETS.map((bucket) => [bucket, openIn(own.filter((each) => each.bucket === bucket))]));
  return {
    ...key,
    openMinor: openIn(own),
    overdueMinor: openIn(own.filter((each) => each.bucket !== 'not-due')),
    buckets: buckets as Record<AgeingBucket, number>,
    onAccountMinor: onAccount.filter(belongs).reduce((sum, { amountMinor }) => sum + amountMinor, 0),
  };
}
