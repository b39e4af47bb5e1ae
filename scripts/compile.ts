import { rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { build } from 'esbuild';

const PROJECT = resolve(__dirname, '..');

/** What runs in production, and the bench's workers, which run as it does. */
const FOLDERS = ['activities', 'api', 'contracts', 'db', 'deploy', 'documents', 'domain', 'integrations', 'policies', 'runtime', 'scripts', 'simulation', 'workers', 'workflows', 'bench']; // prettier-ignore

/** A compiled file finds what lies beside its source (migrations, policies, the replay corpus) where the source would. */
const BESIDE_SOURCE = `"use strict"; var __dirname = __dirname.replace(/^(.*)[\\\\/]build[\\\\/]js[^\\\\/]*/, '$1');`;

/** The product as JavaScript, file by file, in `build/<folder>`, whose name starts with `js`. Returns the folder's path. */
export async function compileProduct(folder: `js${string}`): Promise<string> {
  const outdir = join(PROJECT, 'build', folder);
  rmSync(outdir, { recursive: true, force: true });
  await build({
    entryPoints: FOLDERS.map((each) => join(PROJECT, each, '**', '*.ts')),
    outbase: PROJECT,
    outdir,
    format: 'cjs',
    platform: 'node',
    target: 'node20',
    sourcemap: 'linked',
    banner: { js: BESIDE_SOURCE },
    tsconfigRaw: {},
    logLevel: 'error',
  });
  return outdir;
}
