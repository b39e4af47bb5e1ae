import { of, type Deal, type Firm } from '../firm';
import { rowRefused } from './delivery';
import { type Expectations, type Scene } from './scene';
import { MAIN } from './terms';

/** Costs of subcontractors that fit nothing on record, and spend that nobody planned with outcomes that cannot be. */
export const subcontractors: Scene = {
  name: 'subcontractors',
  play: async (firm, expect) => {
    const deal = firm.deal(MAIN);
    await costs(firm, expect, deal);
    await outcomes(firm, expect, deal);
  },
};

const cost = (costId: string, over: Record<string, unknown> = {}) => ({
  costId,
  vendorId: 'V-03',
  lineId: 'A',
  kind: 'commitment',
  commitmentId: null,
  amount: '1000.00',
  currency: 'USD',
  incurredOn: '2026-03-02',
  supersedes: null,
  ...over,
});
const bill = (costId: string, over: Record<string, unknown> = {}) => cost(costId, { kind: 'bill', amount: '400.00', ...over });

async function costs(firm: Firm, expect: Expectations, deal: Deal): Promise<void> {
  const key = await firm.withKey(['procurement-integration']);
  const send = (...rows: readonly object[]) => key('POST', `/v1/deals/${deal.id}/subcontractor-costs`, { body: rows });
  const cases: readonly (readonly [row: object, code: string])[] = [
    [cost('PO-1', { amount: '1.00' }), 'SubcontractorCostChanged'],
    [cost('PO-3', { workPackageId: 'NONE' }), 'WorkPackageUnknown'],
    [cost('PO-3', { supersedes: 'NONE' }), 'SubcontractorCostUnknown'],
    [cost('PO-3', { supersedes: 'PO-2', lineId: 'B' }), 'CostSupersedesOther'],
    [cost('PO-3', { supersedes: 'PO-1' }), 'SubcontractorCostSuperseded'],
    [bill('BILL-3', { commitmentId: 'PO-2', vendorId: 'V-01' }), 'CommitmentDiffers'],
  ];
  of(await send(cost('PO-1'), cost('PO-1b', { supersedes: 'PO-1', amount: '900.00' }), cost('PO-2')), 202);
  of(await send(bill('BILL-1', { commitmentId: 'PO-2', amount: '1000.00' }), bill('BILL-2')), 202);
  for (const [row, code] of cases) await rowRefused(firm, expect, await send(row), code);
  const auditor = await firm.as('U-AUDIT');
  of(await auditor('GET', `/v1/deals/${deal.id}/subcontractor-costs?lineId=A`), 200);
  const { lines } = of<{ lines: { lineId: string; cost: { spent: string } }[] }>(
    await auditor('GET', `/v1/deals/${deal.id}/subcontractor-spend`),
    200,
  );
  expect.same(lines.find(({ lineId }) => lineId === 'A')?.cost.spent, '2300.00', 'what line A has spent');
}

async function outcomes(firm: Firm, expect: Expectations, deal: Deal): Promise<void> {
  const manager = await firm.as('U-PM-US');
  const list = `/v1/exceptions?path=subcontractor-spend&stage=assigned&dealId=${deal.id}`;
  const { id } = await firm.until(
    'the spend to be an exception',
    async () => of<{ data: { id: string }[] }>(await manager('GET', list), 200).data[0],
  );
  const choose = (option: string, target: string) =>
    manager('POST', `/v1/exceptions/${id}/outcome`, { body: { option, target, reason: 'as it is' } });
  expect.code(await choose('reallocate', 'B'), 'BudgetInsufficient');
  expect.code(await choose('reallocate', 'Z'), 'LineUnknown');
  expect.code(await choose('refuse', 'PO-9'), 'SubcontractorCostUnknown');
  expect.code(await choose('refuse', 'BILL-2'), 'CostKindUnfit');
  expect.code(await choose('refuse', 'PO-2'), 'OutcomeWithoutEffect');
  of(await choose('refuse', 'PO-1b'), 200);
  await firm.until(
    'the commitment to be refused',
    async () => of<{ stage: string }>(await manager('GET', `/v1/exceptions/${id}`), 200).stage === 'settled',
  );
}
