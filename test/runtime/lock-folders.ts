import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { lockFolder } from '../../runtime/folder-lock';

const [root = '', folders = '', turns = ''] = process.argv.slice(2);

/** A program that, once told, takes every folder it can get and keeps it, then takes turns at the last one; says how many it got. */
process.stdin.once('data', () => {
  let kept = 0;
  for (let folder = 0; folder < Number(folders); folder += 1) if ('release' in lockFolder(join(root, String(folder)))) kept += 1;
  let together = 0;
  for (let turn = 0; turn < Number(turns);) {
    const lock = lockFolder(join(root, 'turns'));
    if (!('release' in lock)) continue;
    turn += 1;
    if (!alone()) together += 1;
    lock.release();
  }
  process.stdout.write(`${JSON.stringify({ kept, together })}\n`);
});
process.stdout.write('ready\n');

/** False where somebody else is inside. */
function alone(): boolean {
  const mark = join(root, 'turns', 'inside');
  try {
    writeFileSync(mark, '', { flag: 'wx' });
  } catch {
    return false;
  }
  rmSync(mark);
  return true;
}
