import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { type AddressInfo } from 'node:net';
import { join } from 'node:path';

type Json = Record<string, unknown>;

export interface RecordedRequest {
  readonly method: string;
  readonly path: string;
  readonly body: unknown;
}

/** What the next requests meet instead of an answer. */
export type CrmFault =
  | { readonly kind: 'status'; readonly status: number; readonly retryAfterSeconds?: number }
  | { readonly kind: 'slow'; readonly milliseconds: number }
  | { readonly kind: 'dropped' }
  | { readonly kind: 'garbage' };

/** A local server that speaks HubSpot's CRM v3 and Salesforce's REST query; the data may be changed while it runs. */
export interface CrmServer {
  readonly url: string;
  readonly token: string;
  readonly requests: RecordedRequest[];
  readonly deals: Map<string, Json>;
  readonly companies: Map<string, Json>;
  readonly lineItems: Map<string, Json>;
  readonly opportunities: Map<string, Json>;
  /** The next `times` requests (all further ones by default) meet this fault. */
  fail(fault: CrmFault, times?: number): void;
  heal(): void;
  close(): Promise<void>;
}

export interface CrmServerOptions {
  readonly folder?: string;
  readonly token?: string;
  /** Line items per page, for Salesforce subqueries and HubSpot associations. */
  readonly pageSize?: number;
}

/** Starts it on a free local port with the deal of a folder in the format of the reference deal. */
export async function startCrmServer(options: CrmServerOptions = {}): Promise<CrmServer> {
  const folder = options.folder ?? join(__dirname, '../../examples/reference-deal');
  const read = (name: string) => JSON.parse(readFileSync(join(folder, name), 'utf8')) as Json;
  const byId = (records: Json[], key: string) => new Map(records.map((record) => [String(record[key]), record]));
  const fault: { current: CrmFault | null; left: number } = { current: null, left: 0 };
  const data = {
    token: options.token ?? 'crm-test-token',
    requests: [] as RecordedRequest[],
    deals: byId([read('hubspot-deal.json')], 'id'),
    companies: byId([read('hubspot-company.json')], 'id'),
    lineItems: byId(read('hubspot-line-items.json').results as Json[], 'id'),
    opportunities: byId([read('salesforce-opportunity.json')], 'Id'),
  };
  const handle = async (request: IncomingMessage, response: ServerResponse) => {
    const body = await readBody(request);
    data.requests.push({ method: request.method ?? '', path: request.url ?? '', body });
    const met = fault.left > 0 ? fault.current : null;
    if (met !== null) fault.left -= 1;
    if (met?.kind === 'dropped') return void request.socket.destroy();
    if (met?.kind === 'slow') await new Promise((resolve) => setTimeout(resolve, met.milliseconds).unref());
    if (met?.kind === 'garbage') return void response.writeHead(200).end('<html>');
    if (met?.kind === 'status') return answer(response, { status: met.status, body: { status: 'error' } }, met.retryAfterSeconds);
    if (request.headers.authorization !== `Bearer ${data.token}`) return answer(response, { status: 401, body: { status: 'error' } });
    return answer(response, route(data, options.pageSize ?? 2000, request.method ?? '', new URL(request.url ?? '', 'http://crm'), body));
  };
  const server = createServer((request, response) => {
    handle(request, response).catch((error: unknown) => response.writeHead(500).end(String(error)));
  });
  await listen(server);
  return {
    ...data,
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    fail: (next, times = Number.MAX_SAFE_INTEGER) => Object.assign(fault, { current: next, left: times }),
    heal: () => Object.assign(fault, { current: null, left: 0 }),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

interface Answer {
  readonly status: number;
  readonly body: unknown;
}

type Data = Pick<CrmServer, 'deals' | 'companies' | 'lineItems' | 'opportunities'>;

function route(data: Data, pageSize: number, method: string, url: URL, body: unknown): Answer {
  const path = url.pathname;
  const object = /^\/crm\/v3\/objects\/(deals|companies)\/([^/]+)$/.exec(path);
  if (method === 'GET' && object) return hubspotObject(data, object[1] as 'deals' | 'companies', object[2]!, url, pageSize);
  const associations = /^\/crm\/v3\/objects\/deals\/([^/]+)\/associations\/line_items$/.exec(path);
  if (method === 'GET' && associations)
    return associationPage(data, associations[1]!, Number(url.searchParams.get('after') ?? 0), pageSize);
  if (method === 'POST' && path === '/crm/v3/objects/line_items/batch/read') return lineItemBatch(data, body as Json);
  if (method === 'GET' && path === '/services/data/v62.0/query') return query(data, url.searchParams.get('q') ?? '', pageSize);
  const more = /^\/services\/data\/v62\.0\/query\/([^/]+)-(\d+)$/.exec(path);
  if (method === 'GET' && more) return { status: 200, body: linePage(data, more[1]!, Number(more[2]), pageSize) };
  return { status: 404, body: { status: 'error', message: 'no such resource' } };
}

function hubspotObject(data: Data, kind: 'deals' | 'companies', id: string, url: URL, pageSize: number): Answer {
  const record = data[kind].get(id);
  if (record === undefined) return { status: 404, body: { status: 'error', category: 'OBJECT_NOT_FOUND' } };
  const found = project(record, (url.searchParams.get('properties') ?? '').split(','));
  if (!url.searchParams.has('associations')) return { status: 200, body: { ...found, associations: undefined } };
  const { companies } = (record.associations ?? {}) as Json;
  return { status: 200, body: { ...found, associations: { companies, 'line items': associationPage(data, id, 0, pageSize).body } } };
}

function associationPage(data: Data, dealId: string, start: number, pageSize: number): Answer {
  const associations = (data.deals.get(dealId)?.associations ?? {}) as Record<string, { results: Json[] } | undefined>;
  const all = associations['line items']?.results ?? [];
  const end = start + pageSize;
  return {
    status: 200,
    body: { results: all.slice(start, end), ...(end < all.length ? { paging: { next: { after: String(end) } } } : {}) },
  };
}

function lineItemBatch(data: Data, body: Json): Answer {
  const inputs = body.inputs as { id: string }[];
  if (inputs.length > 100) return { status: 400, body: { status: 'error', message: 'at most 100 inputs' } };
  const found = inputs.map(({ id }) => data.lineItems.get(id)).filter((record) => record !== undefined);
  const results = found.map((record) => project(record, body.properties as string[])).reverse(); // HubSpot keeps no order
  return { status: found.length === inputs.length ? 200 : 207, body: { status: 'COMPLETE', results } };
}

/** HubSpot delivers the properties that were asked for, null where the object has none. */
function project(record: Json, names: readonly string[]): Json {
  const all = record.properties as Json;
  return { ...record, properties: Object.fromEntries(names.map((name) => [name, all[name] ?? null])) };
}

function query(data: Data, soql: string, pageSize: number): Answer {
  const parsed = /^SELECT (.*), \(SELECT (.*) FROM OpportunityLineItems[^)]*\) FROM Opportunity WHERE Id = '(\w+)'$/.exec(soql);
  if (parsed === null) return { status: 400, body: [{ errorCode: 'MALFORMED_QUERY' }] };
  const id = [...data.opportunities.keys()].find((key) => key.startsWith(parsed[3]!.slice(0, 15)));
  const record = id === undefined ? undefined : data.opportunities.get(id);
  if (id === undefined || record === undefined) return { status: 200, body: { totalSize: 0, done: true, records: [] } };
  const fields = parsed[1]!.split(', ');
  const own = Object.fromEntries(fields.filter((field) => !field.includes('.')).map((field) => [field, record[field] ?? null]));
  const account = record.Account as Json | null;
  const ofAccount = fields.filter((field) => field.startsWith('Account.')).map((field) => field.slice('Account.'.length));
  const Account = account === null ? null : Object.fromEntries(ofAccount.map((field) => [field, account[field] ?? null]));
  const opportunity = {
    attributes: record.attributes,
    ...own,
    Account,
    OpportunityLineItems: linePage(data, id, 0, pageSize, parsed[2]!.split(', ')),
  };
  return { status: 200, body: { totalSize: 1, done: true, records: [opportunity] } };
}

function linePage(data: Data, id: string, start: number, pageSize: number, fields?: readonly string[]): Json | null {
  const lines = data.opportunities.get(id)?.OpportunityLineItems as { records: Json[] } | null | undefined;
  if (!lines) return null;
  const end = start + pageSize;
  const records = lines.records
    .slice(start, end)
    .map((record) => (fields === undefined ? record : Object.fromEntries(fields.map((field) => [field, record[field] ?? null]))));
  const done = end >= lines.records.length;
  return { totalSize: lines.records.length, done, records, ...(done ? {} : { nextRecordsUrl: `/services/data/v62.0/query/${id}-${end}` }) };
}

function answer(response: ServerResponse, { status, body }: Answer, retryAfterSeconds?: number): void {
  const headers = {
    'content-type': 'application/json',
    ...(status >= 300 && status < 400 ? { location: '/elsewhere' } : {}),
    ...(retryAfterSeconds === undefined ? {} : { 'retry-after': String(retryAfterSeconds) }),
  };
  response.writeHead(status, headers).end(JSON.stringify(body));
}

async function readBody(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return chunks.length === 0 ? null : JSON.parse(Buffer.concat(chunks).toString('utf8'));
}

function listen(server: Server): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
}
