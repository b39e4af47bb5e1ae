/** By the name of a field of an answer: the operation that shows what the field names, and the parameter which takes it. */
const SHOWN_BY: Readonly<Record<string, readonly [path: string, parameter: string]>> = {
  approvalId: ['/v1/approvals/{id}', 'id'],
  batchId: ['/v1/intake-batches/{id}', 'id'],
  changeId: ['/v1/policies/{kind}/changes/{id}', 'id'],
  changeOrderId: ['/v1/deals/{dealId}/change-orders/{id}', 'id'],
  contractLineId: ['/v1/contract-lines/{id}', 'id'],
  dealId: ['/v1/deals/{dealId}', 'dealId'],
  exceptionId: ['/v1/exceptions/{id}', 'id'],
  inboxEventId: ['/v1/inbox-events/{id}', 'id'],
  invoiceId: ['/v1/invoices/{id}', 'id'],
  projectId: ['/v1/projects/{id}', 'id'],
  versionId: ['/v1/policies/{kind}/versions/{id}', 'id'],
  workflowId: ['/v1/runs/{workflowId}', 'workflowId'],
};

/** Fields that may name something else too: a task of an operator is about a run, or about an event of the inbox (`inbox/<id>`). */
const NAMES_OTHERS: Readonly<Record<string, readonly string[]>> = {
  '/v1/exceptions': ['workflowId'],
  '/v1/exceptions/{id}': ['workflowId', 'policyVersionId'],
  '/v1/exceptions/{id}/outcome': ['workflowId'],
};

interface Schema {
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly items?: Schema;
  readonly anyOf?: readonly Schema[];
}

export interface Link {
  readonly operationId: string;
  readonly parameters: Readonly<Record<string, string>>;
}

interface Operation {
  operationId?: string;
  readonly responses: Readonly<
    Record<string, { readonly content?: Readonly<Record<string, { schema?: Schema }>>; links?: Record<string, Link> }>
  >;
}

export interface Linkable {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
}

/**
 * Gives every operation an id, and every answer that names something the links to the operations which show or end it: by the table above,
 * and by the addresses themselves: what a list shows, or a request has made, is at the address below it. A list links its first row.
 */
export function link<T extends Linkable>(document: T): T {
  for (const [path, methods] of Object.entries(document.paths)) {
    for (const [method, operation] of Object.entries(methods)) {
      operation.operationId = operationId(method, path);
      for (const [status, response] of Object.entries(operation.responses)) {
        const schema = response.content?.['application/json']?.schema;
        if (!status.startsWith('2') || schema === undefined) continue;
        const links = linksOf(document, path, namesIn(schema));
        if (Object.keys(links).length > 0) response.links = links;
      }
    }
  }
  return document;
}

/** `GET /v1/deals/{dealId}/change-orders` is `getDealsByDealIdChangeOrders`. */
export function operationId(method: string, path: string): string {
  const words =
    path
      .replace(/^\/v1/, '')
      .replaceAll('{', 'by-')
      .match(/[A-Za-z0-9]+/g) ?? [];
  return method.toLowerCase() + words.map((word) => word.charAt(0).toUpperCase() + word.slice(1)).join('');
}

function linksOf(document: Linkable, path: string, names: readonly Name[]): Record<string, Link> {
  const links: Record<string, Link> = {};
  for (const { field, pointer } of names) {
    if (NAMES_OTHERS[path]?.includes(field)) continue;
    for (const [target, parameter] of targetsOf(document, path, field)) {
      const others = parametersOf(target).filter((name) => name !== parameter);
      if (target === path || !others.every((name) => parametersOf(path).includes(name))) continue;
      const parameters = Object.fromEntries(others.map((name) => [name, `$request.path.${name}`]));
      for (const method of Object.keys(document.paths[target] ?? {}).filter((each) => each === 'get' || each === 'delete')) {
        const id = operationId(method, target);
        links[id] ??= { operationId: id, parameters: { ...parameters, [parameter]: `$response.body#${pointer}` } };
      }
    }
  }
  return links;
}

function targetsOf({ paths }: Linkable, path: string, field: string): (readonly [path: string, parameter: string])[] {
  const shown = Object.hasOwn(SHOWN_BY, field) ? [SHOWN_BY[field]!] : [];
  const below = Object.keys(paths).flatMap((each) => {
    const parameter = each.startsWith(`${path}/`) ? /^\{(\w+)\}$/.exec(each.slice(path.length + 1))?.[1] : undefined;
    return parameter !== undefined && (field === parameter || field === 'id') ? [[each, parameter] as const] : [];
  });
  return [...below, ...shown];
}

interface Name {
  readonly field: string;
  /** Where it stands in the body. */
  readonly pointer: string;
}

/** The fields of a body, and those of the first row of its lists. */
function namesIn(schema: Schema): Name[] {
  return fieldsOf(schema).flatMap(([field, { items }]) => [
    { field, pointer: `/${field}` },
    ...(items === undefined ? [] : fieldsOf(items).map(([name]) => ({ field: name, pointer: `/${field}/0/${name}` }))),
  ]);
}

function fieldsOf({ properties = {}, anyOf = [] }: Schema): [string, Schema][] {
  return [...Object.entries(properties), ...anyOf.flatMap(fieldsOf)];
}

function parametersOf(path: string): string[] {
  return [...path.matchAll(/\{(\w+)\}/g)].map((match) => match[1] ?? '');
}
