import { uuidv7 } from 'uuidv7';
import { createActivities } from '../../activities/index';
import { dealQuery } from '../../workflows/deal-to-cash/messages';
import { inRun } from '../support/activity-run';
import { problemOf, type Send, testApi, type TestApi } from '../support/api';
import {
  approve,
  bringToDelivery,
  bringToTerms,
  linesOf,
  pendingApproval,
  proposeTerms,
  reach,
  refuse,
  startDeal,
  type TestDeal,
  testDeal,
  until,
} from '../support/lifecycles';
import { startTestEngine, type TestEngine } from '../support/worker';

interface Shown {
  readonly id: string;
  readonly shownHash: string;
  readonly state: string;
  readonly decisions: readonly { decidedBy: string }[];
}

describe('decisions and facts over HTTP, with running workflows', () => {
  let engine: TestEngine;
  let api: TestApi;
  let now = '2026-01-23T14:05:20.000Z';
  beforeAll(async () => {
    engine = await startTestEngine();
    api = await testApi({ engine, deps: { updateTimeoutMs: 10_000, clock: { now: () => Promise.resolve(now) } } });
  });
  afterAll(async () => {
    await api.close();
    await engine.stop();
  });

  /** A deal whose terms legal and finance are asked to confirm. */
  async function askedTerms(): Promise<{ deal: TestDeal; url: string; shown: Shown }> {
    const deal = await startDeal(engine, testDeal(), now);
    await bringToTerms(engine, deal);
    const { id } = await pendingApproval(engine, deal, 'sow');
    const pmo = await api.as('U-PMO');
    return { deal, url: `/v1/approvals/${id}/decisions`, shown: (await pmo('GET', `/v1/approvals/${id}`)).body as Shown };
  }
  const grant = (send: Send, url: string, shown: Shown, more: object = {}, key?: string) =>
    send('POST', url, { body: { verdict: 'grant', shownHash: shown.shownHash, ...more }, ...(key === undefined ? {} : { key }) });

  test('two people confirm the terms; each is told the outcome after it is committed', async () => {
    const { deal, url, shown } = await askedTerms();
    const legal = await api.as('U-LEGAL');
    const finance = await api.as('U-FC-US');
    const first = await grant(legal, url, shown, { role: 'legal-counsel' });
    expect(first).toMatchObject({
      status: 200,
      body: { outcome: 'accepted', approval: { state: 'pending', decisions: [{ decidedBy: 'U-LEGAL' }] } },
    });
    const second = await grant(finance, url, shown);
    expect(second.body).toMatchObject({
      outcome: 'accepted',
      approval: { state: 'approved', steps: [{ state: 'granted' }, { state: 'granted' }] },
    });
    await reach(engine, deal, 'approval');
  });

  test('who decides is shown cost and margin again, which is on record with every answer, a repeated one too', async () => {
    const { deal, url, shown } = await askedTerms();
    await grant(await api.as('U-LEGAL'), url, shown, { role: 'legal-counsel' });
    await grant(await api.as('U-FC-US'), url, shown);
    const { id } = await pendingApproval(engine, deal, 'deal');
    const director = await api.as('U-DELDIR');
    const asked = (await director('GET', `/v1/approvals/${id}`)).body as Shown;
    for (let sent = 0; sent < 2; sent += 1) {
      expect((await grant(director, `/v1/approvals/${id}/decisions`, asked, {}, `decide ${id}`)).status).toBe(200);
    }
    const seen = await engine.db.selectFrom('field_access').selectAll().where('subject', '=', `approval/${id}`).orderBy('id').execute();
    expect(seen.map(({ reader, route, field_classes }) => [reader, route, field_classes])).toEqual(
      ['GET /v1/approvals/:id', 'POST /v1/approvals/:id/decisions', 'POST /v1/approvals/:id/decisions'].map((route) => [
        'U-DELDIR',
        route,
        expect.arrayContaining(['margin']) as string[],
      ]),
    );
  });

  test('who may not decide is told why', async () => {
    const { url, shown } = await askedTerms();
    const cases = [
      ['U-LEGAL', 403, 'RoleNotAsked', { role: 'finance-controller' }],
      ['U-CFO', 403, 'RoleNotAsked', {}],
      ['U-LEGAL', 409, 'VersionOutdated', { shownHash: 'older' }],
      ['U-LEGAL', 422, 'ReasonMissing', { verdict: 'refuse' }],
    ] as const;
    for (const [userId, status, code, more] of cases) {
      const send = await api.as(userId);
      const answer = await grant(send, url, shown, more);
      expect({ userId, ...problemOf(answer) }).toMatchObject({ userId, status, code });
    }
    const other = await api.as('U-FC-DE');
    expect(problemOf(await grant(other, url, shown)).code).toBe('ApprovalUnknown');
    const seller = await api.as('U-SELLER');
    expect(problemOf(await grant(seller, url, shown)).code).toBe('PermissionMissing');
    const legal = await api.as('U-LEGAL');
    const stale = await legal('POST', url, { body: { verdict: 'grant', shownHash: shown.shownHash }, headers: { 'if-match': '"older"' } });
    expect(problemOf(stale)).toMatchObject({ status: 412, code: 'PreconditionFailed', currentTag: shown.shownHash });
    expect(stale.headers.etag).toBe(`"${shown.shownHash}"`);
    for (const body of [{}, { verdict: 'maybe', shownHash: 'x' }, { verdict: 'grant', shownHash: '' }]) {
      expect(problemOf(await legal('POST', url, { body }))).toMatchObject({ status: 400, code: 'ValidationFailed' });
    }
  });

  test('nobody decides on their own request', async () => {
    const deal = await startDeal(engine, testDeal(), now);
    await reach(engine, deal, 'terms');
    const finance = await api.as('U-FC-US');
    const terms = [{ path: 'paymentTermsDays', value: '30', unit: 'days', clause: '7.2' }];
    expect((await finance('POST', `/v1/deals/${deal.dealId}/sow-proposals`, { body: { documentId: 'SOW-1', terms } })).status).toBe(201);
    const { id, shown_hash: shownHash } = await pendingApproval(engine, deal, 'sow');
    const answer = await finance('POST', `/v1/approvals/${id}/decisions`, { body: { verdict: 'grant', shownHash } });
    expect(problemOf(answer)).toMatchObject({ status: 403, code: 'ApproverIsRequester' });
  });

  test('the same person does not confirm twice', async () => {
    const { url, shown } = await askedTerms();
    const legal = await api.as('U-LEGAL');
    expect((await grant(legal, url, shown, {}, 'first')).status).toBe(200);
    const again = await grant(legal, url, shown, { role: 'finance-controller' }, 'second');
    expect(problemOf(again).status).toBe(403);
    const repeated = await grant(legal, url, shown, {}, 'third');
    expect(repeated.body).toMatchObject({ outcome: 'already-applied', approval: { decisions: [{ decidedBy: 'U-LEGAL' }] } });
    const against = await grant(legal, url, shown, { verdict: 'refuse', reason: 'on second thought', role: 'legal-counsel' }, 'fourth');
    expect(problemOf(against)).toMatchObject({ status: 409 });
  });

  test('after the end the same decision is known, any other is late, and nothing is changed', async () => {
    const { url, shown } = await askedTerms();
    const legal = await api.as('U-LEGAL');
    const finance = await api.as('U-FC-US');
    const decisionId = uuidv7();
    await grant(legal, url, shown, { decisionId });
    await grant(finance, url, shown);
    const known = await grant(legal, url, shown, { decisionId });
    expect(known.body).toMatchObject({ outcome: 'already-received', approval: { state: 'approved' } });
    const sameVerdict = await grant(legal, url, shown, { decisionId: uuidv7() });
    expect(sameVerdict.body).toMatchObject({ outcome: 'already-applied' });
    const late = await api.as('U-LEGAL2');
    expect(problemOf(await grant(late, url, shown))).toMatchObject({ status: 409, code: 'AlreadyDecided' });
    const reused = await grant(legal, url, shown, { decisionId, verdict: 'refuse', reason: 'no' });
    expect(problemOf(reused)).toMatchObject({ status: 409, code: 'DecisionIdReused' });
  });

  test('a decision id of another person gives nobody their answer', async () => {
    const { url, shown } = await askedTerms();
    const legal = await api.as('U-LEGAL');
    const finance = await api.as('U-FC-US');
    const decisionId = uuidv7();
    await grant(legal, url, shown, { decisionId });
    expect(problemOf(await grant(finance, url, shown, { decisionId })).status).toBe(409);
  });

  test('a withdrawn request is gone', async () => {
    const { deal, url, shown } = await askedTerms();
    await engine.client.workflow.getHandle(`approval/${shown.id}`).signal('withdraw', { reasonId: null, at: now });
    await until('the withdrawal', async () => {
      const row = await engine.db.selectFrom('approval').select('state').where('id', '=', shown.id).executeTakeFirstOrThrow();
      return row.state === 'withdrawn';
    });
    const legal = await api.as('U-LEGAL');
    expect(problemOf(await grant(legal, url, shown))).toMatchObject({ status: 410, code: 'ApprovalGone' });
    await deal.handle.terminate('test over');
  });

  test('ten copies of one decision at once give one decision', async () => {
    const { url, shown } = await askedTerms();
    const legal = await api.as('U-LEGAL');
    const decisionId = uuidv7();
    const answers = await Promise.all(Array.from({ length: 10 }, () => grant(legal, url, shown, { decisionId })));
    expect(answers.map((answer) => answer.status)).toEqual(Array.from({ length: 10 }, () => 200));
    const rows = await engine.db.selectFrom('approval_decision').selectAll().where('approval_id', '=', shown.id).execute();
    expect(rows).toHaveLength(1);
  });

  test('a decision whose caller was not answered is repeated with its key and gives the one outcome', async () => {
    const { url, shown } = await askedTerms();
    const impatient = await testApi({ engine, deps: { updateTimeoutMs: 1, clock: { now: () => Promise.resolve(now) } } });
    const body = { verdict: 'grant', shownHash: shown.shownHash };
    const unanswered = await (await impatient.as('U-LEGAL'))('POST', url, { body, key: 'impatient' });
    expect(problemOf(unanswered)).toMatchObject({ status: 503, code: 'OutcomeUnknown' });
    const legal = await api.as('U-LEGAL');
    const answered = await until('the one outcome', async () => {
      const answer = await legal('POST', url, { body, key: 'impatient' });
      return answer.status === 503 ? null : answer;
    });
    expect(answered).toMatchObject({ status: 200, body: { approval: { decisions: [{ decidedBy: 'U-LEGAL' }] } } });
    expect(await engine.db.selectFrom('approval_decision').selectAll().where('approval_id', '=', shown.id).execute()).toHaveLength(1);
    await impatient.close();
  });

  test('terms that cannot be applied are all named, by their place in the request', async () => {
    const deal = await startDeal(engine, testDeal(), now);
    await reach(engine, deal, 'terms');
    const seller = await api.as('U-SELLER');
    const terms = [
      { path: 'paymentTermsDays', value: '30', unit: 'days', clause: '7.2' },
      { path: 'noSuchTerm', value: '1', unit: '', clause: '1' },
      { path: 'lines.A.fixedFee', value: 'much', unit: 'amount', clause: '2', currency: 'USD' },
    ];
    const answer = await seller('POST', `/v1/deals/${deal.dealId}/sow-proposals`, { body: { documentId: 'SOW-1', terms } });
    const problem = problemOf(answer);
    expect(problem).toMatchObject({ status: 422, code: 'SowTermsInvalid' });
    expect(problem.errors?.map((error) => error.pointer)).toEqual(['/terms/1', '/terms/2']);
  });

  test('facts of a line: delivered, answered, and refused where they do not fit', async () => {
    const deal = await startDeal(engine, testDeal({ startDate: '2026-01-01', signedDate: '2026-01-02' }), now);
    await bringToDelivery(engine, deal);
    const [line] = await linesOf(engine, deal);
    const manager = await api.as('U-PM-US');
    now = '2026-03-10T12:00:00.000Z';
    const base = `/v1/contract-lines/${line!.id}`;
    const milestones = ((await manager('GET', base)).body as { milestones: { milestoneId: string }[] }).milestones;
    const milestone = `${base}/milestones/${milestones[0]!.milestoneId}`;
    const early = await manager('POST', `${milestone}/responses`, {
      body: { attempt: 1, response: 'accepted', respondedAt: '2026-03-10T10:00:00Z' },
    });
    expect(problemOf(early)).toMatchObject({ status: 409, code: 'MilestoneNotDelivered' });
    const unknown = await manager('POST', `${base}/milestones/none/deliveries`, { body: { deliveredAt: '2026-03-09T10:00:00Z' } });
    expect(problemOf(unknown)).toMatchObject({ status: 404, code: 'MilestoneUnknown' });
    const delivered = await manager('POST', `${milestone}/deliveries`, { body: { deliveredAt: '2026-03-09T10:00:00Z' }, key: 'd1' });
    expect(delivered).toMatchObject({
      status: 200,
      body: { milestones: expect.arrayContaining([expect.objectContaining({ state: 'delivered', attempt: 1 })]) as unknown },
    });
    const replayed = await manager('POST', `${milestone}/deliveries`, { body: { deliveredAt: '2026-03-09T10:00:00Z' }, key: 'd1' });
    expect(replayed.body).toEqual(delivered.body);
    const twice = await manager('POST', `${milestone}/deliveries`, { body: { deliveredAt: '2026-03-09T11:00:00Z' }, key: 'd2' });
    expect(problemOf(twice)).toMatchObject({ status: 409, code: 'MilestoneNotDeliverable' });
    const future = { attempt: 1, response: 'accepted', respondedAt: '2027-03-10T10:00:00Z' };
    expect(problemOf(await manager('POST', `${milestone}/responses`, { body: future }))).toMatchObject({
      status: 422,
      code: 'ResponseInFuture',
    });
    const accepted = await manager('POST', `${milestone}/responses`, { body: { ...future, respondedAt: '2026-03-10T10:00:00Z' } });
    expect(accepted.status).toBe(200);
    const run = await (await api.withKey(['auditor']))('GET', `/v1/runs/line%2F${line!.id}`);
    expect(run.body).toMatchObject({
      type: 'contractLine',
      state: 'running',
      link: expect.stringContaining('http://ui.example/namespaces/throughline-test/workflows/line%2F') as unknown,
    });
  });

  test('requests on record that their run has not heard of are told to it when they are repeated, and nothing decided is asked for again', async () => {
    const deal = await startDeal(engine, testDeal(), now);
    await reach(engine, deal, 'terms');
    const { dealId } = deal;
    const activities = createActivities({ db: engine.db });
    const lost = <T>(effect: () => Promise<T>): Promise<T> => inRun(deal.handle.workflowId, effect);
    const seller = await api.as('U-SELLER');
    const terms = [{ path: 'paymentTermsDays', value: '30', unit: 'days', clause: '7' }];
    const proposal = { proposalId: uuidv7(), documentId: 'SOW', terms, by: 'U-SELLER', at: now };
    const { receipt } = await lost(() => activities.recordSowProposal({ dealId, proposal, at: now }));
    const propose = () =>
      seller('POST', `/v1/deals/${dealId}/sow-proposals`, { body: { proposalId: proposal.proposalId, documentId: 'SOW', terms } });
    expect(await propose()).toMatchObject({ status: 201, body: receipt });
    expect(await propose()).toMatchObject({ status: 201, body: receipt });
    await refuse(engine, deal, 'sow', 'U-LEGAL');
    await until('the terms to be expected again', async () => (await deal.handle.query(dealQuery))?.stage === 'terms');
    expect(await propose()).toMatchObject({ status: 201, body: receipt });
    await proposeTerms(deal);
    await approve(engine, deal, 'sow');
    await reach(engine, deal, 'approval');
    expect(await propose()).toMatchObject({ status: 201, body: receipt });

    const pmo = await api.as('U-PMO');
    const stop = () => pmo('POST', `/v1/deals/${dealId}/cancellation`, { body: { reason: 'the customer stops', effectiveOn: '2026-06-30' }, key: `stop ${dealId}` }); // prettier-ignore
    const { body } = await stop();
    await refuse(engine, deal, 'cancellation', 'U-DELDIR');
    await until('the cancellation to be dropped', async () => (await deal.handle.query(dealQuery))?.stage === 'approval');
    await engine.db.deleteFrom('idempotency_key').where('key', '=', `stop ${dealId}`).execute();
    expect(await stop()).toMatchObject({ status: 201, body: body as object });
    const asked = await engine.db.selectFrom('approval').select('state').where('deal_id', '=', dealId).execute();
    expect(asked.map(({ state }) => state).sort()).toEqual(['approved', 'pending', 'refused', 'refused']);
  });

  test('a cancellation is asked for once, and a deal that has ended takes nothing more', async () => {
    const deal = await startDeal(engine, testDeal(), now);
    await reach(engine, deal, 'terms');
    const pmo = await api.as('U-PMO');
    const url = `/v1/deals/${deal.dealId}/cancellation`;
    const body = { reason: 'the customer stops', effectiveOn: '2026-06-30' };
    const asked = await pmo('POST', url, { body, key: 'stop' });
    expect(asked.status).toBe(201);
    expect((await pmo('POST', url, { body, key: 'stop' })).body).toEqual(asked.body);
    expect(problemOf(await pmo('POST', url, { body, key: 'stop again' }))).toMatchObject({ status: 409, code: 'CancellationPending' });
    const seller = await api.as('U-SELLER');
    const proposals = `/v1/deals/${deal.dealId}/sow-proposals`;
    const terms = [{ path: 'paymentTermsDays', value: '30', unit: 'days', clause: '7' }];
    const proposed = await seller('POST', proposals, { body: { documentId: 'SOW', terms }, key: 'terms' });
    expect(proposed.status).toBe(201);
    await deal.handle.terminate('test over');
    await engine.db.updateTable('deal').set({ state: 'declined' }).where('id', '=', deal.dealId).execute();
    expect(problemOf(await pmo('POST', url, { body }))).toMatchObject({ status: 409, code: 'DealFinished' });

    // Whose answer was lost with the process that gave it is told what happened, also after the deal has ended.
    await engine.db.deleteFrom('idempotency_key').where('key', 'in', ['stop', 'terms']).execute();
    expect(await pmo('POST', url, { body, key: 'stop' })).toMatchObject({ status: 201, body: asked.body });
    const again = await seller('POST', proposals, { body: { documentId: 'SOW', terms }, key: 'terms' });
    expect(again).toMatchObject({ status: 201, body: proposed.body });
  });

  test('the process is ready', async () => {
    expect((await api.anyone('GET', '/readyz')).body).toEqual({ status: 'ok', database: 'ok', migrations: 'ok', temporal: 'ok' });
  });
});
