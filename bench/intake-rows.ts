import { timeTable } from '../integrations/tables/kinds';

/** What rows refer to, as ids of the database. */
export interface RowIds {
  readonly contractLineId: string;
  readonly taskId: string;
}

export const HEADER = `${timeTable.columns.map(({ name }) => name).join(',')}\n`;

const ROWS_PER_PIECE = 500;

/** Rows of a time file, of about 150 bytes each like those of the reference deal, in pieces; each entry id once. */
export function* timeRows(rows: number, prefix: string): Generator<string> {
  yield* inPieces(
    rows,
    (n) =>
      `${prefix}${n},P-001,${day(n)},A,WP1,T1,CON,regular,${hours(n)},US,N,,Y,N,Interviews and findings ${n},approved,2026-03-03T09:00:00Z,2026-03-04T09:00:00Z,U-PM-US\n`,
  );
}

/** The columns that `copyText` gives, in its order. */
export const COPIED = [
  'entry_id', 'contract_line_id', 'person_id', 'work_task_id', 'work_date', 'hour_type', 'hours', 'work_country', 'onsite',
  'rest_day_approval', 'billable', 'rework', 'note', 'status', 'submitted_at', 'approved_at', 'approved_by', 'role_code',
] as const; // prettier-ignore

/** The same rows in the text format of COPY. */
export function* copyText(rows: number, { contractLineId, taskId }: RowIds): Generator<string> {
  const [submitted, approved] = ['2026-03-03T09:00:00Z', '2026-03-04T09:00:00Z'];
  yield* inPieces(rows, (n) => {
    const facts = [`C-${n}`, contractLineId, 'P-001', taskId, day(n), 'regular', hours(n), 'US', 'f', '\\N', 't', 'f'];
    return `${[...facts, `Interviews and findings ${n}`, 'approved', submitted, approved, 'U-PM-US', 'CON'].join('\t')}\n`;
  });
}

function* inPieces(rows: number, row: (n: number) => string): Generator<string> {
  for (let from = 0; from < rows; from += ROWS_PER_PIECE) {
    let piece = '';
    for (let n = from; n < Math.min(from + ROWS_PER_PIECE, rows); n += 1) piece += row(n);
    yield piece;
  }
}

const day = (n: number): string => `2026-03-${String((n % 28) + 1).padStart(2, '0')}`;
const hours = (n: number): string => `${(n % 8) + 1}.50`;
