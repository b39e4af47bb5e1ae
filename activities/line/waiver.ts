import { sql, type Transaction } from 'kysely';
import { uuidv7 } from 'uuidv7';
import { type LineActivities } from '../../contracts/activities';
import { type BillingWaiver } from '../../contracts/workflow-state';
import { closeExceptions } from '../../db/exceptions';
import { insertRows } from '../../db/insert-rows';
import { type LineRow } from '../../db/lines';
import { type DB } from '../../db/types';
import { limitTimeline } from '../../domain/engagement/dated-terms';
import { isSettled } from '../../domain/engagement/overage';
import { engagementModel } from '../../domain/engagement/registry';
import { type WaivedItem } from '../../domain/engagement/waiver';
import { lineWorkflowId } from '../../domain/ids';
import { isViolation, type Violation } from '../../domain/violation';
import { type ActivityDeps } from '../deps';
import { lineEffect, type LineFact } from './effect';
import { followUpFacts } from './follow-up';
import { keepPrices } from './period-run';
import { unbilledOf } from './time-and-materials';

type Decision = BillingWaiver;

/**
 * Finance decides what is not billed (R-181, R-129): overage hours of a month of work, or parked time, other unbilled time or expenses of a
 * time-and-materials line. Whoever worked or approved what it is about has no say in it.
 */
export function recordWaiver(deps: ActivityDeps): LineActivities['recordWaiver'] {
  return ({ contractLineId, waiver }) => {
    const { waiverId, by, at, reasonCode } = waiver;
    const what = waiver.kind === 'overage' ? { period: waiver.period, hours: waiver.hours } : { amount: waiver.amount };
    const identity = { contractLineId, kind: waiver.kind, ...what, reasonCode, by };
    return lineEffect(
      deps,
      contractLineId,
      { key: `billing-waiver/${waiverId}`, identity, at, actor: by, ifMatch: waiver.ifMatch },
      async (trx, line) => {
        const model = engagementModel(line.engagement_model);
        if (isViolation(model)) return model;
        if (model.waive === undefined) return { violation: 'LineWithoutOverage', detail: line.engagement_model };
        const items = model.waive(line.terms, waiver, await waiverFacts(trx, line, at));
        if (isViolation(items)) return items;
        const refused = await refuseInvolved(trx, line, waiver, items);
        if (refused) return refused;
        await storeWaiver(trx, line, waiver, items);
        if (waiver.kind === 'parked-time') await closeExceptions(trx, 'scope-change', [lineWorkflowId(line.id)], at);
        return factOf(line, waiver, items);
      },
    );
  };
}

/** While runs are still to come, what may be waived is what is left now. */
export async function waiverFacts(trx: Transaction<DB>, line: LineRow, at: string) {
  const facts = await followUpFacts(trx, line, at);
  if (line.engagement_model !== 'time-and-materials') return facts;
  const { time, expenses } = await unbilledOf(trx, line);
  return { ...facts, timeAndMaterials: { time, expenses } };
}

/** Gives up items of a line, at their prices. */
export async function storeWaiver(trx: Transaction<DB>, line: LineRow, waiver: Decision, items: readonly WaivedItem[]): Promise<void> {
  const { waiverId, reasonCode, by, at } = waiver;
  const isOverage = waiver.kind === 'overage';
  await trx
    .insertInto('billing_waiver')
    .values({
      id: waiverId,
      contract_line_id: line.id,
      kind: waiver.kind,
      period: isOverage ? waiver.period : null,
      hours: isOverage ? waiver.hours : null,
      amount_minor: isOverage ? null : waiver.amount.minor,
      currency: isOverage ? null : waiver.amount.currency,
      reason_code: reasonCode,
      decided_by: by,
      decided_at: at,
    })
    .execute();
  if (waiver.kind === 'overage') return voidSettledOverage(trx, line, waiver.period, at);
  await keepWaivedPrices(trx, line, items, at);
  const rows = items.map(({ itemKind, itemId, amount, hours }) => ({
    id: uuidv7(),
    waiver_id: waiverId,
    entry_id: itemKind === 'time-entry' ? itemId : null,
    expense_id: itemKind === 'expense' ? itemId : null,
    amount_minor: amount.minor,
    hours,
  }));
  await insertRows(trx, 'waived_item', rows);
}

/** What is given up keeps the price at which it was (R-127). */
async function keepWaivedPrices(trx: Transaction<DB>, line: LineRow, items: readonly WaivedItem[], at: string): Promise<void> {
  if (line.terms.engagementModel !== 'time-and-materials') return;
  const idsOf = (kind: WaivedItem['itemKind']) => new Set(items.filter((item) => item.itemKind === kind).map((item) => item.itemId));
  const ids = { entryIds: idsOf('time-entry'), expenseIds: idsOf('expense') };
  await keepPrices(trx, line, ids, await unbilledOf(trx, line), limitTimeline(line.terms, line.contract.signedDate), at);
}

/** Whoever worked or approved something of what is given up does not decide on it (RULES: segregation of duties). */
async function refuseInvolved(
  trx: Transaction<DB>,
  line: LineRow,
  waiver: Decision,
  items: readonly WaivedItem[],
): Promise<Violation | null> {
  const { by } = waiver;
  const itemIds = items.map((item) => item.itemId);
  const { rows } = await sql<{ id: string }>`
    select entry_id as id from time_entry as fact left join app_user as worker on worker.person_id = fact.person_id
     where fact.contract_line_id = ${line.id} and fact.status = 'approved' and (fact.approved_by = ${by} or worker.id = ${by})
       and ${waiver.kind === 'overage' ? sql`to_char(fact.work_date, 'YYYY-MM') = ${waiver.period}` : sql`fact.entry_id = any(${itemIds}::text[])`}
    union all
    select expense_id from expense as fact left join app_user as worker on worker.person_id = fact.person_id
     where fact.contract_line_id = ${line.id} and fact.status = 'approved' and (fact.approved_by = ${by} or worker.id = ${by})
       and fact.expense_id = any(${itemIds}::text[])
     limit 1`.execute(trx);
  const [involved] = rows;
  return involved ? { violation: 'DutiesConflict', detail: `${by} worked, spent or approved ${involved.id}` } : null;
}

/** What was planned beyond the run of a month that is settled now has nothing left to bill. */
async function voidSettledOverage(trx: Transaction<DB>, line: LineRow, period: string, at: string): Promise<void> {
  if (line.terms.engagementModel !== 'retainer' || !isSettled(line.terms, await followUpFacts(trx, line, at), period)) return;
  await trx
    .updateTable('billing_plan_item')
    .set({ state: 'void', settled_at: at, blocked_until: null, blockers: '[]', held_reason: null, held_reason_id: null })
    .where('contract_line_id', '=', line.id)
    .where('item_key', 'like', `overage/${period}/%`)
    .where('state', '=', 'planned')
    .execute();
}

function factOf(line: LineRow, waiver: Decision, items: readonly WaivedItem[]): LineFact {
  const { waiverId, reasonCode } = waiver;
  if (waiver.kind === 'overage')
    return {
      action: 'overage.waived',
      subject: `${line.line_id}/${waiver.period}`,
      details: { waiverId, hours: waiver.hours, reasonCode },
    };
  const { kind, amount } = waiver;
  const details = { waiverId, kind, amount: amount.minor, currency: amount.currency, items: items.length, reasonCode };
  return { action: 'billing.waived', subject: line.line_id, details };
}
