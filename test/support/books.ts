import { type Kysely } from 'kysely';
import { createActivities } from '../../activities/index';
import { type BooksView } from '../../contracts/books';
import { type PlanBudget } from '../../db/delivery-plan';
import { type DB } from '../../db/types';
import { type LineTerms } from '../../domain/deal/terms';
import { parseMoney } from '../../domain/money';
import { isViolation } from '../../domain/violation';
import { inRun } from './activity-run';
import { approvedDeal } from './approved';
import { dealRow } from './builders';
import { testDeal } from './lifecycles';

export const STARTED = '2026-01-23T14:00:00.000Z';

/** Lines of a deal of their own whose baseline is made at a moment, with so many tasks on the first one and budgets for subcontractors; by their line ids. */
export async function soldLines(
  db: Kysely<DB>,
  lines: readonly LineTerms[],
  at = STARTED,
  tasks = 0,
  budgets: readonly PlanBudget[] = [],
): Promise<ReadonlyMap<string, string>> {
  const terms = testDeal({ lines: [...lines] });
  const row = dealRow(terms, { state: 'approval', seller_id: 'U-SELLER' });
  await db.insertInto('deal').values(row).execute();
  for (let task = 1; task <= tasks; task += 1) await insertEstimate(db, row.id, lines[0]?.lineId ?? '', `T${task}`);
  const planned = budgets.map(({ lineId, workPackageId, cost, currency }) => {
    const money = parseMoney(cost, currency);
    if (isViolation(money)) throw new Error(money.detail);
    return { deal_id: row.id, line_id: lineId, work_package_id: workPackageId, cost_minor: money.minor, currency };
  });
  if (planned.length > 0) await db.insertInto('planned_subcontractor_budget').values(planned).execute();
  const approvalId = await approvedDeal(db, row.id, terms);
  const baseline = { dealId: row.id, approvalId, at };
  const made = await inRun('deal', () => createActivities({ db }).createBaseline(baseline));
  const ids = made.lines.map((line) => line.contractLineId);
  await db.updateTable('contract_line').set({ state: 'active' }).where('id', 'in', ids).execute();
  return new Map(made.lines.map((line) => [line.lineId, line.contractLineId]));
}

/** A task of 100 hours on a line. */
export async function insertEstimate(db: Kysely<DB>, dealId: string, lineId: string, taskId: string): Promise<void> {
  await db
    .insertInto('deal_estimate')
    .values({
      deal_id: dealId,
      task_id: taskId,
      line_id: lineId,
      phase: 'Phase',
      work_package_id: 'WP1',
      work_package_name: 'Package',
      service_line: 'advisory',
      role_code: 'SC',
      estimate_hours: '100',
      planned_start: '2026-02-01',
      planned_end: '2026-06-30',
      valid_from: '2026-02-01',
      billable: true,
    })
    .execute();
}

/** Keeps the books of an entity up to a moment, as their run does; every effect twice, as after a crash. */
export async function keepBooks(db: Kysely<DB>, entityId: string, until: string): Promise<BooksView> {
  const activities = createActivities({ db });
  const run = <T>(effect: () => Promise<T>): Promise<T> => inRun(`period/${entityId}`, async () => (await effect(), effect()));
  const look = String(process.hrtime.bigint());
  let books = await run(() => activities.reviewBooks({ entityId, look, at: until }));
  for (let steps = 0; steps < 200; steps += 1) {
    const { next } = books;
    if (books.finished || next === null || next.at > until) return books;
    const { period, at } = next;
    if (next.action === 'close') books = await run(() => activities.closePeriod({ entityId, period, at }));
    else {
      let block = await run(() => activities.postRevenue({ entityId, period, after: null, at }));
      while (block.after !== null) {
        const after = block.after;
        block = await run(() => activities.postRevenue({ entityId, period, after, at }));
      }
      books = block.books;
    }
  }
  throw new Error(`the books of ${entityId} do not come to an end`);
}

/** Revenue of a line as posted: the month it concerns, the month it stands in, minor units. */
export async function revenueOf(db: Kysely<DB>, contractLineId: string): Promise<(readonly [string, string, number])[]> {
  const rows = await db
    .selectFrom('revenue_by_line_month')
    .select(['month', 'posted_in', 'revenue_minor'])
    .where('contract_line_id', '=', contractLineId)
    .orderBy('posted_in')
    .orderBy('month')
    .execute();
  return rows.map((row) => [row.month ?? '', row.posted_in ?? '', Number(row.revenue_minor)] as const);
}
