import { type Answer, problemOf, type Send, testApi, type TestApi } from '../support/api';
import { issue, pay } from '../support/delivery';
import {
  bringToDelivery,
  linesOf,
  openWaits,
  pendingApproval,
  reach,
  refuse,
  startDeal,
  type TestDeal,
  testDeal,
  until,
} from '../support/lifecycles';
import { startTestEngine, type TestEngine } from '../support/worker';

type Change = (headers: Record<string, string>) => Promise<Answer>;

/** If-Match is checked by the effect that writes, under its lock, so that nothing comes between. */
describe('an edit of what somebody else has changed meanwhile', () => {
  let engine: TestEngine;
  let api: TestApi;
  let now = '2026-01-23T14:05:20.000Z';
  let people: Record<'seller' | 'controller' | 'manager' | 'pmo', Send>;
  beforeAll(async () => {
    engine = await startTestEngine();
    api = await testApi({ engine, deps: { updateTimeoutMs: 10_000, clock: { now: () => Promise.resolve(now) } } });
    const [seller, controller, manager, pmo] = await Promise.all(['U-SELLER', 'U-FC-US', 'U-PM-US', 'U-PMO'].map((id) => api.as(id)));
    people = { seller: seller!, controller: controller!, manager: manager!, pmo: pmo! };
  });
  afterAll(async () => {
    await api.close();
    await engine.stop();
  });

  /** Somebody else changes what `url` shows; then the edit is refused for the version read before, and taken for the one that stands. */
  async function guarded(reader: Send, url: string, meanwhile: () => Promise<unknown>, change: Change): Promise<Answer> {
    const read = String((await reader('GET', url)).headers.etag);
    await meanwhile();
    const stale = await change({ 'if-match': read, 'idempotency-key': `${url} ${read}` });
    const current = await reader('GET', url);
    expect(problemOf(stale)).toMatchObject({ status: 412, code: 'PreconditionFailed' });
    expect([stale.headers.etag, `"${String((stale.body as { currentTag: string }).currentTag)}"`]).toEqual([
      current.headers.etag,
      current.headers.etag,
    ]);
    const done = await change({ 'if-match': `"some-other", ${String(current.headers.etag)}`, 'idempotency-key': `${url} ${read}` });
    expect([200, 201]).toContain(done.status);
    expect((await reader('GET', url)).headers.etag).not.toBe(current.headers.etag);
    return done;
  }

  const touched = (table: 'deal' | 'contract_line' | 'project', id: string) => () =>
    engine.db.updateTable(table).set({ name: 'Renamed meanwhile' }).where('id', '=', id).execute();

  test('terms and a cancellation of a deal', async () => {
    const deal = await startDeal(engine, testDeal(), now);
    await reach(engine, deal, 'terms');
    const url = `/v1/deals/${deal.dealId}`;
    const body = { documentId: 'SOW', terms: [{ path: 'paymentTermsDays', value: '30', unit: 'days', clause: '7.2' }] };
    await guarded(people.seller, url, touched('deal', deal.dealId), (headers) =>
      people.seller('POST', `${url}/sow-proposals`, { body, headers }),
    );
    const proposals = await engine.db.selectFrom('sow_proposal').select('id').where('deal_id', '=', deal.dealId).execute();
    expect(proposals).toHaveLength(1);
    const stop = { reason: 'the customer stops', effectiveOn: '2026-06-30' };
    const back = () => engine.db.updateTable('deal').set({ name: 'Renamed back' }).where('id', '=', deal.dealId).execute();
    await guarded(people.pmo, url, back, (headers) => people.pmo('POST', `${url}/cancellation`, { body: stop, headers }));
    expect(await engine.db.selectFrom('cancellation_request').select('id').where('deal_id', '=', deal.dealId).execute()).toHaveLength(1);
    await deal.handle.terminate('test over');
  });

  test('without If-Match, or with *, an edit is taken as it was before', async () => {
    const deal = await startDeal(engine, testDeal(), now);
    await reach(engine, deal, 'terms');
    const url = `/v1/deals/${deal.dealId}/cancellation`;
    const stop = { reason: 'the customer stops', effectiveOn: '2026-06-30' };
    expect((await people.pmo('POST', url, { body: stop, headers: { 'if-match': '*' } })).status).toBe(201);
    await deal.handle.terminate('test over');
  });

  test('deliveries, responses, holds, releases and the sign-off of a deal that runs', async () => {
    now = '2026-01-23T14:05:20.000Z';
    const deal = await startDeal(engine, testDeal({ startDate: '2026-01-01', signedDate: '2026-01-02' }), now);
    await bringToDelivery(engine, deal);
    const [line] = await linesOf(engine, deal);
    const lineUrl = `/v1/contract-lines/${line!.id}`;

    now = '2026-03-04T12:00:00.000Z';
    await guarded(people.manager, lineUrl, touched('contract_line', line!.id), (headers) =>
      people.manager('POST', `${lineUrl}/milestones/M1/deliveries`, { body: { deliveredAt: '2026-03-04T10:00:00Z' }, headers }),
    );
    await expectOneOfTwo(lineUrl);
    now = '2026-03-04T15:00:00.000Z';
    const answered = { attempt: 1, response: 'accepted', respondedAt: '2026-03-04T14:00:00Z' };
    const renamed = () => engine.db.updateTable('milestone').set({ name: 'Renamed' }).where('contract_line_id', '=', line!.id).execute();
    await guarded(people.manager, lineUrl, renamed, (headers) =>
      people.manager('POST', `${lineUrl}/milestones/M1/responses`, { body: answered, headers }),
    );

    deal.now = now;
    await refuse(engine, deal, 'invoice', 'U-FC-US', 'the order number is wrong');
    await until('the item to be held', async () => (await openWaits(engine, deal.dealId)).some((wait) => wait.kind === 'held-item'));
    const again = () => engine.db.updateTable('contract_line').set({ name: 'Again' }).where('id', '=', line!.id).execute();
    await guarded(people.controller, lineUrl, again, (headers) =>
      people.controller('POST', `${lineUrl}/releases`, { body: { itemKey: 'milestone/M1' }, headers }),
    );

    const invoice = await issue(engine, deal, '2026-03-05');
    now = '2026-03-06T12:00:00.000Z';
    const invoiceUrl = `/v1/invoices/${invoice.id}`;
    const order = (number: string) => () =>
      engine.db.updateTable('invoice').set({ purchase_order: number }).where('id', '=', invoice.id).execute();
    const hold = { kind: 'dunning-hold', amount: null, reason: 'quality', from: '2026-03-06T00:00:00Z', until: null };
    const held = await guarded(people.controller, invoiceUrl, order('PO-1'), (headers) =>
      people.controller('POST', `${invoiceUrl}/holds`, { body: hold, headers }),
    );
    const { holdId } = held.body as { holdId: string };
    await guarded(people.controller, invoiceUrl, order('PO-2'), (headers) =>
      people.controller('DELETE', `${invoiceUrl}/holds/${holdId}`, { headers }),
    );
    await signOffGuarded(deal, invoice);
  });

  /** Two people deliver different milestones on the same reading: the second is told that the line is not as read. */
  async function expectOneOfTwo(lineUrl: string): Promise<void> {
    const read = String((await people.manager('GET', lineUrl)).headers.etag);
    const deliver = (attempt: string) =>
      people.manager('POST', `${lineUrl}/milestones/M2/deliveries`, {
        body: { deliveredAt: '2026-03-04T11:00:00Z' },
        headers: { 'if-match': read, 'idempotency-key': attempt },
      });
    const answers = await Promise.all([deliver('one'), deliver('two')]);
    expect(answers.map((answer) => answer.status).sort()).toEqual([200, 412]);
  }

  async function signOffGuarded(deal: TestDeal, first: Awaited<ReturnType<typeof issue>>): Promise<void> {
    await pay(engine, first, '2026-03-20');
    now = '2026-03-21T12:00:00.000Z';
    const [line] = await linesOf(engine, deal);
    const accepted = { attempt: 1, response: 'accepted', respondedAt: '2026-03-05T14:00:00Z' };
    await people.manager('POST', `/v1/contract-lines/${line!.id}/milestones/M2/responses`, { body: accepted });
    deal.now = now;
    await pay(engine, await issue(engine, deal, '2026-03-24'), '2026-04-20');
    await reach(engine, deal, 'closing');
    await until('the checklist', async () => (await openWaits(engine, deal.dealId)).some((wait) => wait.kind === 'close-checklist'));
    const { id } = await engine.db.selectFrom('project').select('id').where('deal_id', '=', deal.dealId).executeTakeFirstOrThrow();
    now = '2026-04-21T12:00:00.000Z';
    const url = `/v1/projects/${id}`;
    const letter = { documentReference: 'letter', signedOn: '2026-04-21' };
    await guarded(people.manager, url, touched('project', id), (headers) =>
      people.manager('POST', `${url}/sign-off`, { body: letter, headers }),
    );
    await pendingApproval(engine, deal, 'project-close');
  }
});
