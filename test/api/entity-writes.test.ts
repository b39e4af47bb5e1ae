import { routeAccess } from '../../api/permissions';
import { policyAt } from '../../db/policies';
import { knownRoles } from '../../domain/access';
import { type Facts, insertFacts } from '../support/api-facts';
import { problemOf, testApi, type TestApi } from '../support/api';
import { sampleOf, type Schema } from '../support/sample';

interface Operation {
  readonly requestBody?: { readonly content: Readonly<Record<string, { readonly schema?: Schema }>> };
}

/** Where the schema alone does not make a body that is taken. */
const BODIES: Readonly<Record<string, (body: Record<string, unknown>) => unknown>> = {
  '/v1/policies/:kind/changes': (body) => ({ ...body, entityId: 'LE-US' }),
  '/v1/people/:userId/absences': () => ({ absences: [] }),
  '/v1/invoices/:id/holds': (body) => ({ ...body, until: null }),
  '/v1/invoices/:id/disputes/:disputeId/resolution': () => ({ outcome: 'rejected', notBillable: [], reason: null }),
  '/v1/deals/:dealId/forecasts': () => ({
    forecasts: [{ lineId: 'L1', asOf: '2026-03-31', estimateToComplete: '10', measure: 'hours', currency: null }],
  }),
};

describe('what belongs to another entity', () => {
  let api: TestApi;
  let facts: Facts;
  let closingPolicyId: string;
  let paths: Record<string, Record<string, Operation>>;
  beforeAll(async () => {
    api = await testApi({ deps: { updateTimeoutMs: 20 } });
    facts = await insertFacts(api.db, 'LE-US', 'BA-US');
    closingPolicyId = (await policyAt(api.db, 'closing', '2026-03-02'))?.id ?? '';
    paths = ((await api.anyone('GET', '/openapi.json')).body as { paths: typeof paths }).paths;
    const everything = knownRoles().map((role) => ({ user_id: 'U-HEAD-JP', role, scope_kind: 'entity', scope_id: 'LE-JP' }));
    await api.db.deleteFrom('role_assignment').where('user_id', '=', 'U-HEAD-JP').execute();
    await api.db.insertInto('role_assignment').values(everything).execute();
  });
  afterAll(() => api.close());

  test('is not there for whoever holds every role elsewhere, by any route that changes it', async () => {
    const send = await api.as('U-HEAD-JP');
    const changing = Object.keys(routeAccess).filter((route) => /^(?:POST|PUT|DELETE) \/v1\/.*:/.test(route));
    expect(changing.length).toBeGreaterThan(20);
    for (const route of changing) {
      const [method = '', path = ''] = route.split(' ');
      const operation = paths[path.replaceAll(/:(\w+)/g, '{$1}')]?.[method.toLowerCase()];
      const schema = operation?.requestBody?.content['application/json']?.schema;
      const answer = await send(method as 'POST', addressed(path), {
        ...(schema === undefined ? {} : { body: bodyOf(path, schema) }),
        headers: { 'if-match': '*' },
        key: route,
      });
      const { code } = problemOf(answer);
      expect(`${route}: ${answer.status} ${code}`).toMatch(
        /: (?:404 (?:Deal|Line|Project|Invoice|Approval|Entity|Delegation|Person|BreakGlass|LegalHold|Exception)Unknown|403 ScopeTooSmall)$/,
      );
    }
  });

  function bodyOf(path: string, schema: Schema): unknown {
    const body = sampleOf(schema) as Record<string, unknown>;
    return BODIES[path]?.(body) ?? body;
  }

  function addressed(path: string): string {
    const of = (part: string) => path.startsWith(`/v1/${part}/`);
    const id = of('approvals') ? facts.approvalId : of('projects') ? facts.projectId : of('contract-lines') ? facts.contractLineId : of('invoices') ? facts.invoiceId : of('policies') ? closingPolicyId : facts.inboxEventId; // prettier-ignore
    return path
      .replace(':dealId', facts.dealId)
      .replace(':kind', 'closing')
      .replace(':id', id)
      .replace(':milestoneId', 'M1')
      .replace(':userId', 'U-FC-US')
      .replace(':holdId', facts.holdId)
      .replace(':disputeId', facts.invoiceId);
  }
});
