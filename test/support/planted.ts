import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { workflowBundle, type WorkflowBundle } from '../../workers/bundle';

/**
 * The workflow bundle with one piece of code in place of another, whatever their spaces; throws where the first is not there exactly once.
 * Code without types and imported names stands in the bundle as in its source.
 */
export async function plantedBundle(before: string, after: string): Promise<WorkflowBundle> {
  const code = readFileSync((await workflowBundle()).codePath, 'utf8');
  const places = [...code.matchAll(anySpaces(before))].length;
  if (places !== 1) throw new Error(`the bundle has ${places} times: ${before}`);
  const planted = code.replace(anySpaces(before), () => after);
  const codePath = join(mkdtempSync(join(tmpdir(), 'throughline-planted-')), 'bundle.js');
  writeFileSync(codePath, planted);
  return { codePath, buildId: createHash('sha256').update(planted).digest('hex').slice(0, 16) };
}

function anySpaces(code: string): RegExp {
  const pieces = code.match(/\w+|[^\s\w]/g) ?? [];
  return new RegExp(pieces.map((piece) => piece.replace(/\W/g, '\\$&')).join('\\s*'), 'g');
}
