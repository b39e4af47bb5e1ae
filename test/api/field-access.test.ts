import { appendAudit } from '../../db/audit';
import { problemOf, type Answer, type Send, testApi, type TestApi } from '../support/api';
import { insertFacts, type Facts } from '../support/api-facts';

interface Seen {
  readonly id: string;
  readonly requestId: string;
  readonly reader: string;
  readonly seenAt: string;
  readonly route: string;
  readonly subject: string;
  readonly fieldClasses: readonly string[];
}

describe('who looked at fields with a right of their own', () => {
  let api: TestApi;
  let facts: Facts;
  let auditor: Send;
  beforeAll(async () => {
    api = await testApi();
    facts = await insertFacts(api.db, 'LE-US', 'BA-US');
    auditor = await api.withKey(['auditor']);
  });
  afterAll(() => api.close());

  const seen = async (query: string, send = auditor) =>
    (await send('GET', `/v1/audit/field-access${query}`)).body as { data: Seen[]; nextCursor: string | null };
  const idOf = ({ headers }: Answer) => String(headers['x-request-id']);
  const rows = async () => (await api.db.selectFrom('field_access').selectAll().execute()).length;

  test('is on record with the answer: who, when, which subject, which classes of fields, in which request', async () => {
    const before = new Date().toISOString();
    const pmo = await api.as('U-PMO');
    const approval = await pmo('GET', `/v1/approvals/${facts.approvalId}`);
    const project = await pmo('GET', `/v1/projects/${facts.projectId}`);
    expect([approval.status, project.status]).toEqual([200, 200]);
    expect([approval.text, project.text].map((text) => /"cost/.test(text))).toEqual([true, true]);
    const { data } = await seen('?reader=U-PMO');
    expect(data.map(({ requestId, reader, seenAt, route, subject, fieldClasses }) => ({ requestId, reader, route, subject, fieldClasses, isThen: seenAt >= before }))).toEqual([
      { requestId: idOf(project), reader: 'U-PMO', route: 'GET /v1/projects/:id', subject: `project/${facts.projectId}`, fieldClasses: ['cost'], isThen: true },
      { requestId: idOf(approval), reader: 'U-PMO', route: 'GET /v1/approvals/:id', subject: `approval/${facts.approvalId}`, fieldClasses: ['cost', 'margin'], isThen: true },
    ]);
  }); // prettier-ignore

  test('is no record where the fields were withheld or nothing was shown, and one of what was shown where some were', async () => {
    const count = await rows();
    const legal = await api.as('U-LEGAL');
    for (const url of [`/v1/approvals/${facts.approvalId}`, `/v1/projects/${facts.projectId}`]) {
      const answer = await legal('GET', url);
      expect([answer.status, /"(?:cost|margin)/.test(answer.text)]).toEqual([200, false]);
    }
    const pmo = await api.as('U-PMO');
    expect((await pmo('GET', '/v1/projects/00000000-0000-4000-8000-000000000000')).status).toBe(404);
    expect((await pmo('GET', `/v1/projects`)).status).toBe(200);
    expect(await rows()).toBe(count);
    const other = await api.withKey(['auditor']);
    const first = await other('GET', `/v1/projects/${facts.projectId}`);
    expect(await rows()).toBe(count + 1);
    const again = await other('GET', `/v1/projects/${facts.projectId}`, { headers: { 'if-none-match': String(first.headers.etag) } });
    expect([again.status, await rows()]).toEqual([304, count + 1]);
    const margins = await api.withKey(['sales-director']);
    await margins('GET', `/v1/approvals/${facts.approvalId}`);
    expect((await seen('?limit=1')).data).toMatchObject([
      { fieldClasses: ['margin'], reader: expect.stringMatching(/^api-key:/) as string },
    ]);
  });

  test('what an auditor takes along is on record too, as a file and as a PDF', async () => {
    const other = await insertFacts(api.db, 'LE-US', 'BA-US');
    const subject = `deal/${other.dealId}`;
    const url = `/v1/deals/${other.dealId}/audit-export`;
    expect((await auditor('GET', url)).status).toBe(200);
    expect((await seen(`?subject=${subject}`)).data).toEqual([]);
    const details = { approvalId: other.approvalId, marginPercent: '40' };
    const entry = { stream: subject, action: 'asked', subject: other.approvalId, actor: 'engine', at: '2026-03-02T09:00:00.000Z', details };
    await api.db.transaction().execute((trx) => appendAudit(trx, entry));
    for (const format of ['json', 'pdf']) expect((await auditor('GET', `${url}?format=${format}`)).status).toBe(200);
    expect((await seen(`?subject=${subject}`)).data).toMatchObject([
      { fieldClasses: ['cost', 'margin'] },
      { fieldClasses: ['cost', 'margin'] },
    ]);
    const log = await auditor('GET', `/v1/audit?stream=${subject}`);
    expect((await seen(`?subject=${subject}&limit=1`)).data).toMatchObject([{ requestId: idOf(log), fieldClasses: ['margin'] }]);
  });

  test('is listed by person and by subject, the last first, page by page', async () => {
    const cfo = await api.as('U-CFO');
    for (let count = 0; count < 5; count += 1) await cfo('GET', `/v1/projects/${facts.projectId}`);
    const pages: Seen[][] = [];
    for (let cursor: string | null = ''; cursor !== null;) {
      const page: Awaited<ReturnType<typeof seen>> = await seen(`?reader=U-CFO&limit=2${cursor === '' ? '' : `&cursor=${cursor}`}`);
      pages.push(page.data);
      cursor = page.nextCursor;
    }
    expect(pages.map((page) => page.length)).toEqual([2, 2, 1]);
    const moments = pages.flat().map(({ seenAt }) => seenAt);
    expect(moments).toEqual([...moments].sort().reverse());
    const { data } = await seen(`?subject=project/${facts.projectId}&reader=U-CFO&limit=200`);
    expect(data).toEqual(pages.flat());
    expect((await seen('?subject=project/none')).data).toEqual([]);
    expect(problemOf(await auditor('GET', '/v1/audit/field-access?cursor=x'))).toMatchObject({ status: 400 });
    expect(problemOf(await auditor('GET', '/v1/audit/field-access?who=x'))).toMatchObject({ status: 400 });
  });

  test('is for auditors, of what is in their scope', async () => {
    for (const role of ['finance-controller', 'cfo', 'operator', 'pmo-lead'])
      expect(problemOf(await (await api.withKey([role]))('GET', '/v1/audit/field-access'))).toMatchObject({ status: 403 });
    const scoped = (entityId: string) => api.withKey(['auditor'], { kind: 'entities', entityIds: [entityId] });
    expect((await seen('?limit=200', await scoped('LE-US'))).data.length).toBeGreaterThan(5);
    expect((await seen('?limit=200', await scoped('LE-JP'))).data).toEqual([]);
  });

  test('there is no answer without its record', async () => {
    const pmo = await api.as('U-PMO');
    await api.database.pool.query('alter table field_access add constraint broken check (false) not valid');
    try {
      const answer = await pmo('GET', `/v1/projects/${facts.projectId}`);
      expect(problemOf(answer).status).toBeGreaterThanOrEqual(500);
      expect(answer.text).not.toMatch(/"cost/);
      expect((await (await api.as('U-LEGAL'))('GET', `/v1/projects/${facts.projectId}`)).status).toBe(200);
    } finally {
      await api.database.pool.query('alter table field_access drop constraint broken');
    }
    expect((await pmo('GET', `/v1/projects/${facts.projectId}`)).status).toBe(200);
  });

  test('cannot be changed, deleted or emptied, by the owner of the table neither', async () => {
    for (const statement of [`update field_access set reader = 'U-X'`, 'delete from field_access', 'truncate field_access'])
      await expect(api.database.pool.query(statement)).rejects.toThrow('append-only');
  });
});
