import { type DealTerms, type LocalDate } from './terms';

/** The days over which a deal is delivered, both included: managed services begin when delivery is over (S-21, S-47). */
export function deliveryTerm(deal: Pick<DealTerms, 'startDate' | 'endDate' | 'lines'>): {
  readonly from: LocalDate;
  readonly to: LocalDate;
} {
  const ends = deal.lines.filter((line) => line.engagementModel !== 'managed-service').map((line) => line.endDate);
  return { from: deal.startDate, to: ends.length === 0 ? deal.endDate : ends.reduce((a, b) => (b > a ? b : a)) };
}
