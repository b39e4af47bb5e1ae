/** A part of a list: at most `limit` rows behind the row whose keys are `after` (null: from the start). */
export interface PageRequest {
  readonly limit: number;
  readonly after: readonly string[] | null;
}

/** `next` are the keys of the last row where more follow, else null. */
export interface Page<T> {
  readonly rows: readonly T[];
  readonly next: readonly string[] | null;
}

/** Makes a page of up to `limit + 1` rows that a query gave. */
export function pageOf<R, T>(found: readonly R[], page: PageRequest, keys: (row: R) => readonly string[], view: (row: R) => T): Page<T> {
  const rows = found.slice(0, page.limit);
  const last = rows.at(-1);
  return { rows: rows.map(view), next: found.length > page.limit && last !== undefined ? keys(last) : null };
}

/** A key of the row before; an absent one is a bug of the caller, whose cursor has another shape. */
export function keyAt(page: PageRequest, index: number): string {
  const key = page.after?.[index];
  if (key === undefined) throw new Error(`the cursor has no part ${index}`);
  return key;
}
