import { TextDecoder } from 'node:util';
import { CsvTableReader, type Reading, type TableReader } from './csv-table';
import { JsonTableReader } from './json-table';
import { TableRefused, type Row, type RowFault, type Table } from './table';

/** Rows that are staged together. */
export interface TableBlock {
  /** JSON array of objects by column; each also has its `line` and its `pass`. */
  readonly content: string;
  readonly rows: number;
  /** Rows of one pass have different keys; a key that comes again in the block is of a later pass. */
  readonly passes: number;
  readonly faults: readonly RowFault[];
  /** Rows with a fault; one row may have several. */
  readonly refused: number;
  /** Its rows may name rows of any other block: it is applied after those that are not late. */
  readonly isLate: boolean;
}

export type TableFormat = 'text/csv' | 'application/json';

/** Rows of one block: a second of work for nobody, and far fewer commits than rows. */
const ROWS_PER_BLOCK = 5_000;
const CHARACTERS_PER_BLOCK = 4_000_000;
/** A key that comes again and again begins a new block, so that no block has many passes. */
const MOST_PASSES = 8;
/** A file with more of them is not the table it says it is. */
const MOST_BAD_ROWS = 100_000;

/**
 * Reads a table of any length in blocks, with the memory of one. The good rows of a file are taken and each bad one is named; what
 * is not such a table at all (encoding, separator, columns, form) throws `TableRefused`, and nothing of it counts.
 */
export async function* readTable(table: Table, format: TableFormat, bytes: AsyncIterable<Uint8Array>): AsyncGenerator<TableBlock> {
  const reader: TableReader = format === 'text/csv' ? new CsvTableReader(table) : new JsonTableReader(table);
  const builder = new BlockBuilder(table);
  let refused = 0;
  let rows = 0;
  let isFirst = true;
  for await (const readings of readingsOf(reader, bytes)) {
    for (const reading of readings) {
      rows += 1;
      const full = builder.add(reading);
      if (full !== null) yield* apart(full);
      isFirst &&= full === null;
      if ('faults' in reading) refused += 1;
      if (refused > MOST_BAD_ROWS) throw new TableRefused('TooManyBadRows', `more than ${MOST_BAD_ROWS} rows are wrong`);
    }
  }
  if (rows === 0) throw new TableRefused('TableEmpty', 'the file has no rows');
  const last = builder.end();
  if (last !== null) yield* isFirst ? [whole(last)] : apart(last);
}

/** A file of one block is applied at once, in whichever order its rows need. */
function whole({ early, late, ...block }: BuiltBlock): TableBlock {
  const parts = [...early, ...late];
  return { ...block, content: contentOf(parts), rows: parts.length, isLate: false };
}

/** The rows of a block that others of the file may name, then those that may name them. */
function apart({ early, late, ...block }: BuiltBlock): TableBlock[] {
  const first = { ...block, content: contentOf(early), rows: early.length, isLate: false };
  if (late.length === 0) return [first];
  const second = { content: contentOf(late), rows: late.length, passes: block.passes, faults: [], refused: 0, isLate: true };
  return early.length === 0 && block.faults.length === 0 ? [second] : [first, second];
}

function contentOf(parts: readonly string[]): string {
  return `[${parts.join(',')}]`;
}

async function* readingsOf(reader: TableReader, bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Reading[]> {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  let passed = 0;
  for await (const piece of bytes) {
    if (passed === 0) refuseUtf16(piece);
    yield reader.read(decoded(decoder, piece, passed));
    passed += piece.length;
  }
  yield reader.read(decoded(decoder, undefined, passed));
  yield reader.end();
}

function refuseUtf16([first, second]: Uint8Array): void {
  if ((first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff))
    throw new TableRefused('EncodingUnexpected', 'expected UTF-8, found the byte order mark of UTF-16');
}

function decoded(decoder: TextDecoder, piece: Uint8Array | undefined, passed: number): string {
  try {
    return piece === undefined ? decoder.decode() : decoder.decode(piece, { stream: true });
  } catch {
    const place = `after byte ${passed}`;
    throw new TableRefused('EncodingUnexpected', `expected UTF-8, found bytes ${place} that are none, as Windows-1252 has them`);
  }
}

/** A block as it is read: the texts of its rows, those apart that are applied late. */
interface BuiltBlock extends Pick<TableBlock, 'passes' | 'faults' | 'refused'> {
  readonly early: readonly string[];
  readonly late: readonly string[];
}

class BlockBuilder {
  private early: string[] = [];
  private late: string[] = [];
  private characters = 0;
  private passes = 0;
  private seen = new Map<string, number>();
  private faults: RowFault[] = [];
  private refused = 0;

  constructor(private readonly table: Table) {}

  /** The block before, where the row begins a new one. */
  add(reading: Reading): BuiltBlock | null {
    if ('faults' in reading) {
      this.refused += reading.faults.length > 0 ? 1 : 0;
      this.faults.push(...reading.faults);
      return this.refused >= ROWS_PER_BLOCK ? this.end() : null;
    }
    const full = this.isFullFor(reading.row) ? this.end() : null;
    const key = String(reading.row[this.table.key]);
    const pass = (this.seen.get(key) ?? 0) + 1;
    this.seen.set(key, pass);
    this.passes = Math.max(this.passes, pass);
    const text = staged(reading.line, pass, reading.row);
    (this.table.isLate?.(reading.row) === true ? this.late : this.early).push(text);
    this.characters += text.length;
    return full;
  }

  end(): BuiltBlock | null {
    const { early, late, passes, faults, refused } = this;
    if (early.length + late.length === 0 && faults.length === 0) return null;
    this.early = [];
    this.late = [];
    this.characters = 0;
    this.passes = 0;
    this.seen = new Map();
    this.faults = [];
    this.refused = 0;
    return { early, late, passes, faults, refused };
  }

  private isFullFor(row: Row): boolean {
    return (
      this.early.length + this.late.length >= ROWS_PER_BLOCK ||
      this.characters >= CHARACTERS_PER_BLOCK ||
      (this.seen.get(String(row[this.table.key])) ?? 0) >= MOST_PASSES
    );
  }
}

function staged(line: number, pass: number, row: Row): string {
  return JSON.stringify({ line, pass, ...row });
}
