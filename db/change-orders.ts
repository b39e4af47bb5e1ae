import { type Kysely, type Selectable, type Transaction } from 'kysely';
import { type ModificationAnswers } from '../domain/change/accounting';
import { type AddOnText, type ChangeOrder, type NewTask } from '../domain/change/change-order';
import { type LineValue } from '../domain/change/value';
import { type DealTerms } from '../domain/deal/terms';
import { type DB } from './types';

export type OrderState = 'requested' | 'approved' | 'applied' | 'refused' | 'withdrawn';

/** A change order with its changes typed. */
export interface ChangeOrderRow extends Omit<Selectable<DB['change_order']>, 'tasks' | 'state' | 'accounting_answers' | 'line_values'> {
  readonly state: OrderState;
  readonly tasks: readonly NewTask[];
  readonly values: readonly LineValue[];
  readonly changes: readonly Selectable<DB['change_order_change']>[];
  readonly accounting_answers: ModificationAnswers | null;
}

/** The contract version that governs now. */
export async function governingVersion(
  db: Kysely<DB>,
  dealId: string,
): Promise<{ readonly version: number; readonly terms: DealTerms } | null> {
  const row = await db
    .selectFrom('contract_version')
    .select(['version', 'terms'])
    .where('deal_id', '=', dealId)
    .orderBy('version', 'desc')
    .limit(1)
    .executeTakeFirst();
  return row === undefined ? null : { version: row.version, terms: row.terms as DealTerms };
}

/** A change order of a deal; undefined where the deal has none of this id. Lock the deal first. */
export async function changeOrderOf(db: Kysely<DB>, dealId: string, changeOrderId: string): Promise<ChangeOrderRow | undefined> {
  const row = await db
    .selectFrom('change_order')
    .selectAll()
    .where('id', '=', changeOrderId)
    .where('deal_id', '=', dealId)
    .executeTakeFirst();
  if (row === undefined) return undefined;
  const changes = await db
    .selectFrom('change_order_change')
    .selectAll()
    .where('change_order_id', '=', changeOrderId)
    .orderBy('position')
    .execute();
  const { tasks, state, accounting_answers: answers, line_values: values, ...rest } = row;
  return {
    ...rest,
    state: state as OrderState,
    tasks: tasks as readonly NewTask[],
    values: values as readonly LineValue[],
    accounting_answers: answers as ModificationAnswers | null,
    changes,
  };
}

/** The order as it was asked for, for the rules to look at again. */
export function orderOf(row: ChangeOrderRow): ChangeOrder {
  return {
    contractVersion: row.contract_version,
    changes: row.changes.map((each) => ({
      path: each.path,
      from: each.value_before,
      to: each.value_after as string | AddOnText,
      ...(each.currency === null ? {} : { currency: each.currency }),
      inForceFrom: each.in_force_from,
    })),
    tasks: row.tasks,
  };
}

/** Everything approved and answered: it can be applied. */
export function isReady(row: Pick<ChangeOrderRow, 'state' | 'customer_recorded_at' | 'accounting_at'>): boolean {
  return row.state === 'approved' && row.customer_recorded_at !== null && row.accounting_at !== null;
}

/** Contract lines that a change order touches. */
export function lineIdsOf(row: Pick<ChangeOrderRow, 'changes'>): string[] {
  return [...new Set(row.changes.map((each) => each.contract_line_id))].sort();
}

export async function openChangeOrders(db: Kysely<DB>, dealId: string): Promise<ChangeOrderRow[]> {
  const rows = await db
    .selectFrom('change_order')
    .select('id')
    .where('deal_id', '=', dealId)
    .where('state', 'in', ['requested', 'approved'])
    .orderBy('requested_at')
    .orderBy('number')
    .execute();
  const found: ChangeOrderRow[] = [];
  for (const { id } of rows) {
    const row = await changeOrderOf(db, dealId, id);
    if (row !== undefined) found.push(row);
  }
  return found;
}

/** Terms that change no price of what is due. */
const WITHOUT_PRICE = ['notToExceed', 'capSoftPercent', 'endDate'];

/**
 * Whether an open change order would change the price of what a line bills for a month (null: of a milestone): then it waits for the decision
 * (R-033, R-199, RULES: readiness blockers).
 */
export async function isPricePending(db: Kysely<DB>, contractLineId: string, period: string | null): Promise<boolean> {
  let query = db
    .selectFrom('change_order_change as change')
    .innerJoin('change_order as asked', 'asked.id', 'change.change_order_id')
    .select('asked.id')
    .where('change.contract_line_id', '=', contractLineId)
    .where('asked.state', 'in', ['requested', 'approved'])
    .where('change.term', 'not in', WITHOUT_PRICE)
    .where('change.term', 'not like', '%.plannedDate')
    .where('change.term', 'not like', 'workPackages.%');
  if (period !== null) query = query.where((eb) => eb(eb.fn<string>('to_char', ['change.in_force_from', eb.val('YYYY-MM')]), '<=', period));
  return (await query.limit(1).executeTakeFirst()) !== undefined;
}

/** Change orders that the deal has no more time for are withdrawn. */
export async function endOpenChangeOrders(trx: Transaction<DB>, dealId: string, code: string, at: string): Promise<void> {
  for (const { id } of await openChangeOrders(trx, dealId))
    await endChangeOrder(trx, id, { state: 'withdrawn', code, detail: 'the deal came to its end first', at });
}

/** Ends a change order without applying it. Tasks that nobody worked on go; on the others time stays recorded, and no contract covers it. */
export async function endChangeOrder(
  trx: Transaction<DB>,
  changeOrderId: string,
  end: { readonly state: 'refused' | 'withdrawn'; readonly code: string; readonly detail: string; readonly at: string },
): Promise<void> {
  await trx
    .updateTable('change_order')
    .set({ state: end.state, outcome_code: end.code, outcome_detail: end.detail, settled_at: end.at })
    .where('id', '=', changeOrderId)
    .where('state', 'in', ['requested', 'approved'])
    .execute();
  const packages = await trx
    .deleteFrom('work_task')
    .where('change_order_id', '=', changeOrderId)
    .where((eb) => eb.not(eb.exists(eb.selectFrom('time_entry').select('entry_id').whereRef('work_task_id', '=', 'work_task.id'))))
    .returning('work_package_id')
    .execute();
  if (packages.length === 0) return;
  await trx
    .deleteFrom('work_package')
    .where('id', 'in', [...new Set(packages.map((each) => each.work_package_id))])
    .where((eb) => eb.not(eb.exists(eb.selectFrom('work_task').select('id').whereRef('work_package_id', '=', 'work_package.id'))))
    .execute();
}
