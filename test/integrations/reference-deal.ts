import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type DealReport } from '../../contracts/deal-closed';
import { type DealClosed } from '../../domain/deal/terms';

export type Json = Record<string, unknown>;

const folder = join(__dirname, '../../examples/reference-deal');

/** The bytes of a file of the reference deal. */
export function referenceBytes(name: string): Buffer {
  return readFileSync(join(folder, name));
}

/** A parsed JSON file of the reference deal, a new copy each time. */
export function referenceJson(name: string): Json {
  return JSON.parse(referenceBytes(name).toString('utf8')) as Json;
}

/** The deal of a report that must be a won one. */
export function wonDeal(report: DealReport): DealClosed {
  if (report.kind !== 'closed-won') throw new Error(`not won: ${JSON.stringify(report)}`);
  return report.deal;
}

/** `pointer code` of every field error of a report, sorted. */
export function errorsOf(report: DealReport): string[] {
  if (report.kind !== 'invalid') throw new Error(`not invalid: ${report.kind}`);
  return report.errors.map((error) => `${error.pointer} ${error.code}`).sort();
}
