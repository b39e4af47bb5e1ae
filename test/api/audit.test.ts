import { appendAudit } from '../../db/audit';
import { sealAnchor } from '../../db/audit-anchor';
import { problemOf, testApi, type TestApi } from '../support/api';
import { insertFacts } from '../support/api-facts';

interface Head {
  readonly stream: string;
  readonly entries: number;
  readonly hash: string;
  readonly anchor: { readonly sequence: number; readonly entries: number; readonly sealedAt: string } | null;
}

describe('the audit log over HTTP', () => {
  let api: TestApi;
  let deal: string;
  beforeAll(async () => {
    api = await testApi();
    deal = `deal/${(await insertFacts(api.db, 'LE-US', 'BA-US')).dealId}`;
    await write('bank', 2);
    await write(deal, 1);
    await sealAnchor(api.db);
    await write(deal, 2);
    await write('free-texts', 1);
  });
  afterAll(() => api.close());

  async function write(stream: string, count: number): Promise<void> {
    const fact = { action: 'invoice.issued', subject: 'INV-1', actor: 'engine', at: '2026-03-02T09:00:00.000Z' };
    const event = { ...fact, stream, details: {}, personal: { contact: 'Jo' } };
    for (let index = 0; index < count; index += 1) await api.db.transaction().execute((trx) => appendAudit(trx, event));
  }

  const auditor = (...entityIds: string[]) =>
    api.withKey(['auditor'], entityIds.length === 0 ? { kind: 'group' } : { kind: 'entities', entityIds });
  const streams = async (send: Awaited<ReturnType<typeof auditor>>, query = '') =>
    (await send('GET', `/v1/audit/streams${query}`)).body as { data: Head[]; nextCursor: string | null };
  const check = async (send: Awaited<ReturnType<typeof auditor>>, stream: string) =>
    send('GET', `/v1/audit/verification?stream=${encodeURIComponent(stream)}`);

  test('names the streams, how far each has come and how far it is anchored, page by page', async () => {
    const send = await auditor();
    const { data } = await streams(send);
    const at = expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/) as string;
    const hash = expect.stringMatching(/^[0-9a-f]{64}$/) as string;
    const own = data.filter(({ stream }) => ['bank', deal, 'free-texts'].includes(stream));
    expect(own).toEqual([
      { stream: 'bank', entries: 2, hash, anchor: { sequence: 1, entries: 2, sealedAt: at } },
      { stream: deal, entries: 3, hash, anchor: { sequence: 1, entries: 1, sealedAt: at } },
      { stream: 'free-texts', entries: 1, hash, anchor: null },
    ]);
    const first = await streams(send, '?limit=1');
    const second = await streams(send, `?limit=200&cursor=${first.nextCursor ?? ''}`);
    expect([...first.data, ...second.data]).toEqual(data);
  });

  test('checks a stream, and names its first damaged entry', async () => {
    const send = await auditor();
    const { data } = await streams(send);
    expect(await check(send, deal)).toMatchObject({
      status: 200,
      body: { ...data.find(({ stream }) => stream === deal), valid: true, erased: 0, damage: null },
    });
    await api.db.deleteFrom('audit_personal').execute();
    expect((await check(send, deal)).body).toMatchObject({ valid: true, erased: 3 });
    const client = await api.database.pool.connect();
    try {
      await client.query('set session_replication_role = replica');
      await client.query(`update audit_entry set content = replace(content, 'INV-1', 'INV-9') where stream = $1 and sequence = 2`, [deal]);
    } finally {
      await client.query('set session_replication_role = default');
      client.release();
    }
    expect((await check(send, deal)).body).toMatchObject({ valid: false, damage: { sequence: 2, kind: 'changed' } });
    expect((await check(send, 'bank')).body).toMatchObject({ valid: true });
  });

  test('a reader of an entity sees and checks the streams of its deals only', async () => {
    const [here, elsewhere] = [await auditor('LE-US'), await auditor('LE-JP')];
    expect((await streams(here)).data.map(({ stream }) => stream)).toEqual([deal]);
    expect((await check(here, deal)).status).toBe(200);
    expect((await streams(elsewhere)).data).toEqual([]);
    for (const [send, stream] of [
      [here, 'bank'],
      [elsewhere, deal],
      [here, 'deal/none'],
      [await auditor(), 'deal/none'],
    ] as const)
      // prettier-ignore
      expect(problemOf(await check(send, stream))).toMatchObject({ status: 404, code: 'StreamUnknown' });
  });
});
