import { of, type Deal, type Firm } from '../firm';
import { type Answer } from '../http';
import { inState, order, pending } from './terms';
import { NOBODY_S_ID, type Expectations } from './scene';

const fee = (over: Record<string, unknown> = {}) => ({
  path: 'lines.A.fixedFee',
  from: '300000.00',
  to: '310000.00',
  currency: 'USD',
  inForceFrom: '2026-04-01',
  ...over,
});
const monthly = (over: Record<string, unknown> = {}) =>
  fee({ path: 'lines.C.monthlyFee', from: '1000.00', to: '1200.00', currency: 'EUR', ...over });
const limit = (over: Record<string, unknown> = {}) => fee({ path: 'lines.B.notToExceed', from: '20000.00', to: '30000.00', ...over });
const card = (over: Record<string, unknown> = {}) => ({
  path: 'lines.B.rateCard',
  from: null,
  to: 'RC-GLOBAL',
  inForceFrom: '2026-04-01',
  ...over,
});
const service = (over: Record<string, unknown> = {}) => ({
  monthlyFee: '100.00',
  currency: 'EUR',
  serviceFrom: '2026-04-01',
  serviceTo: '2026-06-30',
  ...over,
});
const addOn = (over: Record<string, unknown> = {}) => ({
  path: 'lines.C.addOns.nights',
  from: null,
  to: service(),
  inForceFrom: '2026-04-01',
  ...over,
});
const workPackage = (over: Record<string, unknown> = {}) => ({
  path: 'workPackages.B-2',
  from: null,
  to: 'More work',
  inForceFrom: '2026-04-01',
  ...over,
});
const work = (over: Record<string, unknown> = {}) => ({
  taskId: 'B-2-1',
  workPackageId: 'B-2',
  lineId: 'B',
  serviceLine: 'erp-core',
  roleCode: 'CON',
  estimateHours: '40',
  plannedStart: '2026-04-01',
  plannedEnd: '2026-05-01',
  closedOn: null,
  billable: true,
  ...over,
});

/** Changes that the contract of the main deal does not take, before anything of it is billed. */
export async function refusedChanges(firm: Firm, expect: Expectations, deal: Deal): Promise<void> {
  const cases: readonly (readonly [changes: readonly unknown[], code: string, tasks?: readonly unknown[]])[] = [
    [[fee({ path: 'lines.A.colour' })], 'UnknownTermPath'],
    [[fee({ from: '1.00' })], 'ChangeFromMismatch'],
    [[fee({ to: '300000.00' })], 'ChangeWithoutEffect'],
    [[fee({ from: '1.00' }), monthly({ from: '1.00' })], 'ChangeOrderInvalid'],
    [[fee(), fee()], 'DuplicateTermPath'],
    [[fee({ inForceFrom: '2026-01-01' })], 'InForceBeforeSignature'],
    [[monthly({ inForceFrom: '2026-04-15' })], 'InForceNotMonthStart'],
    [[fee({ path: 'lines.A.startDate', from: '2026-03-02', to: '2026-03-09', currency: undefined })], 'TermNotChangeable'],
    [[fee({ path: 'lines.A.milestones.M1.percent', from: '40', to: '50', currency: undefined })], 'MilestonesNotWhole'],
    [[fee({ path: 'lines.A.endDate', from: '2026-05-29', to: '2026-01-01', currency: undefined })], 'DatesOutOfOrder'],
    [[card({ to: 'RC-NONE' })], 'RateCardUnknown'],
    [[addOn({ to: service({ serviceTo: '2030-01-01' }) })], 'OutsideLineTerm'],
    [[workPackage()], 'WorkPackageWithoutLine'],
    [[workPackage()], 'TaskOutsideChange', [work({ workPackageId: 'B-3' })]],
    [[workPackage()], 'TaskExists', [work({ taskId: 'B1' })]],
  ];
  const ask = await asker(firm, deal);
  for (const [changes, code, tasks = []] of cases) expect.code(await ask({ changes, tasks, number: `CO-${code}` }), code);
  expect.code(await ask({ contractVersion: 7 }), 'ContractVersionStale');
  expect.code(
    await (
      await firm.as('U-PM-EU')
    )('POST', `/v1/deals/${deal.id}/change-orders`, { body: order({ changes: [fee()] }) }),
    'ScopeTooSmall',
  );
  expect.code(await (await firm.as('U-PM-US'))('GET', `/v1/deals/${deal.id}/change-orders/${NOBODY_S_ID}`), 'ChangeOrderUnknown');
}

/** An order that is withdrawn, and one that becomes the next version of the contract. */
export async function takenChanges(firm: Firm, expect: Expectations, deal: Deal): Promise<void> {
  const ask = await asker(firm, deal);
  const manager = await firm.as('U-PM-US');
  const finance = await firm.as('U-FC-US');
  const orders = `/v1/deals/${deal.id}/change-orders`;
  const first = of<{ changeOrderId: string }>(await ask({ number: 'CO-W', changes: [monthly()] }), 201).changeOrderId;
  expect.code(await ask({ number: 'CO-W', title: 'Other', changes: [monthly()] }), 'EffectIdentityMismatch');
  expect.code(await (await firm.as('U-DELDIR'))('POST', `${orders}/${first}/withdrawal`, { body: {} }), 'RequesterRequired');
  of(await manager('POST', `${orders}/${first}/withdrawal`, { body: { reason: 'not now' } }), 200);
  const late = { documentReference: 'CO-W', signedOn: '2026-03-02' };
  expect.code(await manager('POST', `${orders}/${first}/customer-approval`, { body: late }), 'ChangeOrderSettled');
  const second = of<{ changeOrderId: string }>(
    await ask({ number: 'CO-1', changes: [limit(), workPackage(), card()], tasks: [work()] }),
    201,
  ).changeOrderId;
  const signed = { documentReference: 'CO-1', signedOn: '2026-03-02', signedBy: 'Somebody' };
  const sign = (over: Record<string, unknown>) =>
    manager('POST', `${orders}/${second}/customer-approval`, { body: { ...signed, ...over } });
  expect.code(await sign({ signedOn: '2026-03-09' }), 'SignatureInFuture');
  expect.code(await sign({ signedOn: '2026-03-01' }), 'SignatureBeforeRequest');
  of(await sign({}), 200);
  const answers = { distinct: true, atStandAloneSellingPrice: false, remainingDistinct: true };
  of(await finance('POST', `${orders}/${second}/modification-accounting`, { body: answers }), 200);
  of(await manager('GET', `${orders}/${second}`), 200);
  of(await manager('GET', orders), 200);
  await pending(firm, deal, 'change-order');
  await firm.until('the order to be applied', async () => {
    await firm.answer(deal);
    return of<{ state: string }>(await manager('GET', `${orders}/${second}`), 200).state === 'applied';
  });
  of(await manager('GET', `/v1/deals/${deal.id}/contract-versions`), 200);
  expect.code(
    await ask({ number: 'CO-2', contractVersion: 2, changes: [limit({ from: '30000.00', to: '31000.00', inForceFrom: '2026-03-15' })] }),
    'InForceBeforeEarlierChange',
  );
}

/** What is billed or accepted stands: the same after months of delivery. */
export async function lateChanges(firm: Firm, expect: Expectations, deal: Deal): Promise<void> {
  const ask = await asker(firm, deal);
  const cases: readonly (readonly [changes: readonly unknown[], code: string])[] = [
    [[monthly({ inForceFrom: '2026-03-01' })], 'MonthAlreadyBilled'],
    [[limit({ from: '30000.00', to: '1.00' })], 'LimitBelowBilled'],
    [[fee({ path: 'lines.C.endDate', from: '2026-08-31', to: '2026-03-15', currency: undefined })], 'EndBeforeBilled'],
    [
      [
        fee({ path: 'lines.A.milestones.M1.percent', from: '40', to: '30', currency: undefined }),
        fee({ path: 'lines.A.milestones.M2.percent', from: '60', to: '70', currency: undefined }),
      ],
      'AcceptedMilestoneChanged',
    ],
  ];
  for (const [changes, code] of cases) expect.code(await ask({ contractVersion: 2, changes, number: `CO-late-${code}` }), code);
  await inState(firm, deal, 'delivering');
}

async function asker(firm: Firm, deal: Deal): Promise<(over: Record<string, unknown>) => Promise<Answer>> {
  const manager = await firm.as('U-PM-US');
  return (over) => manager('POST', `/v1/deals/${deal.id}/change-orders`, { body: order(over) });
}
