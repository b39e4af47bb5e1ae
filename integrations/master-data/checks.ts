import { parseMoney } from '../../domain/money';
import { isViolation } from '../../domain/violation';
import { type MasterDataError } from './errors';

/** In which line of its CSV file each row stands. */
export type Lines = Readonly<Record<string, readonly number[]>>;

/** Something that holds from a day to a day (included; null is open-ended). */
export interface Held {
  readonly key: string;
  readonly from: string;
  readonly to: string | null;
}

/** Collects what is wrong between the files of a folder; `row` is the position of a row in its CSV file. */
export class Checks {
  readonly errors: MasterDataError[] = [];

  constructor(private readonly lines: Lines) {}

  add(file: string, field: string, reason: string, row?: number): void {
    this.errors.push({ file, line: row === undefined ? null : (this.lines[file]?.[row] ?? null), field, reason });
  }

  knows(file: string, field: string, id: string | null, known: ReadonlySet<string>, what: string, row?: number): void {
    if (id !== null && !known.has(id)) this.add(file, field, `${id} is no ${what}`, row);
  }

  unique(file: string, field: string, ids: readonly string[]): void {
    for (const id of repeated(ids)) this.add(file, field, `${ids[id] ?? ''} stands twice`);
  }

  uniqueRows(file: string, field: string, ids: readonly string[]): void {
    for (const row of repeated(ids)) this.add(file, field, `${ids[row] ?? ''} stands twice`, row);
  }

  fits(file: string, field: string, amount: string | null, currency: string, row?: number): void {
    const money = amount === null ? null : parseMoney(amount, currency);
    if (isViolation(money)) this.add(file, field, money.detail, row);
  }

  /** Rows of one key never hold on the same day: the later one is named. */
  apart(file: string, field: string, rows: readonly Held[], what: string): void {
    const reach = new Map<string, string>();
    const inOrder = rows
      .map((held, row) => ({ ...held, row }))
      .sort((a, b) => (a.from < b.from ? -1 : a.from > b.from ? 1 : a.row - b.row));
    for (const { key, from, to, row } of inOrder) {
      const before = reach.get(key);
      if (before !== undefined && before >= from) this.add(file, field, `overlaps another ${what}`, row);
      const until = to ?? '9999-12-31';
      if (before === undefined || until > before) reach.set(key, until);
    }
  }
}

/** Positions of those that stood before. */
function repeated(ids: readonly string[]): number[] {
  const seen = new Set<string>();
  return ids.flatMap((id, position) => (seen.size === seen.add(id).size ? [position] : []));
}
