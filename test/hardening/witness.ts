import { problemSchema } from '../../contracts/api/problem';
import { engineCodes } from '../../api/error-codes/engine';
import { errorCodes, errorRow } from '../../api/errors';
import { type Answer, type Sent } from './http';
import { type Operations } from './operations';

/** Something that no answer may be. */
export interface Fault {
  readonly what: string;
  readonly request: string;
  readonly answer: string;
}

/** What a failure of our own looks like when it is told: stacks, paths, SQL, names of libraries and of servers. */
const LEAKS =
  /node_modules|\n\s+at |\bat \S+ \(\S+:\d+|\.[jt]s:\d+|\/(?:work|root|home|usr|app|tmp)\/|\b(?:select|insert|update|delete)\b[^"]{0,80}\b(?:from|into|set)\b [a-z_]+ |violates (?:\w+ )?\w+ constraint|relation \\?"|syntax error at or near|invalid input syntax|kysely|node-postgres|grpc|ECONNREFUSED|WorkflowUpdateFailed|ApplicationFailure|ZodError|FST_ERR/i;

/**
 * Of what steps of the engine meet, blockers are told by answers about their line. `InternalError` is the answer to a bug: a run that meets
 * it has failed. 100,000 wrong rows are left to a test of the reader, a settlement that would end below zero to one of the rule.
 */
const NOT_OF_REQUESTS: ReadonlySet<string> = new Set([
  ...Object.entries(engineCodes).flatMap(([code, shown]) => (shown === 'blocker' ? [] : [code])),
  'InternalError',
  'TooManyBadRows',
  'CorrectionLeavesNegative',
]);

/** Answers that say "a server is down"; only where one is. */
const OUTAGES: ReadonlySet<number> = new Set([502, 503, 504]);

/**
 * Sees every answer of a run: which operations gave a 2xx, which refusal codes were told, and what no answer may be. A code is told where an
 * answer names it: as the code of the problem, of a wrong field, or of something that was refused later (an event, a row, a blocker).
 */
export class Witness {
  readonly faults: Fault[] = [];
  readonly succeeded = new Map<string, number>();
  readonly told = new Map<string, string>();
  readonly answered = new Map<number, number>();
  private readonly known: ReadonlySet<string> = new Set(errorCodes());

  constructor(private readonly operations: Operations) {}

  /** `isOut` where a server that the request needs is really down. */
  saw(sent: Sent, answer: Answer, isOut = false): void {
    const { status } = answer;
    this.answered.set(status, (this.answered.get(status) ?? 0) + 1);
    const operation = this.operations.of(sent.method, sent.path);
    if (operation !== undefined && status >= 200 && status < 300)
      this.succeeded.set(operation.name, (this.succeeded.get(operation.name) ?? 0) + 1);
    for (const code of namedCodes(answer.body))
      if (this.known.has(code) && !this.told.has(code)) this.told.set(code, operation?.name ?? '');
    for (const what of [
      ...wrongAnswer(answer, isOut, sent.method === 'HEAD'),
      ...undocumented(operation?.statuses, status),
      ...misplaced(sent, answer),
    ])
      this.fault(what, sent, answer.text);
  }

  fault(what: string, sent: Sent, answer: string): void {
    this.faults.push({ what, request: described(sent), answer: answer.slice(0, 600) });
  }

  notSucceeded(): string[] {
    return this.operations.all.map(({ name }) => name).filter((name) => !this.succeeded.has(name));
  }

  notTold(): string[] {
    return [...this.known].filter((code) => !NOT_OF_REQUESTS.has(code) && !this.told.has(code)).sort();
  }
}

/** A request in a form that a person can send again. */
export function described({ method, path, headers, body }: Sent): string {
  const shown = Object.entries(headers).map(([name, value]) => `${name}: ${name === 'authorization' ? '…' : String(value).slice(0, 120)}`);
  return [`${method} ${path.slice(0, 300)}`, ...shown, body === null ? '' : body.toString('utf8').slice(0, 800)].join('\n    ');
}

function wrongAnswer({ status, headers, text, body }: Answer, isOut: boolean, isHead: boolean): string[] {
  const wrong: string[] = [];
  if (status >= 500 && !(isOut && OUTAGES.has(status))) wrong.push(`answered ${status}`);
  if (headers['x-request-id'] === undefined) wrong.push('no request id');
  if (headers['x-content-type-options'] !== 'nosniff' || headers['content-security-policy'] === undefined)
    wrong.push('no security headers');
  if (headers['access-control-allow-origin'] !== undefined) wrong.push('open to other origins');
  if (headers['x-powered-by'] !== undefined || headers.server !== undefined) wrong.push('says what it is made of');
  if (status >= 400 && !isHead) wrong.push(...(isPage(headers) ? wrongPage(status, text) : wrongProblem({ status, headers, body })));
  if (status >= 400 && LEAKS.test(text)) wrong.push('tells something of ours');
  return wrong;
}

/** A problem as who asks for HTML is shown it. */
function isPage(headers: Answer['headers']): boolean {
  return String(headers['content-type'] ?? '').startsWith('text/html');
}

function wrongPage(status: number, text: string): string[] {
  const [, code = ''] = /<html [^>]*data-code="(\w+)"/.exec(text) ?? [];
  return errorRow(code)?.status === status ? [] : [`the page of ${code} with status ${status}`];
}

function wrongProblem({ status, headers, body }: Pick<Answer, 'status' | 'headers' | 'body'>): string[] {
  if (!String(headers['content-type'] ?? '').startsWith('application/problem+json')) return ['an error that is no problem'];
  const problem = problemSchema.strict().safeParse(body);
  if (!problem.success) return [`a problem that is none: ${problem.error.message.slice(0, 200)}`];
  const { code, requestId, status: said } = problem.data;
  const row = errorRow(code);
  const wrong: string[] = [];
  if (row?.status !== status || said !== status) wrong.push(`${code} with status ${status}`);
  if (requestId !== headers['x-request-id']) wrong.push('another request id than the header');
  if (status === 401 && headers['www-authenticate'] === undefined) wrong.push('401 without WWW-Authenticate');
  if ((status === 429 || status === 503) && headers['retry-after'] === undefined) wrong.push(`${status} without Retry-After`);
  return wrong;
}

function misplaced({ path }: Sent, { status, headers }: Answer): string[] {
  return status >= 400 && isPage(headers) && !path.startsWith('/decide/') ? ['an error that is no problem'] : [];
}

function undocumented(statuses: ReadonlySet<string> | undefined, status: number): string[] {
  return statuses === undefined || statuses.has(String(status)) ? [] : [`status ${status} is not documented`];
}

/** Every code that an answer names, wherever it stands. */
function namedCodes(value: unknown): string[] {
  if (Array.isArray(value)) return value.flatMap(namedCodes);
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, each]) =>
    (key === 'code' || key === 'violation') && typeof each === 'string' ? [each] : namedCodes(each),
  );
}
