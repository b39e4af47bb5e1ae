import { makeLinks } from '../../../db/decision-links';
import { of, type Firm, type Send } from '../firm';
import { NOBODY_S_ID, type Expectations, type Scene } from './scene';

const DAY = '2092-01-01';
const BROWSER = { accept: 'text/html' };

/** A finance controller decides by the link of a mail, which is refused for every reason there is; the CFO decides on several at once. */
export const decisionLinks: Scene = {
  name: 'links and many decisions',
  play: async (firm, expect) => {
    const approval = await asked(firm);
    const url = await linkTo(firm, approval.id, 'U-FC-US');
    for (const headers of [{}, BROWSER]) expect.status(await firm.anyone('GET', url, { headers }), 200);
    await outdated(firm, expect, approval.id);
    expect.code(await form(firm, url, 'verdict=maybe'), 'ValidationFailed');
    expect.code(await form(firm, url, 'verdict=refuse'), 'ReasonMissing');
    for (let times = 0; times < 2; times += 1) expect.status(await form(firm, url, 'verdict=grant'), 200);
    expect.code(await form(firm, url, 'verdict=refuse&reason=no'), 'LinkUsed');
    expect.code(await firm.anyone('GET', url), 'LinkUsed');
    expect.status(await firm.anyone('GET', url, { headers: BROWSER }), 409);
    expect.code(await firm.anyone('GET', `/decide/${'A'.repeat(43)}`), 'LinkUnknown');
    await many(expect, await firm.as('U-CFO'), approval);
    // Its run is told of it seconds later; until then no other change of this policy is taken.
    const open = firm.installation.db.selectFrom('policy_change').select('id').where('state', '=', 'requested');
    await firm.until('the change to be refused', async () => (await open.executeTakeFirst()) === undefined);
  },
};

interface Asked {
  readonly id: string;
  readonly shownHash: string;
}

/** A change of a policy waits for a finance controller, and then for the CFO. */
async function asked(firm: Firm): Promise<Asked> {
  const pmo = await firm.as('U-PMO');
  const inForce = `/v1/policies/closing/in-force?on=${DAY}`;
  const { group, content } = of<{ group: { versionId: string }; content: { closeDay: number } }>(await pmo('GET', inForce), 200);
  const change = { basedOn: group.versionId, effectiveFrom: DAY, content: { ...content, closeDay: content.closeDay + 1 }, reason: 'later' };
  const { approvalId } = of<{ approvalId: string }>(await pmo('POST', '/v1/policies/closing/changes', { body: change }), 201);
  return of<Asked>(await pmo('GET', `/v1/approvals/${approvalId}`), 200);
}

/** As the mail to a person holds it: the secret is known nowhere else. */
async function linkTo({ installation }: Firm, approvalId: string, userId: string): Promise<string> {
  const tokens = await makeLinks(installation.db, userId, [{ approvalId, role: null }], 72);
  return `/decide/${tokens.get(approvalId) ?? ''}`;
}

async function outdated(firm: Firm, expect: Expectations, approvalId: string): Promise<void> {
  const { db } = firm.installation;
  const links = db.updateTable('decision_link').where('user_id', '=', 'U-LEGAL2');
  const url = await linkTo(firm, approvalId, 'U-LEGAL2');
  await links.set({ tier: 9 }).execute();
  expect.code(await firm.anyone('GET', url), 'LinkOutdated');
  await links.set({ expires_at: '2020-01-01T00:00:00Z' }).execute();
  expect.code(await form(firm, url, 'verdict=grant'), 'LinkExpired');
  const person = db.updateTable('app_user').where('id', '=', 'U-LEGAL2');
  await person.set({ active: false }).execute();
  expect.code(await firm.anyone('GET', url), 'LinkRevoked');
  await person.set({ active: true }).execute();
}

function form(firm: Firm, url: string, raw: string) {
  return firm.anyone('POST', url, { raw, type: 'application/x-www-form-urlencoded' });
}

async function many(expect: Expectations, cfo: Send, { id: approvalId, shownHash }: Asked): Promise<void> {
  const refuse = { approvalId, shownHash, verdict: 'refuse', reason: 'not now' };
  const decisions = [refuse, refuse, { ...refuse, approvalId: NOBODY_S_ID }, null];
  const body = { decisions };
  const url = '/v1/decisions';
  const answer = await cfo('POST', url, { body, key: 'many' });
  const { results } = of<{ results: { outcome: string; problem: { code: string } | null }[] }>(answer, 200);
  const said = results.map(({ outcome, problem }) => problem?.code ?? outcome);
  expect.same(said, ['accepted', 'ApprovalRepeated', 'ApprovalUnknown', 'ValidationFailed'], 'what became of each decision');
  const lines = await cfo('POST', url, { body, key: 'many', headers: { accept: 'application/x-ndjson' } });
  expect.same([lines.status, lines.text.trim().split('\n').length], [200, decisions.length + 1], 'the same answer in lines');
}
