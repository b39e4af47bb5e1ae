import { readFileSync } from 'node:fs';
import { workflowBundle } from '../../workers/bundle';

/** The bare bundle is about half a megabyte; zod or kysely would add almost as much each. */
const MAX_BYTES = 750_000;

/** Modules of ours and of others that may run in the workflow sandbox; the bundler itself guards nothing. */
const ALLOWED = [
  /^\.\/workflows\//,
  /^\.\/domain\/(ids|violation)\.ts$/,
  /^\.\/node_modules\/@temporalio\/(workflow|common)\//,
  /^\.\/node_modules\/(long|ms|nexus-rpc|@ungap\/structured-clone)\//,
];

describe('the workflow bundle', () => {
  test('holds only modules that may run in the sandbox', async () => {
    const modules = modulesOf(await code());
    expect(modules.length).toBeGreaterThan(50);
    expect(modules).toContain('./workflows/deal-to-cash/workflow.ts');
    expect(modules.filter((module) => !ALLOWED.some((allowed) => allowed.test(module)))).toEqual([]);
  });

  test('stays small', async () => {
    expect((await code()).length).toBeLessThan(MAX_BYTES);
  });

  test('is the same version wherever and whenever it is built', async () => {
    const first = await workflowBundle();
    const second = await workflowBundle();
    expect(first.buildId).toMatch(/^[0-9a-f]{16}$/);
    expect(second.buildId).toBe(first.buildId);
  });
});

/** The bundle without its inline source map. */
async function code(): Promise<string> {
  const text = readFileSync((await workflowBundle()).codePath, 'utf8');
  return text.slice(0, text.lastIndexOf('\n//# sourceMappingURL='));
}

/** The ids under which webpack keeps its modules; those with a question mark are empty stand-ins for modules left out. */
function modulesOf(bundle: string): string[] {
  return [...new Set([...bundle.matchAll(/^\/\*\*\*\/ "(.+)"$/gm)].map((match) => match[1] ?? ''))]
    .filter((id) => !id.startsWith('?'))
    .sort();
}
