/** Rows of the same kind of work in several entities, together; in the order in which they came. */
export function together<Row, Key extends keyof Row & string>(
  rows: readonly Row[],
  keys: readonly Key[],
): { readonly of: Pick<Row, Key>; readonly parts: readonly Row[] }[] {
  const groups = new Map<string, { of: Pick<Row, Key>; parts: Row[] }>();
  for (const row of rows) {
    const name = JSON.stringify(keys.map((key) => row[key]));
    const group = groups.get(name) ?? { of: pick(row, keys), parts: [] };
    group.parts.push(row);
    groups.set(name, group);
  }
  return [...groups.values()];
}

export function sumOf<Row>(rows: readonly Row[], count: (row: Row) => number): number {
  return rows.reduce((total, row) => total + count(row), 0);
}

function pick<Row, Key extends keyof Row>(row: Row, keys: readonly Key[]): Pick<Row, Key> {
  return Object.fromEntries(keys.map((key) => [key, row[key]])) as Pick<Row, Key>;
}
