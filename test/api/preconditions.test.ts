import { uuidv7 } from 'uuidv7';
import { applyDeliveryPlan } from '../../activities/intake/delivery-plan';
import { appliedPlan, planTag } from '../../db/delivery-plan';
import { type Answer, problemOf, type Send, testApi, type TestApi } from '../support/api';
import { deliveryPlan, type Facts, insertFacts } from '../support/api-facts';

const STRONG = /^"[0-9a-f]{32}"$/;
const etag = (answer: Answer): string => String(answer.headers.etag);

/** What people read has a version, and what they replace is what they have read. Effects with If-Match: edits.test.ts. */
describe('versions of what is shown', () => {
  let api: TestApi;
  let facts: Facts;
  let auditor: Send;
  beforeAll(async () => {
    api = await testApi({ deps: { updateTimeoutMs: 50 } });
    auditor = await api.withKey(['auditor']);
  });
  afterAll(() => api.close());
  beforeEach(async () => {
    facts = await insertFacts(api.db, 'LE-US', 'BA-US');
  });

  const urls = (): Record<string, string> => ({
    deal: `/v1/deals/${facts.dealId}`,
    line: `/v1/contract-lines/${facts.contractLineId}`,
    invoice: `/v1/invoices/${facts.invoiceId}`,
    project: `/v1/projects/${facts.projectId}`,
    plan: `/v1/deals/${facts.dealId}/delivery-plan`,
  });
  const touch: Record<string, () => Promise<unknown>> = {
    deal: () => api.db.updateTable('deal').set({ name: 'Renamed' }).where('id', '=', facts.dealId).execute(),
    line: () => api.db.updateTable('milestone').set({ name: 'Renamed' }).where('contract_line_id', '=', facts.contractLineId).execute(),
    invoice: () =>
      api.db.updateTable('collection_hold').set({ lifted_at: '2026-04-01T00:00:00Z' }).where('id', '=', facts.holdId).execute(),
    project: () => api.db.updateTable('budget_version').set({ hours: '120' }).where('project_id', '=', facts.projectId).execute(),
    plan: () => putPlan('*', deliveryPlan('9')),
  };

  const putPlan = async (ifMatch: string | null, body: unknown, key?: string): Promise<Answer> => {
    const manager = await api.as('U-PM-US');
    return manager('PUT', urls().plan!, {
      body,
      headers: ifMatch === null ? {} : { 'if-match': ifMatch },
      ...(key === undefined ? {} : { key }),
    });
  };
  const planTagNow = async (): Promise<string> => etag(await auditor('GET', urls().plan!));

  test.each(['deal', 'line', 'invoice', 'project', 'plan'])(
    'a %s has a strong tag that changes with it and only with it, and is not sent again unchanged',
    async (kind) => {
      const url = urls()[kind]!;
      const first = await auditor('GET', url);
      expect(etag(first)).toMatch(STRONG);
      expect(etag(await auditor('GET', url))).toBe(etag(first));
      for (const known of [etag(first), `W/${etag(first)}`, `"other", ${etag(first)}`, '*']) {
        const same = await auditor('GET', url, { headers: { 'if-none-match': known } });
        expect([same.status, same.text, etag(same)]).toEqual([304, '', etag(first)]);
      }
      await touch[kind]!();
      const second = await auditor('GET', url, { headers: { 'if-none-match': etag(first) } });
      expect(second.status).toBe(200);
      expect(etag(second)).not.toBe(etag(first));
    },
  );

  test('a wait that opens is part of what is shown', async () => {
    const before = etag(await auditor('GET', urls().line!));
    const wait = {
      id: uuidv7(),
      workflow_id: `line/${facts.contractLineId}`,
      kind: 'acceptance',
      subject: 'M1',
      role: 'customer',
      asks: 'accept',
    };
    await api.db
      .insertInto('open_wait')
      .values({ ...wait, since: '2026-03-02T10:00:00Z', entity_id: 'LE-US', deal_id: facts.dealId })
      .execute();
    expect(etag(await auditor('GET', urls().line!))).not.toBe(before);
  });

  test('who is shown less has another tag: a change of what is not shown does not touch it', async () => {
    const seller = await api.as('U-SELLER');
    const [all, less] = [etag(await auditor('GET', urls().project!)), etag(await seller('GET', urls().project!))];
    expect(less).not.toBe(all);
    await api.db.updateTable('budget_version').set({ cost_minor: 1 }).where('project_id', '=', facts.projectId).execute();
    expect(etag(await seller('GET', urls().project!))).toBe(less);
    expect(etag(await auditor('GET', urls().project!))).not.toBe(all);
  });

  test('lists and approvals are sent whatever the caller has', async () => {
    for (const url of ['/v1/deals', `/v1/approvals/${facts.approvalId}`]) {
      expect((await auditor('GET', url, { headers: { 'if-none-match': '*' } })).status).toBe(200);
    }
  });

  test.each(['x', '"a', 'a"', '"a" "b"', '"a",', ''])('an If-Match of %j cannot be read', async (header) => {
    expect(problemOf(await putPlan(header, deliveryPlan('8')))).toMatchObject({ status: 400, code: 'RequestMalformed' });
  });

  test('the documentation names the headers and the answers of versions', async () => {
    const { paths } = (await api.anyone('GET', '/openapi.json')).body as {
      paths: Record<string, Record<string, { responses: object; parameters?: { name: string; in: string; description?: string }[] }>>;
    };
    const headers = (path: string, method: string) =>
      (paths[path]?.[method]?.parameters ?? []).filter((each) => each.in === 'header').map((each) => each.name);
    expect(headers('/v1/deals/{dealId}', 'get')).toEqual(['if-none-match']);
    expect(headers('/v1/deals/{dealId}/delivery-plan', 'put').sort()).toEqual(['idempotency-key', 'if-match']);
    expect(headers('/v1/invoices/{id}/holds/{holdId}', 'delete').sort()).toEqual(['idempotency-key', 'if-match']);
    expect(Object.keys(paths['/v1/deals/{dealId}/delivery-plan']!.put!.responses)).toEqual(expect.arrayContaining(['412', '428']));
    expect(Object.keys(paths['/v1/deals/{dealId}']!.get!.responses)).toContain('304');
    expect(Object.keys(paths['/v1/deals']!.get!.responses)).not.toContain('412');
  });

  describe('a delivery plan', () => {
    test('is not replaced by somebody who does not say which one', async () => {
      const before = await planTagNow();
      expect(problemOf(await putPlan(null, deliveryPlan('8')))).toMatchObject({ status: 428, code: 'PreconditionRequired' });
      expect(await planTagNow()).toBe(before);
    });

    test('is replaced by who has read it, and stands from then on though it is not applied yet', async () => {
      const before = await planTagNow();
      expect((await putPlan(before, deliveryPlan('8'))).status).toBe(202);
      const shown = await auditor('GET', urls().plan!);
      expect(shown.body).toEqual({ dealId: facts.dealId, ...deliveryPlan('8'), subcontractorBudgets: [] });
      expect((await appliedPlan(api.db, facts.dealId)).tasks).toEqual([]);
      const stale = await putPlan(before, deliveryPlan('9'));
      expect(problemOf(stale)).toMatchObject({ status: 412, code: 'PreconditionFailed', currentTag: etag(shown).slice(1, -1) });
      expect(etag(stale)).toBe(etag(shown));
      expect((await putPlan(`W/${etag(shown)}`, deliveryPlan('9'))).status).toBe(412);
      expect((await putPlan(`"other", ${etag(shown)}`, deliveryPlan('9'))).status).toBe(202);
      expect((await putPlan('*', deliveryPlan('10'))).status).toBe(202);
    });

    test('of two editors who have read the same one, one replaces it and the other is told, 20 times', async () => {
      for (let round = 1; round <= 20; round += 1) {
        const seen = await planTagNow();
        const answers = await Promise.all([putPlan(seen, deliveryPlan(`${round}.1`)), putPlan(seen, deliveryPlan(`${round}.2`))]);
        expect(answers.map((answer) => answer.status).sort()).toEqual([202, 412]);
      }
    });

    test('is taken once where the same request is repeated, also after its answer was lost', async () => {
      const seen = await planTagNow();
      const first = await putPlan(seen, deliveryPlan('8'), 'plan');
      await api.db.deleteFrom('idempotency_key').where('key', '=', 'plan').execute();
      const again = await putPlan(seen, deliveryPlan('8'), 'plan');
      expect(again).toMatchObject({ status: 202, body: first.body });
      expect(problemOf(await putPlan(await planTagNow(), deliveryPlan('9'), 'plan')).code).toBe('IdempotencyKeyReused');
    });

    test('that was refused for its version is taken under the same key with the right one', async () => {
      expect((await putPlan('"older"', deliveryPlan('8'), 'retry')).status).toBe(412);
      expect((await putPlan(await planTagNow(), deliveryPlan('8'), 'retry')).status).toBe(202);
    });

    test('whose predecessor could not be applied is not applied either, and the applied one stands again', async () => {
      await api.db.updateTable('deal').set({ state: 'terms' }).where('id', '=', facts.dealId).execute();
      const empty = await planTagNow();
      await putPlan(empty, deliveryPlan('8'));
      const { body } = await putPlan(await planTagNow(), deliveryPlan('9'));
      const events = await api.db
        .selectFrom('inbox_event')
        .selectAll()
        .where('type', '=', 'delivery-plan')
        .orderBy('id', 'desc')
        .limit(2)
        .execute();
      const [second, first] = events;
      expect(second!.id).toBe((body as { inboxEventId: string }).inboxEventId);
      const apply = (event: typeof first) =>
        api.db.transaction().execute((trx) =>
          applyDeliveryPlan(trx, {
            id: event!.id,
            type: 'delivery-plan',
            payload: event!.payload,
            dealId: facts.dealId,
            at: '2026-03-02T10:00:00.000Z',
            countsAt: '2026-03-02T10:00:00.000Z',
            isCorrection: false,
          }),
        );
      expect(await apply(second)).toMatchObject({ rowErrors: [{ violation: 'PreconditionFailed' }] });
      expect((await appliedPlan(api.db, facts.dealId)).tasks).toEqual([]);
      expect(await apply(first)).toMatchObject({ rowErrors: [] });
      expect(await apply(second)).toMatchObject({ rowErrors: [] });
      const applied = await appliedPlan(api.db, facts.dealId);
      expect(applied).toEqual({ ...deliveryPlan('9'), subcontractorBudgets: [] });
      await api.db.updateTable('inbox_event').set({ state: 'failed' }).where('type', '=', 'delivery-plan').execute();
      expect(await planTagNow()).toBe(`"${planTag(applied)}"`);
    });

    test('is read whole by its lead entity only', async () => {
      await api.db
        .updateTable('deal')
        .set({ entity_ids: ['LE-US', 'LE-JP'] })
        .where('id', '=', facts.dealId)
        .execute();
      const controller = await api.as('U-FC-JP');
      expect(problemOf(await controller('GET', urls().plan!))).toMatchObject({ status: 403, code: 'ScopeTooSmall' });
      expect(problemOf(await auditor('GET', `/v1/deals/${uuidv7()}/delivery-plan`)).code).toBe('DealUnknown');
    });
  });
});
