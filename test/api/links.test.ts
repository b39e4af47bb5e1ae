import { type Link, link, operationId } from '../../api/links';
import { testApi, type TestApi } from '../support/api';

interface Documented {
  readonly operationId: string;
  readonly parameters?: readonly { readonly name: string; readonly in: string }[];
  readonly responses: Readonly<Record<string, { readonly content?: unknown; readonly links?: Readonly<Record<string, Link>> }>>;
}

describe('links between the operations of the document', () => {
  let api: TestApi;
  let operations: Map<string, Documented>;
  let links: { readonly of: string; readonly status: string; readonly content: string; readonly link: Link }[];
  beforeAll(async () => {
    api = await testApi({ firm: false });
    const { body } = await api.anyone('GET', '/openapi.json');
    const { paths } = body as { paths: Record<string, Record<string, Documented>> };
    const all = Object.values(paths).flatMap((methods) => Object.values(methods));
    operations = new Map(all.map((operation) => [operation.operationId, operation]));
    expect(operations.size).toBe(all.length);
    links = all.flatMap((operation) =>
      Object.entries(operation.responses).flatMap(([status, response]) =>
        Object.values(response.links ?? {}).map((each) => ({
          of: operation.operationId,
          status,
          content: JSON.stringify(response.content),
          link: each,
        })),
      ),
    );
  });
  afterAll(() => api.close());

  const inPath = (id: string) => (operations.get(id)?.parameters ?? []).filter((each) => each.in === 'path').map(({ name }) => name);

  test('every link names an operation, all parameters of its address and no other', () => {
    expect(links.length).toBeGreaterThan(80);
    for (const { link } of links)
      expect({ link, parameters: Object.keys(link.parameters).sort() }).toEqual({ link, parameters: inPath(link.operationId).sort() });
  });

  test('every value of a link is a parameter of the request, or a field of the answer', () => {
    for (const { of, content, link } of links) {
      for (const value of Object.values(link.parameters)) {
        const [, fromPath] = /^\$request\.path\.(\w+)$/.exec(value) ?? [];
        const [, field] = /^\$response\.body#(?:\/\w+\/0)?\/(\w+)$/.exec(value) ?? [];
        const isThere = fromPath !== undefined ? inPath(of).includes(fromPath) : content.includes(`"${field ?? ''}"`);
        expect({ of, value, isThere }).toEqual({ of, value, isThere: true });
      }
    }
  });

  test.each([
    ['postDealsByDealIdCancellation', '201', 'getApprovalsById', { id: '$response.body#/approvalId' }],
    ['postInvoicesByIdCorrections', '201', 'getApprovalsById', { id: '$response.body#/approvalId' }],
    ['postDealsByDealIdChangeOrders', '201', 'getDealsByDealIdChangeOrdersById', { dealId: '$request.path.dealId', id: '$response.body#/changeOrderId' }], // prettier-ignore
    ['postInvoicesByIdHolds', '201', 'deleteInvoicesByIdHoldsByHoldId', { id: '$request.path.id', holdId: '$response.body#/holdId' }],
    ['postApiKeys', '201', 'deleteApiKeysById', { id: '$response.body#/id' }],
    ['getDeals', '200', 'getDealsByDealId', { dealId: '$response.body#/data/0/id' }],
    ['postWebhooksCloudevents', '202', 'getInboxEventsById', { id: '$response.body#/events/0/inboxEventId' }],
  ])('%s, answered %s, links %s', (of, status, target, parameters) => {
    expect(operations.get(of)?.responses[status]?.links).toMatchObject({ [target]: { operationId: target, parameters } });
  });

  test('what may be no run is not linked as one', () => {
    expect(Object.keys(operations.get('getExceptions')?.responses['200']?.links ?? {})).toEqual(['getExceptionsById', 'getDealsByDealId']);
  });

  test('an operation is called after its method and address', () => {
    expect(operationId('GET', '/v1/deals/{dealId}/change-orders')).toBe('getDealsByDealIdChangeOrders');
    expect(operationId('get', '/v1/intake-batches/{id}/errors.csv')).toBe('getIntakeBatchesByIdErrorsCsv');
  });

  test('a refusal links nothing, nor does a field whose operation would need more than what is known', () => {
    const schema = { properties: { changeOrderId: {} } };
    const answer = () => ({ content: { 'application/json': { schema } } });
    const shown = { '/v1/deals/{dealId}/change-orders/{id}': { get: { responses: {} } } };
    const document = { paths: { ...shown, '/v1/other': { get: { responses: { 200: answer(), 404: answer() } } } } };
    expect(link(document).paths['/v1/other']?.get.responses).toEqual({ 200: answer(), 404: answer() });
  });
});
