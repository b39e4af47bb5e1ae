import { type Transaction } from 'kysely';
import { milestonesOf, planItems, timeFacts, usageFacts, type LineRow } from '../../db/lines';
import { feeDocuments, overageFacts } from '../../db/overage';
import { billToOf, entityOf, taxRatesOf } from '../../db/parties';
import { billingPolicy } from '../../db/policies';
import { type DB } from '../../db/types';
import { taxTreatment, type TaxTreatment } from '../../domain/billing/tax';
import { type LocalDate } from '../../domain/deal/terms';
import { type BillingFacts, type PurchaseOrderState } from '../../domain/engagement/model';
import { isViolation, type Violation } from '../../domain/violation';
import { timeAndMaterialsFacts, type Unbilled } from './time-and-materials';

/** Everything a model needs to know to bill an item, read in the transaction that bills it. */
export async function billingFacts(
  trx: Transaction<DB>,
  line: LineRow,
  tax: TaxTreatment | Violation,
  issueDate: LocalDate,
  unbilled: Unbilled | null,
): Promise<BillingFacts> {
  const milestones = await milestonesOf(trx, line.id);
  const items = await trx
    .selectFrom('billing_plan_item as item')
    .leftJoin('invoice', (join) => join.onRef('invoice.billing_plan_item_id', '=', 'item.id').on('invoice.state', '<>', 'void'))
    .select(['item.item_key', 'item.state', 'invoice.state as invoiceState'])
    .where('item.contract_line_id', '=', line.id)
    .execute();
  const order = await purchaseOrderOf(trx, line, issueDate);
  const policy = await billingPolicy(trx, issueDate, line.selling_entity_id);
  return {
    milestones: milestones.map((each) => ({ milestoneId: each.milestone_id, acceptedOn: each.accepted_on })),
    usage: await usageFacts(trx, line.id),
    time: unbilled === null ? await timeFacts(trx, line.id) : [],
    ...(unbilled === null ? {} : { timeAndMaterials: await timeAndMaterialsFacts(trx, line, unbilled, plannedKeys(items)) }),
    overage: await overageFacts(trx, line, await planItems(trx, line)),
    fees: await feeDocuments(trx, line.id),
    billedItemKeys: items.filter((item) => item.state === 'billed').map((item) => item.item_key),
    settledItemKeys: settledKeys(items),
    purchaseOrderRequired: line.contract.purchaseOrderRequired,
    purchaseOrder: order,
    taxTreatmentKnown: !isViolation(tax),
    contractVersionPending: false,
    holdReason: null,
    purchaseOrderPolicy: policy.purchaseOrder,
  };
}

function plannedKeys(items: readonly { readonly item_key: string; readonly state: string }[]): string[] {
  return items.filter((item) => item.state === 'planned').map((item) => item.item_key);
}

/** Items whose documents are all paid or credited: what a credit billed once more is to be paid first. */
function settledKeys(items: readonly { readonly item_key: string; readonly invoiceState: string | null }[]): string[] {
  const isOpen = ({ invoiceState }: { readonly invoiceState: string | null }): boolean =>
    invoiceState !== 'settled' && invoiceState !== 'credited';
  const open = new Set(items.filter(isOpen).map((item) => item.item_key));
  return [...new Set(items.map((item) => item.item_key))].filter((key) => !open.has(key));
}

/** The tax of a document of the line issued on a date. */
export async function taxOf(trx: Transaction<DB>, line: LineRow, issueDate: LocalDate): Promise<TaxTreatment | Violation> {
  const seller = await entityOf(trx, line.selling_entity_id);
  const customer = await billToOf(trx, line.bill_to_id);
  return taxTreatment({ seller, customer }, issueDate, await taxRatesOf(trx, seller.country));
}

/** The customer's order for the line: the one valid on the date, else the latest. Locked, because several lines use up one order. */
async function purchaseOrderOf(trx: Transaction<DB>, line: LineRow, date: LocalDate): Promise<PurchaseOrderState | null> {
  const orders = await trx
    .selectFrom('customer_purchase_order')
    .selectAll()
    .where('bill_to_id', '=', line.bill_to_id)
    .orderBy('valid_to', 'desc')
    .orderBy('number')
    .forUpdate()
    .execute();
  const ofLine = orders.filter((order) => order.line_ids.includes(line.line_id) && order.currency === line.currency);
  const order = ofLine.find((each) => each.valid_from <= date && date <= each.valid_to) ?? ofLine[0];
  if (!order) return null;
  const invoiced = await trx
    .selectFrom('invoice')
    .select((eb) => eb.fn.sum<number | null>('net_minor').as('net'))
    .where('bill_to_id', '=', line.bill_to_id)
    .where('purchase_order', '=', order.number)
    .where('state', '<>', 'void')
    .executeTakeFirstOrThrow();
  return {
    number: order.number,
    limit: order.limit_minor === null ? null : { minor: order.limit_minor, currency: order.currency },
    invoiced: { minor: Number(invoiced.net ?? 0), currency: line.currency },
    validFrom: order.valid_from,
    validTo: order.valid_to,
  };
}
