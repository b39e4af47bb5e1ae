import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus, loadavg, release, totalmem, type as osType } from 'node:os';
import { join } from 'node:path';

const FOLDER = join(__dirname, 'results');

export interface Results {
  readonly at: string;
  readonly scale: number;
  readonly machine: Record<string, unknown>;
  readonly [section: string]: unknown;
}

/** Where the figures come from: rates of another machine are other rates. */
export function machine() {
  const [cpu] = cpus();
  return {
    cpu: cpu?.model ?? 'unknown',
    cores: cpus().length,
    memoryGb: Math.round(totalmem() / 1e9),
    os: `${osType()} ${release()}`,
    node: process.version,
    load: loadavg()[0]?.toFixed(2),
  };
}

/** Each run has a file of its own, which git ignores; a run of all sections is also the latest, which is committed. */
export function writeResults(results: Results, whole: boolean): string {
  mkdirSync(FOLDER, { recursive: true });
  const text = `${JSON.stringify(results, null, 2)}\n`;
  const own = join(FOLDER, `${results.at.replaceAll(':', '-')}.json`);
  writeFileSync(own, text);
  if (!whole) return own;
  const latest = join(FOLDER, 'latest.json');
  writeFileSync(latest, text);
  return latest;
}
