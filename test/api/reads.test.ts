import { uuidv7 } from 'uuidv7';
import { appendAudit } from '../../db/audit';
import { problemOf, type Send, testApi, type TestApi } from '../support/api';
import { type Facts, insertFacts } from '../support/api-facts';

const AT = '2026-03-02T10:00:00.000Z';

interface Page {
  readonly data: { id: string }[];
  readonly hasMore: boolean;
  readonly nextCursor: string | null;
}

describe('what is read', () => {
  let api: TestApi;
  let us: Facts;
  let auditor: Send;
  const all: Facts[] = [];
  beforeAll(async () => {
    api = await testApi({ deps: { updateTimeoutMs: 50 } });
    for (let count = 0; count < 5; count += 1) all.push(await insertFacts(api.db, 'LE-US', 'BA-US'));
    us = all[0]!;
    await insertFacts(api.db, 'LE-JP', 'BA-JP');
    auditor = await api.withKey(['auditor']);
  });
  afterAll(() => api.close());

  async function pages(send: Send, path: string, limit: number): Promise<string[][]> {
    const found: string[][] = [];
    for (let cursor: string | null = ''; cursor !== null;) {
      const { status, body } = await send('GET', `${path}${path.includes('?') ? '&' : '?'}limit=${limit}${cursor && `&cursor=${cursor}`}`);
      expect(status).toBe(200);
      const page = body as Page;
      expect(page.hasMore).toBe(page.nextCursor !== null);
      found.push(page.data.map((row) => row.id));
      cursor = page.nextCursor;
    }
    return found;
  }

  test.each(['/v1/deals', '/v1/approvals', '/v1/projects', '/v1/invoices', '/v1/payments', '/v1/bank-statements', '/v1/inbox-events'])(
    '%s comes in pages that together are everything, each row once',
    async (path) => {
      const whole = await pages(auditor, path, 200);
      const parts = await pages(auditor, path, 2);
      expect(whole).toHaveLength(1);
      expect(parts.length).toBeGreaterThan(2);
      expect(parts.slice(0, -1).every((page) => page.length === 2)).toBe(true);
      expect(parts.flat()).toEqual(whole[0]);
      expect(new Set(parts.flat()).size).toBe(parts.flat().length);
    },
  );

  test('a page is not moved by rows that come in meanwhile', async () => {
    const first = (await auditor('GET', '/v1/deals?limit=2')).body as Page;
    const fresh = await insertFacts(api.db, 'LE-US', 'BA-US');
    await api.db.updateTable('deal').set({ closed_won_at: '2027-01-01T00:00:00Z' }).where('id', '=', fresh.dealId).execute();
    const second = (await auditor('GET', `/v1/deals?limit=2&cursor=${first.nextCursor}`)).body as Page;
    expect(second.data.map((row) => row.id)).not.toContain(fresh.dealId);
    expect(second.data.filter((row) => first.data.some((other) => other.id === row.id))).toEqual([]);
  });

  test('waits come by due moment, without one last, and no page moves when others open or close', async () => {
    const open = (subject: string, due: string | null) =>
      api.db
        .insertInto('open_wait')
        .values({ id: uuidv7(), workflow_id: 'deal/paged', kind: 'k', subject, role: 'cfo', asks: 'x', since: AT, due, entity_id: 'LE-US' })
        .execute();
    for (const subject of ['a', 'b', 'c']) await open(subject, '2026-05-01T08:00:00.123Z');
    for (const subject of ['never-1', 'never-2', 'never-3']) await open(subject, null);
    await open('first', '2026-04-01T08:00:00Z');
    const page = async (after: string | null) =>
      (await auditor('GET', `/v1/waits?role=cfo&limit=2${after === null ? '' : `&cursor=${after}`}`)).body as {
        data: { subject: string }[];
        nextCursor: string | null;
      };
    const seen: string[] = [];
    for (let next: string | null | undefined; next !== null;) {
      const { data, nextCursor } = await page(next ?? null);
      seen.push(...data.map((wait) => wait.subject));
      if (seen.length === 2) {
        await open('earlier', '2026-03-01T08:00:00Z');
        await api.db.updateTable('open_wait').set({ closed_at: AT }).where('subject', '=', 'first').execute();
      }
      next = nextCursor;
    }
    expect(seen).toEqual(['first', 'a', 'b', 'c', 'never-1', 'never-2', 'never-3']);
    expect((await page(null)).data.map((wait) => wait.subject)).toEqual(['earlier', 'a']);
    for (const parts of [['50'], ['soon', uuidv7()], ['infinity', 'x'], ['2026-99-01T00:00:00Z', uuidv7()]]) {
      expect(problemOf(await auditor('GET', `/v1/waits?cursor=${cursor(parts)}`))).toMatchObject({ status: 400, code: 'CursorInvalid' });
    }
  });

  const cursor = (parts: unknown) => Buffer.from(JSON.stringify(parts)).toString('base64url');
  test.each([
    ['garbage', 'garbage'],
    ['too short', cursor([])],
    ['of another list', cursor(['5'])],
    ['with a moment that is none', cursor(['2026-99-99T99:99:99Z', '11111111-1111-4111-8111-111111111111'])],
    ["with somebody's SQL", cursor(["2026-01-01T00:00:00Z' or true", '11111111-1111-4111-8111-111111111111'])],
    ['with parts that are no text', cursor([1, {}])],
  ])('a cursor that is %s is refused', async (_what, value) => {
    expect(problemOf(await auditor('GET', `/v1/deals?cursor=${value}`))).toMatchObject({ status: 400, code: 'CursorInvalid' });
  });

  test('a filter is kept over pages', async () => {
    const rows = await pages(auditor, `/v1/invoices?dealId=${us.dealId}`, 1);
    expect(rows.flat()).toEqual([us.invoiceId]);
    expect((await pages(auditor, '/v1/invoices?state=void', 1)).flat()).toEqual([]);
  });

  test("an approver of one entity does not see another's deals", async () => {
    const controller = await api.as('U-FC-JP');
    const deals = (await controller('GET', '/v1/deals')).body as { data: { leadEntityId: string }[] };
    expect(deals.data.map((deal) => deal.leadEntityId)).toEqual(['LE-JP']);
    for (const path of [
      `/v1/deals/${us.dealId}`,
      `/v1/approvals/${us.approvalId}`,
      `/v1/invoices/${us.invoiceId}`,
      `/v1/projects/${us.projectId}`,
    ]) {
      expect(problemOf(await controller('GET', path)).status).toBe(404);
    }
  });

  test('what is mine to decide are the open steps that ask me', async () => {
    const controller = await api.as('U-FC-US');
    const mine = (await pages(controller, '/v1/approvals?mine=true', 2)).flat();
    expect([...mine].sort()).toEqual((await pages(controller, '/v1/approvals?state=pending', 200)).flat().sort());
    expect(mine).toContain(us.approvalId);
    const pmo = await api.as('U-PMO');
    expect((await pages(pmo, '/v1/approvals?mine=true', 50)).flat()).toEqual([]);
    expect((await pages(pmo, '/v1/approvals?state=pending', 50)).flat()).toContain(us.approvalId);
  });

  test('an approval names its candidates by id, and its version as ETag', async () => {
    const controller = await api.as('U-FC-US');
    const answer = await controller('GET', `/v1/approvals/${us.approvalId}`);
    const approval = answer.body as { shownHash: string; steps: unknown[] };
    expect(approval).toMatchObject({
      state: 'pending',
      requestedBy: 'U-SELLER',
      amount: '100000.00',
      currency: 'USD',
      steps: [{ tier: 1, role: 'finance-controller', state: 'open', need: 1, candidates: [{ userId: 'U-FC-US', onBehalfOf: null }] }],
    });
    expect(answer.headers.etag).toBe(`"${approval.shownHash}"`);
    expect(answer.text).not.toMatch(/Verity|Stonebridge|@/);
  });

  test('margin and cost are shown to those who have the right to them, wherever they stand', async () => {
    const shown = async (userId: string) => {
      const send = await api.as(userId);
      return ((await send('GET', `/v1/approvals/${us.approvalId}`)).body as { shown: unknown }).shown;
    };
    expect(await shown('U-CFO')).toEqual({
      amount: '100000.00',
      margin: { blendedPercent: '40' },
      lines: [{ lineId: 'L1', costRate: '80' }],
    });
    expect(await shown('U-SALESDIR')).toEqual({ amount: '100000.00', margin: { blendedPercent: '40' }, lines: [{ lineId: 'L1' }] });
    expect(await shown('U-SELLER')).toEqual({ amount: '100000.00', lines: [{ lineId: 'L1' }] });
  });

  test('the budget of a project has its cost only for those who may see cost there', async () => {
    const budget = async (userId: string) => {
      const send = await api.as(userId);
      const project = (await send('GET', `/v1/projects/${us.projectId}`)).body as { phases: { budget: object }[] };
      return project.phases[0]?.budget;
    };
    const seen = { version: 1, hours: '100', price: '100000.00', currency: 'USD' };
    expect(await budget('U-PMO')).toEqual({ ...seen, cost: '60000.00' });
    expect(await budget('U-SELLER')).toEqual(seen);
  });

  test('amounts are decimal strings with the digits of their currency', async () => {
    expect((await auditor('GET', `/v1/invoices/${us.invoiceId}`)).body).toMatchObject({
      net: '40000.00',
      total: '40000.00',
      open: '15000.50',
      currency: 'USD',
      applications: [{ amount: '24999.50' }],
      holds: [{ amount: '1.00' }],
    });
  });

  test('receivables are those of the day that is asked for', async () => {
    const at = async (day: string) =>
      (await auditor('GET', `/v1/receivables?entityId=LE-JP&asOf=${day}`)).body as { items: object[]; parties: object[] };
    expect((await at('2026-03-01')).items).toEqual([]);
    expect((await at('2026-03-10')).items).toMatchObject([{ open: '40000.00', daysOverdue: 0, bucket: 'not-due' }]);
    expect(await at('2026-05-01')).toMatchObject({
      items: [{ open: '15000.50', daysOverdue: 30, bucket: '1-30' }],
      parties: [{ open: '15000.50', overdue: '15000.50', onAccount: '0.50', buckets: { '1-30': '15000.50', 'over-90': '0.00' } }],
    });
  });

  test('a deal shows its terms, its lines and where to go on', async () => {
    expect((await auditor('GET', `/v1/deals/${us.dealId}`)).body).toMatchObject({
      id: us.dealId,
      state: 'delivering',
      governingTerms: null,
      contractLines: [{ id: us.contractLineId, engagementModel: 'fixed-fee', state: 'active' }],
      projectId: us.projectId,
      links: { temporal: `http://ui.example/namespaces/throughline-test/workflows/deal%2F${us.dealId}` },
    });
  });

  test('the project manager of a line of one deal is not the one of another, unless named for every deal', async () => {
    const lineOf = async ({ dealId }: Facts) => {
      const { body } = await auditor('GET', `/v1/deals/${dealId}`);
      const { contractNumber, contractLines } = body as { contractNumber: string; contractLines: { lineId: string; projectManagerId: string }[] }; // prettier-ignore
      return { contractNumber, ...contractLines[0]! };
    };
    const other = all[1]!;
    const { contractNumber, lineId } = await lineOf(us);
    const name = (deal_alias: string, user_id: string) =>
      api.db.insertInto('line_manager').values({ deal_alias, line_id: lineId, user_id }).execute();
    await name(contractNumber, 'U-PM-US');
    expect([(await lineOf(us)).projectManagerId, (await lineOf(other)).projectManagerId]).toEqual(['U-PM-US', null]);
    await name('', 'U-PM-EU');
    expect([(await lineOf(us)).projectManagerId, (await lineOf(other)).projectManagerId]).toEqual(['U-PM-US', 'U-PM-EU']);
  });

  test('what is unknown is 404, each with its own code', async () => {
    const id = '11111111-1111-4111-8111-111111111111';
    const codes = ['deals', 'approvals', 'projects', 'contract-lines', 'invoices', 'inbox-events'].map(
      async (what) => problemOf(await auditor('GET', `/v1/${what}/${id}`)).code,
    );
    expect(await Promise.all(codes)).toEqual([
      'DealUnknown',
      'ApprovalUnknown',
      'ProjectUnknown',
      'LineUnknown',
      'InvoiceUnknown',
      'InboxEventUnknown',
    ]);
  });

  test('the audit log says how much only to those who may read invoices', async () => {
    const details = { reference: 'R-1', net: '10.00', openMinor: 1000, lines: [{ tax: '1.00', item: 'A' }] };
    await api.db
      .transaction()
      .execute((trx) =>
        appendAudit(trx, { stream: 'amounts', action: 'told', subject: 's', actor: 'a', at: '2026-01-01T00:00:00.000Z', details }),
      );
    const read = async (role: string) => {
      const { body } = await (await api.withKey([role]))('GET', '/v1/audit?stream=amounts');
      return (body as { data: { details: unknown }[] }).data[0]?.details;
    };
    expect(await read('auditor')).toEqual(details);
    expect(await read('operator')).toEqual({ reference: 'R-1', lines: [{ item: 'A' }] });
  });
});
