import { type Month } from '../deal/terms';
import { ACCOUNTS } from './accounts';
import { entry, post, type EntryHead } from './entries';
import { type JournalDimensions, type JournalEntry } from './journal';

/** Revenue that `period` recognises for `month` of a line, in minor units; negative where too much was recognised before. */
export interface RevenuePosted extends EntryHead {
  readonly lineId: string;
  readonly period: Month;
  readonly month: Month;
  readonly amountMinor: number;
  readonly dimensions: JournalDimensions;
}

/** Balances of a line in minor units, debit less credit, and what its position is to be. */
export interface PositionShown extends EntryHead {
  readonly lineId: string;
  readonly period: Month;
  /** `revenue` at the soft close, `close` for what came between the two. */
  readonly step: 'revenue' | 'close';
  readonly balances: { readonly contractBalance: number; readonly contractAsset: number; readonly contractLiability: number };
  readonly dimensions: JournalDimensions;
}

/** Contract balance against revenue, of one line and one month (R-130, S-26 to S-29, S-45). Throws for nothing. */
export function revenueRecognised(input: RevenuePosted): JournalEntry {
  const { lineId, period, month, amountMinor, currency, dimensions } = input;
  if (amountMinor === 0) throw new RangeError(`no revenue of ${lineId} in ${month}`);
  const about = month === period ? '' : `/for-${month}`;
  const made = entry(input, `revenue/${lineId}/${period}${about}`, `Revenue of ${month}`, [
    post(ACCOUNTS.contractBalance, amountMinor, currency, dimensions),
    post(ACCOUNTS.revenue, -amountMinor, currency, dimensions),
  ]);
  return { ...made, concernsMonth: month };
}

/**
 * Shows what a line is ahead of its billing as contract asset, or behind it as contract liability: moves the contract balance there, by the
 * difference to what is shown already. One line, never netted with another (S-29). Null where nothing has to move.
 */
export function positionShown(input: PositionShown): JournalEntry | null {
  const { lineId, period, step, balances, currency, dimensions } = input;
  const net = balances.contractBalance + balances.contractAsset + balances.contractLiability;
  const asset = Math.max(net, 0) - balances.contractAsset;
  const liability = Math.min(net, 0) - balances.contractLiability;
  const lines = [
    post(ACCOUNTS.contractBalance, -balances.contractBalance, currency, dimensions),
    post(ACCOUNTS.contractAsset, asset, currency, dimensions),
    post(ACCOUNTS.contractLiability, liability, currency, dimensions),
  ].filter((line) => line.debitMinor !== 0 || line.creditMinor !== 0);
  return lines.length === 0
    ? null
    : entry(input, `contract-position/${lineId}/${period}/${step}`, `Contract position at the end of ${period}`, lines);
}
