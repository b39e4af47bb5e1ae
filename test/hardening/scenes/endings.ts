import { uuidv7 } from 'uuidv7';
import { of, type Deal, type Firm } from '../firm';
import { paymentOf, writeStatement } from './bank';
import { between, fixedFee } from './deals';
import { type Expectations, type Scene } from './scene';
import { onlyMilestone, small } from './small-deal';
import { inState, pending } from './terms';

/** Deals that end: closed and cancelled. */
export const endings: Scene = {
  name: 'endings',
  play: async (firm, expect) => {
    await closed(firm, expect);
    await cancelled(firm, expect);
  },
};

async function closed(firm: Firm, expect: Expectations): Promise<void> {
  const deal = await small(firm, 'CLOSED');
  await firm.bring(deal, 'delivering');
  const line = await firm.lineOf(deal, 'A');
  const manager = await firm.as('U-PM-US');
  const now = await firm.now();
  const yesterday = new Date(Date.parse(now) - 86_400_000).toISOString();
  const milestone = `/v1/contract-lines/${line}/milestones/M1`;
  await firm.until('the line to be active', async () => {
    const answer = await manager('POST', `${milestone}/deliveries`, {
      body: { deliveredAt: yesterday },
      key: `delivery-${uuidv7()}`,
      isOut: true,
    });
    return answer.status === 200;
  });
  of(await manager('POST', `${milestone}/responses`, { body: { attempt: 1, response: 'accepted', respondedAt: yesterday } }), 200);
  let isReleased = false;
  const { id } = await firm.until('the invoice', async () => {
    const { data } = of<{ data: { id: string; state: string; reference: string; total: string }[] }>(
      await manager('GET', `/v1/invoices?dealId=${deal.id}`),
      200,
    );
    const draft = data.find(({ state }) => state === 'draft');
    if (draft !== undefined && !isReleased) isReleased = await refusedAndReleased(firm, expect, deal, line);
    if (draft !== undefined) expect.code(await manager('GET', `/v1/invoices/${draft.id}/document`), 'InvoiceNotIssued');
    await firm.answer(deal);
    return data.find(({ state }) => state === 'issued');
  });
  of(await manager('GET', `/v1/invoices/${id}`), 200);
  const { account, paid } = await paymentOf(firm, id);
  const raw = writeStatement('ST-CLOSED', account, paid);
  of(await (await firm.as('U-AR'))('POST', '/v1/bank-statements', { raw, type: 'application/xml' }), 202);
  const { projectId } = of<{ projectId: string }>(await manager('GET', `/v1/deals/${deal.id}`), 200);
  const project = `/v1/projects/${projectId}`;
  const signOff = (documentReference: string) =>
    manager('POST', `${project}/sign-off`, { body: { documentReference, signedOn: now.slice(0, 10) }, key: documentReference });
  await firm.until('the sign-off to be asked for', async () => (await signOff('letter')).status === 200);
  expect.code(await signOff('another letter'), 'ProjectSignedOff');
  of(await manager('POST', `${project}/recheck`), 202);
  await firm.bring(deal, 'closed');
  expect.code(await signOff('late letter'), 'ProjectClosed');
  expect.code(await manager('POST', `${milestone}/deliveries`, { body: { deliveredAt: now } }), 'LineFinished');
  const seller = await firm.as('U-SELLER');
  expect.code(await seller('POST', `/v1/deals/${deal.id}/handoff/recheck`), 'DealFinished');
}

/** Finance refuses a draft, whose item is held until it is released and billed anew. */
async function refusedAndReleased(firm: Firm, expect: Expectations, deal: Deal, line: string): Promise<boolean> {
  const approval = await pending(firm, deal, 'invoice');
  const finance = await firm.as('U-FC-US');
  expect.code(await finance('POST', `/v1/approvals/${approval.id}/questions`, { body: { question: 'why?' } }), 'NobodyToAnswer');
  const refusal = { verdict: 'refuse', reason: 'the address is wrong', shownHash: approval.shownHash };
  of(await finance('POST', `/v1/approvals/${approval.id}/decisions`, { body: refusal }), 200);
  const itemKey = await firm.until('the item to be held', async () => {
    const { billingPlan } = of<{ billingPlan: { itemKey: string; heldReason: string | null }[] }>(
      await finance('GET', `/v1/contract-lines/${line}`),
      200,
    );
    return billingPlan.find(({ heldReason }) => heldReason !== null)?.itemKey;
  });
  of(await finance('POST', `/v1/contract-lines/${line}/releases`, { body: { itemKey } }), 200);
  return true;
}

async function cancelled(firm: Firm, expect: Expectations): Promise<void> {
  const deal = await small(firm, 'CANCELLED');
  const pmo = await firm.as('U-PMO');
  const cancel = (over: Record<string, unknown> = {}) =>
    pmo('POST', `/v1/deals/${deal.id}/cancellation`, {
      body: { reason: 'the customer stops', effectiveOn: '2026-06-30', ...over },
      key: `cancel-${uuidv7()}`,
    });
  expect.code(await cancel({ effectiveOn: '2026-01-31' }), 'CancellationBackdated');
  of(await cancel(), 201);
  expect.code(await cancel(), 'CancellationPending');
}

/** An operator ends runs at Temporal: the facts say that they are open, but nobody is there to take a message. Played last. */
export const lostRuns: Scene = { name: 'lost runs', play: lost };

async function lost(firm: Firm, expect: Expectations): Promise<void> {
  const deal = await firm.win('LOST', { ...between, statementOfWork: undefined, lines: [fixedFee({ milestones: onlyMilestone })] });
  await inState(firm, deal, 'handoff');
  await endRun(firm, `deal/${deal.id}`);
  expect.code(await (await firm.as('U-SELLER'))('POST', `/v1/deals/${deal.id}/handoff/recheck`), 'DealNotStarted');
  const other = await small(firm, 'ENDED');
  const { id } = await pending(firm, other, 'sow');
  await endRun(firm, `approval/${id}`);
  const withdrawn = await (await firm.as('U-SELLER'))('POST', `/v1/approvals/${id}/withdrawal`, { body: { reason: 'no' }, isOut: true });
  expect.code(withdrawn, 'RunMissing');
}

/** Facts are there a moment before the run that is started for them. */
async function endRun(firm: Firm, workflowId: string): Promise<void> {
  const run = firm.installation.client.workflow.getHandle(workflowId);
  const ended = () =>
    run.terminate('ended by an operator').then(
      () => true,
      () => false,
    );
  await firm.until(`the run ${workflowId}`, ended);
}
