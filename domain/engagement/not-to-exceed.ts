import { type LocalDate } from '../deal/terms';
import { compare, divide, isNegative, minus, sum, times, type Decimal } from '../decimal';
import { addMoney, money, subtractMoney, sumMoney, type Money } from '../money';

/** A part of an entry that stands on an uncredited document; the first is part 1. */
export interface BilledPart {
  readonly part: number;
  readonly amount: Money;
  readonly hours: Decimal;
}

/** A priced entry of which something is left to bill. `parked` says that an earlier run came to it and could not bill all of it. */
export interface QueuedEntry {
  readonly entryId: string;
  readonly workDate: LocalDate;
  readonly hours: Decimal;
  readonly amount: Money;
  readonly billedParts: readonly BilledPart[];
  readonly parked: boolean;
}

/** Share of a limit at which it is warned where the contract names none (R-121, S-16). */
export const DEFAULT_SOFT_PERCENT: Decimal = '80';

/** What a run finds: the limit in force (null: none) and the fees on uncredited documents before it, before discount (S-09, S-15). */
export interface LimitRunInput {
  readonly limit: Money | null;
  readonly billedToDate: Money;
  /** Fees that corrections took off for good: they make room below the limit, but what was reached stays reached (R-121, S-35). */
  readonly creditedToDate?: Money;
  readonly queue: readonly QueuedEntry[];
  readonly softPercent: Decimal | null;
  readonly softLimitReported: boolean;
}

/** What a run bills of an entry. `released` says that it was parked before. */
export interface RunPart {
  readonly entryId: string;
  readonly part: number;
  readonly itemId: string;
  readonly amount: Money;
  readonly hours: Decimal;
  readonly released: boolean;
}

/** What a run leaves of an entry. */
export interface ParkedPart {
  readonly entryId: string;
  readonly amount: Money;
  readonly hours: Decimal;
}

/** A run in figures, and the parts behind them in the order of the queue. `parkedAfter` = parked before − released + newly parked. */
export interface LimitRun {
  readonly limit: Money | null;
  readonly billedFees: Money;
  readonly billedToDate: Money;
  readonly releasedFromParked: Money;
  readonly newlyParked: Money;
  readonly parkedAfter: Money;
  readonly billed: readonly RunPart[];
  readonly parked: readonly ParkedPart[];
  readonly softLimitReachedBy: string | null;
}

/** Hours of a split entry are shown with so many places; the part billed last takes the rest, so that the parts sum to the entry. */
const SPLIT_HOURS_PLACES = 4;

/**
 * Bills a queue up to the limit (R-120, S-15): parked and new entries together, by work date, then entry id. The entry that crosses the
 * limit is split by amount; the rest of it and everything behind it is parked, even what would fit. It needs what is left of the entries
 * only, not the history: a limit that rises lets the queue run on, and late approvals take the place of their work date. Never bills beyond
 * the limit; where it was lowered below what is billed, it bills nothing. Throws where more of an entry is billed than it amounts to.
 */
export function runUpToLimit(input: LimitRunInput): LimitRun {
  const { currency } = input.billedToDate;
  const billed: RunPart[] = [];
  const parked: (ParkedPart & { readonly before: boolean })[] = [];
  let headroom = headroomOf(input);
  for (const entry of inOrder(input.queue)) {
    const left = remainderOf(entry);
    if (left.amount.minor === 0 && entry.billedParts.length > 0) continue;
    const closed = parked.length > 0;
    const taken: number = closed ? 0 : Math.min(left.amount.minor, headroom);
    const whole = !closed && taken === left.amount.minor;
    const hours = whole ? left.hours : partOfHours(left.hours, taken, left.amount.minor);
    if (whole || taken > 0) billed.push(partOf(entry, money(taken, currency), hours));
    if (!whole) {
      const rest = { amount: money(left.amount.minor - taken, currency), hours: minus(left.hours, hours) };
      parked.push({ entryId: entry.entryId, ...rest, before: entry.parked });
    }
    headroom -= taken;
  }
  const billedFees = total(billed, currency);
  return {
    limit: input.limit,
    billedFees,
    billedToDate: addMoney(input.billedToDate, billedFees),
    releasedFromParked: total(
      billed.filter((part) => part.released),
      currency,
    ),
    newlyParked: total(
      parked.filter((part) => !part.before),
      currency,
    ),
    parkedAfter: total(parked, currency),
    billed,
    parked: parked.map(({ entryId, amount, hours }) => ({ entryId, amount, hours })),
    softLimitReachedBy: softLimitReachedBy(input, billed),
  };
}

/** What is left to bill of an entry. Throws where its parts exceed it. */
export function remainderOf(entry: Pick<QueuedEntry, 'entryId' | 'amount' | 'hours' | 'billedParts'>): { amount: Money; hours: Decimal } {
  const { billedParts } = entry;
  if (billedParts.length === 0) return { amount: entry.amount, hours: entry.hours };
  const amount = subtractMoney(entry.amount, total(billedParts, entry.amount.currency));
  const hours = minus(entry.hours, sum(billedParts.map((part) => part.hours)));
  if (amount.minor < 0 || isNegative(hours)) throw new RangeError(`more is billed of ${entry.entryId} than it amounts to`);
  return { amount, hours };
}

/**
 * The name under which a part of an entry is billed (R-126, I-05): the entry itself for the first part, `<entry>/2` and so on for what is
 * released later. The lowest number that no uncredited part has is taken, so that billing the same part twice meets the unique index.
 */
export function partItemId(entryId: string, part: number): string {
  return part === 1 ? entryId : `${entryId}/${part}`;
}

/**
 * The first entry of the queue that brings the fees to date to the soft share of the limit; once per line, also after the limit has risen
 * (R-121, S-16, S-41). Null where there is no limit or no share, or it was reported before.
 */
function softLimitReachedBy(
  { limit, softPercent, softLimitReported, billedToDate, creditedToDate }: LimitRunInput,
  billed: readonly RunPart[],
): string | null {
  if (limit === null || softPercent === null || softLimitReported) return null;
  const threshold = times(String(limit.minor), softPercent);
  let fees = billedToDate.minor + (creditedToDate?.minor ?? 0);
  for (const part of billed) {
    fees += part.amount.minor;
    if (compare(times(String(fees), '100'), threshold) >= 0) return part.entryId;
  }
  return null;
}

function headroomOf({ limit, billedToDate }: LimitRunInput): number {
  return limit === null ? Number.POSITIVE_INFINITY : Math.max(0, subtractMoney(limit, billedToDate).minor);
}

function inOrder(queue: readonly QueuedEntry[]): QueuedEntry[] {
  return [...queue].sort((a, b) => order(a.workDate, b.workDate) || order(a.entryId, b.entryId));
}

function order(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function partOf(entry: QueuedEntry, amount: Money, hours: Decimal): RunPart {
  const taken = new Set(entry.billedParts.map((each) => each.part));
  let part = 1;
  while (taken.has(part)) part += 1;
  return { entryId: entry.entryId, part, itemId: partItemId(entry.entryId, part), amount, hours, released: entry.parked };
}

/** The share of the hours, rounded down; where nothing is taken the entry keeps its hours, also one that is worth nothing. */
function partOfHours(hours: Decimal, taken: number, whole: number): Decimal {
  return taken === 0 ? '0' : divide(times(hours, String(taken)), String(whole), SPLIT_HOURS_PLACES, 'down');
}

function total(parts: readonly { readonly amount: Money }[], currency: string): Money {
  return sumMoney(
    parts.map((part) => part.amount),
    currency,
  );
}
