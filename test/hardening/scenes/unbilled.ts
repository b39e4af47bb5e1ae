import { of, type Deal, type Firm } from '../firm';
import { managedService, task, timeAndMaterials } from './deals';
import { entry } from './delivery';
import { type Expectations } from './scene';
import { small } from './small-deal';

const EARLY = { signedDate: '2026-01-05', startDate: '2026-01-06', endDate: '2026-01-30' };

/** A deal whose work is over: its last run is that of February, cut off in March. Nobody reports the usage of its managed service. */
export async function earlyDeal(firm: Firm): Promise<Deal> {
  const { startDate, endDate } = EARLY;
  const lines = [
    timeAndMaterials({ startDate, endDate, notToExceed: undefined, capSoftPercent: undefined }),
    managedService({ startDate, endDate, sellingEntity: 'LE-US', billTo: 'BA-US', currency: 'USD', region: 'NA' }),
  ];
  const planned = { plannedStart: EARLY.startDate, plannedEnd: EARLY.endDate, validFrom: EARLY.startDate };
  const deal = await small(firm, 'EARLY', { ...EARLY, lines }, { ...task('EARLY-1', 'B'), ...planned });
  await firm.bring(deal, 'delivering');
  await worked(firm, deal, { entryId: 'T-EARLY', workDate: '2026-01-12' }, '2026-03-02');
  return deal;
}

/** What cannot be billed yet says what it lacks. */
export async function unreported(firm: Firm, expect: Expectations, deal: Deal): Promise<void> {
  const auditor = await firm.as('U-AUDIT');
  const line = `/v1/contract-lines/${await firm.lineOf(deal, 'C')}`;
  const blocked = await firm.until('the settlement to be blocked', async () => {
    const { billingPlan } = of<{ billingPlan: { blockers: { code: string; ownerRole: string }[] }[] }>(await auditor('GET', line), 200);
    return billingPlan.find(({ blockers }) => blockers.length > 0);
  });
  expect.same(
    blocked.blockers.map(({ code, ownerRole }) => [code, ownerRole]),
    [['UsageReportMissing', 'project-manager']],
    'what the settlement lacks',
  );
}

/** Every planned run has taken place, and a bill is open, so the line goes on: finance asks for one run more. */
export async function oneMoreRun(firm: Firm, expect: Expectations, deal: Deal): Promise<void> {
  const finance = await firm.as('U-FC-US');
  const line = await firm.lineOf(deal, 'B');
  const run = () => finance('POST', `/v1/contract-lines/${line}/runs`, {});
  expect.code(await run(), 'NothingToRun');
  await worked(firm, deal, { entryId: 'T-LATE', workDate: '2026-01-13' }, '2026-04-06');
  const asked = await firm.until('the hours to be recorded', async () => {
    const answer = await run();
    return (answer.body as { code?: string }).code !== 'NothingToRun' && answer;
  });
  expect.status(asked, 200);
  expect.code(await run(), 'RunStillPlanned');
}

async function worked(firm: Firm, deal: Deal, what: { entryId: string; workDate: string }, approvedOn: string): Promise<void> {
  const approval = { submittedAt: `${approvedOn}T13:00:00Z`, approvedAt: `${approvedOn}T14:30:00Z` };
  const entries = [entry({ ...what, taskId: 'EARLY-1', ...approval })];
  of(await (await firm.as('U-PM-US'))('POST', '/v1/time-entries', { body: { dealId: deal.id, entries } }), 202);
}

/** Waivers and runs of the main deal that are refused. */
export async function unbilled(firm: Firm, expect: Expectations, deal: Deal): Promise<void> {
  const finance = await firm.as('U-FC-US');
  const [a, b, d] = [await firm.lineOf(deal, 'A'), await firm.lineOf(deal, 'B'), await firm.lineOf(deal, 'D')];
  const waive = (line: string, body: Record<string, unknown>) =>
    finance('POST', `/v1/contract-lines/${line}/waivers`, { body: { reasonCode: 'goodwill', ...body } });
  expect.code(await waive(a, { kind: 'overage', period: '2026-03', hours: '1' }), 'LineWithoutOverage');
  expect.code(await waive(b, { kind: 'unbilled-expenses', amount: '1.00', currency: 'USD' }), 'NothingToWaive');
  const manager = await firm.as('U-PM-US');
  const approved = {
    workDate: '2026-04-01',
    submittedAt: '2026-04-02T14:00:00Z',
    approvedAt: '2026-04-03T14:00:00Z',
    approvedBy: 'U-FC-US',
  };
  of(await manager('POST', '/v1/time-entries', { body: { dealId: deal.id, entries: [entry({ entryId: 'T-APRIL', ...approved })] } }), 202);
  const other = await firm.until('the hours to be recorded', async () => {
    const answer = await waive(b, { kind: 'unbilled-time', amount: '1.00', currency: 'USD' });
    return (answer.body as { code?: string }).code === 'WaiverAmountDiffers' && answer;
  });
  const [amount = ''] = (other.body as { detail: string }).detail.split(' ');
  expect.code(await waive(b, { kind: 'unbilled-time', amount, currency: 'USD' }), 'DutiesConflict');
  expect.code(await waive(d, { kind: 'overage', period: '2026-04', hours: '1' }), 'OverageNotOpen');
  const usage = {
    eventId: 'USE-9',
    servicePeriod: '2026-03',
    tickets: 1,
    p1Tickets: 0,
    p1WithinTarget: 0,
    supersedes: null,
    reportedAt: '2026-04-02T12:00:00Z',
  };
  const settled = await (
    await firm.as('U-PM-EU')
  )('POST', `/v1/contract-lines/${await firm.lineOf(deal, 'C')}/usage-reports`, { body: usage });
  expect.code(settled, 'UsagePeriodSettled');
  const run = (line: string) => finance('POST', `/v1/contract-lines/${line}/runs`, {});
  expect.code(await run(a), 'LineWithoutRuns');
  expect.code(await run(b), 'RunStillPlanned');
  expect.code(await finance('POST', `/v1/contract-lines/${a}/releases`, { body: { itemKey: 'milestone/M1' } }), 'ItemNotHeld');
}
