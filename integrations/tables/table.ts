import { CellFault, type CellValue, type ReadCell } from './cells';

/** One column of a kind of table. `json` says what its value is in a JSON document; in CSV everything is text. */
export interface Column {
  readonly name: string;
  readonly json: 'text' | 'flag' | 'count';
  readonly read: ReadCell;
  /** Where JSON does not call it as CSV does, in camel case. */
  readonly jsonName?: string;
  /** May be left out of a JSON object. CSV files have every column. */
  readonly mayLack?: boolean;
}

/** A row as it is staged: column → value. */
export type Row = Record<string, CellValue>;

/** What is wrong with a row. `field` is the column, empty where the row as a whole is at fault; `cell` is what stood there. */
export interface RowFault {
  readonly line: number;
  readonly field: string;
  readonly code: string;
  readonly detail: string;
  readonly cell: string | null;
}

/** A kind of table: its columns in the order of the CSV format, and the column that tells its rows apart. */
export interface Table {
  readonly key: string;
  readonly columns: readonly Column[];
  /** What several cells say together: changes the row, or names the column at fault. */
  readonly together?: (row: Row) => { readonly field: string; readonly fault: CellFault } | null;
  /** A row that may name another one of its file, wherever that stands: it is applied after those that may not. */
  readonly isLate?: (row: Row) => boolean;
}

/** How much of a wrong cell is shown. */
const SHOWN = 200;

/** Reads the cells of one row, `cells[i]` for `table.columns[i]`; all faults of the row at once. */
export function readRow(table: Table, line: number, cells: readonly string[]): Row | RowFault[] {
  const row: Row = {};
  let faults: RowFault[] | null = null;
  for (let index = 0; index < table.columns.length; index += 1) {
    const column = table.columns[index] as Column;
    const cell = cells[index] ?? '';
    const value = column.read(cell);
    if (value instanceof CellFault) (faults ??= []).push(faultOf(line, column.name, value, cell));
    else row[column.name] = value;
  }
  if (faults !== null) return faults;
  const wrong = table.together?.(row) ?? null;
  if (wrong === null) return row;
  const position = table.columns.findIndex((column) => column.name === wrong.field);
  return [faultOf(line, wrong.field, wrong.fault, cells[position] ?? '')];
}

export function faultOf(line: number, field: string, { code, detail }: { code: string; detail: string }, cell: string | null): RowFault {
  return { line, field, code, detail, cell: cell === null ? null : storable(cell) };
}

/** Texts that Postgres can keep, shortened. */
function storable(cell: string): string {
  return cell
    .slice(0, SHOWN)
    .replaceAll('\0', '�')
    .replace(/\p{Surrogate}/gu, '�');
}

/** What a column is called in JSON: `work_date` is `workDate`. */
export function jsonNameOf(column: Column): string {
  return column.jsonName ?? column.name.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase());
}

/** A file that cannot be read as the table it should be: nothing of it is taken. `faults` name what was found and what was expected. */
export class TableRefused extends Error {
  override readonly name = 'TableRefused';

  constructor(
    readonly code: TableRefusalCode,
    readonly detail: string,
    readonly faults: readonly { readonly field: string; readonly code: string; readonly detail: string }[] = [],
  ) {
    super(`${code}: ${detail}`);
  }
}

export type TableRefusalCode =
  | 'ColumnDuplicate'
  | 'ColumnMissing'
  | 'ColumnUnknown'
  | 'EncodingUnexpected'
  | 'FileTooLarge'
  | 'JsonMalformed'
  | 'SeparatorUnexpected'
  | 'TableEmpty'
  | 'TooManyBadRows';
