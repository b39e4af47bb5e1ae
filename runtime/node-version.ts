import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The least version of Node.js that the package asks for, and whether this one will do. */
export function nodeVersion(
  projectFolder: string,
  running: string = process.versions.node,
): { readonly least: string; readonly isEnough: boolean } {
  const { engines } = JSON.parse(readFileSync(join(projectFolder, 'package.json'), 'utf8')) as { engines: { node: string } };
  const least = engines.node.replace('>=', '');
  return { least, isEnough: running.localeCompare(least, 'en', { numeric: true }) >= 0 };
}
