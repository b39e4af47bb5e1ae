import { firstOfMonth, lastOfMonth } from '../calendar/dates';
import { type LineTerms } from '../deal/terms';
import { addMoney, compareMoney, type Money } from '../money';
import { type BillingFacts, type BillingPlanItem, type PurchaseOrderState, type ReadinessBlocker } from './model';

/**
 * What every item of every model must pass before it is billed (R-033, RULES Pricing and billing: readiness blockers). `amount` is the net
 * that the document would have, where it is known.
 */
export function commonBlockers(line: LineTerms, item: BillingPlanItem, facts: BillingFacts, amount: Money | null): ReadinessBlocker[] {
  const blockers: ReadinessBlocker[] = [];
  if (facts.contractVersionPending)
    blockers.push(blocked('ContractVersionPending', 'pmo-lead', `decide the pending contract version of ${line.lineId}`));
  if (facts.holdReason !== null) blockers.push(blocked('LineOnHold', 'finance-controller', `lift the hold: ${facts.holdReason}`));
  if (!facts.taxTreatmentKnown)
    blockers.push(
      blocked('TaxTreatmentUnknown', 'finance-controller', `record the tax registrations that decide the tax of ${line.lineId}`),
    );
  return [...blockers, ...purchaseOrderBlockers(line, item, facts, amount)];
}

/** A blocker that stops the document. */
export function blocked(code: string, ownerRole: string, action: string): ReadinessBlocker {
  return { code, severity: 'blocks', ownerRole, action };
}

/** Something to see before the document leaves, which does not stop it. */
export function warned(code: string, ownerRole: string, action: string): ReadinessBlocker {
  return { code, severity: 'warns', ownerRole, action };
}

function purchaseOrderBlockers(line: LineTerms, item: BillingPlanItem, facts: BillingFacts, amount: Money | null): ReadinessBlocker[] {
  const order = facts.purchaseOrder;
  if (order === null) {
    if (!facts.purchaseOrderRequired) return [];
    return [blocked('PurchaseOrderMissing', 'account-executive', `get a purchase order for ${line.lineId}`)];
  }
  const blockers: ReadinessBlocker[] = [];
  const { exhausted, lapsed } = facts.purchaseOrderPolicy;
  if (isExhausted(order, amount))
    blockers.push({
      code: 'PurchaseOrderExhausted',
      severity: exhausted,
      ownerRole: 'account-executive',
      action: `have ${order.number} raised`,
    });
  if (isLapsed(order, line, item))
    blockers.push({
      code: 'PurchaseOrderLapsed',
      severity: lapsed,
      ownerRole: 'account-executive',
      action: `have ${order.number} extended`,
    });
  return blockers;
}

function isExhausted(order: PurchaseOrderState, amount: Money | null): boolean {
  if (order.limit === null || amount === null || amount.minor <= 0) return false;
  return compareMoney(addMoney(order.invoiced, amount), order.limit) > 0;
}

/** The order must be valid on some day of the service that is billed, not on the day the invoice is written. */
function isLapsed(order: PurchaseOrderState, line: LineTerms, item: BillingPlanItem): boolean {
  const from = item.period === null ? line.startDate : firstOfMonth(item.period);
  const to = item.period === null ? line.endDate : lastOfMonth(item.period);
  return order.validTo < from || order.validFrom > to;
}
