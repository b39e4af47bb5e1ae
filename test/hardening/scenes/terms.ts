import { uuidv7 } from 'uuidv7';
import { of, type Deal, type Firm } from '../firm';
import { between, fixedFee, managedService, retainer, sowTerms, task, timeAndMaterials } from './deals';
import { toldLater } from './events';
import { type Expectations, type Scene } from './scene';

export const MAIN = 'MAIN';

interface Shown {
  readonly id: string;
  readonly subjectKind: string;
  readonly shownHash: string;
}

/** The deal of most scenes: from the handoff to its contract, with everything that the approvals on the way refuse. */
export const terms: Scene = {
  name: 'handoff, terms and approvals',
  play: async (firm, expect) => {
    await incomplete(firm, expect);
    const deal = await firm.win(MAIN, {
      ...between,
      lines: [fixedFee(), timeAndMaterials(), managedService(), retainer()],
    });
    await inState(firm, deal, 'terms');
    await plan(firm, expect, deal);
    await proposals(firm, expect, deal);
    await confirmed(firm, expect, deal);
    await tiers(firm, expect, deal);
  },
};

async function incomplete(firm: Firm, expect: Expectations): Promise<void> {
  const deal = await firm.win('INCOMPLETE', { ...between, statementOfWork: undefined, lines: [fixedFee()] });
  const seller = await firm.as('U-SELLER');
  await firm.until('the handoff', async () => {
    const { missing } = of<{ missing: { code: string }[] }>(await seller('GET', `/v1/deals/${deal.id}`), 200);
    return missing.length > 0;
  });
  await firm.until('the run of the deal', async () => (await seller('POST', `/v1/deals/${deal.id}/handoff/recheck`)).status === 202);
  expect.code(
    await seller('POST', `/v1/deals/${deal.id}/sow-proposals`, { body: { documentId: 'SOW-1', terms: sowTerms } }),
    'TermsNotExpected',
  );
  const manager = await firm.as('U-PM-US');
  expect.code(await manager('POST', `/v1/deals/${deal.id}/change-orders`, { body: order() }), 'DealNotChangeable');
}

async function plan(firm: Firm, expect: Expectations, deal: Deal): Promise<void> {
  const manager = await firm.as('U-PM-US');
  const url = `/v1/deals/${deal.id}/delivery-plan`;
  const twice = await manager('PUT', url, { body: { tasks: [task('A1', 'A'), task('A1', 'A')] }, headers: { 'if-match': '*' } });
  await toldLater(firm, expect, of<{ inboxEventId: string }>(twice, 202).inboxEventId, 'ValueNotStorable');
  const body = { tasks: [task('A1', 'A'), task('B1', 'B'), task('D1', 'D')] };
  of(await manager('GET', url), 200);
  expect.code(await manager('PUT', url, { body }), 'PreconditionRequired');
  expect.code(await manager('PUT', url, { body, headers: { 'if-match': '"older"' } }), 'PreconditionFailed');
  expect.status(await manager('PUT', url, { body, headers: { 'if-match': '*' }, key: 'plan' }), 202);
  const answers = await Promise.all(
    Array.from({ length: 12 }, () => manager('PUT', url, { body, headers: { 'if-match': '*' }, key: 'plan-at-once' })),
  );
  expect.that(
    answers.some(({ status }) => status === 409),
    'a repetition while the first request runs is told to wait',
  );
}

async function proposals(firm: Firm, expect: Expectations, deal: Deal): Promise<void> {
  const url = `/v1/deals/${deal.id}/sow-proposals`;
  const seller = await firm.as('U-SELLER');
  const term = { path: 'lines.A.fixedFee', value: '300000.00', unit: 'amount', clause: '2', currency: 'USD' };
  const wrong = [
    { ...term, path: 'noSuchTerm' },
    { ...term, value: 'much' },
    { ...term, currency: 'EUR' },
    { ...term, path: 'paymentTermsDays', value: 'soon' },
    ...sowTerms,
    ...sowTerms,
  ];
  const refused = await seller('POST', url, { body: { documentId: 'SOW-1', terms: wrong } });
  for (const code of ['SowTermsInvalid', 'UnknownTermPath', 'TermValueInvalid', 'TermCurrencyMismatch']) expect.code(refused, code);
  expect.code(await seller('POST', url, { body: { documentId: 'SOW-1', terms: [...sowTerms, ...sowTerms] } }), 'DuplicateTermPath');
  const proposalId = uuidv7();
  const finance = await firm.as('U-FC-US');
  of(await finance('POST', url, { body: { proposalId, documentId: 'SOW-1', terms: sowTerms } }), 201);
  expect.code(await finance('POST', url, { body: { proposalId, documentId: 'SOW-2', terms: sowTerms } }), 'EffectIdentityMismatch');
  of(await seller('GET', url), 200);
}

/** Legal and finance confirm; the first proposal is refused, so that another one may come. */
async function confirmed(firm: Firm, expect: Expectations, deal: Deal): Promise<void> {
  const first = await pending(firm, deal, 'sow');
  const url = `/v1/approvals/${first.id}`;
  const decide = async (userId: string, more: Record<string, unknown>, approval = first) =>
    (await firm.as(userId))('POST', `/v1/approvals/${approval.id}/decisions`, {
      body: { verdict: 'grant', shownHash: approval.shownHash, ...more },
    });
  expect.code(await decide('U-FC-US', {}), 'ApproverIsRequester');
  expect.code(await decide('U-CFO', {}), 'RoleNotAsked');
  expect.code(await decide('U-LEGAL', { shownHash: 'older' }), 'VersionOutdated');
  expect.code(await decide('U-LEGAL', { verdict: 'refuse' }), 'ReasonMissing');
  const time = await firm.withKey(['time-integration']);
  expect.code(await time('POST', `${url}/decisions`, { body: { verdict: 'grant', shownHash: first.shownHash } }), 'PermissionMissing');
  expect.code(await (await firm.as('U-LEGAL'))('POST', `${url}/withdrawal`, { body: { reason: 'no' } }), 'RequesterRequired');
  const decisionId = uuidv7();
  of(await decide('U-LEGAL', { decisionId }), 200);
  expect.code(await decide('U-LEGAL', { decisionId, verdict: 'refuse', reason: 'no' }), 'DecisionIdReused');
  expect.code(await decide('U-LEGAL', { verdict: 'refuse', reason: 'no', role: 'legal-counsel' }), 'AlreadyVoted');
  expect.code(await decide('U-LEGAL2', { role: 'legal-counsel' }), 'AlreadyDecided');
  of(await (await firm.as('U-FC-US'))('POST', `${url}/withdrawal`, { body: { reason: 'another draft' } }), 202);
  await firm.until(
    'the withdrawal',
    async () => of<{ state: string }>(await (await firm.as('U-PMO'))('GET', url), 200).state === 'withdrawn',
  );
  expect.code(await decide('U-LEGAL2', {}), 'ApprovalGone');
  await inState(firm, deal, 'terms');
  const seller = await firm.as('U-SELLER');
  await firm.until('the second proposal', async () => {
    const { status } = await seller('POST', `/v1/deals/${deal.id}/sow-proposals`, { body: { documentId: 'SOW-1', terms: sowTerms } });
    return status === 201;
  });
  const second = await pending(firm, deal, 'sow');
  of(await decide('U-FC-US', { role: 'finance-controller' }, second), 200);
  expect.code(await decide('U-FC-US', { role: 'legal-counsel' }, second), 'SamePersonTwice');
  of(await decide('U-LEGAL', { role: 'legal-counsel' }, second), 200);
  await inState(firm, deal, 'approval');
}

/** The deal's own approval has two tiers. */
async function tiers(firm: Firm, expect: Expectations, deal: Deal): Promise<void> {
  const approval = await pending(firm, deal, 'deal');
  const decide = async (userId: string, more: Record<string, unknown> = {}) =>
    (await firm.as(userId))('POST', `/v1/approvals/${approval.id}/decisions`, {
      body: { verdict: 'grant', shownHash: approval.shownHash, ...more },
    });
  expect.code(await decide('U-FC-US', { role: 'finance-controller' }), 'TierNotOpen');
  expect.code(await decide('U-SALESDIR'), 'DelegationCeilingExceeded');
  expect.status(await decide('U-DELDIR'), 200);
  await firm.bring(deal, 'mobilising', 'deal');
}

export async function pending(firm: Firm, deal: Deal, subjectKind: string): Promise<Shown> {
  const overseer = await firm.as('U-PMO');
  return firm.until(`an approval of ${subjectKind}`, async () => {
    const path = `/v1/approvals?state=pending&dealId=${deal.id}&subjectKind=${subjectKind}`;
    return of<{ data: Shown[] }>(await overseer('GET', path), 200).data[0];
  });
}

export async function inState(firm: Firm, deal: Deal, state: string): Promise<void> {
  const overseer = await firm.as('U-PMO');
  await firm.until(
    `deal ${deal.code} to be ${state}`,
    async () => of<{ state: string }>(await overseer('GET', `/v1/deals/${deal.id}`), 200).state === state,
  );
}

/** A change order of the main deal, as it is sent. */
export function order(over: Record<string, unknown> = {}) {
  const change = { path: 'lines.A.fixedFee', from: '300000.00', to: '310000.00', currency: 'USD', inForceFrom: '2026-04-01' };
  return { number: 'CO-1', title: 'More', contractVersion: 1, reason: 'the customer asks for it', changes: [change], tasks: [], ...over };
}
