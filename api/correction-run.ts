import { type Starter } from './deps';
import { type RunStart } from './gateway/starts';

/** What begins the run of the disputes and the correction of an invoice where none is open. */
export function correctionRunStart(
  deps: Starter,
  invoice: { readonly id: string; readonly deal_id: string; readonly contract_line_id: string; readonly entity_id: string },
  at: string,
): RunStart {
  const { id: invoiceId, deal_id: dealId, contract_line_id: contractLineId, entity_id: entityId } = invoice;
  const clock = deps.config.simulation ? ({ simulated: true, moment: at } as const) : ({ simulated: false } as const);
  return { correction: { invoiceId, dealId, contractLineId, clock }, entityId };
}
