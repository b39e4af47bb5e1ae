import { type Transaction } from 'kysely';
import { uuidv7 } from 'uuidv7';
import { type ChangeActivities } from '../../contracts/activities';
import { changeOrderEffect } from '../../contracts/effect-names';
import { type ApprovalView, type ChangeOrderInput, type ChangeOrderReceipt, type DealView } from '../../contracts/workflow-state';
import { lockDeal, type DealRow } from '../../db/deals';
import { sha256 } from '../../db/hash';
import { entityOf, ratesFor } from '../../db/parties';
import { approvalRules } from '../../db/policies';
import { type DB } from '../../db/types';
import { localDateOf } from '../../domain/calendar/zone';
import { valueForTiers, valuesOf } from '../../domain/change/value';
import { canonicalTerms } from '../../domain/deal/contract-version';
import { convertSum } from '../../domain/fx';
import { type Money } from '../../domain/money';
import { isViolation, type Violation } from '../../domain/violation';
import { dealView, standingWaits } from '../deal/view';
import { askApproval } from '../approval/ask';
import { type ActivityDeps } from '../deps';
import { lifecycleEffect } from '../lifecycle';
import { plannedVersion, type PlannedVersion } from './facts';
import { earlierOnSameLines } from './same-lines';
import { insertNewTasks } from './tasks';

/**
 * A change order is checked against the contract and kept for its approval. Its new tasks are there at once, so that time on them can
 * always be recorded; no contract covers them before the order is applied.
 */
export function requestChangeOrder(deps: ActivityDeps): ChangeActivities['requestChangeOrder'] {
  return ({ dealId, order }) => {
    const { number, contractVersion, changes, reasonId, by, at } = order;
    return lifecycleEffect<{ receipt: ChangeOrderReceipt; deal: DealView; asked: ApprovalView }>(
      deps,
      { ...changeOrderEffect(dealId, order), at, actor: by },
      async (trx, workflowId) => {
        const deal = await lockDeal(trx, dealId);
        const planned = await plannedVersion(trx, deal, order, null);
        if (isViolation(planned)) return planned;
        const value = await tierValue(trx, deal, planned, at);
        if (isViolation(value)) return value;
        const [changeOrderId, approvalId] = [uuidv7(), uuidv7()];
        await insertOrder(trx, deal, { changeOrderId, approvalId, order, planned, value });
        const askedWith = { update: 'requestChange', workflowId, input: order } as const;
        const asked = await askApproval(trx, { approvalId, subjectKind: 'change-order', subjectId: changeOrderId, dealId, at, askedWith });
        if (isViolation(asked)) return asked;
        const view = await dealView(trx, workflowId, deal, await standingWaits(trx, workflowId), at);
        return {
          answer: { receipt: { changeOrderId, number, approvalId }, deal: view, asked: asked.view },
          audit: {
            stream: `deal/${dealId}`,
            action: 'change-order.requested',
            subject: changeOrderId,
            details: {
              number,
              contractVersion,
              lines: planned.next.lineIds,
              paths: changes.map((change) => change.path),
              approval: asked.terms,
            },
            texts: { reason: reasonId },
          },
        };
      },
    );
  };
}

interface NewOrder {
  readonly changeOrderId: string;
  readonly approvalId: string;
  readonly order: ChangeOrderInput;
  readonly planned: PlannedVersion;
  readonly value: TierValue;
}

/** Both in the group currency; `earlier` in minor units. */
interface TierValue {
  readonly own: Money;
  readonly earlier: number;
}

async function insertOrder(
  trx: Transaction<DB>,
  deal: DealRow,
  { changeOrderId, approvalId, order, planned, value }: NewOrder,
): Promise<void> {
  const { before, next } = planned;
  const lines = await trx
    .selectFrom('contract_line')
    .select(['id', 'line_id', 'selling_entity_id'])
    .where('deal_id', '=', deal.id)
    .execute();
  const touched = lines.filter((line) => next.lineIds.includes(line.line_id));
  const sellers = [...new Set(touched.map((line) => line.selling_entity_id))];
  await trx
    .insertInto('change_order')
    .values({
      id: changeOrderId,
      deal_id: deal.id,
      number: order.number,
      title: order.title,
      contract_version: order.contractVersion,
      entity_id: sellers.length === 1 ? (sellers[0] ?? deal.lead_entity_id) : deal.lead_entity_id,
      state: 'requested',
      approval_id: approvalId,
      reason_id: order.reasonId,
      requested_by: order.by,
      requested_at: order.at,
      terms_hash: sha256(canonicalTerms(next.terms)),
      tasks: JSON.stringify(order.tasks),
      line_values: JSON.stringify(valuesOf(before, next.terms, next.lineIds)),
      value_minor: value.own.minor + value.earlier,
      earlier_minor: value.earlier,
      value_currency: value.own.currency,
    })
    .execute();
  const rows = order.changes.map((change, position) => {
    const { path, inForceFrom } = change;
    const accepted = next.accepted.find((each) => each.path === path);
    const line = lines.find((each) => each.line_id === accepted?.lineId);
    if (accepted === undefined || line === undefined) throw new Error(`an accepted change has no line: ${path}`);
    return {
      change_order_id: changeOrderId,
      position,
      contract_line_id: line.id,
      path,
      term: accepted.term,
      value_before: accepted.before,
      value_after: JSON.stringify(change.to),
      currency: accepted.currency,
      in_force_from: inForceFrom,
    };
  });
  await trx.insertInto('change_order_change').values(rows).execute();
  await insertNewTasks(trx, deal.id, changeOrderId, order);
}

/** What decides the tiers: in the group currency at the rates of the day of the request, with what else changed on these lines (R-197, S-03). */
async function tierValue(
  trx: Transaction<DB>,
  deal: DealRow,
  { before, next }: PlannedVersion,
  at: string,
): Promise<TierValue | Violation> {
  const { timeZone } = await entityOf(trx, deal.lead_entity_id);
  const requestedOn = localDateOf(at, timeZone);
  const rules = await approvalRules(trx, 'change-order', requestedOn);
  if (isViolation(rules)) return rules;
  const { groupCurrency } = rules;
  const amounts = valueForTiers(valuesOf(before, next.terms, next.lineIds));
  const rates = await ratesFor(trx, [groupCurrency, ...amounts.map((amount) => amount.currency)], requestedOn);
  const own = convertSum(amounts, groupCurrency, rates, requestedOn, 'half-up');
  return isViolation(own) ? own : { own, earlier: await earlierOnSameLines(trx, deal.id, next.lineIds, at) };
}
