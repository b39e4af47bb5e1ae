import { sql } from 'kysely';
import { policyAt } from '../../db/policies';
import { type Answer, problemOf, type Send, testApi, type TestApi } from '../support/api';

interface Side {
  readonly duty: string;
  readonly role: string;
  readonly source: Record<string, string>;
}
interface Conflict {
  readonly userId: string;
  readonly entityId: string | null;
  readonly ruleId: string;
  readonly policy: { readonly kind: string; readonly versionId: string; readonly version: number };
  readonly first: Side;
  readonly last: Side;
}
interface Listed {
  readonly data: Conflict[];
  readonly nextCursor: string | null;
}

describe('conflicts of duties over HTTP', () => {
  let api: TestApi;
  let auditor: Send;
  let now = '2026-06-15T10:00:00.000Z';
  beforeAll(async () => {
    api = await testApi({ deps: { clock: { now: () => Promise.resolve(now) } } });
    auditor = await api.withKey(['auditor']);
  });
  afterAll(() => api.close());

  const listed = async (query = '', send = auditor) => (await send('GET', `/v1/duties/conflicts${query}`)).body as Listed;
  const shown = async (query = '', send = auditor) =>
    (await listed(query, send)).data.map(
      ({ userId, entityId, ruleId, first, last }) => `${userId} ${entityId ?? '*'} ${ruleId} ${first.role} + ${last.role}`,
    );
  const hold = (userId: string, role: string, entityId: string | null = null) =>
    api.db
      .insertInto('role_assignment')
      .values({ user_id: userId, role, scope_kind: entityId === null ? 'group' : 'entity', scope_id: entityId ?? 'GRP' })
      .execute();
  const codeOf = (answer: Answer) => [answer.status, problemOf(answer).code];

  test('the firm as it is has one by roles: a sales director both sells and decides on deals with a discount', async () => {
    expect(await shown()).toEqual(['U-SALESDIR * SOD-1 sales-director + sales-director']);
    const firm = await policyAt(api.db, 'approval', '2026-06-15');
    expect((await listed()).data[0]).toMatchObject({
      policy: { kind: 'approval', versionId: firm?.id, version: firm?.version },
      first: { duty: 'deal.sell', source: { kind: 'assignment', scope: 'group' } },
      last: { duty: 'deal.approve-margin' },
    });
  });

  test('a second role in the same entity or everywhere makes one, in another entity none', async () => {
    await hold('U-AR', 'finance-controller', 'LE-DE');
    await hold('U-SELLER', 'finance-controller', 'LE-DE');
    expect(await shown('?userId=U-AR')).toEqual(['U-AR LE-DE CP-CASH accounts-receivable + finance-controller']);
    expect(await shown('?userId=U-SELLER')).toEqual([]);
    await hold('U-SELLER', 'finance-controller', 'LE-US');
    expect(await shown('?userId=U-SELLER')).toEqual(['U-SELLER LE-US SOD-1 account-executive + finance-controller']);
    const standard = await policyAt(api.db, 'control-points', '2026-06-15');
    expect((await listed('?userId=U-AR')).data[0]?.policy).toEqual({
      kind: 'control-points',
      versionId: standard?.id,
      version: standard?.version,
    });
  });

  test('a right that counts for the group makes one only where the role is held for the group', async () => {
    await hold('U-LEGAL2', 'finance-controller', 'LE-SG');
    expect(await shown('?userId=U-LEGAL2')).toEqual([]);
    await hold('U-LEGAL2', 'finance-controller');
    const rules = (await listed('?userId=U-LEGAL2')).data.map(({ ruleId }) => ruleId);
    expect([...new Set(rules)].sort()).toEqual(['CP-USERS', 'SOD-3']);
  });

  test('a seat in a committee, and a delegation while it is active, count for deciding; nothing else is handed on', async () => {
    await api.db.insertInto('committee_member').values({ role: 'deal-committee', user_id: 'U-SELLER' }).execute();
    const seat = (await listed('?userId=U-SELLER')).data.find(({ last }) => last.role === 'deal-committee');
    expect(seat).toMatchObject({ entityId: 'LE-US', last: { source: { kind: 'committee' } } });
    const give = (id: string, from: string, to: string, role: string) =>
      api.db
        .insertInto('delegation')
        .values({
          id,
          delegator_id: from,
          delegate_id: to,
          role,
          valid_from: '2026-06-01T00:00:00Z',
          valid_until: '2026-07-01T00:00:00Z',
          reason: 'leave',
        })
        .execute();
    await give('D-1', 'U-CFO', 'U-RM-EU', 'cfo');
    await give('D-2', 'U-AR', 'U-CFO', 'accounts-receivable');
    expect(await shown('?userId=U-RM-EU')).toEqual([]);
    expect(await shown('?userId=U-CFO')).toEqual([]);
    await hold('U-RM-EU', 'accounts-receivable');
    const [found] = (await listed('?userId=U-RM-EU')).data;
    expect(found).toMatchObject({
      ruleId: 'CP-CASH',
      entityId: null,
      first: { role: 'accounts-receivable' },
      last: { role: 'cfo', source: { kind: 'delegation', delegationId: 'D-1', delegatorId: 'U-CFO' } },
    });
    now = '2026-07-01T00:00:00.000Z';
    expect(await shown('?userId=U-RM-EU')).toEqual([]);
    now = '2026-06-15T10:00:00.000Z';
  });

  test('who has left has none', async () => {
    await api.db.updateTable('app_user').set({ active: false }).where('id', '=', 'U-AR').execute();
    expect(await shown('?userId=U-AR')).toEqual([]);
    await api.db.updateTable('app_user').set({ active: true }).where('id', '=', 'U-AR').execute();
  });

  test('each reads those of the entities in scope, and what holds everywhere', async () => {
    const german = await api.as('U-FC-DE');
    const entities = async (send: Send, query = '') => [...new Set((await listed(query, send)).data.map(({ entityId }) => entityId))];
    expect((await entities(german)).sort()).toEqual(['LE-DE', null]);
    expect((await entities(auditor, '?entityId=LE-US')).sort()).toEqual(['LE-US', null]);
    expect(codeOf(await german('GET', '/v1/duties/conflicts?entityId=LE-US'))).toEqual([404, 'EntityUnknown']);
    expect(codeOf(await auditor('GET', '/v1/duties/conflicts?entity=LE-US'))).toEqual([400, 'ValidationFailed']);
    expect(codeOf(await (await api.as('U-PMO'))('GET', '/v1/duties/conflicts'))).toEqual([403, 'PermissionMissing']);
  });

  test('in pages that together are the list', async () => {
    const whole = (await listed('?limit=200')).data;
    const parts: Conflict[] = [];
    for (let cursor: string | null = ''; cursor !== null;) {
      const page: Listed = await listed(`?limit=2${cursor === '' ? '' : `&cursor=${cursor}`}`);
      parts.push(...page.data);
      cursor = page.nextCursor;
    }
    expect(whole.length).toBeGreaterThan(4);
    expect(parts).toEqual(whole);
    expect(codeOf(await auditor('GET', '/v1/duties/conflicts?cursor=x'))).toEqual([400, 'CursorInvalid']);
  });

  test('of 10,000 people with five roles each, a page takes less than two seconds', async () => {
    await sql`
      insert into app_user (id, name, email, entity_id, calendar_id)
      select 'X-' || n, 'Somebody', 'x@example.com', 'LE-US', 'CAL-US' from generate_series(1, 10000) as n`.execute(api.db);
    await sql`
      insert into role_assignment (user_id, role, scope_kind, scope_id)
      select 'X-' || n, role, 'entity', 'LE-US'
        from generate_series(1, 10000) as n cross join unnest(array['project-manager', 'delivery-director', 'finance-controller', 'accounts-payable', 'account-executive']) as role`.execute(
      api.db,
    );
    await sql`analyze app_user, role_assignment`.execute(api.db);
    const begun = performance.now();
    const { data, nextCursor } = await listed('?limit=200');
    expect(performance.now() - begun).toBeLessThan(2_000);
    expect([data.length, nextCursor === null]).toEqual([200, false]);
    const one = performance.now();
    expect((await shown('?userId=X-77&limit=1')).length).toBeLessThan(2);
    expect(performance.now() - one).toBeLessThan(2_000);
  });
});
