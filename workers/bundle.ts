import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { bundleWorkflowCode } from '@temporalio/worker';

const PROJECT = resolve(__dirname, '..');
const TARGET = join(PROJECT, 'build', 'workflow-bundle.js');
/** No module of ours keeps anything of a run outside its objects, so that all runs of a process share them: loaded once, not once a run. */
const WORKFLOWS = join(PROJECT, 'workflows', 'index.ts');
const SOURCES = ['workflows', 'domain', 'package-lock.json'];

export interface WorkflowBundle {
  readonly codePath: string;
  /** Hash of the bundle: the same code is the same version, whatever else changed (D10). */
  readonly buildId: string;
}

/** The prebuilt bundle where it fits the sources, else a new one; building takes a second or two. */
export async function workflowBundle(log: (message: string) => void = () => undefined): Promise<WorkflowBundle> {
  const stamp = `${TARGET}.sources`;
  const sources = hashOfSources();
  if (!existsSync(TARGET) || !existsSync(stamp) || readFileSync(stamp, 'utf8') !== sources) {
    log('building the workflow bundle');
    mkdirSync(dirname(TARGET), { recursive: true });
    const { code } = await bundleWorkflowCode({ workflowsPath: WORKFLOWS, preloadModules: [WORKFLOWS], logger: quiet });
    place(TARGET, code);
    place(stamp, sources);
  }
  return {
    codePath: TARGET,
    buildId: createHash('sha256')
      .update(logicOf(readFileSync(TARGET, 'utf8')))
      .digest('hex')
      .slice(0, 16),
  };
}

/** The code without its source map and without where it lies on this machine: neither makes another version. */
function logicOf(code: string): string {
  const withoutMap = code.replace(/\n\/\/# sourceMappingURL=.*\s*$/s, '\n');
  return withoutMap.split(PROJECT).join('.');
}

/** Two processes may build at once; each places a whole file. */
function place(path: string, content: string): void {
  const part = `${path}.${process.pid}`;
  writeFileSync(part, content);
  renameSync(part, path);
}

function hashOfSources(): string {
  const hash = createHash('sha256');
  for (const file of SOURCES.flatMap((source) => filesBelow(join(PROJECT, source))).sort()) {
    hash.update(relative(PROJECT, file)).update(readFileSync(file));
  }
  return hash.digest('hex');
}

function filesBelow(path: string): string[] {
  if (!statSync(path).isDirectory()) return [path];
  return readdirSync(path).flatMap((name) => filesBelow(join(path, name)));
}

const nothing = (): void => undefined;
const quiet = { log: nothing, trace: nothing, debug: nothing, info: nothing, warn: nothing, error: nothing };
