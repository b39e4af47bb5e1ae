import { isViolation, type Violation } from '../violation';
import { type ValueKind } from './term-values';
import { type EngagementModelCode, type LineTerms, type SowTerm } from './terms';

/** What writing one term gives: the new subject, and the old and new value as canonical text (`before` null = the deal did not state it). */
export interface Applied<Subject> {
  readonly subject: Subject;
  readonly before: string | null;
  readonly after: string;
}

/** One row of the table: a path (`*` stands for one id) and how its value is read and written. */
export interface TermEntry<Subject> {
  readonly pattern: string;
  readonly apply: (subject: Subject, term: SowTerm, currency: string, id: string) => Applied<Subject> | Violation;
}

/** The row for a path and the id its `*` stands for; `UnknownTermPath` where the table has none or the line has another engagement model. */
export function findEntry<Subject>(table: readonly TermEntry<Subject>[], path: string): { entry: TermEntry<Subject>; id: string }[] {
  const parts = path.split('.');
  return table.flatMap((row) => {
    const pattern = row.pattern.split('.');
    if (pattern.length !== parts.length || !pattern.every((part, index) => part === '*' || part === parts[index])) return [];
    return [{ entry: row, id: parts[pattern.indexOf('*')] ?? '' }];
  });
}

/** The refusal for a path that names no term of the deal. */
export function unknownTerm(path: string, detail: string): Violation {
  return { violation: 'UnknownTermPath', detail, path };
}

/** A row; `read` answers null for a term that may be stated but is not, and undefined for a part that does not exist (an unknown milestone). */
export function entry<Subject, Value>(
  pattern: string,
  kind: ValueKind<Value>,
  read: (subject: Subject, id: string) => Value | null | undefined,
  write: (subject: Subject, value: Value, id: string) => Subject,
): TermEntry<Subject> {
  return {
    pattern,
    apply: (subject, term, currency, id) => {
      const before = read(subject, id);
      if (before === undefined) return unknownTerm(term.path, 'no such part in the deal');
      const value = kind.parse(term, currency);
      if (isViolation(value)) return value;
      return { subject: write(subject, value, id), before: before === null ? null : kind.text(before), after: kind.text(value) };
    },
  };
}

/** Rows that only lines of one engagement model have. */
export function ofModel<Line extends LineTerms>(code: EngagementModelCode, rows: readonly TermEntry<Line>[]): TermEntry<LineTerms>[] {
  return rows.map((row) => ({
    pattern: row.pattern,
    apply: (line, term, currency, id) =>
      line.engagementModel === code
        ? row.apply(line as Line, term, currency, id)
        : unknownTerm(term.path, `a ${line.engagementModel} line has no such term`),
  }));
}
