/*
 * Comma-separated values as RFC 4180 has them, read piece by piece. Written here and not taken from a library for two reasons: a row that
 * is malformed costs only itself and not the rest of the file, and a row without quotes is one `split`, several times as fast.
 */

/** One row of a file: the line it begins in, and its cells, or what keeps it from having any. */
export type CsvRow =
  | { readonly line: number; readonly cells: readonly string[] }
  | { readonly line: number; readonly fault: { readonly code: 'QuoteMisplaced' | 'RowTooLong'; readonly detail: string } };

/** No honest row is longer, in UTF-16 units; one that is does not grow the memory of the reader. */
export const LONGEST_ROW = 64 * 1024;

/** What stands at a place of the text: where the next row begins, and how many lines were passed. */
interface Step {
  readonly next: number;
  readonly lines: number;
  readonly row: CsvRow | null;
}

/** Takes a text in pieces and gives its rows as they are complete; empty lines are none. Lines end with `\n` or `\r\n`. */
export class CsvReader {
  private text = '';
  private line = 1;
  /** Inside a row that is too long: everything up to its end is passed over. */
  private skipping = false;
  /** Where the next quote stands in the text, -1 where there is none. */
  private quote = 0;

  read(piece: string): CsvRow[] {
    this.text += piece;
    return this.rows(false);
  }

  /** The last row, which need not end with a line break. */
  end(): CsvRow[] {
    return this.rows(true);
  }

  private rows(atEnd: boolean): CsvRow[] {
    const rows: CsvRow[] = [];
    const { text } = this;
    let start = 0;
    this.quote = text.indexOf('"');
    while (start < text.length) {
      const step = this.step(text, start, atEnd);
      if (step === null) break;
      if (step.row !== null) rows.push(step.row);
      this.line += step.lines;
      start = step.next;
    }
    this.text = text.slice(start);
    return rows;
  }

  /** Null where more of the text is needed. */
  private step(text: string, start: number, atEnd: boolean): Step | null {
    const newline = text.indexOf('\n', start);
    if (this.skipping) {
      this.skipping = newline < 0;
      return newline < 0 ? { next: text.length, lines: 0, row: null } : { next: newline + 1, lines: 1, row: null };
    }
    const long = text.length - start > LONGEST_ROW;
    if (newline < 0 && !atEnd) {
      this.skipping = long;
      return long ? { next: text.length, lines: 0, row: this.tooLong() } : null;
    }
    const end = newline < 0 ? text.length : newline;
    if (this.quote >= 0 && this.quote < start) this.quote = text.indexOf('"', start);
    if (this.quote < 0 || this.quote >= end) return this.plain(text, start, end);
    const cells = this.quoted(text, start, atEnd);
    if (cells === 'incomplete' && !long) return null;
    return cells === 'incomplete' || cells === 'misplaced' ? { next: end + 1, lines: 1, row: this.misplaced() } : cells;
  }

  private plain(text: string, start: number, end: number): Step {
    const to = end > start && text.charCodeAt(end - 1) === CARRIAGE_RETURN ? end - 1 : end;
    const row =
      to === start ? null : to - start > LONGEST_ROW ? this.tooLong() : { line: this.line, cells: text.slice(start, to).split(',') };
    return { next: end + 1, lines: 1, row };
  }

  /** A row with quotes, which may run over several lines. */
  private quoted(text: string, start: number, atEnd: boolean): Step | 'misplaced' | 'incomplete' {
    const cells: string[] = [];
    let lines = 1;
    for (let position = start; ; position += 1) {
      const cell = text.charCodeAt(position) === QUOTE ? quotedCell(text, position) : plainCell(text, position);
      if (cell === 'misplaced') return cell;
      if (cell === 'incomplete') return atEnd ? 'misplaced' : cell;
      cells.push(cell.value);
      lines += cell.lines;
      position = cell.end;
      if (text.charCodeAt(position) === COMMA) continue;
      if (text.charCodeAt(position) === CARRIAGE_RETURN) position += 1;
      if (position >= text.length && !atEnd) return 'incomplete';
      if (position < text.length && text.charCodeAt(position) !== NEWLINE) return 'misplaced';
      const row = position - start > LONGEST_ROW ? this.tooLong() : { line: this.line, cells };
      return { next: position + 1, lines, row };
    }
  }

  private misplaced(): CsvRow {
    const detail = 'a quote stands inside a cell or is not closed: a cell with quotes is quoted, and its quotes are doubled';
    return { line: this.line, fault: { code: 'QuoteMisplaced', detail } };
  }

  private tooLong(): CsvRow {
    return { line: this.line, fault: { code: 'RowTooLong', detail: `a row has at most ${LONGEST_ROW} characters` } };
  }
}

const QUOTE = 0x22;
const COMMA = 0x2c;
const NEWLINE = 0x0a;
const CARRIAGE_RETURN = 0x0d;

/** `end` is where the comma or the end of the line stands. */
interface Cell {
  readonly value: string;
  readonly end: number;
  readonly lines: number;
}

function plainCell(text: string, start: number): Cell | 'misplaced' {
  let end = start;
  for (; end < text.length; end += 1) {
    const unit = text.charCodeAt(end);
    if (unit === QUOTE) return 'misplaced';
    if (unit === COMMA || unit === NEWLINE) break;
  }
  if (end > start && text.charCodeAt(end) !== COMMA && text.charCodeAt(end - 1) === CARRIAGE_RETURN) end -= 1;
  return { value: text.slice(start, end), end, lines: 0 };
}

function quotedCell(text: string, start: number): Cell | 'misplaced' | 'incomplete' {
  for (let from = start + 1; ;) {
    const quote = text.indexOf('"', from);
    if (quote < 0) return 'incomplete';
    const after = text.charCodeAt(quote + 1);
    if (after === QUOTE) {
      from = quote + 2;
      continue;
    }
    if (quote + 1 < text.length && after !== COMMA && after !== NEWLINE && after !== CARRIAGE_RETURN) return 'misplaced';
    const value = text.slice(start + 1, quote).replaceAll('""', '"');
    return { value, end: quote + 1, lines: value.split('\n').length - 1 };
  }
}
