import { type DocumentFacts } from '../db/document-facts';
import { addMonths, firstOfMonth, lastOfMonth } from '../domain/calendar/dates';
import { type LocalDate } from '../domain/deal/terms';

export interface Supply {
  readonly from: LocalDate;
  readonly to: LocalDate;
}

/**
 * The days of the supply (R-055; VAT directive, article 226 point 7): the day on which a milestone was accepted; the days of the work and
 * expenses that are billed; the months of fees that are given back; else the month of the document within the term of its line.
 */
export function supplyOf({ invoice, head, items }: DocumentFacts): Supply {
  if (head.acceptedOn !== null) return { from: head.acceptedOn, to: head.acceptedOn };
  const days = items.flatMap(({ workDate, spendDate }) => workDate ?? spendDate ?? []).sort();
  if (days.length > 0) return { from: days[0] ?? '', to: days.at(-1) ?? '' };
  const returned = items.filter(({ itemKind }) => itemKind === 'unearned-fee').map(({ itemId }) => itemId.slice(-'YYYY-MM'.length));
  const [firstMonth = invoice.period] = returned.sort();
  // A minimum commitment is settled for the quarter that ends with the month of the document.
  const isQuarter = items.some(({ itemKind }) => itemKind === 'commitment');
  const month = {
    from: firstOfMonth(isQuarter ? addMonths(firstMonth, -2) : firstMonth),
    to: lastOfMonth(returned.at(-1) ?? invoice.period),
  };
  return returned.length > 0 ? month : within(month, { from: head.lineStart, to: head.lineEnd });
}

/** The part of the days that lies in the term; all of them where none does. */
function within(days: Supply, term: Supply): Supply {
  const from = days.from < term.from ? term.from : days.from;
  const to = days.to > term.to ? term.to : days.to;
  return from <= to ? { from, to } : days;
}
