import { type Violation } from '../violation';

/** Duties that one person must not combine: the last of the list is refused to whoever performed one of the others, and the reverse. */
export interface DutyRule {
  readonly id: string;
  readonly text: string;
  readonly duties: readonly string[];
}

/** A duty performed; `subjectId` is what it was performed on, both names where it was done for another. */
export interface PerformedDuty {
  readonly duty: string;
  readonly subjectId: string;
  readonly by: string;
  readonly onBehalfOf: string | null;
}

/** What deciding on a subject is beside its approval: of a deal also of its margin, of a correction the credit (R-066, SOD-1, SOD-2). */
const DUTIES_BESIDE: Readonly<Record<string, string>> = { deal: 'deal.approve-margin', correction: 'invoice.credit' };

/** Duties of deciding on a subject (R-066, SOD-5). */
export function dutiesOfDecision(subjectKind: string): readonly string[] {
  const beside = DUTIES_BESIDE[subjectKind];
  return [`${subjectKind}.approve`, ...(beside === undefined ? [] : [beside])];
}

/**
 * Segregation of duties over the history of a deal and through delegation (R-066, I-07, RULES Approvals). A rule with `*` speaks of one
 * subject (`*.request` and `*.approve` of the same request), any other of the whole history. Null where nothing conflicts, else
 * `DutiesConflict` with the rule's id.
 */
export function conflictOfDuties(rules: readonly DutyRule[], history: readonly PerformedDuty[], next: PerformedDuty): Violation | null {
  for (const rule of rules) {
    const earlier = history.find((done) => samePerson(done, next) && areApart(rule, done, next));
    if (earlier !== undefined) return { violation: 'DutiesConflict', detail: `${rule.id}: ${rule.text} (${earlier.duty}, ${next.duty})` };
  }
  return null;
}

function areApart(rule: DutyRule, a: PerformedDuty, b: PerformedDuty): boolean {
  const last = rule.duties.at(-1);
  if (last === undefined) return false;
  return rule.duties.slice(0, -1).some((other) => pairs(other, last, a, b) || pairs(other, last, b, a));
}

function pairs(first: string, last: string, a: PerformedDuty, b: PerformedDuty): boolean {
  const [firstPrefix, lastPrefix] = [prefixIn(first, a.duty), prefixIn(last, b.duty)];
  if (firstPrefix === null || lastPrefix === null) return false;
  const isPattern = first.startsWith('*') || last.startsWith('*');
  return !isPattern || (firstPrefix === lastPrefix && a.subjectId === b.subjectId);
}

/** What the `*` of a pattern stands for in a duty, `''` for an exact match, null for none. */
function prefixIn(pattern: string, duty: string): string | null {
  if (!pattern.startsWith('*')) return pattern === duty ? '' : null;
  const rest = pattern.slice(1);
  return duty.endsWith(rest) ? duty.slice(0, duty.length - rest.length) : null;
}

function samePerson(a: PerformedDuty, b: PerformedDuty): boolean {
  const people = [a.by, a.onBehalfOf].filter((person) => person !== null);
  return people.includes(b.by) || (b.onBehalfOf !== null && people.includes(b.onBehalfOf));
}
