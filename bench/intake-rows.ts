import { timeTable } from '../integrations/tables/kinds';

/** What rows refer to, as ids of the database; `taskIds` are those of tasks T1 to T12. */
export interface RowIds {
  readonly contractLineId: string;
  readonly taskIds: readonly string[];
}

export const PEOPLE = 60;
export const TASKS = 12;
const DAYS = 170;

export const HEADER = `${timeTable.columns.map(({ name }) => name).join(',')}\n`;

const ROWS_PER_PIECE = 500;

/**
 * Rows of a time file in pieces, of about 150 bytes each like those of the reference deal: people who work on several tasks a day, a few
 * hours on each, so that policy finds neither doubles nor days without end in a file of 100,000.
 */
export function* timeRows(rows: number, prefix: string): Generator<string> {
  yield* inPieces(
    rows,
    (n) =>
      `${prefix}${n},${person(n)},${day(n)},A,WP1,T${task(n) + 1},CON,regular,${hours(n)},US,N,,Y,N,Interviews and findings ${n},approved,${day(n)}T16:00:00Z,${day(n)}T17:00:00Z,U-PM-US\n`,
  );
}

/** The columns that `copyText` gives, in its order. */
export const COPIED = [
  'entry_id', 'contract_line_id', 'person_id', 'work_task_id', 'work_date', 'hour_type', 'hours', 'work_country', 'onsite',
  'rest_day_approval', 'billable', 'rework', 'note', 'status', 'submitted_at', 'approved_at', 'approved_by', 'role_code',
] as const; // prettier-ignore

/** The same rows in the text format of COPY. */
export function* copyText(rows: number, { contractLineId, taskIds }: RowIds): Generator<string> {
  yield* inPieces(rows, (n) => {
    const facts = [`C-${n}`, contractLineId, person(n), taskIds[task(n)], day(n), 'regular', hours(n), 'US', 'f', '\\N', 't', 'f'];
    return `${[...facts, `Interviews and findings ${n}`, 'approved', `${day(n)}T16:00:00Z`, `${day(n)}T17:00:00Z`, 'U-PM-US', 'CON'].join('\t')}\n`;
  });
}

function* inPieces(rows: number, row: (n: number) => string): Generator<string> {
  for (let from = 0; from < rows; from += ROWS_PER_PIECE) {
    let piece = '';
    for (let n = from; n < Math.min(from + ROWS_PER_PIECE, rows); n += 1) piece += row(n);
    yield piece;
  }
}

export const person = (n: number): string => `P-${String((n % PEOPLE) + 1).padStart(3, '0')}`;
export const task = (n: number): number => Math.floor(n / (PEOPLE * DAYS)) % TASKS;
/** Mondays to Fridays from the first of February on. */
export function day(n: number): string {
  const working = Math.floor(n / PEOPLE) % DAYS;
  return new Date(FIRST_MONDAY + (Math.floor(working / 5) * 7 + (working % 5)) * 86_400_000).toISOString().slice(0, 10);
}
export const hours = (n: number): string => `${((Math.floor(n / (PEOPLE * DAYS * TASKS)) + n) % 8) * 0.25 + 0.25}`;
const FIRST_MONDAY = Date.parse('2026-02-02T00:00:00Z');
