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

/**
 * What deciding on a subject is beside its approval: of a deal also of its margin; of a correction the credit and, because it takes a claim
 * off, the write-off; of an invoice the run that it bills.
 */
const DUTIES_BESIDE: Readonly<Record<string, readonly string[]>> = {
  deal: ['deal.approve-margin'],
  correction: ['invoice.credit', 'write-off.approve'],
  invoice: ['bill-run.approve'],
};

/** Duties of deciding on a subject (R-066, SOD-5). */
export function dutiesOfDecision(subjectKind: string): readonly string[] {
  const beside = Object.hasOwn(DUTIES_BESIDE, subjectKind) ? DUTIES_BESIDE[subjectKind] : undefined;
  return [`${subjectKind}.approve`, ...(beside ?? [])];
}

/** The firm's rules and, of the global standard, those that the firm does not word itself: same id, or the same duties. */
export function dutyRulesOf(firm: readonly DutyRule[], standard: readonly DutyRule[]): readonly DutyRule[] {
  const sameAs = (rule: DutyRule) => (other: DutyRule) => other.id === rule.id || other.duties.join(' ') === rule.duties.join(' ');
  return [...firm, ...standard.filter((rule) => !firm.some(sameAs(rule)))];
}

/**
 * Segregation of duties over the history of a deal and through delegation (R-066, R-244, I-07, RULES Approvals). `*` at the start of a duty
 * stands for any subject kind. Where both duties have one they speak of the same subject (`*.request` and `*.approve` of one request),
 * else of the whole history. Null where nothing conflicts, else `DutiesConflict` with the rule's id.
 */
export function conflictOfDuties(rules: readonly DutyRule[], history: readonly PerformedDuty[], next: PerformedDuty): Violation | null {
  return conflictsOfDuties(rules, history, next)[0]?.refusal ?? null;
}

/** A rule that bars somebody, and the refusal that says so. */
export interface DutyConflict {
  readonly ruleId: string;
  readonly refusal: Violation;
}

/** Every rule that bars somebody from a duty, see `conflictOfDuties`. */
export function conflictsOfDuties(rules: readonly DutyRule[], history: readonly PerformedDuty[], next: PerformedDuty): DutyConflict[] {
  return rules.flatMap((rule) => {
    const earlier = history.find((done) => samePerson(done, next) && areApart(rule, done, next));
    if (earlier === undefined) return [];
    const detail = `${rule.id}: ${rule.text} (${earlier.duty}, ${next.duty})`;
    return [{ ruleId: rule.id, refusal: { violation: 'DutiesConflict', detail } }];
  });
}

function areApart(rule: DutyRule, a: PerformedDuty, b: PerformedDuty): boolean {
  const last = rule.duties.at(-1);
  if (last === undefined) return false;
  return rule.duties.slice(0, -1).some((other) => pairs(other, last, a, b) || pairs(other, last, b, a));
}

function pairs(first: string, last: string, a: PerformedDuty, b: PerformedDuty): boolean {
  const [firstPrefix, lastPrefix] = [prefixIn(first, a.duty), prefixIn(last, b.duty)];
  if (firstPrefix === null || lastPrefix === null) return false;
  return !isOfOneSubject(first, last) || (firstPrefix === lastPrefix && a.subjectId === b.subjectId);
}

/** Whether two duties of a rule are apart only on the same subject, which is nothing that roles could allow beforehand. */
export function isOfOneSubject(first: string, last: string): boolean {
  return first.startsWith('*') && last.startsWith('*');
}

/** What the `*` of a pattern stands for in a duty, `''` for an exact match, null for none. */
export function prefixIn(pattern: string, duty: string): string | null {
  if (!pattern.startsWith('*')) return pattern === duty ? '' : null;
  const rest = pattern.slice(1);
  return duty.endsWith(rest) ? duty.slice(0, duty.length - rest.length) : null;
}

function samePerson(a: PerformedDuty, b: PerformedDuty): boolean {
  const people = [a.by, a.onBehalfOf].filter((person) => person !== null);
  return people.includes(b.by) || (b.onBehalfOf !== null && people.includes(b.onBehalfOf));
}
