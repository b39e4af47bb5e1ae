import { type Transaction } from 'kysely';
import { changeOrderOf } from '../../db/change-orders';
import { type DB } from '../../db/types';
import { type PolicyFacts } from '../../domain/approval/policy';
import { formatMoney } from '../../domain/money';

/** What approvers of a change order are shown, and what decides its tiers (R-197, S-03). */
export async function changeOrderSubject(
  trx: Transaction<DB>,
  { subjectId, dealId }: { readonly subjectId: string; readonly dealId: string },
): Promise<{ requestedBy: string; entityId: string; shown: Record<string, unknown>; policy: PolicyFacts }> {
  const order = await changeOrderOf(trx, dealId, subjectId);
  if (order === undefined) throw new Error(`change order ${subjectId} is not there`);
  const amount = { minor: order.value_minor, currency: order.value_currency };
  return {
    requestedBy: order.requested_by,
    entityId: order.entity_id,
    shown: {
      number: order.number,
      title: order.title,
      contractVersion: order.contract_version,
      termsHash: order.terms_hash,
      amount: { amount: formatMoney(amount), currency: amount.currency },
      changes: order.changes.map((change) => ({
        path: change.path,
        from: change.value_before,
        to: change.value_after,
        currency: change.currency,
        inForceFrom: change.in_force_from,
      })),
      tasks: order.tasks,
      values: order.values.map(({ lineId, before, after, difference }) => ({
        lineId,
        before: formatMoney(before),
        after: formatMoney(after),
        difference: formatMoney(difference),
        currency: after.currency,
      })),
      reasonId: order.reason_id,
    },
    policy: { amount, marginPercent: null, discountPercent: null, paymentTermsDays: null },
  };
}
