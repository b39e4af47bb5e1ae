import { CsvReader, type CsvRow } from './csv';
import { faultOf, readRow, TableRefused, type Row, type RowFault, type Table } from './table';

/** A row that was read: to be staged, or with what is wrong with it. */
export type Reading = { readonly line: number; readonly row: Row } | { readonly line: number; readonly faults: readonly RowFault[] };

/** Takes a text in pieces and gives the rows of its table. */
export interface TableReader {
  read(piece: string): Reading[];
  end(): Reading[];
}

/**
 * A table in CSV. The first line is the header: exactly the columns of the table, in any order. A wrong header refuses the file, a wrong row
 * only itself.
 */
export class CsvTableReader implements TableReader {
  private readonly csv = new CsvReader();
  /** Where each column of the table stands in the file; null before the header has come. */
  private places: readonly number[] | null = null;
  private width = 0;

  constructor(private readonly table: Table) {}

  read(piece: string): Reading[] {
    return this.readings(this.csv.read(piece));
  }

  end(): Reading[] {
    const readings = this.readings(this.csv.end());
    if (this.places === null) throw new TableRefused('TableEmpty', 'the file has no header line');
    return readings;
  }

  private readings(rows: readonly CsvRow[]): Reading[] {
    const [first] = rows;
    if (first === undefined) return [];
    const body = this.places === null ? rows.slice(1) : rows;
    this.places ??= this.header(first);
    return body.map((row) => this.reading(row));
  }

  private header(first: CsvRow): readonly number[] {
    if ('fault' in first) throw new TableRefused('ColumnMissing', `the header line cannot be read: ${first.fault.detail}`);
    refuseHeader(this.table, first.cells);
    this.width = first.cells.length;
    return this.table.columns.map((column) => first.cells.indexOf(column.name));
  }

  private reading(csv: CsvRow): Reading {
    const { line } = csv;
    if ('fault' in csv) return { line, faults: [faultOf(line, '', csv.fault, null)] };
    if (csv.cells.length !== this.width) {
      const detail = `the row has ${csv.cells.length} cells, the header has ${this.width}`;
      return { line, faults: [faultOf(line, '', { code: 'CellCountWrong', detail }, null)] };
    }
    const cells = (this.places ?? []).map((place) => csv.cells[place] ?? '');
    const read = readRow(this.table, line, cells);
    return Array.isArray(read) ? { line, faults: read } : { line, row: read };
  }
}

const SEPARATORS: Readonly<Record<string, string>> = { ';': 'semicolon', '\t': 'tab', '|': 'bar', ':': 'colon' };

/** Says what was found and what was expected: another encoding, another separator, columns missing, unknown or twice. */
function refuseHeader(table: Table, header: readonly string[]): void {
  const expected = table.columns.map((column) => column.name);
  const [only = ''] = header;
  if (header.some((name) => name.includes('\0')))
    throw new TableRefused('EncodingUnexpected', 'expected UTF-8, found null characters, as UTF-16 has them');
  const separator = Object.keys(SEPARATORS).find((each) => header.length === 1 && only.split(each).some((name) => expected.includes(name)));
  if (separator !== undefined)
    throw new TableRefused('SeparatorUnexpected', `expected commas between the cells, found the separator ${SEPARATORS[separator] ?? ''}`);
  const faults = [
    ...header
      .filter((name, place) => header.indexOf(name) !== place)
      .map((name) => ({ field: name, code: 'ColumnDuplicate' as const, detail: 'the column stands twice' })),
    ...expected
      .filter((name) => !header.includes(name))
      .map((name) => ({ field: name, code: 'ColumnMissing' as const, detail: 'the column is missing' })),
    ...header
      .filter((name) => !expected.includes(name))
      .map((name) => ({ field: shown(name), code: 'ColumnUnknown' as const, detail: 'the column is not one of this table' })),
  ];
  const [first] = faults;
  if (first === undefined) return;
  const found = header.slice(0, 40).map(shown).join(', ');
  throw new TableRefused(first.code, `expected ${expected.join(', ')}; found ${found}`, faults.slice(0, 100));
}

function shown(name: string): string {
  return name.slice(0, 60).replace(/[^\x20-\x7e]/g, '?');
}
