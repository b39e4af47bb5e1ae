import { randomUUID } from 'node:crypto';
import { of, type Deal, type Firm, type Send } from '../firm';
import { task } from './deals';
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
    await wrongPlan(firm, expect, firm.deal(MAIN));
    await wrongAddress(firm, expect);
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
  await decide(firm, finance, asked, 'refuse');
  await waitFor(firm, deal, 'policy-breach', 'assigned');
  const { data: items } = of<{ data: { id: string }[] }>(await manager('GET', `/v1/exceptions/${id}/items`), 200);
  expect.code(await manager('POST', outcome(id), choice('uphold', { items: [NOBODY_S_ID] })), 'ItemNotOpen');
  expect.code(await manager('POST', outcome(id), choice('fix', { correction: { entries: [] } })), 'CorrectionNotTaken');
  const upheld = await manager('POST', outcome(id), choice('uphold', { items: items.map((item) => item.id) }));
  await decide(firm, finance, of<Found>(upheld, 200), 'grant');
  await firm.until(
    'the breach to be settled',
    async () => of<Found>(await manager('GET', `/v1/exceptions/${id}`), 200).stage === 'settled',
  );
  expect.code(await manager('POST', outcome(id), choice('uphold')), 'ExceptionSettled');
}

/** A second person decides on the outcome that was chosen last. */
async function decide(firm: Firm, finance: Send, { choices }: Found, verdict: 'grant' | 'refuse'): Promise<void> {
  const approvalId = choices.find(({ state }) => state === 'asked')?.approvalId ?? '';
  const { shownHash } = of<{ shownHash: string }>(await finance('GET', `/v1/approvals/${approvalId}`), 200);
  const decision = { verdict, reason: 'it was looked at', shownHash };
  await firm.until(`the outcome to be decided: ${verdict}`, async () => {
    const { status } = await finance('POST', `/v1/approvals/${approvalId}/decisions`, { body: decision, isOut: true });
    return status === 200;
  });
}

/** A plan that could not be applied is corrected neither by more than somebody looks at, nor behind the one that was applied since. */
async function wrongPlan(firm: Firm, expect: Expectations, deal: Deal): Promise<void> {
  const operator = await firm.as('U-OPS');
  const url = `/v1/exceptions?path=stuck-integration&stage=assigned&dealId=${deal.id}&limit=100`;
  const { id } = await firm.until('the operators to be asked about the plan', async () =>
    of<{ data: { id: string; detail: string }[] }>(await operator('GET', url), 200).data.find(({ detail }) =>
      detail.startsWith('delivery-plan'),
    ),
  );
  const correct = (count: number) => {
    const tasks = Array.from({ length: count }, (_each, index) => task(`T-${index}`, 'A'));
    return operator('POST', outcome(id), choice('fix', { correction: { tasks } }));
  };
  expect.code(await correct(60), 'CorrectionTooLarge');
  expect.code(await correct(1), 'CorrectionOvertaken');
}

/** Mail that nobody takes is not sent to somebody else instead. */
async function wrongAddress(firm: Firm, expect: Expectations): Promise<void> {
  const { db } = firm.installation;
  const at = new Date().toISOString();
  const [id, message] = [randomUUID(), randomUUID()];
  const dead = { channel: 'mail', user_id: 'U-LEGAL', state: 'dead', attempts: 10, failure: '550', settled_at: at };
  await db
    .insertInto('notification')
    .values({ id: message, ...dead })
    .execute();
  const task = { kind: 'notification-dead', detail: 'mail not delivered: 550', owner_role: 'operator', opened_at: at };
  await db
    .insertInto('process_exception')
    .values({ id, workflow_id: `notification/${message}`, ...task })
    .execute();
  const operator = await firm.as('U-OPS');
  const { email: address } = await db.selectFrom('app_user').select('email').where('id', '=', 'U-CFO').executeTakeFirstOrThrow();
  await firm.until(
    'the operators to be asked',
    async () => of<Found>(await operator('GET', `/v1/exceptions/${id}`), 200).stage === 'assigned',
  );
  expect.code(await operator('POST', outcome(id), choice('fix', { correction: { address } })), 'AddressOfAnother');
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
