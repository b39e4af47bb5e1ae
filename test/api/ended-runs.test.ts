import { problemOf, type Send, testApi, type TestApi } from '../support/api';
import { type Facts, insertFacts } from '../support/api-facts';
import { testAddress } from '../support/servers';

/** Temporal answers here, but has no run for these facts: what is said follows from the facts. */
describe('where no run takes a message', () => {
  let api: TestApi;
  let facts: Facts;
  let send: Record<'manager' | 'receivables' | 'pmo' | 'seller' | 'controller', Send>;
  beforeAll(async () => {
    api = await testApi({ temporalAddress: testAddress('THROUGHLINE_TEST_TEMPORAL_ADDRESS'), deps: { updateTimeoutMs: 5000 } });
    const [manager, receivables, pmo, seller, controller] = await Promise.all(
      ['U-PM-US', 'U-AR', 'U-PMO', 'U-SELLER', 'U-FC-US'].map((id) => api.as(id)),
    );
    send = { manager: manager!, receivables: receivables!, pmo: pmo!, seller: seller!, controller: controller! };
  });
  afterAll(() => api.close());
  beforeEach(async () => {
    facts = await insertFacts(api.db, 'LE-US', 'BA-US');
  });

  const deliver = () =>
    send.manager('POST', `/v1/contract-lines/${facts.contractLineId}/milestones/M1/deliveries`, {
      body: { deliveredAt: '2026-03-01T00:00:00Z' },
    });
  const hold = (amount: string | null) =>
    send.receivables('POST', `/v1/invoices/${facts.invoiceId}/holds`, {
      body: { kind: 'dunning-hold', amount, reason: 'quality', from: '2026-03-01T00:00:00Z', until: null },
    });
  const lift = () => send.receivables('DELETE', `/v1/invoices/${facts.invoiceId}/holds/${facts.holdId}`);
  const signOff = () =>
    send.pmo('POST', `/v1/projects/${facts.projectId}/sign-off`, { body: { documentReference: 'D-1', signedOn: '2026-03-01' } });

  test.each([
    ['planned', 409, 'LineNotActive'],
    ['active', 503, 'RunMissing'],
    ['finished', 409, 'LineFinished'],
    ['cancelled', 409, 'LineFinished'],
  ])('a line that is %s answers %s', async (state, status, code) => {
    await api.db.updateTable('contract_line').set({ state }).where('id', '=', facts.contractLineId).execute();
    expect(problemOf(await deliver())).toMatchObject({ status, code });
  });

  test('a usage report that was taken is known also after the end of its line, another one is late', async () => {
    const usage = {
      eventId: `U-${facts.dealId}`,
      servicePeriod: '2026-03',
      tickets: 12,
      p1Tickets: 2,
      p1WithinTarget: 1,
      supersedes: null,
    };
    await api.db
      .insertInto('usage_report')
      .values({
        event_id: usage.eventId,
        contract_line_id: facts.contractLineId,
        service_period: '2026-03',
        tickets: 12,
        p1_tickets: 2,
        p1_within_target: 1,
        reported_at: '2026-04-01T00:00:00Z',
        content_hash: 'x',
      })
      .execute();
    await api.db.updateTable('contract_line').set({ state: 'finished' }).where('id', '=', facts.contractLineId).execute();
    const report = (over: object) =>
      send.manager('POST', `/v1/contract-lines/${facts.contractLineId}/usage-reports`, {
        body: { ...usage, reportedAt: '2026-04-02T00:00:00Z', ...over },
      });
    expect((await report({})).body).toHaveProperty('terms');
    const desk = await api.withKey(['service-desk-integration']);
    const told = await desk('POST', `/v1/contract-lines/${facts.contractLineId}/usage-reports`, {
      body: { ...usage, reportedAt: '2026-04-02T00:00:00Z' },
    });
    expect(told).toMatchObject({ status: 200 });
    expect(told.body).toEqual({ contractLineId: facts.contractLineId, subject: usage.eventId, state: 'finished' });
    expect(problemOf(await report({ tickets: 13 }))).toMatchObject({ status: 409, code: 'LineFinished' });
    expect(problemOf(await report({ p1WithinTarget: 3 }))).toMatchObject({ status: 400, errors: [{ pointer: '/p1WithinTarget' }] });
  });

  test('a refusal that passes by itself is no answer for ever: the same request is asked anew', async () => {
    const deliver = () =>
      send.manager('POST', `/v1/contract-lines/${facts.contractLineId}/milestones/M1/deliveries`, {
        body: { deliveredAt: '2026-03-09T10:00:00Z' },
        key: 'early',
      });
    const inState = (state: string) => api.db.updateTable('contract_line').set({ state }).where('id', '=', facts.contractLineId).execute();
    await inState('planned');
    expect(problemOf(await deliver()).code).toBe('LineNotActive');
    await inState('finished');
    expect(problemOf(await deliver()).code).toBe('LineFinished');
  });

  test.each([
    ['issued', 503, 'RunMissing'],
    ['settled', 409, 'InvoiceNotOpen'],
  ])('an invoice that is %s answers %s', async (state, status, code) => {
    const open = state === 'settled' ? { open_minor: 0 } : {};
    await api.db
      .updateTable('invoice')
      .set({ state, ...open })
      .where('id', '=', facts.invoiceId)
      .execute();
    expect(problemOf(await hold('10.00'))).toMatchObject({ status, code });
    expect(problemOf(await lift())).toMatchObject({ status, code });
  });

  test.each(['0.00', '-1.00', '10.001'])('a hold of %s is refused before anybody is asked', async (amount) => {
    expect(problemOf(await hold(amount))).toMatchObject({ status: 422, code: 'AmountInvalid', errors: [{ pointer: '/amount' }] });
  });

  test('a hold that is lifted already stays lifted, one that is not there is unknown', async () => {
    await api.db.updateTable('collection_hold').set({ lifted_at: '2026-03-05T00:00:00Z' }).where('id', '=', facts.holdId).execute();
    expect(await lift()).toMatchObject({ status: 200, body: { holdId: facts.holdId, state: 'issued' } });
    const none = await send.receivables('DELETE', `/v1/invoices/${facts.invoiceId}/holds/none`);
    expect(problemOf(none)).toMatchObject({ status: 404, code: 'HoldUnknown' });
  });

  test.each([
    ['closing', 503, 'RunMissing'],
    ['closed', 409, 'ProjectClosed'],
    ['cancelled', 409, 'ProjectClosed'],
  ] as const)('a project that is %s answers %s', async (state, status, code) => {
    await api.db.updateTable('project').set({ state }).where('id', '=', facts.projectId).execute();
    expect(problemOf(await signOff())).toMatchObject({ status, code });
  });

  test.each([
    ['handoff', 'DealNotStarted'],
    ['closed', 'DealFinished'],
    ['cancelled', 'DealFinished'],
  ])('a deal that is %s answers %s', async (state, code) => {
    await api.db.updateTable('deal').set({ state }).where('id', '=', facts.dealId).execute();
    const terms = [{ path: 'paymentTermsDays', value: '30', unit: 'days', clause: '7' }];
    const answers = [
      await send.seller('POST', `/v1/deals/${facts.dealId}/handoff/recheck`),
      await send.seller('POST', `/v1/deals/${facts.dealId}/sow-proposals`, { body: { documentId: 'S', terms } }),
      await send.seller('POST', `/v1/deals/${facts.dealId}/cancellation`, { body: { reason: 'over', effectiveOn: '2026-06-30' } }),
    ];
    for (const answer of answers) expect(problemOf(answer)).toMatchObject({ status: 409, code });
  });

  test('a pending approval without its run says so and may be repeated', async () => {
    const { shownHash } = (await send.controller('GET', `/v1/approvals/${facts.approvalId}`)).body as { shownHash: string };
    const answer = await send.controller('POST', `/v1/approvals/${facts.approvalId}/decisions`, { body: { verdict: 'grant', shownHash } });
    expect(problemOf(answer)).toMatchObject({ status: 503, code: 'RunMissing', retryable: true });
  });

  test('a run that is not there is unknown', async () => {
    const auditor = await api.withKey(['auditor']);
    expect(problemOf(await auditor('GET', `/v1/runs/deal%2F${facts.dealId}`))).toMatchObject({ status: 404, code: 'RunUnknown' });
  });
});
