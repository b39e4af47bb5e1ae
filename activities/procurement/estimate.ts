import { type Transaction } from 'kysely';
import { type ChoiceRow } from '../../db/exceptions';
import { ratesFor } from '../../db/parties';
import { type DB } from '../../db/types';
import { costIn } from '../../domain/accounting/effort';
import { type Instant } from '../../domain/deal/terms';
import { plus } from '../../domain/decimal';
import { type Money, toDecimal } from '../../domain/money';
import { isViolation, type Violation } from '../../domain/violation';
import { noteMargin } from '../project/margin';

type Chosen = Pick<ChoiceRow, 'id' | 'chosen_at' | 'chosen_by'>;

/**
 * What the firm takes upon itself comes to the cost of a line at completion: its last estimate to complete is stated anew, higher by
 * that, and what it makes of the margin is looked at. Null where that is not to be done: an estimate that was stated since the outcome
 * was chosen is of all that was known by then, and where a line has none nobody knows its cost at completion.
 */
export async function raiseEstimate(
  trx: Transaction<DB>,
  contractLineId: string,
  { choice, more, at }: { readonly choice: Chosen; readonly more: Money; readonly at: Instant },
): Promise<{ readonly asOf: string } | null | Violation> {
  const last = await trx
    .selectFrom('cost_forecast')
    .select(['as_of', 'estimate_to_complete', 'currency', 'stated_at', 'choice_id'])
    .where('contract_line_id', '=', contractLineId)
    .where('measure', '=', 'cost')
    .orderBy('as_of', 'desc')
    .orderBy('stated_at', 'desc')
    .executeTakeFirst();
  const currency = last?.currency ?? null;
  if (last === undefined || currency === null) return null;
  const isStatedSince = last.choice_id === null && Date.parse(last.stated_at) > Date.parse(choice.chosen_at);
  if (isStatedSince) return null;
  const rates = await ratesFor(trx, [currency, more.currency], last.as_of);
  const raised = costIn(toDecimal(more), more.currency, currency, rates, last.as_of);
  if (isViolation(raised)) return raised;
  await trx
    .insertInto('cost_forecast')
    .values({
      contract_line_id: contractLineId,
      as_of: last.as_of,
      measure: 'cost',
      estimate_to_complete: plus(last.estimate_to_complete, raised),
      currency,
      stated_by: choice.chosen_by,
      stated_at: after(last.stated_at, at),
      choice_id: choice.id,
    })
    .execute();
  await noteMargin(trx, contractLineId, last.as_of, at);
  return { asOf: last.as_of };
}

/** Of two estimates for one month end the later one counts, so this one is later than the one it raises. */
function after(before: Instant, at: Instant): Instant {
  return new Date(Math.max(Date.parse(at), Date.parse(before) + 1)).toISOString();
}
