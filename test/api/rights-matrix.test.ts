import { createApp } from '../../api/app';
import { routeAccess } from '../../api/permissions';
import { knownRoles, permissionsOf, type Scope } from '../../domain/access';
import { createMetrics } from '../../runtime/metrics';
import { type Facts, insertFacts } from '../support/api-facts';
import { type Answer, problemOf, type Send, testApi, type TestApi } from '../support/api';

interface Documented {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  readonly path: string;
  readonly permission: string;
}

const SCOPES: readonly { readonly name: string; readonly scope: Scope }[] = [
  { name: 'the group', scope: { kind: 'group' } },
  { name: 'the entity of the facts', scope: { kind: 'entities', entityIds: ['LE-US'] } },
  { name: 'another entity', scope: { kind: 'entities', entityIds: ['LE-JP'] } },
];

/** What a route asks for to read at all. */
const QUERY: Readonly<Record<string, string>> = {
  '/v1/audit': '?stream=bank',
  '/v1/audit/verification': '?stream=bank',
  '/v1/receivables': '?asOf=2026-06-30',
};
/** Lists that show the facts whole; other routes that read show parts of them, or nothing yet. */
const LISTS: readonly string[] = ['/v1/deals', '/v1/approvals', '/v1/projects', '/v1/invoices', '/v1/bank-statements', '/v1/payments'];
/** What is not among the facts: its scope is tested where it is made. */
const NOT_AMONG_FACTS: readonly string[] = [
  '/v1/deals/{dealId}/change-orders/{id}',
  '/v1/policies/{kind}/changes/{id}',
  '/v1/break-glass/{id}',
  '/v1/delegations/{id}',
  '/v1/people/{userId}/erasure',
  '/v1/legal-holds/{id}',
  '/v1/exceptions/{id}',
  '/v1/exceptions/{id}/items',
  '/v1/intake-batches/{id}',
  '/v1/intake-batches/{id}/errors',
  '/v1/intake-batches/{id}/errors.csv',
];
/** The rules of the group are for everybody who works under them. */
const FOR_EVERY_SCOPE = /^\/v1\/policies\/\{kind\}\/(?:in-force|versions|changes$)/;
/** What is asked for is somebody, a signature or the link itself. */
const ASK_FOR_NO_RIGHT: readonly string[] = ['public', 'signature', 'link', 'signed-in'];
/** Each stream and run has a scope of its own; they are read below by name. */
const BY_NAME: readonly string[] = ['/v1/audit', '/v1/audit/verification', '/v1/runs/{workflowId}'];

describe('role × scope × route', () => {
  let api: TestApi;
  let facts: Facts;
  let routes: Documented[];
  let policyVersionId: string;

  beforeAll(async () => {
    // Nothing of Temporal is tested here, so nobody waits long for it.
    api = await testApi({ deps: { updateTimeoutMs: 20 } });
    facts = await insertFacts(api.db, 'LE-US', 'BA-US');
    policyVersionId = (await api.db.selectFrom('policy_version').select('id').where('kind', '=', 'billing').executeTakeFirstOrThrow()).id;
    const { body } = await api.anyone('GET', '/openapi.json');
    const paths = (body as { paths: Record<string, Record<string, { 'x-permission': string }>> }).paths;
    routes = Object.entries(paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, operation]) => ({
        method: method.toUpperCase() as Documented['method'],
        path,
        permission: operation['x-permission'],
      })),
    );
  });
  afterAll(() => api.close());

  test('the document has every route of the table of rights, and no other', () => {
    const documented = routes.map(({ method, path }) => `${method} ${path.replaceAll(/\{(\w+)\}/g, ':$1')}`);
    const hidden = ['GET /openapi.json'];
    expect(documented.sort()).toEqual(
      Object.keys(routeAccess)
        .filter((route) => !hidden.includes(route))
        .sort(),
    );
  });

  test('every operation documents its problems and the right it asks for', async () => {
    const { body } = await api.anyone('GET', '/openapi.json');
    const document = body as { openapi: string; paths: Record<string, Record<string, Operation>> };
    expect(document.openapi).toBe('3.1.0');
    for (const [path, methods] of Object.entries(document.paths)) {
      for (const [method, operation] of Object.entries(methods)) {
        const statuses = Object.keys(operation.responses);
        expect({ path, method, statuses }).toMatchObject({
          statuses: expect.arrayContaining(['400', '401', '403', '409', '429', '500', '503']) as unknown,
        });
        expect(operation['x-permission']).toMatch(/\w/);
        expect(operation.summary).toMatch(/\w/);
      }
    }
  });

  test('a new route without a row in the table does not start', async () => {
    const app = await createApp({ ...api.deps, metrics: createMetrics() });
    expect(() => app.get('/v1/new', () => ({}))).toThrow('GET /v1/new has no row in the table of rights');
    await app.close();
  });

  test('nobody gets anything without a token but what is public, signed or linked', async () => {
    for (const { method, path, permission } of routes) {
      const answer = await api.anyone(method, fill(path));
      if (permission === 'public') expect({ path, status: answer.status }).not.toMatchObject({ status: 401 });
      else if (permission === 'signature') expect({ path, code: problemOf(answer).code }).toEqual({ path, code: 'SignatureInvalid' });
      else if (permission === 'link') expect({ path, code: problemOf(answer).code }).toEqual({ path, code: 'LinkUnknown' });
      else expect({ path, code: problemOf(answer).code }).toEqual({ path, code: 'NotAuthenticated' });
    }
  });

  test.each(SCOPES)('every role in $name may do exactly what its permissions say', async ({ scope }) => {
    for (const role of knownRoles()) {
      const send = await api.withKey([role], scope);
      // A right that a role lacks is missed before anybody looks at the scope.
      const tried = scope.kind === 'group' ? routes : routes.filter(({ permission }) => holds(role, permission));
      for (const route of tried) await checkRight(send, role, scope, route);
    }
  });

  test('a role that nobody defined, and no role at all, open nothing', async () => {
    for (const roles of [['owner'], []]) {
      const send = await api.withKey(roles);
      for (const { method, path, permission } of routes) {
        if (ASK_FOR_NO_RIGHT.includes(permission)) continue;
        expect(problemOf(await send(method, fill(path)))).toMatchObject({ status: 403, code: 'PermissionMissing' });
      }
    }
  });

  test.each(SCOPES)('who reads from $name sees the facts there and no others, by every route that reads', async ({ scope }) => {
    const sees = scope.kind === 'group' || scope.entityIds.includes('LE-US');
    const send = await api.withKey(['auditor', 'time-integration'], scope);
    for (const { path } of routes.filter(readsFacts)) {
      const { status, body } = await send('GET', fill(path));
      const { code } = (body ?? {}) as { code?: string };
      const text = status === 200 ? JSON.stringify(body) : '';
      const isHidden = sees ? NOT_AMONG_FACTS.includes(path) : path.includes('{') && !FOR_EVERY_SCOPE.test(path);
      expect({ path, status }).toEqual({ path, status: code === 'ScopeTooSmall' ? 403 : isHidden ? 404 : 200 });
      if (!sees)
        expect({ path, shown: Object.values(facts as Record<keyof Facts, string>).filter((id) => text.includes(id)) }).toEqual({
          path,
          shown: [],
        });
    }
    for (const path of LISTS) {
      const answer = await send('GET', path);
      expect({ path, rows: (answer.body as { data: unknown[] }).data.length }).toEqual({ path, rows: sees ? 1 : 0 });
    }
    const receivables = (await send('GET', '/v1/receivables?asOf=2026-06-30')).body as { items: unknown[]; parties: unknown[] };
    expect([receivables.items.length, receivables.parties.length]).toEqual(sees ? [1, 1] : [0, 0]);
    expect((await send('GET', `/v1/audit?stream=deal/${facts.dealId}`)).status).toBe(sees ? 200 : 404);
    expect((await send('GET', `/v1/runs/deal%2F${facts.dealId}`)).status).toBe(sees ? 503 : 404);
  });

  async function checkRight(send: Send, role: string, scope: Scope, { method, path, permission }: Documented): Promise<void> {
    if (ASK_FOR_NO_RIGHT.includes(permission)) return;
    const answer = await send(method, fill(path));
    const where = `${role} ${scope.kind} ${method} ${path}: ${answer.status}`;
    const held = holds(role, permission);
    const access = routeAccess[`${method} ${path.replaceAll(/\{(\w+)\}/g, ':$1')}`];
    const wide = access?.kind === 'permission' && access.reach === 'group';
    const expected = !held ? 'PermissionMissing' : wide && scope.kind !== 'group' ? 'ScopeTooSmall' : 'allowed';
    expect(`${where} ${rightIn(answer)}`).toBe(`${where} ${expected}`);
  }

  function fill(path: string): string {
    const id = path.includes('approvals')
      ? facts.approvalId
      : path.includes('projects')
        ? facts.projectId
        : path.includes('contract-lines')
          ? facts.contractLineId
          : path.includes('invoices')
            ? facts.invoiceId
            : path.includes('policies')
              ? policyVersionId
              : facts.inboxEventId;
    const filled = path
      .replace('{dealId}', facts.dealId)
      .replace('{id}', id)
      .replace('{entityId}', 'LE-US')
      .replace('{kind}', 'billing')
      .replace('{milestoneId}', 'M1')
      .replace('{holdId}', 'nothing')
      .replace('{userId}', 'U-PMO')
      .replace('{workflowId}', 'intake%2Fbank');
    const query = path.endsWith('/differences') ? `?from=${policyVersionId}` : QUERY[path];
    return `${filled}${query ?? ''}`;
  }
});

function holds(role: string, permission: string): boolean {
  return permission.split(' | ').some((each) => permissionsOf([role]).includes(each as never));
}

/** Who reads what: every such route is played against every scope. */
function readsFacts({ method, path, permission }: Documented): boolean {
  return method === 'GET' && !BY_NAME.includes(path) && !ASK_FOR_NO_RIGHT.includes(permission);
}

interface Operation {
  readonly responses: Record<string, unknown>;
  readonly summary: string;
  readonly 'x-permission': string;
}

/** Anything but "not allowed" means that the right was there: the empty body, or the address, was refused afterwards. */
function rightIn(answer: Answer): string {
  const { code } = (answer.body ?? {}) as { code?: string };
  return answer.status === 403 && (code === 'PermissionMissing' || code === 'ScopeTooSmall')
    ? code
    : answer.status === 401
      ? 'unknown'
      : 'allowed';
}
