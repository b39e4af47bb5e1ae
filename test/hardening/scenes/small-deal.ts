import { of, type Deal, type Firm } from '../firm';
import { between, fixedFee, sowTerms, task } from './deals';
import { inState } from './terms';

export const onlyMilestone = [{ id: 'M1', name: 'All accepted', percent: '100', plannedDate: '2026-03-20' }];

/** A deal with a plan and terms, about to be approved; of one line with one milestone unless told otherwise. */
export async function small(firm: Firm, code: string, over: Record<string, unknown> = {}, planned = task(`${code}-1`, 'A')): Promise<Deal> {
  const deal = await firm.win(code, { ...between, lines: [fixedFee({ milestones: onlyMilestone })], ...over });
  await inState(firm, deal, 'terms');
  const plan = { body: { tasks: [planned] }, headers: { 'if-match': '*' } };
  of(await (await firm.as('U-PM-US'))('PUT', `/v1/deals/${deal.id}/delivery-plan`, plan), 202);
  const proposal = { documentId: 'SOW-1', terms: sowTerms };
  of(await (await firm.as('U-SELLER'))('POST', `/v1/deals/${deal.id}/sow-proposals`, { body: proposal }), 201);
  return deal;
}
