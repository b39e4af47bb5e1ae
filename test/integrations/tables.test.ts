import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { parse } from 'csv-parse/sync';
import fc from 'fast-check';
import { CsvReader, LONGEST_ROW, type CsvRow } from '../../integrations/tables/csv';
import { csvCell, csvLine } from '../../integrations/tables/csv-writer';
import { timeTable, usageTable } from '../../integrations/tables/kinds';
import { readTable, type TableBlock, type TableFormat } from '../../integrations/tables/read-table';
import { type Table } from '../../integrations/tables/table';
import { timeFile, timeRow } from '../support/intake-files';

/** Rows of a text that comes in pieces of some lengths. */
function rowsOf(text: string, lengths: readonly number[] = []): CsvRow[] {
  const reader = new CsvReader();
  return [...pieces(text, lengths).flatMap((piece) => reader.read(piece)), ...reader.end()];
}

function pieces<T extends string | Buffer>(whole: T, lengths: readonly number[]): T[] {
  const found: T[] = [];
  let from = 0;
  for (const length of lengths) {
    found.push(whole.slice(from, from + length) as T);
    from += length;
  }
  return [...found, whole.slice(from) as T];
}

async function blocksOf(table: Table, format: TableFormat, bytes: Iterable<Uint8Array> | AsyncIterable<Uint8Array>): Promise<TableBlock[]> {
  const blocks: TableBlock[] = [];
  async function* source(): AsyncGenerator<Uint8Array> {
    yield* bytes;
  }
  for await (const block of readTable(table, format, source())) blocks.push(block);
  return blocks;
}

const rows = (blocks: readonly TableBlock[]): unknown[] => blocks.flatMap(({ content }) => JSON.parse(content) as unknown[]);

describe('CSV', () => {
  const cell = fc.string({ unit: fc.constantFrom('a', 'ä', '€', '😀', '"', ',', '\n', '\r\n', ' ', ';', "'"), maxLength: 6 });
  // A row of one empty cell is an empty line, which is none.
  const table = fc.array(fc.array(cell, { minLength: 2, maxLength: 4 }), { maxLength: 8 });
  const written = (cells: readonly string[]): string =>
    cells.map((each) => (/[",\r\n]/.test(each) ? `"${each.replaceAll('"', '""')}"` : each)).join(',');

  test('is read as it was written, and as another reader reads it, in whichever pieces it comes', () => {
    fc.assert(
      fc.property(table, fc.array(fc.integer({ min: 1, max: 9 })), fc.boolean(), (records, lengths, endsOpen) => {
        const text = records.map(written).join('\n') + (endsOpen || records.length === 0 ? '' : '\n');
        const read = rowsOf(text, lengths);
        expect(read.map((row) => ('cells' in row ? row.cells : row.fault.code))).toEqual(records);
        expect(read).toEqual(rowsOf(text));
        expect(records).toEqual(parse(text, { relax_column_count: true }));
      }),
    );
  });

  test('says in which line of the file each row begins', () => {
    const lines = rowsOf('a,b\r\n"x\ny",1\n\nc,d\n').map(({ line }) => line);
    expect(lines).toEqual([1, 2, 5]);
  });

  test.each([
    ['a quote inside a cell', 'a,b"c\n1,2\n', ['QuoteMisplaced', '1,2']],
    ['text behind a quoted cell', '"a"b,c\n1,2\n', ['QuoteMisplaced', '1,2']],
    ['a carriage return behind a quoted cell', '"a"\rb,c\n1,2\n', ['QuoteMisplaced', '1,2']],
    ['a quote that is never closed', 'a,"b\n1,2\n3,4', ['QuoteMisplaced', '1,2', '3,4']],
    ['a row without end', `${'x'.repeat(LONGEST_ROW + 1)}\n1,2`, ['RowTooLong', '1,2']],
  ])('with %s costs that row and not the next', (_what, text, expected) => {
    for (const lengths of [[], [1, 1, 1], Array.from({ length: 40 }, () => 5000)])
      expect(rowsOf(text, lengths).map((row) => ('cells' in row ? row.cells.join() : row.fault.code))).toEqual(expected);
  });

  test('with a quote that is not closed for long does not keep the whole file', () => {
    const read = rowsOf(
      `a,"b\n${'1,2\n'.repeat(40_000)}`,
      Array.from({ length: 100 }, () => 1000),
    );
    expect(read).toHaveLength(40_001);
    expect(read[0]).toMatchObject({ line: 1, fault: { code: 'QuoteMisplaced' } });
    expect(read.at(-1)).toMatchObject({ line: 40_001 });
  });

  test('is written so that no cell is a formula, and reads back', () => {
    expect(['=1', '+1', '-1', '@x', '\tx', '\rx', '\nx'].map(csvCell).every((each) => /^"?'/.test(each))).toBe(true);
    expect(csvLine(['a', 'b "c"', 'd,e', null, -5])).toBe('a,"b ""c""","d,e",,-5\n');
    fc.assert(
      fc.property(
        fc.array(
          fc.string({ unit: 'grapheme' }).filter((text) => !/^[=+\-@\t\r\n']/.test(text) && !text.includes('\r')),
          { minLength: 2 },
        ),
        (cells) => {
          expect(parse(csvLine(cells))).toEqual([cells]);
        },
      ),
    );
  });
});

describe('a table of facts', () => {
  const usage = (over: object) => ({
    eventId: 'U',
    servicePeriod: '2026-10',
    lineId: 'L5',
    tickets: 187,
    p1Tickets: 40,
    p1WithinTarget: 39,
    supersedes: null,
    reportedAt: '2026-11-01T07:00:00Z',
    ...over,
  });

  test('in JSON is the same in whichever pieces of bytes it comes', async () => {
    const text = Buffer.from(
      JSON.stringify([usage({ eventId: 'U{[' }), usage({ eventId: 'a"]}\\' }), usage({ lineId: 'ä' }), usage({ eventId: 'C' })], null, 1),
    );
    const whole = await blocksOf(usageTable, 'application/json', [text]);
    expect(rows(whole)).toMatchObject([
      { line: 1, event_id: 'U{[' },
      { line: 2, event_id: 'a"]}\\' },
      { line: 4, tickets: 187, p1_within_target: 39 },
    ]);
    expect(whole[0]?.faults).toMatchObject([{ line: 3, field: 'line_id', code: 'CellMalformed' }]);
    await fc.assert(
      fc.asyncProperty(fc.array(fc.integer({ min: 1, max: 60 })), async (lengths) => {
        expect(await blocksOf(usageTable, 'application/json', pieces(text, lengths))).toEqual(whole);
      }),
    );
  });

  test('in CSV may be cut inside a character', async () => {
    const text = Buffer.from(timeFile([timeRow({ note: 'Prüfung 😀' })]));
    const whole = await blocksOf(timeTable, 'text/csv', [text]);
    for (let at = 1; at < text.length; at += 1) expect(await blocksOf(timeTable, 'text/csv', pieces(text, [at]))).toEqual(whole);
    expect(rows(whole)).toMatchObject([{ note: 'Prüfung 😀' }]);
  });

  test('with an element that is too long takes the others', async () => {
    const text = Buffer.from(JSON.stringify([usage({}), usage({ eventId: 'x'.repeat(200_000) }), usage({ eventId: 'V' })]));
    for (const lengths of [[], Array.from({ length: 60 }, () => 4000)]) {
      const [block] = await blocksOf(usageTable, 'application/json', pieces(text, lengths));
      expect(block).toMatchObject({ rows: 2, refused: 1, faults: [{ line: 2, code: 'RowTooLong' }] });
    }
  });

  test('puts a key that comes again into a later pass, and begins a new block before there are many', async () => {
    const text = timeFile(Array.from({ length: 20 }, (_, index) => timeRow({ entry_id: 'A', hours: String(index + 1) })));
    const blocks = await blocksOf(timeTable, 'text/csv', [Buffer.from(text)]);
    expect(blocks.map(({ rows: count, passes }) => [count, passes])).toEqual([
      [8, 8],
      [8, 8],
      [4, 4],
    ]);
    expect(rows(blocks)).toMatchObject(
      Array.from({ length: 20 }, (_, index) => ({ line: index + 2, pass: (index % 8) + 1, hours: String(index + 1) })),
    );
  });

  test('with too many wrong rows is refused', async () => {
    const bytes = function* (): Generator<Uint8Array> {
      yield Buffer.from(timeFile([]));
      for (let sent = 0; sent < 11; sent += 1) yield Buffer.from('x\n'.repeat(10_000));
    };
    await expect(blocksOf(timeTable, 'text/csv', bytes())).rejects.toMatchObject({ code: 'TooManyBadRows' });
  });

  test('of 80 MB is read with the memory of a block', async () => {
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as () => void;
    const row = Buffer.from(
      timeFile([timeRow({ note: 'n'.repeat(1900) })])
        .split('\n')
        .slice(1)
        .join('\n'),
    );
    let sent = 0;
    const used: number[] = [];
    async function* bytes(): AsyncGenerator<Uint8Array> {
      yield Buffer.from(timeFile([]));
      for (const piece = Buffer.concat(Array.from({ length: 32 }, () => row)); sent < 80_000_000; sent += piece.length) yield piece;
    }
    let count = 0;
    for await (const block of readTable(timeTable, 'text/csv', bytes())) {
      count += block.rows;
      if (sent / 8_000_000 < used.length) continue;
      collect();
      used.push(process.memoryUsage().heapUsed);
    }
    expect(count).toBe(sent / row.length);
    expect(used.length).toBeGreaterThan(8);
    // What older tests left may still go meanwhile; nothing may come on top of the least that was seen before.
    const growth = used.map((bytesUsed, index) => bytesUsed - Math.min(...used.slice(0, index + 1)));
    expect(Math.max(...growth)).toBeLessThan(20_000_000);
  }, 240_000);
});
