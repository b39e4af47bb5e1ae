import { termMonths } from '../deal/amount';
import { type DealTerms, type LineTerms } from '../deal/terms';
import { dueOfMonth } from '../engagement/schedule';
import { compareMoney, negateMoney, subtractMoney, sumMoney, zeroMoney, type Money } from '../money';

/** What a change order is worth on one line. */
export interface LineValue {
  readonly lineId: string;
  readonly before: Money;
  readonly after: Money;
  /** After less before; negative where the line shrinks. */
  readonly difference: Money;
}

/**
 * The effect of a new version on the value of each line it touches: the fixed fee, the limit, or all fees of the term with add-ons and months
 * in part (R-197, S-03). Rates and tasks alone change no value.
 */
export function valuesOf(before: DealTerms, after: DealTerms, lineIds: readonly string[]): LineValue[] {
  return after.lines
    .filter((line) => lineIds.includes(line.lineId))
    .map((line) => {
      const earlier = before.lines.find((each) => each.lineId === line.lineId);
      const values = { before: earlier === undefined ? zeroMoney(line.currency) : lineValue(earlier), after: lineValue(line) };
      return { lineId: line.lineId, ...values, difference: subtractMoney(values.after, values.before) };
    });
}

/** What decides the tiers (R-197, S-03): the change of each line, whatever its sign, so that more on one line does not hide less on another. */
export function valueForTiers(values: readonly LineValue[]): Money[] {
  return values.map(({ difference }) =>
    compareMoney(difference, zeroMoney(difference.currency)) < 0 ? negateMoney(difference) : difference,
  );
}

/** Value of a line as its contract version has it, in its currency. */
export function lineValue(line: LineTerms): Money {
  switch (line.engagementModel) {
    case 'fixed-fee':
      return line.fixedFee;
    case 'time-and-materials':
      return line.notToExceed ?? zeroMoney(line.currency);
    case 'managed-service':
    case 'retainer':
      return sumMoney(
        termMonths(line).map((month) => dueOfMonth(line, month)),
        line.currency,
      );
  }
}
