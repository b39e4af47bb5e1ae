import { type Transaction } from 'kysely';
import { type ChangeActivities } from '../../contracts/activities';
import { ENGINE_ACTOR } from '../../contracts/names';
import { type ChangeOrderView } from '../../contracts/workflow-state';
import { changeOrderOf, endChangeOrder, isReady, lineIdsOf, openChangeOrders, orderOf, type ChangeOrderRow } from '../../db/change-orders';
import { lockDeal } from '../../db/deals';
import { sha256 } from '../../db/hash';
import { lockLine } from '../../db/lines';
import { type DB } from '../../db/types';
import { lineValue } from '../../domain/change/value';
import { canonicalTerms } from '../../domain/deal/contract-version';
import { sum } from '../../domain/decimal';
import { runMonths } from '../../domain/engagement/time-and-materials-plan';
import { isViolation, type Violation } from '../../domain/violation';
import { refuseUnapproved } from '../approval/belt';
import { type ActivityDeps } from '../deps';
import { lifecycleEffect } from '../lifecycle';
import { plannedVersion, type PlannedVersion } from './facts';
import { replanLine } from './replan';
import { openNewTasks } from './tasks';
import { changeOrderView } from './view';

/**
 * The change order becomes the next contract version: terms, lines, tasks, budget and billing plan, all or nothing (R-199, I-06), and only
 * what was approved. Where it no longer fits it ends as refused with the reason, and nobody waits for it; other open change orders
 * name a version that governs no more, and end as stale.
 */
export function applyChangeOrder(deps: ActivityDeps): ChangeActivities['applyChangeOrder'] {
  return ({ dealId, changeOrderId, at }) =>
    lifecycleEffect<ChangeOrderView>(
      deps,
      { key: `apply-change-order/${changeOrderId}`, identity: { dealId }, at, actor: ENGINE_ACTOR },
      async (trx, workflowId) => {
        const deal = await lockDeal(trx, dealId);
        const order = await changeOrderOf(trx, dealId, changeOrderId);
        if (order === undefined) return { violation: 'ChangeOrderUnknown', detail: changeOrderId };
        const audit = { stream: `deal/${dealId}`, subject: changeOrderId };
        if (order.settled_at !== null)
          return {
            answer: await changeOrderView(trx, workflowId, deal, changeOrderId, at),
            audit: { ...audit, action: 'change-order.ended-before' },
          };
        if (!isReady(order)) return { violation: 'ApprovalMissing', detail: `change order ${order.number} is ${order.state}` };
        for (const lineId of lineIdsOf(order)) await lockLine(trx, lineId);
        const planned = await plannedVersion(trx, deal, orderOf(order), changeOrderId);
        if (isViolation(planned)) {
          await endChangeOrder(trx, changeOrderId, { state: 'refused', code: planned.violation, detail: planned.detail, at });
          return {
            answer: await changeOrderView(trx, workflowId, deal, changeOrderId, at),
            audit: { ...audit, action: 'change-order.refused', details: { code: planned.violation } },
          };
        }
        const termsHash = sha256(canonicalTerms(planned.next.terms));
        const unapproved = await refuseUnapproved(trx, 'change-order', changeOrderId, (shown) => ({ ...shown, termsHash }));
        if (unapproved) return unapproved;
        const refused = await write(trx, dealId, order, planned, termsHash, at);
        if (refused) return refused;
        const endedIds = await endStale(trx, dealId, planned.next.version, at);
        return {
          answer: await changeOrderView(trx, workflowId, deal, changeOrderId, at, endedIds),
          audit: {
            ...audit,
            action: 'change-order.applied',
            details: {
              version: planned.next.version,
              termsHash,
              lines: planned.next.lineIds,
              accounting: order.accounting_treatment,
              stale: endedIds,
            },
          },
        };
      },
    );
}

async function write(
  trx: Transaction<DB>,
  dealId: string,
  order: ChangeOrderRow,
  planned: PlannedVersion,
  termsHash: string,
  at: string,
): Promise<Violation | null> {
  const { version, terms, lineIds } = planned.next;
  const days = order.changes.map((change) => change.in_force_from).sort();
  await trx
    .insertInto('contract_version')
    .values({
      deal_id: dealId,
      version,
      terms: canonicalTerms(terms),
      terms_hash: termsHash,
      in_force_from: days[0] ?? terms.signedDate,
      approval_id: order.approval_id,
      change_order_id: order.id,
      created_at: at,
    })
    .execute();
  const lines = await trx.selectFrom('contract_line').select(['id', 'line_id']).where('deal_id', '=', dealId).execute();
  const project = await trx.selectFrom('project').select('id').where('deal_id', '=', dealId).executeTakeFirstOrThrow();
  const also = await linesOfMovedRuns(trx, dealId, planned);
  for (const line of terms.lines.filter((each) => lineIds.includes(each.lineId) || also.includes(each.lineId))) {
    const row = lines.find((each) => each.line_id === line.lineId);
    if (row === undefined) throw new Error(`line ${line.lineId} has no row`);
    const before = await lockLine(trx, row.id);
    await trx.updateTable('contract_line').set({ contract_version: version, end_date: line.endDate }).where('id', '=', row.id).execute();
    await trx.updateTable('project_phase').set({ end_date: line.endDate }).where('contract_line_id', '=', row.id).execute();
    const refused = await replanLine(trx, before, await lockLine(trx, row.id), at);
    if (refused) return refused;
    if (lineIds.includes(line.lineId))
      await insertBudget(trx, project.id, { contractLineId: row.id, version, price: lineValue(line), order, lineId: line.lineId });
  }
  await openNewTasks(trx, order.id, orderOf(order));
  await trx
    .updateTable('change_order')
    .set({ state: 'applied', applied_version: version, settled_at: at })
    .where('id', '=', order.id)
    .execute();
  return null;
}

/** Where the months of the runs move with the term of one line, they move for every line that is billed by runs (R-119, S-47). */
async function linesOfMovedRuns(trx: Transaction<DB>, dealId: string, { before, next }: PlannedVersion): Promise<string[]> {
  const [was, is] = [runMonths(before), runMonths(next.terms)];
  if (was.first === is.first && was.last === is.last) return [];
  const rows = await trx
    .selectFrom('contract_line')
    .select('line_id')
    .where('deal_id', '=', dealId)
    .where('engagement_model', '=', 'time-and-materials')
    .where('state', 'in', ['planned', 'active'])
    .where('stopped_on', 'is', null)
    .execute();
  return rows.map((row) => row.line_id);
}

/** The budget of a line as the version has it: its hours with those of the new tasks. Cost is estimated anew by whoever estimates it. */
async function insertBudget(
  trx: Transaction<DB>,
  projectId: string,
  budget: {
    readonly contractLineId: string;
    readonly lineId: string;
    readonly version: number;
    readonly price: { readonly minor: number; readonly currency: string };
    readonly order: ChangeOrderRow;
  },
): Promise<void> {
  const { contractLineId, lineId, version, price, order } = budget;
  const known = await trx
    .selectFrom('budget_version')
    .select(['hours', 'cost_minor'])
    .where('project_id', '=', projectId)
    .where('contract_line_id', '=', contractLineId)
    .orderBy('version', 'desc')
    .limit(1)
    .executeTakeFirst();
  const added = order.tasks.filter((task) => task.lineId === lineId).map((task) => task.estimateHours);
  await trx
    .insertInto('budget_version')
    .values({
      project_id: projectId,
      version,
      contract_line_id: contractLineId,
      hours: sum([known?.hours ?? '0', ...added]),
      price_minor: price.minor,
      cost_minor: known?.cost_minor ?? null,
      currency: price.currency,
    })
    .execute();
}

/** What else is open names an older version: it is refused, to be asked for again against the one that governs now. */
async function endStale(trx: Transaction<DB>, dealId: string, version: number, at: string): Promise<string[]> {
  const stale = await openChangeOrders(trx, dealId);
  for (const { id, contract_version: named } of stale)
    await endChangeOrder(trx, id, {
      state: 'refused',
      code: 'ContractVersionStale',
      detail: `version ${version} governs, not ${named}`,
      at,
    });
  return stale.map(({ id }) => id);
}
