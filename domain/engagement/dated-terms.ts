import { firstOfMonth } from '../calendar/dates';
import { type LineTerms, type LocalDate, type Month, type TimeAndMaterialsLine } from '../deal/terms';
import { type LimitInForce } from './not-to-exceed-limit';

/**
 * The terms of a line that are in force on a day: what a contract version changed from a later day on is as it was before (R-191, S-02).
 * What has dates of its own (term, add-ons, milestones) stays as the latest version has it.
 */
export function termsOn<Line extends LineTerms>(line: Line, date: LocalDate): Line {
  const later = (line.earlier ?? []).filter((each) => each.before > date);
  const latestFirst = later.sort((a, b) => (a.before === b.before ? b.version - a.version : a.before < b.before ? 1 : -1));
  return latestFirst.reduce((terms, each) => ({ ...terms, ...each.terms }), line);
}

/** The terms by which a month is billed: prices of months change on the first day of one. */
export function termsInMonth<Line extends LineTerms>(line: Line, month: Month): Line {
  return termsOn(line, firstOfMonth(month));
}

/** The limit of a line from the signature on, as each contract version that changed it states it (R-122, R-191, S-15). */
export function limitTimeline(line: TimeAndMaterialsLine, signedDate: LocalDate): LimitInForce[] {
  const changes = (line.earlier ?? []).filter((each) => 'notToExceed' in each.terms);
  const stated = [...changes.map((each) => each.terms.notToExceed as LimitInForce['limit']), line.notToExceed];
  const since = [{ before: signedDate, version: 1 }, ...changes];
  return since.map(({ before, version }, index) => ({ inForceFrom: before, contractVersion: version, limit: stated[index] ?? null }));
}
