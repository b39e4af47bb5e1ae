import { type Transaction } from 'kysely';
import { uuidv7 } from 'uuidv7';
import { effortOf } from '../../db/books/effort';
import { dealOf } from '../../db/deals';
import { closeExceptions, openException, policyOfException, ringException } from '../../db/exceptions';
import { lineOf, type LineRow } from '../../db/lines';
import { approvalRules } from '../../db/policies';
import { type DB } from '../../db/types';
import { monthOf } from '../../domain/calendar/dates';
import { marginAtCost } from '../../domain/deal/margin';
import { type Instant, type LocalDate } from '../../domain/deal/terms';
import { plus, type Decimal } from '../../domain/decimal';
import { isEroded } from '../../domain/exception/detection';
import { lineWorkflowId } from '../../domain/ids';
import { isViolation } from '../../domain/violation';
import { dealMargin } from '../approval/margin';

/**
 * What an estimate makes of the margin of a line: it is written down beside what it is held against, and is an exception where it has
 * fallen too far below. Where cost, price or the margin as sold is not known, nothing follows; the books say what they lack.
 */
export async function noteMargin(trx: Transaction<DB>, contractLineId: string, asOf: LocalDate, at: Instant): Promise<void> {
  const line = await lineOf(trx, contractLineId);
  const { id, deal_id: dealId, selling_entity_id: entityId, line_id: lineId } = line;
  const atCompletion = await marginAtCompletion(trx, line, asOf, at);
  const reference = atCompletion === null ? null : await referenceOf(trx, line);
  const policy = await policyOfException(trx, { entityId, openedAt: at });
  if (atCompletion === null || reference === null || policy === null) return;
  const reading = { contract_line_id: id, as_of: asOf, reference_percent: reference, at_completion_percent: atCompletion, taken_at: at };
  await trx
    .insertInto('margin_reading')
    .values({ id: uuidv7(), ...reading })
    .execute();
  const name = lineWorkflowId(id);
  if (!isEroded(reference, atCompletion, policy.body.marginPoints)) return closeExceptions(trx, 'margin-erosion', [name], at);
  const detail = `line ${lineId} is going to earn more than ${policy.body.marginPoints} points less than it was sold for`;
  const facts = { contractLineId: id };
  await openException(trx, { name, path: 'margin-erosion', detail, dealId, entityId, contractLineId: id, facts }, at);
  await ringException(trx, 'margin-erosion', name, at);
}

/** Cost to date and the estimate to complete, against the price as it is contracted now. */
async function marginAtCompletion(trx: Transaction<DB>, line: LineRow, asOf: LocalDate, at: Instant): Promise<Decimal | null> {
  if (line.terms.revenueMethod === 'hours-percent-complete') return null;
  const effort = await effortOf(trx, line, { asOf: monthOf(asOf), approvedBefore: at });
  const last = isViolation(effort) ? undefined : effort.facts.at(-1);
  return last === undefined ? null : marginAtCost(line.terms, plus(last.toDate, last.toComplete));
}

/** As it was accepted last, else as sold. */
async function referenceOf(trx: Transaction<DB>, line: LineRow): Promise<Decimal | null> {
  const accepted = await trx
    .selectFrom('margin_reading')
    .select('at_completion_percent')
    .where('contract_line_id', '=', line.id)
    .where('accepted_by', 'is not', null)
    .orderBy('taken_at', 'desc')
    .orderBy('id', 'desc')
    .executeTakeFirst();
  if (accepted !== undefined) return accepted.at_completion_percent;
  const { signedDate } = line.contract;
  const rules = await approvalRules(trx, 'deal', signedDate);
  if (isViolation(rules)) return null;
  const deal = await dealOf(trx, line.deal_id);
  const sold = await dealMargin(trx, deal, deal.governing ?? deal.terms, rules.groupCurrency, signedDate);
  return isViolation(sold) ? null : (sold.lines.find(({ lineId }) => lineId === line.line_id)?.marginPercent ?? null);
}
