import { policyAt, savePolicy } from '../../db/policies';
import { type Answer, problemOf, type Send, testApi, type TestApi } from '../support/api';

interface Version {
  readonly versionId: string;
  readonly version: number;
  readonly state: string;
  readonly validFrom: string;
  readonly succeededBy: { readonly version: number } | null;
  readonly content: Record<string, unknown>;
}

describe('policies over HTTP', () => {
  let api: TestApi;
  let controller: Send;
  const now = '2026-06-15T10:00:00.000Z';
  beforeAll(async () => {
    api = await testApi({ deps: { clock: { now: () => Promise.resolve(now) } } });
    controller = await api.as('U-FC-US');
    const standard = (await policyAt(api.db, 'billing', '2026-01-01'))?.body;
    if (standard === undefined) throw new Error('no standard');
    const save = (version: number, validFrom: string, cutOffDay: number) =>
      api.db.transaction().execute((trx) => savePolicy(trx, 'billing', { ...standard, version, validFrom, cutOffDay }));
    await save(2, '2026-03-01', 4);
    await save(3, '2026-09-01', 5);
  });
  afterAll(() => api.close());

  const codeOf = (answer: Answer) => [answer.status, problemOf(answer).code];
  const versions = async (query = '') =>
    (await controller('GET', `/v1/policies/billing/versions${query}`)).body as { data: Version[]; nextCursor: string | null };

  test('the kinds say what they decide, and which version is in force today', async () => {
    const { data } = (await controller('GET', '/v1/policies')).body as {
      data: { kind: string; decides: string; inForce: Version | null }[];
    };
    expect(data.map(({ kind }) => kind)).toEqual(['approval', 'access-scopes', 'control-points', 'collections', 'billing', 'closing', 'exceptions', 'tax-rates', 'retention']); // prettier-ignore
    expect(data.find(({ kind }) => kind === 'billing')).toMatchObject({
      inForce: { version: 2, state: 'in-force', validFrom: '2026-03-01' },
    });
    expect(data.every(({ inForce }) => inForce !== null)).toBe(true);
  });

  test('versions of a kind are paged, each with its day, its state and what follows it', async () => {
    const { data } = await versions();
    expect(data.map(({ version, validFrom, state, succeededBy }) => [version, validFrom, state, succeededBy?.version ?? null])).toEqual([
      [3, '2026-09-01', 'scheduled', null],
      [2, '2026-03-01', 'in-force', 3],
      [1, '2000-01-01', 'superseded', 2],
    ]);
    const first = await versions('?limit=2');
    const second = await versions(`?limit=2&cursor=${first.nextCursor ?? ''}`);
    expect([...first.data, ...second.data]).toEqual(data);
    expect(second.nextCursor).toBeNull();
    expect(codeOf(await controller('GET', '/v1/policies/billing/versions?cursor=x'))).toEqual([400, 'CursorInvalid']);
  });

  test('a version is shown with what it says; of any day the one that is in force', async () => {
    const [, current] = (await versions()).data;
    const shown = await controller('GET', `/v1/policies/billing/versions/${current?.versionId ?? ''}`);
    expect(shown.body).toMatchObject({
      ...current,
      content: { cutOffDay: 4, version: 2 },
      holds: { cutOffDay: 4, billingLeadWorkingDays: 3 },
    });
    const on = async (date: string) => (await controller('GET', `/v1/policies/billing/in-force?on=${date}`)).body as Version;
    expect((await on('2026-02-28')).content.cutOffDay).toBe(6);
    expect((await on('2026-09-01')).content.cutOffDay).toBe(5);
    const today = (await controller('GET', '/v1/policies/billing/in-force')).body;
    expect(today).toMatchObject({ on: '2026-06-15', entityId: null, own: null, group: current, content: { cutOffDay: 4 } });
    expect(codeOf(await controller('GET', '/v1/policies/billing/in-force?on=1999-12-31'))).toEqual([404, 'PolicyVersionUnknown']);
  });

  test('what differs between two versions is told place by place, without their numbers and days', async () => {
    const [next, , oldest] = (await versions()).data;
    const url = `/v1/policies/billing/versions/${next?.versionId ?? ''}/differences`;
    const { body } = await controller('GET', `${url}?from=${oldest?.versionId ?? ''}`);
    expect(body).toMatchObject({ from: { version: 1 }, to: { version: 3 }, differences: [{ path: '/cutOffDay', before: 6, after: 5 }] });
    expect((await controller('GET', `${url}?from=${next?.versionId ?? ''}`)).body).toMatchObject({ differences: [] });
    expect(codeOf(await controller('GET', url))).toEqual([400, 'ValidationFailed']);
  });

  test('a kind or version that is none is refused, and who works under no policy reads none', async () => {
    const [current] = (await versions()).data;
    expect(codeOf(await controller('GET', '/v1/policies/weather/versions'))).toEqual([400, 'ValidationFailed']);
    expect(codeOf(await controller('GET', `/v1/policies/closing/versions/${current?.versionId ?? ''}`))).toEqual([
      404,
      'PolicyVersionUnknown',
    ]);
    const integration = await api.withKey(['bank-integration']);
    expect(codeOf(await integration('GET', '/v1/policies'))).toEqual([403, 'PermissionMissing']);
  });
});
