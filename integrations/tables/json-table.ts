import { LONGEST_ROW } from './csv';
import { type Reading, type TableReader } from './csv-table';
import { faultOf, jsonNameOf, readRow, TableRefused, type Column, type RowFault, type Table } from './table';

const QUOTE = 0x22;
const BACKSLASH = 0x5c;

const isOpening = (unit: number): boolean => unit === 0x7b || unit === 0x5b;
const isClosing = (unit: number): boolean => unit === 0x7d || unit === 0x5d;
const isSpace = (unit: number): boolean => unit === 0x20 || unit === 0x0a || unit === 0x0d || unit === 0x09;

/** Where a reader stands: before the array, just inside it, in an element, after one, after a comma, after the array. */
type Place = 'before' | 'first' | 'element' | 'next' | 'comma' | 'after';

/**
 * A table as a JSON array of objects, read element by element, so that its length does not matter. What is no array refuses the document,
 * an element that is no proper object only itself. The line of a row is its position in the array.
 */
export class JsonTableReader implements TableReader {
  private text = '';
  private place: Place = 'before';
  private position = 0;
  private readonly columns: ReadonlyMap<string, Column>;
  /** Of the element that is being read: how deep, inside a text, after a backslash, how far it was looked at, longer than any row. */
  private depth = 0;
  private inText = false;
  private escaped = false;
  private looked = 0;
  private skipping = false;

  constructor(private readonly table: Table) {
    this.columns = new Map(table.columns.map((column) => [jsonNameOf(column), column]));
  }

  read(piece: string): Reading[] {
    this.text += piece;
    const readings: Reading[] = [];
    let start = 0;
    for (let at = this.looked; at < this.text.length;) {
      if (this.place !== 'element') {
        at = this.outside(at);
        start = at;
        continue;
      }
      const end = this.endOfElement(at);
      if (end < 0) break;
      if (!this.skipping) readings.push(this.element(this.text.slice(start, end)));
      this.place = 'next';
      this.skipping = false;
      at = end;
      start = end;
    }
    this.keep(start, readings);
    return readings;
  }

  end(): Reading[] {
    if (this.place === 'before') throw new TableRefused('TableEmpty', 'expected a JSON array of objects, found nothing');
    if (this.place !== 'after') throw new TableRefused('JsonMalformed', `the array is cut off in or after element ${this.position}`);
    return [];
  }

  /** Between elements: gives where to look next. */
  private outside(at: number): number {
    const unit = this.text.charCodeAt(at);
    if (isSpace(unit)) return at + 1;
    const char = this.text.charAt(at);
    if ((this.place === 'first' || this.place === 'comma') && isOpening(unit)) {
      this.place = 'element';
      this.position += 1;
      this.depth = 0;
      return at;
    }
    if (this.place === 'before' && char === '[') this.place = 'first';
    else if (this.place === 'next' && char === ',') this.place = 'comma';
    else if ((this.place === 'first' || this.place === 'next') && char === ']') this.place = 'after';
    else {
      const where = this.place === 'before' ? 'at its beginning' : `after element ${this.position}`;
      throw new TableRefused('JsonMalformed', `expected a JSON array of objects, found something else ${where}`);
    }
    return at + 1;
  }

  /** Just after the bracket that closes the element, or -1 where it has not come yet. */
  private endOfElement(from: number): number {
    for (let at = from; at < this.text.length; at += 1) {
      const unit = this.text.charCodeAt(at);
      if (this.inText) {
        if (this.escaped) this.escaped = false;
        else if (unit === BACKSLASH) this.escaped = true;
        else if (unit === QUOTE) this.inText = false;
      } else if (unit === QUOTE) this.inText = true;
      else if (isOpening(unit)) this.depth += 1;
      else if (isClosing(unit)) {
        this.depth -= 1;
        if (this.depth === 0) return at + 1;
      }
    }
    return -1;
  }

  /** Keeps what is not read yet; of an element that is too long nothing is kept. */
  private keep(start: number, readings: Reading[]): void {
    const rest = this.place === 'element' ? this.text.slice(start) : '';
    if (rest.length > LONGEST_ROW && !this.skipping) {
      readings.push(this.tooLong());
      this.skipping = true;
    }
    this.text = this.skipping ? '' : rest;
    this.looked = this.text.length;
  }

  private element(text: string): Reading {
    const line = this.position;
    if (text.length > LONGEST_ROW) return this.tooLong();
    const value = parsed(text);
    if (typeof value !== 'object' || value === null || Array.isArray(value))
      return { line, faults: [faultOf(line, '', { code: 'RowMalformed', detail: 'is no JSON object' }, null)] };
    const { cells, faults } = this.cellsOf(line, value as Record<string, unknown>);
    if (faults.length > 0) return { line, faults };
    const read = readRow(this.table, line, cells);
    return Array.isArray(read) ? { line, faults: read } : { line, row: read };
  }

  private tooLong(): Reading {
    const line = this.position;
    return { line, faults: [faultOf(line, '', { code: 'RowTooLong', detail: `a row has at most ${LONGEST_ROW} characters` }, null)] };
  }

  private cellsOf(line: number, value: Record<string, unknown>): { cells: string[]; faults: RowFault[] } {
    const faults = Object.keys(value)
      .filter((name) => !this.columns.has(name))
      .map((name) => faultOf(line, name.slice(0, 60), { code: 'ColumnUnknown', detail: 'the field is not one of this table' }, null));
    const cells: string[] = [];
    for (const [name, column] of this.columns) {
      const field = Object.hasOwn(value, name) ? value[name] : undefined;
      const cell = field === undefined && column.mayLack === true ? '' : cellOf(column, field);
      if (cell === null) {
        const detail = field === undefined ? 'the field is missing' : `must be ${EXPECTED[column.json]}`;
        faults.push(faultOf(line, column.name, { code: field === undefined ? 'CellMissing' : 'CellMalformed', detail }, null));
      }
      cells.push(cell ?? '');
    }
    return { cells, faults };
  }
}

const EXPECTED: Readonly<Record<Column['json'], string>> = { text: 'a text or null', flag: 'true or false', count: 'a whole number' };

/** The value as a CSV cell would say it; null where it is of another type. */
function cellOf(column: Column, value: unknown): string | null {
  if (column.json === 'flag') return typeof value === 'boolean' ? (value ? 'Y' : 'N') : null;
  if (column.json === 'count') return typeof value === 'number' ? String(value) : null;
  return value === null ? '' : typeof value === 'string' ? value : null;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
