import { type Link } from '../../api/links';

/** One operation of the OpenAPI document. */
export interface Operation {
  /** `POST /v1/deals/{dealId}/forecasts`. */
  readonly name: string;
  readonly method: string;
  readonly path: string;
  /** Statuses that are documented. */
  readonly statuses: ReadonlySet<string>;
  readonly permission: string;
}

interface DocumentedOperation {
  readonly operationId?: string;
  readonly responses: Readonly<Record<string, { readonly links?: Readonly<Record<string, Link>> }>>;
  readonly 'x-permission'?: string;
}

export interface ApiDocument {
  readonly openapi: string;
  readonly paths: Readonly<Record<string, Readonly<Record<string, DocumentedOperation>>>>;
}

/** Finds the operation that a request meets, as the document tells it. */
export class Operations {
  readonly all: readonly Operation[];
  private readonly patterns: readonly { readonly pattern: RegExp; readonly operation: Operation }[];

  constructor(document: ApiDocument) {
    this.all = Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, { responses, 'x-permission': permission = '' }]) => {
        const verb = method.toUpperCase();
        return { name: `${verb} ${path}`, method: verb, path, statuses: new Set(Object.keys(responses)), permission };
      }),
    );
    this.patterns = this.all
      .map((operation) => ({ operation, pattern: patternOf(operation.path) }))
      // An address without parameters goes before one with them.
      .sort((a, b) => parametersOf(a.operation.path) - parametersOf(b.operation.path));
  }

  of(method: string, path: string): Operation | undefined {
    const [address = ''] = path.split('?');
    return this.patterns.find(({ operation, pattern }) => operation.method === method && pattern.test(address))?.operation;
  }
}

function patternOf(path: string): RegExp {
  return new RegExp(`^${path.replaceAll('.', '\\.').replaceAll(/\{\w+\}/g, '[^/]+')}$`);
}

function parametersOf(path: string): number {
  return path.split('{').length;
}
