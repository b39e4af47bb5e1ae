import { isViolation, type Violation } from '../violation';
import { findEntry, unknownTerm, type Applied, type TermEntry } from './term-entry';
import { dealTermTable, lineTermTable } from './term-table';
import { type DealTerms, type LineTerms, type SowTerm, type TermDiscrepancy } from './terms';

/** The governing terms, where the deal said something else, and the paths of terms for lines that this deal does not have. */
export interface GoverningTerms {
  readonly governing: DealTerms;
  readonly discrepancies: readonly TermDiscrepancy[];
  readonly ignored: readonly string[];
}

/**
 * Lays the confirmed terms of the statement of work over the deal; where both state a term and the values differ, the statement of work
 * governs and the difference is listed (R-021, S-01). Equal numbers in other notation are no difference; a term that the deal leaves open
 * is set without one. Terms of lines that the deal does not have are returned as `ignored`. Answers every refusal, not only the first:
 * `UnknownTermPath`, `TermValueInvalid`, `TermCurrencyMismatch`, `DuplicateTermPath`.
 */
export function applySowTerms(deal: DealTerms, terms: readonly SowTerm[]): GoverningTerms | Violation[] {
  const violations: Violation[] = duplicates(terms);
  const discrepancies: TermDiscrepancy[] = [];
  const ignored: string[] = [];
  let governing = deal;
  for (const term of terms) {
    if (isForForeignLine(governing, term.path)) {
      ignored.push(term.path);
      continue;
    }
    const applied = applyTerm(governing, term);
    if (isViolation(applied)) {
      violations.push(applied);
      continue;
    }
    governing = applied.subject;
    if (applied.before !== null && applied.before !== applied.after)
      discrepancies.push({ path: term.path, deal: applied.before, sow: applied.after, clause: term.clause });
  }
  return violations.length > 0 ? violations : { governing, discrepancies, ignored };
}

/** Writes one term of one line by its path behind `lines.<lineId>.`; the same table serves change orders. */
export function applyLineTerm(line: LineTerms, term: SowTerm): Applied<LineTerms> | Violation {
  return applyFrom(lineTermTable, line, term, term.path, line.currency);
}

function applyTerm(deal: DealTerms, term: SowTerm): Applied<DealTerms> | Violation {
  const [scope, lineId, ...rest] = term.path.split('.');
  if (scope !== 'lines') return applyFrom(dealTermTable, deal, term, term.path, '');
  const line = deal.lines.find((each) => each.lineId === lineId);
  if (line === undefined || rest.length === 0) return unknownTerm(term.path, 'names no term of a line');
  const applied = applyFrom(lineTermTable, line, term, rest.join('.'), line.currency);
  if (isViolation(applied)) return applied;
  return { ...applied, subject: { ...deal, lines: deal.lines.map((each) => (each === line ? applied.subject : each)) } };
}

/** Two engagement models may have a term of the same name: the row of the line's own model answers. */
function applyFrom<Subject>(
  table: readonly TermEntry<Subject>[],
  subject: Subject,
  term: SowTerm,
  path: string,
  currency: string,
): Applied<Subject> | Violation {
  const answers = findEntry(table, path).map(({ entry, id }) => entry.apply(subject, term, currency, id));
  const known = answers.find((answer) => !isViolation(answer) || answer.violation !== 'UnknownTermPath');
  return known ?? answers[0] ?? unknownTerm(term.path, 'no such term');
}

function isForForeignLine(deal: DealTerms, path: string): boolean {
  const [scope, lineId, ...rest] = path.split('.');
  return (
    scope === 'lines' && lineId !== undefined && lineId !== '' && rest.length > 0 && deal.lines.every((line) => line.lineId !== lineId)
  );
}

function duplicates(terms: readonly SowTerm[]): Violation[] {
  const seen = new Set<string>();
  return terms.flatMap((term) => {
    if (seen.has(term.path)) return [{ violation: 'DuplicateTermPath', detail: 'stated twice', path: term.path }];
    seen.add(term.path);
    return [];
  });
}
