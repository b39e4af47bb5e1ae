import { type LocalDate } from '../deal/terms';
import { type Money } from '../money';
import { type Violation } from '../violation';

/** The limit of a line as a contract version states it; null where that version has none. */
export interface LimitInForce {
  readonly inForceFrom: LocalDate;
  readonly contractVersion: number;
  readonly limit: Money | null;
}

/**
 * The limit in force on a date: the latest on or before it, of two on one day that of the higher contract version (R-122, S-02). Refuses
 * with `LimitNotInForce` before the first version: nothing may be billed then.
 */
export function limitInForce(timeline: readonly LimitInForce[], date: LocalDate): LimitInForce | Violation {
  const latest = timeline
    .filter((each) => each.inForceFrom <= date)
    .reduce<LimitInForce | null>((last, each) => (last === null || isLater(each, last) ? each : last), null);
  return latest ?? { violation: 'LimitNotInForce', detail: `no contract version is in force on ${date}` };
}

function isLater(a: LimitInForce, b: LimitInForce): boolean {
  return a.inForceFrom === b.inForceFrom ? a.contractVersion > b.contractVersion : a.inForceFrom > b.inForceFrom;
}
