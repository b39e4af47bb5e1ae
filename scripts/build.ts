import { rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { build } from 'esbuild';
import { type WorkflowBundle, workflowBundle } from '../workers/bundle';

const PROJECT = resolve(__dirname, '..');
const TARGET = join(PROJECT, 'build', 'js');

/** What runs in production, and the bench's workers, which run as it does. */
const FOLDERS = ['activities', 'api', 'contracts', 'db', 'deploy', 'documents', 'domain', 'integrations', 'policies', 'runtime', 'scripts', 'simulation', 'workers', 'workflows', 'bench']; // prettier-ignore

/** A compiled file finds what lies beside its source (migrations, policies, the replay corpus) where the source would. */
const BESIDE_SOURCE = `"use strict"; var __dirname = __dirname.replace(/^(.*)[\\\\/]build[\\\\/]js/, '$1');`;

/**
 * `npm run build`: the product as JavaScript, file by file, in `build/js`, and the workflow bundle, so that a process starts without
 * compiling and without a compiler in its memory.
 */
async function main(): Promise<WorkflowBundle> {
  rmSync(TARGET, { recursive: true, force: true });
  await build({
    entryPoints: FOLDERS.map((folder) => join(PROJECT, folder, '**', '*.ts')),
    outbase: PROJECT,
    outdir: TARGET,
    format: 'cjs',
    platform: 'node',
    target: 'node20',
    sourcemap: 'linked',
    banner: { js: BESIDE_SOURCE },
    tsconfigRaw: {},
    logLevel: 'error',
  });
  return workflowBundle((message) => process.stdout.write(`${message}\n`));
}

main().then(
  ({ codePath, buildId }) => process.stdout.write(`${TARGET}\n${codePath} ${buildId}\n`),
  (error: unknown) => {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 1;
  },
);
