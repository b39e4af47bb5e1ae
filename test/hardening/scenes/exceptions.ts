import { of, type Deal, type Firm } from '../firm';
import { entry } from './delivery';
import { type Expectations, NOBODY_S_ID, type Scene } from './scene';
import { small } from './small-deal';
import { inState, MAIN, pending } from './terms';

interface Found {
  readonly id: string;
  readonly stage: string;
  readonly choices: readonly { readonly approvalId: string | null; readonly state: string }[];
}

/** A breach of policy and a decision that nobody takes: owners are refused for every reason there is, then choose what becomes of them. */
export const exceptions: Scene = {
  name: 'exceptions',
  play: async (firm, expect) => {
    await breach(firm, expect, firm.deal(MAIN));
    await delay(firm, expect);
  },
};

const outcome = (id: string) => `/v1/exceptions/${id}/outcome`;
const choice = (option: string, over: Record<string, unknown> = {}) => ({ body: { option, reason: 'as it is', ...over } });

async function breach(firm: Firm, expect: Expectations, deal: Deal): Promise<void> {
  const [manager, receivables, finance] = [await firm.as('U-PM-US'), await firm.as('U-AR'), await firm.as('U-FC-US')];
  const sunday = { entryId: 'T-SUNDAY', lineId: 'D', taskId: 'D1', workDate: '2026-04-05', hours: '2' };
  of(await manager('POST', '/v1/time-entries', { body: { dealId: deal.id, entries: [entry(sunday)] } }), 202);
  const { id } = await waitFor(firm, deal, 'policy-breach', 'assigned');
  of(await manager('GET', '/v1/exceptions?mine=true'), 200);
  expect.code(await manager('GET', `/v1/exceptions/${NOBODY_S_ID}`), 'ExceptionUnknown');
  expect.code(await receivables('POST', outcome(id), choice('uphold')), 'ExceptionOfOthers');
  expect.code(await manager('POST', outcome(id), choice('retry')), 'OutcomeNotOffered');
  expect.code(await manager('POST', outcome(id), choice('exempt')), 'EvidenceMissing');
  const asked = of<Found>(await manager('POST', outcome(id), choice('exempt', { evidence: 'MAIL-1' })), 200);
  expect.code(await manager('POST', outcome(id), choice('uphold')), 'ExceptionDecided');
  const approvalId = asked.choices[0]?.approvalId ?? '';
  const { shownHash } = of<{ shownHash: string }>(await finance('GET', `/v1/approvals/${approvalId}`), 200);
  const refusal = { verdict: 'refuse', reason: 'nobody allowed it', shownHash };
  await firm.until('the exemption to be refused', async () => {
    const { status } = await finance('POST', `/v1/approvals/${approvalId}/decisions`, { body: refusal, isOut: true });
    return status === 200;
  });
  await waitFor(firm, deal, 'policy-breach', 'assigned');
  of(await manager('POST', outcome(id), choice('uphold')), 200);
  await firm.until(
    'the breach to be settled',
    async () => of<Found>(await manager('GET', `/v1/exceptions/${id}`), 200).stage === 'settled',
  );
  expect.code(await manager('POST', outcome(id), choice('uphold')), 'ExceptionSettled');
}

/** Nobody decides on anything for three times the deadline of a decision. */
async function delay(firm: Firm, expect: Expectations): Promise<void> {
  const deal = await small(firm, 'SLOW');
  const office = await firm.as('U-PMO');
  await inState(firm, deal, 'terms');
  await pending(firm, deal, 'sow');
  await firm.passTo('2026-04-20T15:00:00.000Z', firm.everyDeal());
  const { id } = await waitFor(firm, deal, 'delayed-approval', 'assigned');
  expect.code(await office('POST', outcome(id), choice('reassign')), 'TargetMissing');
  expect.code(await office('POST', outcome(id), choice('reassign', { target: 'operator' })), 'ReassignmentNotAllowed');
  of(await office('POST', outcome(id), choice('reassign', { target: 'ceo' })), 200);
}

function waitFor(firm: Firm, deal: Deal, path: string, stage: string): Promise<Found> {
  return firm.until(`an exception of ${path} to be ${stage}`, async () => {
    const auditor = await firm.as('U-AUDIT');
    const { data } = of<{ data: Found[] }>(await auditor('GET', `/v1/exceptions?path=${path}&stage=${stage}&dealId=${deal.id}`), 200);
    return data[0];
  });
}
