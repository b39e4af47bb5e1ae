import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { routeAccess } from '../../api/permissions';
import { describeVariables } from '../../runtime/environment';
import { searchAttributeKeys } from '../../workflows/search-attributes';

const PROJECT = resolve(__dirname, '..', '..');
const SOURCES = [
  'domain',
  'contracts',
  'documents',
  'workflows',
  'activities',
  'workers',
  'api',
  'integrations',
  'db',
  'migrations',
  'runtime',
  'scripts',
  'simulation',
];
const read = (path: string): string => readFileSync(join(PROJECT, path), 'utf8');
const DOCUMENTS = ['README.md', ...filesBelow(join(PROJECT, 'docs')).filter((path) => path.endsWith('.md'))];
const scripts = Object.keys((JSON.parse(read('package.json')) as { scripts: Record<string, string> }).scripts);

interface Rule {
  readonly number: string;
  readonly files: readonly string[];
  readonly tests: readonly string[];
}

/** Rows of the tables: `| R-001 | rule | source | files | test |`. */
const rules: readonly Rule[] = read('docs/rules.md')
  .split('\n')
  .filter((row) => /^\| R-\d{3} \|/.test(row))
  .map((row) => {
    const [, number = '', , , files = '', tests = ''] = row.split(/(?<!\\)\|/).map((cell) => cell.trim());
    return { number, files: quoted(files), tests: quoted(tests) };
  });

describe('docs/rules.md', () => {
  const inCode = numbersIn(
    SOURCES.flatMap((folder) => filesBelow(join(PROJECT, folder))),
    /\bR-\d{3}\b/g,
  );

  test('names every rule once', () => {
    const numbers = rules.map((rule) => rule.number);
    expect(numbers.length).toBeGreaterThan(50);
    expect(numbers.filter((number, index) => numbers.indexOf(number) !== index)).toEqual([]);
  });

  test('names the rules that the code names, no more and no fewer', () => {
    expect(rules.map((rule) => rule.number).sort()).toEqual(inCode);
  });

  test.each(rules.map((rule) => [rule.number, rule] as const))(
    '%s is in the code it names and reached by the test it names',
    (number, rule) => {
      expect(rule.files.length).toBeGreaterThan(0);
      expect(rule.tests.length).toBeGreaterThan(0);
      expect(rule.files.filter((file) => !existsSync(join(PROJECT, file)) || !read(file).includes(number))).toEqual([]);
      expect(rule.tests.filter((test) => !/\.test\.ts$/.test(test) || !existsSync(join(PROJECT, test)))).toEqual([]);
      expect(rule.tests.filter((test) => !rule.files.some((file) => reachedFrom(test).has(file)))).toEqual([]);
    },
  );

  test('names every invariant of the code, and only those that there are', () => {
    const named = [...read('docs/rules.md').matchAll(/^\| (I-\d{2}) /gm)].map((match) => match[1]);
    expect(named).toEqual(Array.from({ length: 15 }, (_, index) => `I-${String(index + 1).padStart(2, '0')}`));
    const code = numbersIn(
      SOURCES.flatMap((folder) => filesBelow(join(PROJECT, folder))),
      /\bI-\d{2}\b/g,
    );
    expect(code.filter((number) => !named.includes(number))).toEqual([]);
  });
});

describe('the documents', () => {
  test.each(DOCUMENTS)('%s calls only npm scripts that exist', (document) => {
    const called = [...read(document).matchAll(/npm run ([a-z][a-z:-]*)/g)].map((match) => match[1] ?? '');
    expect(called.filter((name) => !scripts.includes(name))).toEqual([]);
  });

  test('every npm script runs a program that exists', () => {
    const commands = Object.values((JSON.parse(read('package.json')) as { scripts: Record<string, string> }).scripts);
    const programs = commands.flatMap((command) => [...command.matchAll(/scripts\/[a-z-]+\.ts/g)].map((match) => match[0]));
    expect(programs.length).toBeGreaterThan(5);
    expect(programs.filter((program) => !existsSync(join(PROJECT, program)))).toEqual([]);
  });

  test('the README explains every npm script', () => {
    const readme = read('README.md');
    expect(scripts.filter((name) => !new RegExp(`^\\| \`npm (?:run )?${name}\``, 'm').test(readme))).toEqual([]);
  });

  test.each(DOCUMENTS)('%s names only files and links that exist', (document) => {
    const text = read(document);
    const links = [...text.matchAll(/\]\((?!https?:|#)([^)#\s]+)[^)]*\)/g)].map((match) => join(dirname(document), match[1] ?? ''));
    const folders = [...SOURCES, 'test', 'docs', 'examples', 'deploy', 'policies'].join('|');
    const paths = [...text.matchAll(new RegExp(`\`((?:${folders})/[A-Za-z0-9_./-]*\\.[a-z]+)\``, 'g'))].map((match) => match[1] ?? '');
    expect([...links, ...paths].filter((path) => !existsSync(join(PROJECT, path)))).toEqual([]);
  });

  test.each(DOCUMENTS)('%s names only routes that exist', (document) => {
    const known = Object.keys(routeAccess).map((route) => pattern(route.split(' ')[1] ?? ''));
    const named = [...read(document).matchAll(/(?:\$API|\bGET |\bPOST |\bPUT |\bDELETE )(\/(?:v1|webhooks)\/[^\s"'`?|)]*)/g)].map(
      (match) => match[1] ?? '',
    );
    expect(named.filter((path) => !known.some((each) => each.test(path)))).toEqual([]);
  });

  test.each(DOCUMENTS)('%s names only variables of the environment that are read', (document) => {
    const known = new Set([...describeVariables().map((variable) => variable.name), ...composeVariables()]);
    const named = [...read(document).matchAll(/`([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+)(?:=[^`]*)?`/g)].map((match) => match[1] ?? '');
    const other = new Set(SPELT_LIKE_VARIABLES);
    expect([...new Set(named)].filter((name) => !known.has(name) && !other.has(name))).toEqual([]);
  });
});

describe('docs/architecture.md', () => {
  const architecture = read('docs/architecture.md');

  test('has every workflow type in its table', () => {
    const types = [...read('workflows/index.ts').matchAll(/export \{ (\w+) \}/g)].map((match) => match[1] ?? '');
    expect(types.length).toBeGreaterThan(0);
    expect(types.filter((type) => !architecture.includes(`| \`${type}\` |`))).toEqual([]);
  });

  test('names every message of every workflow', () => {
    const messages = filesBelow(join(PROJECT, 'workflows')).flatMap((file) =>
      [...read(file).matchAll(/define(?:Signal|Update|Query)\b[^']*?'(\w+)'/g)].map((match) => match[1] ?? ''),
    );
    expect(messages.length).toBeGreaterThan(15);
    expect(messages.filter((message) => !architecture.includes(`\`${message}\``))).toEqual([]);
  });

  test('names every search attribute and every table', () => {
    const migrations = filesBelow(join(PROJECT, 'migrations')).map(read).join('\n');
    const renamed = [...migrations.matchAll(/^alter table (\w+) rename to/gm)].map((match) => match[1]);
    const made = [...migrations.matchAll(/^(?:create table|alter table \w+ rename to) (\w+)/gm)].map((match) => match[1] ?? '');
    const tables = made.filter((table) => !renamed.includes(table));
    expect(tables.length).toBeGreaterThan(50);
    const names = [...searchAttributeKeys.map((key) => key.name), ...tables];
    expect(names.filter((name) => !architecture.includes(`\`${name}\``))).toEqual([]);
  });
});

describe('docs/adr', () => {
  const adrs = readdirSync(join(PROJECT, 'docs', 'adr')).sort();

  test('is numbered without gaps', () => {
    expect(adrs.map((name) => name.slice(0, 5))).toEqual(adrs.map((_, index) => `${String(index + 1).padStart(4, '0')}-`));
  });

  test.each(adrs)('%s says context, decision, why, consequences and what would change it', (name) => {
    const headings = [...read(`docs/adr/${name}`).matchAll(/^## (.+)$/gm)].map((match) => match[1]);
    expect(headings).toEqual(['Context', 'Decision', 'Why', 'Consequences', 'What would change it']);
  });
});

/** Names of Temporal and Postgres that are spelt like variables. */
const SPELT_LIKE_VARIABLES = ['REQUEST_CANCEL', 'AUTO_UPGRADE', 'REJECT_DUPLICATE', 'ALLOW_DUPLICATE', 'SKIP_LOCKED'];

function composeVariables(): string[] {
  return [...read('docker-compose.yml').matchAll(/\$\{([A-Z_]+)/g)].map((match) => match[1] ?? '');
}

function pattern(route: string): RegExp {
  return new RegExp(`^${route.replace(/:[A-Za-z]+/g, '[^/]+')}$`);
}

function quoted(cell: string): string[] {
  return [...cell.matchAll(/`([^`]+)`/g)].map((match) => match[1] ?? '');
}

function numbersIn(files: readonly string[], number: RegExp): string[] {
  return [...new Set(files.flatMap((file) => read(file).match(number) ?? []))].sort();
}

/** What a file imports, and what that imports, and so on. */
function reachedFrom(file: string, seen = new Set<string>()): Set<string> {
  if (seen.has(file)) return seen;
  seen.add(file);
  for (const [, from = ''] of read(file).matchAll(/from '(\.[^']+)'/g)) {
    const target = `${relative(PROJECT, resolve(PROJECT, dirname(file), from))}.ts`;
    if (existsSync(join(PROJECT, target))) reachedFrom(target, seen);
  }
  return seen;
}

function filesBelow(path: string): string[] {
  if (!statSync(path).isDirectory()) return /\.(ts|sql|md)$/.test(path) ? [relative(PROJECT, path)] : [];
  return readdirSync(path).flatMap((name) => filesBelow(join(path, name)));
}
