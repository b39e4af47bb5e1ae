import { type Transaction } from 'kysely';
import { syncFindings, takeReviews } from '../../db/findings';
import { ratesForDates } from '../../db/fx-window';
import { type LineRow } from '../../db/lines';
import { expensePolicies, judgedPeople } from '../../db/policy-facts';
import { expenseOf } from '../../db/unbilled';
import { type DB } from '../../db/types';
import { type Instant } from '../../domain/deal/terms';
import { EXPENSE_ERRORS, EXPENSE_WARNINGS } from '../../domain/expense-policy/expense';
import { reviewExpenses } from '../../domain/expense-policy/review';
import { known } from '../../domain/time-policy/entry';
import { openBreaches } from './breaches';
import { entryFinding, judgedDeal } from './judged-deal';

/** Judges the expenses of the people whose expenses came since (R-128, S-23). Gives the lines of which something became or stopped being blocked. */
export async function reviewExpensesThatCame(trx: Transaction<DB>, dealId: string, at: Instant): Promise<string[]> {
  return reviewOf(trx, dealId, await takeReviews(trx, dealId, 'expense'), at);
}

/** Judges anew the expenses of the people of whom a run may take some: a policy or a rate of exchange may have come. */
export async function reviewExpensesToBill(trx: Transaction<DB>, line: LineRow, at: Instant): Promise<void> {
  const people = await trx
    .selectFrom('expense')
    .leftJoin('expense_price as price', 'price.expense_id', 'expense.expense_id')
    .select('person_id')
    .distinct()
    .where('expense.contract_line_id', '=', line.id)
    .where('status', '=', 'approved')
    .where('price.expense_id', 'is', null)
    .execute();
  await reviewOf(
    trx,
    line.deal_id,
    people.map((row) => row.person_id),
    at,
  );
}

async function reviewOf(trx: Transaction<DB>, dealId: string, personIds: readonly string[], at: Instant): Promise<string[]> {
  const deal = personIds.length === 0 ? null : await judgedDeal(trx, dealId);
  if (deal === null) return [];
  const rows = await trx
    .selectFrom('expense')
    .innerJoin('contract_line as line', 'line.id', 'expense.contract_line_id')
    .selectAll('expense')
    .select('line.line_id')
    .where('line.deal_id', '=', dealId)
    .where('expense.person_id', 'in', personIds)
    .execute();
  const policies = await expensePolicies(trx);
  const people = await judgedPeople(trx, personIds);
  const currencies = [...rows.map((row) => row.currency), ...policies.map((policy) => policy.currency)];
  const fxRates = await ratesForDates(
    trx,
    currencies,
    rows.map((row) => row.spend_date),
  );
  const reviews = reviewExpenses(
    rows.map((row) => expenseOf(row, row.line_id)),
    { policies, fxRates, timeZoneOf: (personId) => known(people, personId).calendar.timeZone },
  );
  const byId = new Map(rows.map((row) => [row.expense_id, { personId: row.person_id, contractLineId: row.contract_line_id }]));
  const found = reviews.flatMap(({ expenseId, errors, warnings }) =>
    [...errors.map((code) => ({ code, blocking: true })), ...warnings.map((code) => ({ code, blocking: false }))].map((finding) =>
      entryFinding(deal, known(byId, expenseId), { ...finding, reference: expenseId }),
    ),
  );
  const judged = { kind: 'expense', codes: [...EXPENSE_ERRORS, ...EXPENSE_WARNINGS], personIds } as const;
  const lines = await syncFindings(trx, dealId, judged, found, at);
  if (found.some(({ blocking }) => blocking)) await openBreaches(trx, dealId, at);
  return lines;
}
