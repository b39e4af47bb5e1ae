import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { folderHolder, lockFolder } from '../../runtime/folder-lock';
import { identify } from '../../runtime/process-identity';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'throughline-lock-'));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const startedAt = identify(process.pid)?.startedAt ?? '';
/** No process has this number. */
const DEAD = { pid: 2 ** 22 + 1, startedAt: '1' };

function left(by: object, folder = root): void {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'stack.lock.7'), JSON.stringify(by));
}

describe('a folder is held by one process', () => {
  it('and refused to everybody else until it is given back', () => {
    const lock = lockFolder(root);
    expect([folderHolder(root), lockFolder(root)]).toEqual([process.pid, { heldBy: process.pid }]);
    if (!('release' in lock)) throw new Error('a free folder was refused');
    lock.release();
    expect(folderHolder(root)).toBeNull();
    const next = lockFolder(root);
    lock.release();
    expect([folderHolder(root), 'release' in next, readdirSync(root).length]).toEqual([process.pid, true, 1]);
  });

  it.each([
    ['was killed', DEAD],
    ['has a number that now belongs to another program', { pid: process.pid, startedAt: `${startedAt}0` }],
    ['gave it back', {}],
  ])('and free where its last holder %s', (_, by) => {
    left(by);
    expect(folderHolder(root)).toBeNull();
    expect(lockFolder(root)).toHaveProperty('release');
    expect(folderHolder(root)).toBe(process.pid);
  });

  it('also where many ask at once for what a killed one left, and where they take turns', async () => {
    const [starters, folders, turns] = [4, 100, 50];
    for (let folder = 0; folder < folders; folder += 1) left(DEAD, join(root, String(folder)));
    mkdirSync(join(root, 'turns'));
    const program = join(__dirname, 'lock-folders.ts');
    const racing = Array.from({ length: starters }, () =>
      spawn(process.execPath, ['--import', 'tsx', program, root, String(folders), String(turns)], { stdio: ['pipe', 'pipe', 'inherit'] }),
    );
    try {
      await Promise.all(racing.map(said));
      const answers = racing.map(said);
      for (const starter of racing) starter.stdin.write('go\n');
      const got = (await Promise.all(answers)).map((answer) => JSON.parse(answer) as { kept: number; together: number });
      expect(got.reduce((sum, { kept }) => sum + kept, 0)).toBe(folders);
      expect(got.map(({ together }) => together)).toEqual(got.map(() => 0));
    } finally {
      for (const starter of racing) starter.kill('SIGKILL');
      await Promise.all(racing.map(gone));
    }
  });
});

async function said(program: ChildProcess): Promise<string> {
  const ended = once(program, 'exit').then(() => {
    throw new Error('a starter has ended');
  });
  const [data] = (await Promise.race([once(program.stdout ?? program, 'data'), ended])) as [Buffer];
  return data.toString();
}

async function gone(program: ChildProcess): Promise<void> {
  if (program.exitCode === null && program.signalCode === null) await once(program, 'exit');
}
