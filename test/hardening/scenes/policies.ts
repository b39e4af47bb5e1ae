import { of, type Firm, type Send } from '../firm';
import { type Expectations, NOBODY_S_ID, type Scene } from './scene';

interface Version {
  readonly versionId: string;
}
interface InForce {
  readonly group: Version;
  readonly content: Readonly<Record<string, unknown>>;
}
interface Receipt {
  readonly changeId: string;
  readonly approvalId: string;
}

/** Far enough that no other scene goes by it. */
const DAY = '2090-01-01';

/** A change of a policy is refused for every reason there is, granted, and taken back again. */
export const policies: Scene = {
  name: 'policies',
  play: async (firm, expect) => {
    const [pmo, german] = [await firm.as('U-PMO'), await firm.as('U-FC-DE')];
    const { group, content } = of<InForce>(await pmo('GET', `/v1/policies/closing/in-force?on=${DAY}`), 200);
    const asked = { basedOn: group.versionId, effectiveFrom: DAY, content: { ...content, closeDay: 16 }, reason: 'later' };
    const ask = (send: Send, over: Record<string, unknown>, kind = 'closing') =>
      send('POST', `/v1/policies/${kind}/changes`, { body: { ...asked, ...over } });
    expect.code(await pmo('GET', `/v1/policies/closing/versions/${NOBODY_S_ID}`), 'PolicyVersionUnknown');
    expect.code(await pmo('GET', `/v1/policies/closing/changes/${NOBODY_S_ID}`), 'PolicyChangeUnknown');
    expect.code(await ask(pmo, {}, 'tax-rates'), 'PolicyNotProposable');
    expect.code(await ask(pmo, { basedOn: NOBODY_S_ID }), 'PolicyBaseOutdated');
    expect.code(await ask(pmo, { effectiveFrom: '2020-01-01' }), 'PolicyBackdated');
    expect.code(await ask(pmo, { content }), 'PolicyWithoutEffect');
    expect.code(await ask(pmo, { content: { ...content, closeDay: 31 } }), 'PolicyInvalid');
    expect.code(await ask(german, { entityId: 'LE-DE', content: { note: 'ours' } }), 'PolicyVariationInvalid');
    expect.code(await ask(german, { entityId: 'LE-DE', content: { softCloseDay: 28 } }), 'PolicyVariationUnfit');
    await conditions(pmo, expect);
    const back = { body: { reason: 'back' } };
    expect.code(await pmo('POST', `/v1/policies/closing/versions/${group.versionId}/withdrawal`, back), 'PolicyVersionStays');
    const receipt = of<Receipt>(await ask(pmo, {}), 201);
    expect.code(await ask(pmo, { content: { ...content, closeDay: 17 } }), 'PolicyChangeOpen');
    const versionId = await granted(firm, expect, receipt);
    const reads = ['', '/closing/versions', `/closing/versions/${versionId}/differences?from=${group.versionId}`, '/closing/changes'];
    for (const path of reads) of(await pmo('GET', `/v1/policies${path}`), 200);
    const withdrawal = `/v1/policies/closing/versions/${versionId}/withdrawal`;
    await granted(firm, expect, of<Receipt>(await pmo('POST', withdrawal, back), 201));
    expect.code(await pmo('POST', withdrawal, back), 'PolicyVersionWithdrawn');
    expect.same(of<InForce>(await pmo('GET', `/v1/policies/closing/in-force?on=${DAY}`), 200).content, content, 'the closing policy');
  },
};

/** Finance controller and CFO grant a change; gives the version that it brings. */
async function granted(firm: Firm, expect: Expectations, { changeId, approvalId }: Receipt): Promise<string> {
  for (const userId of ['U-FC-US', 'U-CFO']) {
    const send = await firm.as(userId);
    const { shownHash } = of<{ shownHash: string }>(await send('GET', `/v1/approvals/${approvalId}`), 200);
    of(await send('POST', `/v1/approvals/${approvalId}/decisions`, { body: { verdict: 'grant', shownHash } }), 200);
  }
  const pmo = await firm.as('U-PMO');
  const change = await firm.until('the change of the policy to be settled', async () => {
    const now = of<{ state: string; versionId: string | null }>(await pmo('GET', `/v1/policies/closing/changes/${changeId}`), 200);
    return now.state !== 'requested' && now;
  });
  expect.same(change.state, 'applied', 'the change of the policy');
  return change.versionId ?? '';
}

/** Every way in which a condition of the firm's own can be wrong; nothing of it is kept. */
async function conditions(pmo: Send, expect: Expectations): Promise<void> {
  const { group, content } = of<InForce>(await pmo('GET', `/v1/policies/approval/in-force?on=${DAY}`), 200);
  const wrong = {
    ExpressionTooLong: `amount > ${'1'.repeat(1000)}`,
    ExpressionMalformed: 'amount >',
    ExpressionNotBoolean: 'paymentTermsDays',
    ExpressionFunctionRefused: 'entityId.matches("(a+)+b")',
    ExpressionNested: 'currencies.all(a, currencies.all(b, a == b))',
    ExpressionConstant: '1 == 1',
  };
  const matrix = Object.entries(wrong).map(([id, expression]) => ({
    ...{ id, subject: 'deal', when: { expression } },
    approvers: [{ tier: 1, role: 'cfo', quorum: '1' }],
  }));
  const body = { basedOn: group.versionId, effectiveFrom: DAY, content: { ...content, matrix }, reason: 'later' };
  const refused = await pmo('POST', '/v1/policies/approval/changes', { body });
  for (const code of ['PolicyInvalid', ...Object.keys(wrong)]) expect.code(refused, code);
}
