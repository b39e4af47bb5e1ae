import { createHash } from 'node:crypto';
import { cpSync, mkdtempSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { bundleWorkflowCode, DefaultLogger } from '@temporalio/worker';
import { type WorkflowBundle } from '../../workers/bundle';

const PROJECT = resolve(__dirname, '..', '..');

const planted = new Map<string, Promise<WorkflowBundle>>();

/**
 * A workflow bundle of a copy of our sources in which one piece of text stands for another, made once in a process; throws where the text
 * is not there.
 */
export function plantedBundle(file: string, before: string, after: string): Promise<WorkflowBundle> {
  const key = [file, before, after].join('\n');
  const bundle = planted.get(key) ?? plant(file, before, after);
  planted.set(key, bundle);
  return bundle;
}

async function plant(file: string, before: string, after: string): Promise<WorkflowBundle> {
  const folder = mkdtempSync(join(tmpdir(), 'throughline-planted-'));
  for (const name of ['workflows', 'domain', 'contracts']) cpSync(join(PROJECT, name), join(folder, name), { recursive: true });
  symlinkSync(join(PROJECT, 'node_modules'), join(folder, 'node_modules'));
  const source = join(folder, 'workflows', file);
  const text = readFileSync(source, 'utf8');
  if (!text.includes(before)) throw new Error(`${file} has no such text: ${before}`);
  writeFileSync(source, text.replace(before, after));
  const { code } = await bundleWorkflowCode({ workflowsPath: join(folder, 'workflows', 'index.ts'), logger: new DefaultLogger('ERROR') });
  const codePath = join(folder, 'bundle.js');
  writeFileSync(codePath, code);
  return { codePath, buildId: createHash('sha256').update(code).digest('hex').slice(0, 16) };
}
