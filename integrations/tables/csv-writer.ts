/** One line of CSV, with its line break. */
export function csvLine(cells: readonly (string | number | null)[]): string {
  return `${cells.map((cell) => (typeof cell === 'number' ? String(cell) : csvCell(cell ?? ''))).join(',')}\n`;
}

/**
 * A text as a cell: quoted where it must be, and never a formula. Spreadsheets run what begins with `=`, `+`, `-`, `@`, a tab or a
 * line break; an apostrophe before it makes it the text that it is. Numbers of ours are written as numbers.
 */
export function csvCell(text: string): string {
  const harmless = /^[=+\-@\t\r\n]/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(harmless) ? `"${harmless.replaceAll('"', '""')}"` : harmless;
}
