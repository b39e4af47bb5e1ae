import { readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { filesOf, groupNames, testFiles } from '../whole/groups';

const WHOLE = resolve(__dirname, '..', 'whole');

describe('npm test', () => {
  test('starts every group, in the order of the list', () => {
    const started = readdirSync(WHOLE).filter((file) => file.endsWith('.test.ts'));
    expect(started.sort((a, b) => a.localeCompare(b, 'en', { numeric: true }))).toEqual(
      groupNames.map((name, index) => `${index + 1}-${name}.test.ts`),
    );
  });

  test('runs every test file in exactly one group', () => {
    expect(groupNames.flatMap((name) => filesOf(name)).sort()).toEqual(testFiles());
    for (const name of groupNames) expect([name, filesOf(name).length > 0]).toEqual([name, true]);
    expect(testFiles()).toContain(join('architecture', 'groups.test.ts'));
  });
});
