import { problemOf, testApi, type Answer, type TestApi } from '../support/api';
import { changeOrders } from '../support/change-orders';
import { bringToDelivery, milestones, pendingApproval, service, startDeal, testDeal, until, type TestDeal } from '../support/lifecycles';
import { startTestEngine, type TestEngine } from '../support/worker';

const NOW = '2026-02-20T12:00:00.000Z';
let engine: TestEngine;
let api: TestApi;
let deal: TestDeal;
let orders: string;

beforeAll(async () => {
  engine = await startTestEngine();
  api = await testApi({ engine, deps: { updateTimeoutMs: 10_000, clock: { now: () => Promise.resolve(NOW) } } });
  deal = await startDeal(engine, testDeal({ lines: [milestones(), service()] }));
  await bringToDelivery(engine, deal);
  deal.now = NOW;
  orders = `/v1/deals/${deal.dealId}/change-orders`;
});
afterAll(async () => {
  await api.close();
  await engine.stop();
});

const addOn = { monthlyFee: '1000', currency: 'EUR', serviceFrom: '2026-04-16', serviceTo: '2026-06-30' };
const nights = { path: 'lines.B.addOns.nights', from: null, to: addOn, inForceFrom: '2026-04-16' };
const fee = { path: 'lines.B.monthlyFee', from: '10000.00', to: '12000.00', currency: 'EUR', inForceFrom: '2026-05-01' };
const asked = (over: Record<string, unknown> = {}) => ({
  number: 'CO-1',
  title: 'More service',
  contractVersion: 1,
  reason: 'the customer asks for nights',
  changes: [nights],
  ...over,
});
const codeOf = (answer: Answer) => [answer.status, problemOf(answer).code];

describe('a change order over HTTP', () => {
  test.each([
    [{ changes: [{ ...nights, to: { ...addOn, serviceTo: '2030-01-01' } }] }, 422, 'OutsideLineTerm', '/changes/0'],
    [{ changes: [nights, { ...fee, from: '9999.00' }] }, 409, 'ChangeFromMismatch', '/changes/1'],
    [{ changes: [{ ...fee, inForceFrom: '2026-05-02' }] }, 422, 'InForceNotMonthStart', '/changes/0'],
    [{ changes: [{ ...fee, path: 'lines.Z.monthlyFee' }] }, 422, 'UnknownTermPath', '/changes/0'],
    [
      {
        changes: [
          { ...fee, from: '1.00' },
          { ...nights, from: '1' },
        ],
      },
      422,
      'ChangeOrderInvalid',
      '/changes/0',
    ],
    [{ contractVersion: 7 }, 409, 'ContractVersionStale', undefined],
  ])('%j is refused', async (over, status, code, pointer) => {
    const manager = await api.as('U-PM-US');
    const answer = await manager('POST', orders, { body: asked(over) });
    expect(codeOf(answer)).toEqual([status, code]);
    if (pointer !== undefined) expect(problemOf(answer).errors?.map((each) => each.pointer)).toContain(pointer);
  });

  test('is asked for by who may change all of its lines', async () => {
    expect(codeOf(await (await api.as('U-AR'))('POST', orders, { body: asked() }))).toEqual([403, 'PermissionMissing']);
    const german = await api.as('U-PM-EU');
    const [line] = [{ path: 'lines.A.fixedFee', from: '100000.00', to: '110000.00', currency: 'USD', inForceFrom: '2026-03-01' }];
    expect(codeOf(await german('POST', orders, { body: asked({ changes: [nights, line] }) }))).toEqual([403, 'ScopeTooSmall']);
    expect(codeOf(await (await api.as('U-PM-JP'))('POST', orders, { body: asked() }))).toEqual([404, 'DealUnknown']);
  });

  test('goes from the request to the next contract version, and both are read', async () => {
    const manager = await api.as('U-PM-EU');
    const finance = await api.as('U-FC-DE');
    const first = await manager('POST', orders, { body: asked({ changes: [nights, fee] }) });
    expect(first.status).toBe(201);
    const { changeOrderId: id } = first.body as { changeOrderId: string };
    expect((await manager('POST', orders, { body: asked({ changes: [nights, fee] }), key: 'another' })).body).toEqual(first.body);
    expect(codeOf(await manager('POST', orders, { body: asked({ title: 'Other' }) }))).toEqual([409, 'EffectIdentityMismatch']);

    const whole = await (await api.as('U-PMO'))('GET', `${orders}/${id}`);
    expect(whole.body).toMatchObject({
      number: 'CO-1',
      state: 'requested',
      contractVersion: 1,
      changes: [
        { path: nights.path, lineId: 'B', from: null, inForceFrom: '2026-04-16' },
        { path: fee.path, lineId: 'B', from: '10000.00', to: '12000.00', currency: 'EUR' },
      ],
      // 15/30 of 1,000 in April, two months, and three months of 2,000 more
      values: [{ lineId: 'B', before: '60000.00', after: '68500.00', difference: '8500.00', currency: 'EUR' }],
      customerApproval: null,
      modificationAccounting: null,
    });

    const answers = { distinct: false, atStandAloneSellingPrice: false, remainingDistinct: true };
    expect(codeOf(await manager('POST', `${orders}/${id}/modification-accounting`, { body: answers }))).toEqual([403, 'PermissionMissing']);
    expect(await finance('POST', `${orders}/${id}/modification-accounting`, { body: answers })).toMatchObject({
      status: 200,
      body: { modificationAccounting: { treatment: 'prospective', answeredBy: 'U-FC-DE', answers: { concernsWorkDone: false } } },
    });
    const signed = { documentReference: 'CO-1 signed', signedOn: '2026-02-20', signedBy: 'Somebody of the customer' };
    expect(codeOf(await manager('POST', `${orders}/${id}/customer-approval`, { body: { ...signed, signedOn: '2026-02-21' } }))).toEqual([
      422,
      'SignatureInFuture',
    ]);
    expect((await manager('POST', `${orders}/${id}/customer-approval`, { body: signed })).status).toBe(200);
    await pendingApproval(engine, deal, 'change-order');
    await grant(id);
    await until('the order to be applied', async () => (await changeOrders(engine, deal))[0]?.state === 'applied');

    const versions = await finance('GET', `/v1/deals/${deal.dealId}/contract-versions`);
    const rows = (
      versions.body as { data: { version: number; changeOrderId: string | null; terms: { lines: Record<string, unknown>[] } }[] }
    ).data;
    expect(rows.map((row) => [row.version, row.changeOrderId])).toEqual([
      [2, id],
      [1, null],
    ]);
    // Finance of LE-DE sees the line of LE-DE only.
    expect(rows[0]?.terms.lines).toMatchObject([
      {
        lineId: 'B',
        monthlyFee: { minor: 1_200_000 },
        addOns: [{ addOnId: 'nights', serviceFrom: '2026-04-16' }],
        earlier: [{ before: '2026-05-01', version: 2, terms: { monthlyFee: { minor: 1_000_000 } } }],
      },
    ]);
    const lineUrl = await engine.db.selectFrom('contract_line').select('id').where('deal_id', '=', deal.dealId).where('line_id', '=', 'B').executeTakeFirstOrThrow(); // prettier-ignore
    expect(await finance('GET', `/v1/contract-lines/${lineUrl.id}`)).toMatchObject({
      status: 200,
      body: { terms: rows[0]?.terms.lines[0] },
    });
    const list = await finance('GET', orders);
    expect(list.body).toMatchObject({ data: [{ id, state: 'applied', appliedVersion: 2, outcome: null }] });
    expect(codeOf(await manager('POST', `${orders}/${id}/withdrawal`, { body: {} }))).toEqual([409, 'ChangeOrderSettled']);
    const words = engine.db.selectFrom('free_text').select('body').where('purpose', '=', 'signatory');
    expect(await words.execute()).toEqual([{ body: signed.signedBy }]);
    const audit = await engine.db.selectFrom('audit_entry').select('content').where('stream', '=', `deal/${deal.dealId}`).execute();
    expect(JSON.stringify(audit)).toContain('change-order.applied');
    expect(JSON.stringify(audit)).not.toContain(signed.signedBy);
  });

  test('is taken back by its requester alone, and is nothing to entities that its lines are not of', async () => {
    const body = asked({ number: 'CO-2', contractVersion: 2, changes: [{ ...nights, path: 'lines.B.addOns.days' }] });
    const manager = await api.as('U-PM-EU');
    const { changeOrderId: id } = (await manager('POST', orders, { body })).body as { changeOrderId: string };
    expect(codeOf(await (await api.as('U-PM-US'))('POST', `${orders}/${id}/withdrawal`, { body: {} }))).toEqual([403, 'RequesterRequired']);
    expect(await manager('POST', `${orders}/${id}/withdrawal`, { body: { reason: 'not now' } })).toMatchObject({
      status: 200,
      body: { state: 'withdrawn', outcome: { code: 'ChangeOrderWithdrawn' } },
    });
    const japan = await api.withKey(['auditor'], { kind: 'entities', entityIds: ['LE-JP'] });
    expect(codeOf(await japan('GET', `${orders}/${id}`))).toEqual([404, 'DealUnknown']);
    expect(codeOf(await manager('GET', `${orders}/${deal.dealId}`))).toEqual([404, 'ChangeOrderUnknown']);
  });
});

/** Whoever the policy asks grants the approval, one after the other. */
async function grant(changeOrderId: string): Promise<void> {
  const { approval_id: approvalId } = await engine.db.selectFrom('change_order').select('approval_id').where('id', '=', changeOrderId).executeTakeFirstOrThrow(); // prettier-ignore
  for (const userId of ['U-PM-US', 'U-DELDIR', 'U-FC-DE']) {
    const person = await api.as(userId);
    const approval = (await person('GET', `/v1/approvals/${approvalId}`)).body as { shownHash: string; state: string };
    if (approval.state !== 'pending') return;
    await person('POST', `/v1/approvals/${approvalId}/decisions`, { body: { verdict: 'grant', shownHash: approval.shownHash } });
  }
}
