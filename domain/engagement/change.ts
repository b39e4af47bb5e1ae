import { monthOf } from '../calendar/dates';
import { applyLineTerm } from '../deal/sow-terms';
import { type LineTerms } from '../deal/terms';
import { compare, isZero, sum } from '../decimal';
import { isViolation, type Violation } from '../violation';
import { type ChangeFacts, type LineChange } from './model';

/**
 * The line after a change order. Parties, currency, start and engagement model never change: that is another line. Refuses paths
 * outside `changeable` (`TermNotChangeable`), bad values (as in the statement of work), an end before the start or before what is billed
 * (`EndBeforeBilled`), and milestones that no longer share the whole fee (`MilestonesNotWhole`).
 */
export function changeLine<Line extends LineTerms>(
  line: Line,
  changes: readonly LineChange[],
  changeable: readonly string[],
  facts: ChangeFacts,
): Line | Violation {
  let changed: LineTerms = line;
  for (const { path, to, currency } of changes) {
    if (!changeable.some((pattern) => matches(pattern, path)))
      return { violation: 'TermNotChangeable', detail: line.engagementModel, path };
    const term = { path, value: to, unit: '', clause: '', ...(currency === undefined ? {} : { currency }) };
    const applied = applyLineTerm(changed, term);
    if (isViolation(applied)) return applied;
    changed = applied.subject;
  }
  return refusalOf(changed, facts) ?? (changed as Line);
}

function refusalOf(line: LineTerms, facts: ChangeFacts): Violation | null {
  if (line.endDate < line.startDate)
    return { violation: 'DatesOutOfOrder', detail: `${line.startDate} to ${line.endDate}`, path: 'endDate' };
  if (facts.lastBilledMonth !== null && monthOf(line.endDate) < facts.lastBilledMonth)
    return { violation: 'EndBeforeBilled', detail: `${facts.lastBilledMonth} is billed`, path: 'endDate' };
  if (line.engagementModel !== 'fixed-fee') return null;
  const percents = line.milestones.map((milestone) => milestone.percent);
  if (compare(sum(percents), '100') === 0 && !percents.some(isZero)) return null;
  return { violation: 'MilestonesNotWhole', detail: `${sum(percents)} %`, path: 'milestones' };
}

function matches(pattern: string, path: string): boolean {
  const [wanted, given] = [pattern.split('.'), path.split('.')];
  return wanted.length === given.length && wanted.every((part, index) => part === '*' || part === given[index]);
}
