import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Corpus } from './corpus';
import { type Firm } from './firm';
import { type Operation, type Operations } from './operations';
import { pythonPrograms, runModule } from './python';

const CHECKS = [
  'not_a_server_error',
  'status_code_conformance',
  'content_type_conformance',
  'response_headers_conformance',
  'response_schema_conformance',
  'negative_data_rejection',
  'missing_required_header',
  'unsupported_method',
  'use_after_free',
  'ensure_resource_availability',
];
/** Three times what it takes where nothing else runs. */
const RUNS_AT_MOST_MS = 600_000;

export interface Checked {
  readonly passed: number;
  readonly failed: number;
  readonly seconds: number;
  readonly output: string;
  /** Links of the document along which sequences of requests went. */
  readonly links: { readonly followed: number; readonly all: number };
}

/** The document is valid OpenAPI 3.1; null where it is, else what is wrong. */
export async function invalidDocument(document: unknown, say: (line: string) => void): Promise<string | null> {
  const folder = mkdtempSync(join(tmpdir(), 'throughline-openapi-'));
  try {
    writeFileSync(join(folder, 'openapi.json'), JSON.stringify(document));
    const args = ['openapi_spec_validator', '--schema', '3.1', 'openapi.json'];
    const { code, output } = await runModule(pythonPrograms(say), args, { cwd: folder, env: {}, timeoutMs: 240_000 });
    return code === 0 ? null : output.slice(0, 2000);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Schemathesis over the document against the running installation: each operation in the name of whoever may do it, with ids that exist. */
export async function checkBySchemathesis(
  firm: Firm,
  corpus: Corpus,
  operations: Operations,
  options: { readonly seed: number; readonly examples: number; readonly say: (line: string) => void },
): Promise<Checked> {
  const programs = pythonPrograms(options.say);
  const folder = mkdtempSync(join(tmpdir(), 'throughline-schemathesis-'));
  const began = performance.now();
  try {
    writeFileSync(join(folder, 'schemathesis.toml'), await configOf(firm, corpus, operations));
    const report = join(folder, 'junit.xml');
    const { code, output } = await runModule(
      programs,
      [
        ...['schemathesis.cli', '--config-file', join(folder, 'schemathesis.toml'), 'run', `${firm.installation.apiUrl}/openapi.json`],
        ...['--max-examples', String(options.examples), '--seed', String(options.seed)],
        ...['--request-timeout', '20', '--no-color', '--suppress-health-check', 'all'],
        ...['--report', 'junit', '--report-junit-path', report, '--generation-database', 'none'],
      ],
      {
        cwd: folder,
        env: {
          SCHEMATHESIS_HOOKS: 'hooks',
          PYTHONPATH: join(__dirname, 'schemathesis'),
          HARDENING_KNOWN_IDS: JSON.stringify(knownIds(corpus, operations)),
          PYTHONDONTWRITEBYTECODE: '1',
          // What it prints is read, so no line is broken.
          COLUMNS: '200',
        },
        timeoutMs: RUNS_AT_MOST_MS,
      },
    );
    const { tests, failures } = countsOf(report);
    const failed = failures > 0 || code === 0 ? failures : 1;
    return { passed: tests - failures, failed, seconds: (performance.now() - began) / 1000, output, links: linksIn(output) };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Refusals of wrong data; what is too large is one. */
const REFUSED = [400, 401, 403, 404, 405, 406, 409, 410, 412, 413, 415, 422, 428, 429];
/** Files of facts and many decisions are taken with some that are wrong, each of which costs only itself. */
const TAKEN_WITH_WRONG_ROWS = /^POST \/v1\/(?:deals\/\{dealId\}\/(?:time-entries|expenses|usage-reports|subcontractor-costs)|decisions)$/;

/** Who may do what is who did it in the scenes. Checks are named here, because one named on the command line is on for every operation. */
async function configOf(firm: Firm, corpus: Corpus, operations: Operations): Promise<string> {
  const checks = CHECKS.map((check) => `${check}.enabled = true`).join('\n');
  const parts = [`[checks]\nenabled = false\n${checks}\nnegative_data_rejection.expected-statuses = ${JSON.stringify(REFUSED)}\n`];
  for (const { name } of operations.all) {
    const principal = corpus.kept.get(name)?.[0]?.principal ?? null;
    if (principal === null) continue;
    const head = `[[operations]]\ninclude-name = ${JSON.stringify(name)}\nheaders = { Authorization = "Bearer ${await firm.token(principal)}" }\n`;
    parts.push(TAKEN_WITH_WRONG_ROWS.test(name) ? `${head}checks = { negative_data_rejection = { enabled = false } }\n` : head);
  }
  return parts.join('\n');
}

/** The parameters in the address of each operation as they were in requests that succeeded. */
function knownIds(corpus: Corpus, operations: Operations): Record<string, Record<string, string>[]> {
  return Object.fromEntries(
    operations.all.map((operation) => [
      operation.name,
      (corpus.kept.get(operation.name) ?? []).map(({ sent }) => parametersIn(operation, sent.path)),
    ]),
  );
}

function parametersIn({ path }: Operation, sent: string): Record<string, string> {
  const values = (sent.split('?')[0] ?? '').split('/');
  return Object.fromEntries(
    path.split('/').flatMap((part, index) => (part.startsWith('{') ? [[part.slice(1, -1), decodeURIComponent(values[index] ?? '')]] : [])),
  );
}

function countsOf(report: string): { tests: number; failures: number } {
  try {
    const [, head = ''] = /<testsuites?\b([^>]*)>/.exec(readFileSync(report, 'utf8')) ?? [];
    const count = (name: string): number => Number(new RegExp(`\\b${name}="(\\d+)"`).exec(head)?.[1] ?? 0);
    return { tests: count('tests'), failures: count('failures') + count('errors') };
  } catch {
    return { tests: 0, failures: 0 };
  }
}

function linksIn(output: string): Checked['links'] {
  const [, followed = '0', all = '0'] = /API Links:\s+(\d+) covered \/ \d+ selected \/ (\d+) total/.exec(output) ?? [];
  return { followed: Number(followed), all: Number(all) };
}
