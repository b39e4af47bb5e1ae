import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

const folder = resolve(__dirname, '..', 'policies');

/** The text of a standard policy file that a firm's own files refine; undefined for a file that is none. */
export function standardPolicies(file: string): string | undefined {
  const path = join(folder, file);
  return existsSync(path) ? readFileSync(path, 'utf8') : undefined;
}
