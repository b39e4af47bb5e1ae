import { addDays, endOfDay, localDate, monthOf, workingDayAfter, workingDayFrom } from './days';
import { calendarOf, documentOf, type ExpectedInvoice, type LineParties } from './document';
import { type Row } from './folder';
import { compare, fraction, inMinor, minus, over, plus, rounded, times, zero, type Fraction } from './fraction';

export interface ExpectedAcceptance {
  readonly milestoneId: string;
  readonly acceptedOn: string;
  readonly acceptance: 'written' | 'deemed';
}

/** Milestone invoices of a fixed-fee line: largest remainder, written or deemed acceptance, next working day (S-11, S-13, S-14). */
export function fixedFeeFigures(parties: LineParties): { invoices: ExpectedInvoice[]; acceptances: ExpectedAcceptance[] } {
  const { line, entity, folder } = parties;
  const shares = split(inMinor(fraction(line.fixedFee), line.currency), line.milestones.map(({ percent }) => fraction(percent))); // prettier-ignore
  const acceptances = line.milestones.map(({ id }) => acceptanceOf(parties, id));
  const invoices = acceptances.flatMap(({ milestoneId, acceptedOn }, index) =>
    documentOf(parties, {
      reference: `${folder.deal.shortCode}-${milestoneId.startsWith(`${line.id}-`) ? '' : `${line.id}-`}${milestoneId}`,
      period: monthOf(acceptedOn),
      issueDate: workingDayFrom(calendarOf(folder, entity.calendarId), addDays(acceptedOn, 1)),
      amounts: [shares[index] ?? 0n],
    }),
  );
  return { invoices, acceptances };
}

/** The last attempt counts; an answer that comes after silence has become acceptance changes nothing (S-14). */
function acceptanceOf({ line, entity, billTo, folder }: LineParties, milestoneId: string): ExpectedAcceptance {
  const customer = calendarOf(folder, billTo.calendarId);
  const attempts = folder.milestones
    .filter((row) => row.line_id === line.id && row.milestone_id === milestoneId)
    .sort((a, b) => Number(a.attempt) - Number(b.attempt));
  for (const attempt of attempts) {
    const silent = silenceEnds(attempt);
    const answered = attempt.response !== '' && (silent === null || Date.parse(attempt.responded_at ?? '') < silent.at);
    if (answered && attempt.response === 'accepted')
      return { milestoneId, acceptedOn: localDate(attempt.responded_at ?? '', entity.timeZone), acceptance: 'written' };
    if (!answered && silent !== null) return { milestoneId, acceptedOn: silent.date, acceptance: 'deemed' };
  }
  throw new Error(`milestone ${milestoneId} is never accepted`);

  function silenceEnds(attempt: Row): { date: string; at: number } | null {
    const days = folder.deal.deemedAcceptanceBusinessDays;
    if (days === undefined) return null;
    const date = workingDayAfter(customer, localDate(attempt.delivered_at ?? '', customer.timeZone), Number(days));
    return { date, at: endOfDay(date, customer.timeZone) };
  }
}

/** Parts of a whole by weight: each rounded down, the units left over go to the largest remainders, the earlier first. */
function split(whole: Fraction, weights: readonly Fraction[]): bigint[] {
  const total = weights.reduce(plus, zero);
  const exact = weights.map((weight) => over(times(whole, weight), total));
  const parts = exact.map((share) => rounded(share, 'down'));
  const rest = exact.map((share, index) => minus(share, { n: parts[index] ?? 0n, d: 1n }));
  const order = rest.map((_, index) => index).sort((a, b) => compare(rest[b] ?? zero, rest[a] ?? zero) || a - b);
  let left = rounded(whole, 'down') - parts.reduce((sum, part) => sum + part, 0n);
  for (const index of order) {
    if (left === 0n) break;
    parts[index] = (parts[index] ?? 0n) + 1n;
    left -= 1n;
  }
  return parts;
}
