import { type ChangeOrderInput, type ChangeOrderReceipt } from '../../contracts/workflow-state';
import { type RequestedChange } from '../../domain/change/change-order';
import { answerAccountingUpdate, recordCustomerApprovalUpdate, requestChangeUpdate } from '../../workflows/deal-to-cash/messages';
import { type TestDeal } from './lifecycles';
import { reasonOf } from './texts';
import { type TestEngine } from './worker';

/** An add-on of 1,000.00 EUR a month on line B of the deals of these tests. */
export const addOn = (over: Partial<RequestedChange> = {}, id = 'nights'): RequestedChange => ({
  path: `lines.B.addOns.${id}`,
  from: null,
  to: { monthlyFee: '1000.00', currency: 'EUR', serviceFrom: '2026-04-16', serviceTo: '2026-06-30' },
  inForceFrom: '2026-04-16',
  ...over,
});

/** A project manager of the lead entity asks for changes of the running contract. */
export async function requestChange(
  engine: TestEngine,
  deal: TestDeal,
  changes: readonly RequestedChange[],
  over: Partial<ChangeOrderInput> = {},
): Promise<ChangeOrderReceipt> {
  const order = {
    number: 'CO-1',
    title: 'More service',
    contractVersion: 1,
    changes,
    tasks: [],
    reasonId: await reasonOf(engine.db, 'the customer asks for it', 'U-PM-US'),
    by: 'U-PM-US',
    at: deal.now,
    ...over,
  };
  return deal.handle.executeUpdate(requestChangeUpdate, { args: [order] });
}

/** The customer has signed. */
export async function signChange(deal: TestDeal, changeOrderId: string): Promise<void> {
  const approval = {
    changeOrderId,
    documentReference: 'signed change order',
    signedOn: deal.now.slice(0, 10),
    signatoryId: null,
    by: 'U-PM-US',
    at: deal.now,
  };
  await deal.handle.executeUpdate(recordCustomerApprovalUpdate, { args: [approval] });
}

/** Finance answers that the change is a contract of its own. */
export async function accountChange(deal: TestDeal, changeOrderId: string): Promise<void> {
  const answers = { distinct: true, atStandAloneSellingPrice: true, remainingDistinct: true, concernsWorkDone: null };
  await deal.handle.executeUpdate(answerAccountingUpdate, { args: [{ changeOrderId, answers, by: 'U-FC-DE', at: deal.now }] });
}

export async function changeOrders(engine: TestEngine, deal: Pick<TestDeal, 'dealId'>) {
  return engine.db
    .selectFrom('change_order')
    .select(['id', 'number', 'state', 'outcome_code as code', 'applied_version as version', 'accounting_treatment as treatment'])
    .where('deal_id', '=', deal.dealId)
    .orderBy('number')
    .execute();
}
