import { readdirSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';

const TESTS = resolve(__dirname, '..');
/** Each has a command of its own; see README.md. */
const ELSEWHERE = ['figures', 'whole'];

/**
 * What `npm test` runs, the longest first. The files of a group share its modules, which are loaded and compiled once and not once for each
 * file. A file belongs to the first group that claims it, so that none is forgotten.
 */
const GROUPS: Readonly<Record<string, { readonly claims: RegExp; readonly parts?: number }>> = {
  lifecycles: { claims: /^(workflows|e2e)\//, parts: 4 },
  api: { claims: /^api\//, parts: 3 },
  effects: { claims: /^(activities|workers|db)\//, parts: 3 },
  rest: { claims: /./, parts: 3 },
};

/** The names of the groups; one in parts is there once for each part. */
export const groupNames: readonly string[] = Object.entries(GROUPS).flatMap(([name, { parts = 1 }]) =>
  parts === 1 ? [name] : Array.from({ length: parts }, (_, part) => `${name}-${part + 1}`),
);

/** Runs the files of a group, each in a block that is named after it. */
export function runTogether(group: string): void {
  for (const file of filesOf(group)) describe(file, () => void jest.requireActual(join(TESTS, file)));
}

/** The files of a group; the parts take turns. */
export function filesOf(group: string): string[] {
  const [, name = '', part = '1'] = /^(.*?)(?:-(\d+))?$/.exec(group) ?? [];
  const parts = GROUPS[name]?.parts ?? 1;
  return testFiles()
    .filter((file) => claimant(file) === name)
    .filter((_, index) => index % parts === Number(part) - 1);
}

/** Every test file of `npm test`, by its path below `test`. */
export function testFiles(): string[] {
  return filesBelow(TESTS)
    .map((path) => relative(TESTS, path))
    .filter((path) => path.endsWith('.test.ts') && !ELSEWHERE.includes(path.split('/')[0] ?? ''))
    .sort();
}

function claimant(file: string): string | undefined {
  return Object.keys(GROUPS).find((name) => GROUPS[name]?.claims.test(file));
}

function filesBelow(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    return entry.isDirectory() ? filesBelow(path) : [path];
  });
}
