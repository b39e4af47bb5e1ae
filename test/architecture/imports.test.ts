import { readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import ts from 'typescript';

const PROJECT = resolve(__dirname, '..', '..');

interface Rule {
  /** Folders of ours (or single files) that may be imported. */
  readonly own: readonly string[];
  /** Folders of ours of which only types may be imported. */
  readonly types?: readonly string[];
  /** Packages and Node modules; `*` stands for any. */
  readonly packages: readonly string[];
}

/** Who may import whom (docs/architecture.md). A folder that is not named here fails the test. */
const RULES: Readonly<Record<string, Rule>> = {
  domain: { own: ['domain'], packages: ['big.js', '@js-temporal/polyfill', '@marcbachmann/cel-js'] },
  contracts: { own: ['contracts', 'domain'], packages: ['zod'] },
  workflows: {
    own: ['workflows', 'domain/ids', 'domain/violation'],
    types: ['contracts', 'domain'],
    packages: ['@temporalio/workflow', '@temporalio/common'],
  },
  integrations: {
    own: ['integrations', 'contracts', 'domain'],
    packages: ['zod', 'fast-xml-parser', 'standardwebhooks', 'nodemailer', 'csv-parse/sync', 'ical.js', 'node:*'],
  },
  db: { own: ['db', 'domain'], types: ['contracts'], packages: ['kysely', 'pg', 'uuidv7', 'node:crypto'] },
  documents: { own: ['documents', 'contracts', 'domain'], types: ['db'], packages: ['pdfkit', 'node:fs'] },
  activities: {
    own: ['activities', 'domain', 'contracts', 'db', 'documents/compose', 'integrations', 'runtime/logger', 'runtime/prepared-statements'],
    packages: ['kysely', 'uuidv7', 'zod', '@temporalio/activity', '@temporalio/common'],
  },
  api: { own: ['api', 'contracts', 'db', 'documents', 'domain', 'integrations', 'runtime', 'workflows'], packages: ['*'] },
  runtime: { own: ['runtime'], types: ['db/types'], packages: ['*'] },
  workers: { own: ['workers', 'activities', 'api', 'contracts', 'db', 'domain', 'integrations', 'runtime', 'workflows'], packages: ['*'] },
  simulation: {
    own: ['simulation', 'contracts', 'db', 'domain', 'integrations', 'runtime', 'scripts', 'workflows/clock'],
    packages: ['*'],
  },
  scripts: {
    own: ['scripts', 'simulation', 'workers', 'contracts', 'db', 'domain', 'integrations', 'runtime', 'workflows', 'test/support'],
    packages: ['*'],
  },
};

describe('who may import whom', () => {
  const files = Object.keys(RULES).flatMap((folder) => sourcesBelow(join(PROJECT, folder)));

  test('every folder of sources has its rule', () => {
    const known = [...Object.keys(RULES), 'test', 'deploy', 'bench'];
    const found = readdirSync(PROJECT).filter(
      (name) =>
        statSync(join(PROJECT, name)).isDirectory() &&
        !name.startsWith('.') &&
        !['node_modules', 'build', 'dist', 'coverage'].includes(name),
    );
    const withSources = found.filter((name) => sourcesBelow(join(PROJECT, name)).length > 0);
    expect(withSources.filter((name) => !known.includes(name))).toEqual([]);
  });

  test.each(Object.entries(RULES))('%s keeps to its rule', (folder, rule) => {
    const own = sourcesBelow(join(PROJECT, folder));
    expect(own.length).toBeGreaterThan(0);
    expect(own.flatMap((file) => wrongImports(file, rule))).toEqual([]);
  });

  test('only the gateway and the composition talk to the Temporal client', () => {
    const users = files.filter((file) => importsOf(file).some((each) => each.from === '@temporalio/client' && !each.typeOnly)).map(short);
    const allowed = [/^api\/gateway\//, /^workers\//, /^runtime\//, /^scripts\//, /^simulation\//];
    expect(users.filter((user) => !allowed.some((pattern) => pattern.test(user)))).toEqual([]);
  });

  test('routes reach workflows only through the gateway', () => {
    const routes = files.filter((file) => short(file).startsWith('api/') && !short(file).startsWith('api/gateway/'));
    const reaching = routes.flatMap((file) =>
      importsOf(file)
        .filter(
          (each) => target(file, each.from)?.startsWith('workflows/') && !/workflows\/[^/]+\/messages$/.test(target(file, each.from) ?? ''),
        )
        .map((each) => `${short(file)} → ${each.from}`),
    );
    expect(reaching).toEqual([]);
  });

  test.each(['domain', 'workflows'])('%s reads no environment, no clock and no chance', (folder) => {
    const forbidden = /process\.env|Math\.random|Date\.now\(\)|new Date\(\)/;
    const found = sourcesBelow(join(PROJECT, folder)).filter(
      (file) => short(file) !== 'workflows/clock.ts' && forbidden.test(readFileSync(file, 'utf8')),
    );
    expect(found.map(short)).toEqual([]);
  });

  test('every run is started with a summary and details that say in Temporal UI what it is', () => {
    const count = (text: string, pattern: RegExp) => [...text.matchAll(pattern)].length;
    const starts = files.flatMap((file) => {
      const text = readFileSync(file, 'utf8');
      const started = count(text, /\b(?:startChild|executeChild|signalWithStart|workflow\.start|new WithStartWorkflowOperation)\(/g);
      if (!/^(?:workflows|api|workers|activities)\//.test(short(file)) || started === 0) return [];
      return [{ file: short(file), started, summaries: count(text, /\bstaticSummary: /g), details: count(text, /\bstaticDetails: /g) }];
    });
    expect(starts.length).toBeGreaterThan(5);
    for (const each of starts) expect(each).toEqual({ ...each, summaries: each.started, details: each.started });
  });

  test('there are no default exports and no barrels but the two lists', () => {
    const barrels = files.filter((file) => /\/index\.ts$/.test(file)).map(short);
    expect(barrels.sort()).toEqual(['activities/index.ts', 'workflows/index.ts']);
    expect(files.filter((file) => /^export default /m.test(readFileSync(file, 'utf8'))).map(short)).toEqual([]);
  });
});

interface Import {
  readonly from: string;
  readonly typeOnly: boolean;
}

function wrongImports(file: string, rule: Rule): string[] {
  return importsOf(file).flatMap((each) => {
    const own = target(file, each.from);
    if (own === null) return allowedPackage(each.from, rule.packages) ? [] : [`${short(file)} imports ${each.from}`];
    const inside = (folders: readonly string[]): boolean => folders.some((folder) => own === folder || own.startsWith(`${folder}/`));
    if (inside(rule.own) || (each.typeOnly && inside(rule.types ?? []))) return [];
    return [`${short(file)} imports ${own}${each.typeOnly ? ' (types)' : ''}`];
  });
}

function allowedPackage(name: string, packages: readonly string[]): boolean {
  return packages.some(
    (allowed) => allowed === '*' || allowed === name || (allowed.endsWith('*') && name.startsWith(allowed.slice(0, -1))),
  );
}

function target(file: string, from: string): string | null {
  return from.startsWith('.') ? relative(PROJECT, resolve(dirname(file), from)) : null;
}

function importsOf(file: string): Import[] {
  const source = ts.createSourceFile(file, readFileSync(file, 'utf8'), ts.ScriptTarget.ES2022, true);
  const found: Import[] = [];
  const visit = (node: ts.Node): void => {
    if (
      (ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) &&
      node.moduleSpecifier &&
      ts.isStringLiteral(node.moduleSpecifier)
    ) {
      found.push({ from: node.moduleSpecifier.text, typeOnly: isTypeOnly(node) });
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return found;
}

function isTypeOnly(node: ts.ImportDeclaration | ts.ExportDeclaration): boolean {
  if (ts.isExportDeclaration(node)) return node.isTypeOnly;
  const clause = node.importClause;
  if (!clause) return false;
  if (clause.isTypeOnly) return true;
  const named = clause.namedBindings;
  return (
    clause.name === undefined && named !== undefined && ts.isNamedImports(named) && named.elements.every((element) => element.isTypeOnly)
  );
}

function sourcesBelow(path: string): string[] {
  if (!statSync(path).isDirectory()) return /\.tsx?$/.test(path) ? [path] : [];
  return readdirSync(path).flatMap((name) => (name === 'node_modules' ? [] : sourcesBelow(join(path, name))));
}

function short(file: string): string {
  return relative(PROJECT, file);
}
