import { firstOfMonth, monthOf } from '../calendar/dates';
import { applyLineTerm } from '../deal/sow-terms';
import { type LineTerms, type LocalDate } from '../deal/terms';
import { engagementModel } from '../engagement/registry';
import { isViolation, type Violation } from '../violation';
import { type AcceptedChange, type LineStanding, type RequestedChange } from './change-order';

/** A change of a term of one line, its path behind `lines.<lineId>.`. */
export type TermChange = Omit<RequestedChange, 'to'> & { readonly to: string; readonly term: string };

/** Terms whose new value holds from a day on; other terms have dates of their own, or change what has not happened yet. */
const DATED: Readonly<Record<string, readonly string[]>> = {
  'fixed-fee': [],
  'time-and-materials': ['notToExceed', 'capSoftPercent', 'feeDiscountPercent'],
  'managed-service': ['monthlyFee', 'includedTicketsPerMonth', 'overagePerTicket', 'minimumCommitment'],
  retainer: ['monthlyFee', 'includedHoursPerMonth', 'overageRatePerHour', 'rollover'],
};

/** Limits take effect in the run of their month, whatever the day; everything else that is dated prices whole months (R-191, S-15). */
const ANY_DAY: readonly string[] = ['notToExceed', 'capSoftPercent'];

/** Applies changes of terms to a line and keeps what they were before; answers every refusal. */
export function changeTerms(
  line: LineTerms,
  changes: readonly TermChange[],
  version: number,
  standing: LineStanding,
): { readonly line: LineTerms; readonly accepted: readonly AcceptedChange[] } | Violation[] {
  const model = engagementModel(line.engagementModel);
  if (isViolation(model)) return [model];
  const found = changes.map((change) => refuseFrom(line, change) ?? refuseDay(line, change, standing));
  const refused = found.filter((each) => each !== null);
  if (refused.length > 0) return refused;
  const asked = changes.map(({ term, to, currency }) => ({ path: term, to, ...(currency === undefined ? {} : { currency }) }));
  const changed = model.change(line, asked, standing.facts);
  if (isViolation(changed)) return [{ ...changed, path: pathOf(changes, changed.path) }];
  const accepted = changes.map((change): AcceptedChange => {
    const { before, after } = governing(line, change);
    return {
      path: change.path,
      lineId: line.lineId,
      term: change.term,
      before,
      after,
      currency: change.currency ?? null,
      inForceFrom: change.inForceFrom,
    };
  });
  return { line: withEarlier(line, changed, changes, version), accepted };
}

/** `from` is what the named version says. */
function refuseFrom(line: LineTerms, change: TermChange): Violation | null {
  const applied = applyLineTerm(line, asTerm(change, change.to));
  if (isViolation(applied)) return { ...applied, path: change.path };
  const stated = change.from === null ? null : applyLineTerm(line, asTerm(change, change.from));
  const said = stated === null ? null : isViolation(stated) ? change.from : stated.after;
  if (applied.before === applied.after) return { violation: 'ChangeWithoutEffect', detail: `it is ${applied.after}`, path: change.path };
  if (said === applied.before) return null;
  return {
    violation: 'ChangeFromMismatch',
    detail: `the contract says ${applied.before ?? 'nothing'}, not ${said ?? 'nothing'}`,
    path: change.path,
  };
}

/** The day from which a new value holds: after what held before, on the first of a month that is not billed where it prices months. */
function refuseDay(line: LineTerms, { term, path, inForceFrom }: TermChange, { facts }: LineStanding): Violation | null {
  const key = keyOf(term);
  if (!(DATED[line.engagementModel] ?? []).includes(key)) return null;
  const last = (line.earlier ?? []).filter((each) => key in each.terms).map((each) => each.before);
  if (last.some((day) => day > inForceFrom))
    return { violation: 'InForceBeforeEarlierChange', detail: `it changed on ${last.sort().at(-1) ?? ''} last`, path };
  if (ANY_DAY.includes(key)) return null;
  if (inForceFrom !== firstOfMonth(monthOf(inForceFrom)))
    return { violation: 'InForceNotMonthStart', detail: `${inForceFrom} is not the first day of a month`, path };
  return refuseBilledMonth(inForceFrom, facts.lastBilledMonth, path);
}

/** What is billed keeps its price (R-191, RULES: what was worked before keeps its price). */
export function refuseBilledMonth(day: LocalDate, lastBilledMonth: string | null, path: string): Violation | null {
  return lastBilledMonth !== null && monthOf(day) <= lastBilledMonth
    ? { violation: 'MonthAlreadyBilled', detail: `${lastBilledMonth} is billed`, path }
    : null;
}

function withEarlier(before: LineTerms, after: LineTerms, changes: readonly TermChange[], version: number): LineTerms {
  const dated = DATED[before.engagementModel] ?? [];
  const days = [...new Set(changes.filter(({ term }) => dated.includes(keyOf(term))).map((each) => each.inForceFrom))].sort();
  const added = days.map((day) => {
    const keys = changes.filter((each) => each.inForceFrom === day && dated.includes(keyOf(each.term))).map(({ term }) => keyOf(term));
    const terms = Object.fromEntries(keys.map((key) => [key, (before as unknown as Record<string, unknown>)[key] ?? null]));
    return { before: day, version, terms };
  });
  const known = before.earlier ?? [];
  return added.length === 0 ? after : { ...after, earlier: [...known, ...added] };
}

function governing(line: LineTerms, change: TermChange): { before: string | null; after: string } {
  const applied = applyLineTerm(line, asTerm(change, change.to));
  if (isViolation(applied)) throw new RangeError(`${change.path} was applied before`);
  return applied;
}

function asTerm({ term, currency }: TermChange, value: string) {
  return { path: term, value, unit: '', clause: '', ...(currency === undefined ? {} : { currency }) };
}

/** The property of the line that a term is a part of. */
function keyOf(term: string): string {
  return term.split('.')[0] ?? term;
}

function pathOf(changes: readonly TermChange[], term: string | undefined): string {
  return changes.find((each) => each.term === term)?.path ?? changes[0]?.path ?? '';
}
