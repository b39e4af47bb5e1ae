import { of, type Deal, type Firm } from '../firm';
import { type Answer } from '../http';
import { lateChanges, refusedChanges, takenChanges } from './changes';
import { paymentOf, writeStatement } from './bank';
import { brokenGlass, corrected, disputed } from './corrections';
import { type Expectations, type Scene } from './scene';
import { MAIN } from './terms';
import { earlyDeal, oneMoreRun, unbilled, unreported } from './unbilled';

/** The main deal from its contract to late invoices: facts of lines, change orders, bills, money. */
export const delivery: Scene = {
  name: 'delivery, change orders and bills',
  play: async (firm, expect) => {
    const deal = firm.deal(MAIN);
    const early = await earlyDeal(firm);
    await unreported(firm, expect, early);
    await beforeKickoff(firm, expect, deal);
    await refusedChanges(firm, expect, deal);
    await firm.bring(deal, 'delivering');
    await takenChanges(firm, expect, deal);
    await milestones(firm, expect, deal);
    await usage(firm, expect, deal);
    await time(firm, expect, deal);
    await firm.passTo('2026-04-06T15:00:00.000Z');
    await bills(firm, expect, deal);
    await lateChanges(firm, expect, deal);
    await unbilled(firm, expect, deal);
    await oneMoreRun(firm, expect, early);
    await reads(firm, deal);
  },
};

async function beforeKickoff(firm: Firm, expect: Expectations, deal: Deal): Promise<void> {
  const line = await firm.lineOf(deal, 'A');
  const manager = await firm.as('U-PM-US');
  expect.code(
    await manager('POST', `/v1/contract-lines/${line}/milestones/M1/deliveries`, { body: { deliveredAt: '2026-03-02T15:00:00Z' } }),
    'LineNotActive',
  );
  const { projectId } = of<{ projectId: string }>(await manager('GET', `/v1/deals/${deal.id}`), 200);
  const signOff = { documentReference: 'letter', signedOn: '2026-03-02' };
  const project = await firm.until('the answer of the project', async () => {
    const answer = await (await firm.as('U-PMO'))('POST', `/v1/projects/${projectId}/sign-off`, { body: signOff, isOut: true });
    return answer.status === 503 ? null : answer;
  });
  expect.code(project, 'ProjectNotClosing');
  of(await manager('GET', `/v1/projects/${projectId}`), 200);
}

async function milestones(firm: Firm, expect: Expectations, deal: Deal): Promise<void> {
  const manager = await firm.as('U-PM-US');
  const line = await firm.lineOf(deal, 'A');
  const at = (milestone: string, what: string) => `/v1/contract-lines/${line}/milestones/${milestone}/${what}`;
  const deliver = (milestone: string, deliveredAt: string) => manager('POST', at(milestone, 'deliveries'), { body: { deliveredAt } });
  const respond = (milestone: string, over: Record<string, unknown>) =>
    manager('POST', at(milestone, 'responses'), {
      body: { attempt: 1, response: 'accepted', respondedAt: '2026-03-02T14:00:00Z', ...over },
    });
  expect.code(await deliver('M9', '2026-03-02T10:00:00Z'), 'MilestoneUnknown');
  expect.code(await deliver('M1', '2026-06-02T10:00:00Z'), 'DeliveryInFuture');
  expect.code(await respond('M1', {}), 'MilestoneNotDelivered');
  of(await deliver('M1', '2026-03-02T10:00:00Z'), 200);
  expect.code(await deliver('M1', '2026-03-02T10:00:00Z'), 'MilestoneNotDeliverable');
  expect.code(await respond('M1', { attempt: 2 }), 'VersionOutdated');
  expect.code(await respond('M1', { respondedAt: '2026-06-02T14:00:00Z' }), 'ResponseInFuture');
  expect.code(await respond('M1', { respondedAt: '2026-03-01T14:00:00Z' }), 'ResponseBeforeDelivery');
  expect.code(await respond('M1', { response: 'rejected' }), 'ReasonMissing');
  of(await respond('M1', { response: 'rejected', reason: 'not as agreed' }), 200);
  expect.code(await deliver('M1', '2026-03-01T10:00:00Z'), 'DeliveryBackdated');
  of(await deliver('M1', '2026-03-02T14:30:00Z'), 200);
  of(await respond('M1', { attempt: 2, respondedAt: '2026-03-02T14:45:00Z', documentReference: 'letter' }), 200);
  expect.code(await respond('M1', { attempt: 2 }), 'MilestoneAlreadyAccepted');
}

async function usage(firm: Firm, expect: Expectations, deal: Deal): Promise<void> {
  const manager = await firm.as('U-PM-EU');
  const line = await firm.lineOf(deal, 'C');
  const report = (over: Record<string, unknown>) => ({
    eventId: 'USE-1',
    servicePeriod: '2026-03',
    tickets: 25,
    p1Tickets: 2,
    p1WithinTarget: 2,
    supersedes: null,
    reportedAt: '2026-03-02T12:00:00Z',
    ...over,
  });
  const send = (over: Record<string, unknown>) => manager('POST', `/v1/contract-lines/${line}/usage-reports`, { body: report(over) });
  of(await send({}), 200);
  expect.code(await send({ tickets: 26 }), 'EffectIdentityMismatch');
  expect.code(await send({ eventId: 'USE-2', servicePeriod: '2030-01' }), 'UsagePeriodOutsideTerm');
  expect.code(await send({ eventId: 'USE-3', servicePeriod: '2026-04', supersedes: 'USE-1' }), 'UsageSupersedesOther');
  const key = await firm.withKey(['service-desk-integration']);
  const file = [{ lineId: 'C', ...report({ eventId: 'USE-4', supersedes: 'USE-1' }) }];
  of(await key('POST', `/v1/deals/${deal.id}/usage-reports`, { body: file }), 202);
  const odd = [{ lineId: 'C', ...report({ eventId: 'USE-5', servicePeriod: '2026-04', p1WithinTarget: 3 }) }];
  await rowRefused(firm, expect, await key('POST', `/v1/deals/${deal.id}/usage-reports`, { body: odd }), 'UsageInconsistent');
}

export const entry = (over: Record<string, unknown> = {}) => ({
  entryId: 'T-1',
  personId: 'P-044',
  workDate: '2026-03-02',
  lineId: 'B',
  taskId: 'B1',
  roleCode: 'SCO',
  hourType: 'regular',
  hours: '8',
  workCountry: 'US',
  onsite: false,
  restDayApproval: null,
  billable: true,
  rework: false,
  note: null,
  status: 'approved',
  submittedAt: '2026-03-02T14:00:00Z',
  approvedAt: '2026-03-02T14:30:00Z',
  approvedBy: 'U-PM-US',
  ...over,
});

const expense = (over: Record<string, unknown> = {}) => ({
  expenseId: 'X-1',
  reportId: 'R-1',
  personId: 'P-044',
  lineId: 'B',
  spendDate: '2026-03-02',
  country: 'US',
  category: 'hotel',
  quantity: '1',
  unit: 'night',
  currency: 'USD',
  amountGross: '200.00',
  recoverableTax: '0.00',
  receipt: true,
  justification: null,
  billable: true,
  status: 'approved',
  submittedAt: '2026-03-02T14:00:00Z',
  approvedAt: '2026-03-02T14:30:00Z',
  approvedBy: 'U-PM-US',
  ...over,
});

async function time(firm: Firm, expect: Expectations, deal: Deal): Promise<void> {
  const manager = await firm.as('U-PM-US');
  const entries = [
    entry({ approvedBy: 'U-FC-US' }),
    entry({ entryId: 'T-2', personId: 'P-001', roleCode: 'PRN' }),
    entry({ entryId: 'T-3', lineId: 'D', taskId: 'D1', hours: '24' }),
  ];
  of(await manager('POST', '/v1/time-entries', { body: { dealId: deal.id, entries } }), 202);
  const more = Array.from({ length: 12 }, (_, index) => entry({ entryId: `T-1${index}`, hours: '24', personId: 'P-001', roleCode: 'PRN' }));
  of(await manager('POST', `/v1/deals/${deal.id}/time-entries`, { body: more }), 202);
  of(await manager('POST', `/v1/deals/${deal.id}/expenses`, { body: [expense()] }), 202);
  of(
    await manager('POST', `/v1/deals/${deal.id}/forecasts`, {
      body: { forecasts: [{ lineId: 'A', asOf: '2026-03-31', estimateToComplete: '20000.00', currency: 'USD' }] },
    }),
    202,
  );
  const finance = await firm.as('U-FC-US');
  const retainer = await firm.lineOf(deal, 'D');
  const tooMuch = { kind: 'overage', period: '2026-03', hours: '999', reasonCode: 'goodwill' };
  await firm.until('the hours to be recorded', async () => {
    const answer = await finance('POST', `/v1/contract-lines/${retainer}/waivers`, { body: tooMuch });
    return (answer.body as { code?: string }).code === 'WaiverExceedsOverage';
  });
  of(await finance('POST', `/v1/contract-lines/${retainer}/waivers`, { body: { ...tooMuch, hours: '1' } }), 200);
  const wrong = [expense({ amountGross: '250.00' })];
  await rowRefused(firm, expect, await manager('POST', `/v1/deals/${deal.id}/expenses`, { body: wrong }), 'ExpenseChanged');
}

/** The batch of a file names this code for one of its rows. */
export async function rowRefused(firm: Firm, expect: Expectations, answer: Answer, code: string): Promise<void> {
  const { batchId } = of<{ batchId: string }>(answer, 202);
  const auditor = await firm.as('U-AUDIT');
  await firm.until(
    'the file to be applied',
    async () => of<{ state: string }>(await auditor('GET', `/v1/intake-batches/${batchId}`), 200).state === 'applied',
  );
  const { data } = of<{ data: { code: string }[] }>(await auditor('GET', `/v1/intake-batches/${batchId}/errors`), 200);
  expect.that(
    data.some((error) => error.code === code),
    `a row is refused as ${code}: ${JSON.stringify(data)}`,
  );
}

async function bills(firm: Firm, expect: Expectations, deal: Deal): Promise<void> {
  const receivables = await firm.as('U-AR');
  const { data } = of<{ data: { id: string; state: string; reference: string; lineId: string }[] }>(
    await receivables('GET', `/v1/invoices?dealId=${deal.id}`),
    200,
  );
  // Of fees, whose correction everybody may decide: nobody of finance has worked or approved anything on it.
  const issued = data.find((each) => each.state === 'issued' && each.lineId === 'D');
  expect.that(issued !== undefined, `an invoice is issued: ${JSON.stringify(data.map((each) => [each.reference, each.state]))}`);
  const invoice = `/v1/invoices/${issued?.id ?? ''}`;
  const hold = { kind: 'promise', amount: '1.00', reason: 'quality', from: '2026-04-06T00:00:00Z', until: null };
  expect.code(await receivables('POST', `${invoice}/holds`, { body: { ...hold, amount: '1.001' } }), 'AmountInvalid');
  expect.code(await receivables('POST', `${invoice}/holds`, { body: { ...hold, amount: '999999999.00' } }), 'HoldAboveOpenAmount');
  const { holdId } = of<{ holdId: string }>(await receivables('POST', `${invoice}/holds`, { body: hold }), 201);
  expect.code(await receivables('DELETE', `${invoice}/holds/none`), 'HoldUnknown');
  of(await receivables('DELETE', `${invoice}/holds/${holdId}`), 200);
  of(await receivables('GET', `${invoice}/document`), 200);
  await disputed(firm, expect, deal, invoice);
  await bank(firm, expect, issued?.id ?? '');
  const stateOf = async () => of<{ state: string }>(await receivables('GET', invoice), 200).state;
  await firm.until('the invoice to be settled', async () => (await stateOf()) === 'settled');
  await firm.until('the run of the invoice to have ended', async () => {
    const answer: Answer = await receivables('POST', `${invoice}/holds`, { body: hold });
    return (answer.body as { code?: string }).code === 'InvoiceNotOpen';
  });
  await corrected(firm, expect, deal, invoice);
  const ofTime = data.find((each) => each.state === 'issued' && each.lineId === 'B');
  expect.that(ofTime !== undefined, 'an invoice of time is issued');
  await brokenGlass(firm, expect, deal, `/v1/invoices/${ofTime?.id ?? ''}`);
}

async function bank(firm: Firm, expect: Expectations, invoiceId: string): Promise<void> {
  const key = await firm.withKey(['bank-integration']);
  const { account, paid } = await paymentOf(firm, invoiceId);
  const send = (raw: string) => key('POST', '/v1/bank-statements', { raw, type: 'application/xml' });
  const file = writeStatement('ST-1', account, paid);
  expect.code(await send('<a'), 'StatementInvalid');
  expect.code(await send(file.replaceAll('camt.053.001.08', 'camt.999')), 'NamespaceUnknown');
  expect.code(await send(writeStatement('ST-2', 'XX00NOTOURS', paid)), 'BankAccountUnknown');
  of(await send(file), 202);
  expect.code(await send(file), 'StatementAlreadyImported');
}

async function reads(firm: Firm, deal: Deal): Promise<void> {
  const auditor = await firm.as('U-AUDIT');
  const line = await firm.lineOf(deal, 'B');
  const paths = [
    `/v1/deals/${deal.id}/revenue`,
    `/v1/deals/${deal.id}/contract-balances`,
    `/v1/deals/${deal.id}/policy-findings`,
    `/v1/deals/${deal.id}/billable-time`,
    `/v1/deals`,
    `/v1/projects`,
    `/v1/contract-lines/${line}`,
    `/v1/contract-lines/${line}/runs`,
    `/v1/contract-lines/${await firm.lineOf(deal, 'D')}/drawdown`,
    `/v1/contract-lines/${await firm.lineOf(deal, 'C')}/settlements`,
    '/v1/bank-statements',
    '/v1/payments',
    '/v1/receivables',
    '/v1/receivables/interest',
    '/v1/entities/LE-US/periods',
    '/v1/entities/LE-US/trial-balance',
    '/v1/waits',
    '/v1/duties/conflicts',
    '/v1/process/open-work',
    '/v1/process/handoffs',
    '/v1/process/sla',
    '/v1/process/breaches',
    '/v1/process/approvals',
    '/v1/process/rework?from=2026-03-01&until=2026-05-01',
    '/v1/exceptions',
    `/v1/runs/deal%2F${deal.id}`,
    `/v1/audit?stream=deal/${deal.id}`,
    '/v1/audit/streams',
    '/v1/audit/field-access',
    `/v1/deals/${deal.id}/audit-export`,
    `/v1/audit/verification?stream=deal/${deal.id}`,
  ];
  for (const path of paths) of(await auditor('GET', path), 200);
}
