import { ACCENT, BAND, lineHeight, MUTED, RULE, type Sheet, type Style } from './sheet';

export interface Column {
  readonly title: string;
  /** Share of the width; all shares of a table are relative to their sum. */
  readonly share: number;
  readonly align?: 'left' | 'right';
}

const GAP = 6;
const PADDING = 3;
const HEAD: Style = { size: 7.5, bold: true, color: ACCENT };
const CELL: Style = { size: 8 };

interface Place extends Column {
  readonly x: number;
  readonly width: number;
}

/** A table over as many pages as it takes: its head stands on each of them, and a cell of any length goes on on the next page. */
export async function table(
  sheet: Sheet,
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
  total?: readonly string[],
): Promise<void> {
  const places = placesOf(sheet, columns);
  await sheet.keep(headHeight(sheet, places) + 2 * lineHeight(CELL));
  writeHead(sheet, places);
  for (const row of rows) await writeRow(sheet, places, row, CELL);
  if (total !== undefined) await writeRow(sheet, places, total, { ...CELL, bold: true });
  sheet.y += 8;
}

function placesOf(sheet: Sheet, columns: readonly Column[]): Place[] {
  const shares = columns.reduce((sum, column) => sum + column.share, 0);
  const usable = sheet.width - GAP * (columns.length - 1) - 2 * PADDING;
  let x = sheet.left + PADDING;
  return columns.map((column) => {
    const width = (usable * column.share) / shares;
    const place = { ...column, x, width };
    x += width + GAP;
    return place;
  });
}

function headHeight(sheet: Sheet, places: readonly Place[]): number {
  const lines = Math.max(...places.map(({ title, width }) => sheet.fit(title, width, HEAD).length));
  return lines * lineHeight(HEAD) + 2 * PADDING;
}

function writeHead(sheet: Sheet, places: readonly Place[]): void {
  const height = headHeight(sheet, places);
  sheet.band(sheet.left, sheet.y, sheet.width, height, BAND);
  for (const place of places) sheet.text(place.title, place.x, sheet.y + PADDING, place.width, { ...HEAD, align: place.align ?? 'left' });
  sheet.y += height;
}

async function writeRow(sheet: Sheet, places: readonly Place[], row: readonly string[], style: Style): Promise<void> {
  const cells = places.map((place, index) => sheet.fit(row[index] ?? '', place.width, style));
  const count = Math.max(1, ...cells.map((lines) => lines.length));
  const step = lineHeight(style);
  // A short row stays together; a longer one may begin at the end of a page.
  if (await sheet.keep(Math.min(count, 4) * step + 2 * PADDING)) writeHead(sheet, places);
  for (let first = 0; first < count;) {
    const room = Math.max(1, Math.floor((sheet.bottom - sheet.y - 2 * PADDING) / step));
    const last = Math.min(count, first + room);
    places.forEach((place, index) => {
      const lines = (cells[index] ?? []).slice(first, last);
      sheet.lines(lines, place.x, sheet.y + PADDING, place.width, { ...style, align: place.align ?? 'left' });
    });
    sheet.y += (last - first) * step + 2 * PADDING;
    first = last;
    if (first < count) {
      await sheet.newPage();
      writeHead(sheet, places);
    }
  }
  sheet.rule(sheet.y, sheet.left, sheet.right, 0.4, RULE);
}

/** Pairs of a small name and its value below each other, of at most four lines each; gives the height they took. */
export function pairs(
  sheet: Sheet,
  entries: readonly (readonly [string, string | null])[],
  { x, y, width, nameWidth }: { readonly x: number; readonly y: number; readonly width: number; readonly nameWidth: number },
): number {
  const name: Style = { size: 8, color: MUTED };
  let height = 0;
  for (const [title, value] of entries) {
    if (value === null || value === '') continue;
    const taken = sheet.text(title, x, y + height, nameWidth - GAP, name);
    height += Math.max(taken, sheet.text(value, x + nameWidth, y + height, width - nameWidth, { size: 8, atMost: 4 })) + 1.5;
  }
  return height;
}
