import { mkdtempSync, readdirSync, readFileSync, statSync, mkdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, extname, join, resolve } from 'node:path';
import { parse } from 'csv-parse/sync';
import { type Kysely } from 'kysely';
import { type LoadedMasterData } from '../../db/master-data';
import { type DB } from '../../db/types';
import { seedFolder } from '../../scripts/seed-folder';

/** The project's own copy of the reference deal. */
export const REFERENCE_FOLDER = resolve(__dirname, '..', '..', 'examples', 'reference-deal');

/** The lines that the spine plays: fixed fee, managed service, retainer. */
export const SPINE_LINES: readonly string[] = ['L1', 'L5', 'L6'];

/** Master data of the reference deal, for tests that need a firm. Throws with all errors where a changed folder has some. */
export async function seedReferenceDeal(db: Kysely<DB>, folder = REFERENCE_FOLDER): Promise<LoadedMasterData> {
  const loaded = await seedFolder(db, folder, { at: '2026-01-01T00:00:00.000Z', actor: 'test' });
  if (!('counts' in loaded)) throw new Error(JSON.stringify(loaded, null, 2));
  return loaded;
}

/** The reference deal cut to some of its lines, in a new folder that a test may change; change orders are left out. */
export function referenceDealFolder(lines: readonly string[] = SPINE_LINES, source = REFERENCE_FOLDER): string {
  const folder = mkdtempSync(join(tmpdir(), 'throughline-deal-'));
  copyCut(source, folder, lines);
  const kept = readJson<LineItems>(folder, 'hubspot-line-items.json').results.map(({ id }) => id);
  const pointer = '/associations/line items/results';
  setInJson(
    folder,
    'hubspot-deal.json',
    pointer,
    kept.map((id) => ({ id, type: 'deal_to_line_item' })),
  );
  return folder;
}

/** One JSON file of a deal folder; the caller knows its shape. */
export function readJson<T>(folder: string, file: string): T {
  return JSON.parse(readFileSync(join(folder, file), 'utf8')) as T;
}

/** Writes a value into one JSON file of a deal folder, at a pointer (`/users/0/roles`); undefined takes the field out. */
export function setInJson(folder: string, file: string, pointer: string, value: unknown): void {
  const whole = readJson<Node>(folder, file);
  const path = pointer.split('/').slice(1);
  const last = path.pop() ?? '';
  const parent = path.reduce<Node>((node, key) => node[key] as Node, whole);
  if (value === undefined) delete parent[last];
  else parent[last] = value;
  writeFileSync(join(folder, file), `${JSON.stringify(whole, null, 2)}\n`);
}

/** Rows of one CSV file of a deal folder, by column. */
export function readRows(folder: string, file: string): Record<string, string>[] {
  return parse(readFileSync(join(folder, file)), { columns: true });
}

type Node = Record<string, unknown>;

function copyCut(source: string, target: string, lines: readonly string[]): void {
  for (const name of readdirSync(source)) {
    const [from, to] = [join(source, name), join(target, name)];
    if (statSync(from).isDirectory()) {
      mkdirSync(to);
      copyCut(from, to, lines);
    } else writeFileSync(to, cutFile(from, lines));
  }
}

/** The reference deal is cut for many tests; its files are read and cut once. */
const cutBefore = new Map<string, string | Buffer>();

function cutFile(path: string, lines: readonly string[]): string | Buffer {
  const isOurs = path.startsWith(REFERENCE_FOLDER);
  const key = `${lines.join()} ${path}`;
  const known = isOurs ? cutBefore.get(key) : undefined;
  if (known !== undefined) return known;
  const content = readFileSync(path);
  const cut = cuts[basename(path)];
  let kept: string | Buffer = content;
  if (extname(path) === '.csv') kept = cutRows(content.toString('utf8'), lines);
  else if (cut !== undefined) kept = `${JSON.stringify(cut(content.toString('utf8'), lines), null, 2)}\n`;
  if (isOurs) cutBefore.set(key, kept);
  return kept;
}

/** Rows of other lines are left out of every file that has the column. */
function cutRows(text: string, lines: readonly string[]): string {
  const rows = parse(text, { columns: true, raw: true }) as unknown as { record: Record<string, string>; raw: string }[];
  const header = text.slice(0, text.indexOf('\n') + 1);
  const kept = rows.filter(({ record }) => record.line_id === undefined || lines.includes(record.line_id));
  return header + kept.map(({ raw }) => (raw.endsWith('\n') ? raw : `${raw}\n`)).join('');
}

interface LineItems {
  readonly results: readonly { readonly id: string; readonly properties: { readonly line_code: string } }[];
}
interface CloudEvent {
  readonly data: { readonly lines: readonly { readonly id: string }[] };
}
interface Opportunity {
  readonly OpportunityLineItems: { readonly records: readonly { readonly Line_Code__c: string }[] };
}
interface SowTerms {
  readonly terms: readonly { readonly path: string }[];
}
type Held = Readonly<Record<string, readonly { readonly invoice: string }[]>>;

type Cut = (text: string, lines: readonly string[]) => unknown;

const cuts: Readonly<Record<string, Cut>> = {
  'deal-closed.cloudevents.json': (text, lines) => {
    const event = JSON.parse(text) as CloudEvent;
    return { ...event, data: { ...event.data, lines: event.data.lines.filter((line) => lines.includes(line.id)) } };
  },
  'hubspot-line-items.json': (text, lines) => {
    const items = JSON.parse(text) as LineItems;
    return { ...items, results: items.results.filter((item) => lines.includes(item.properties.line_code)) };
  },
  'salesforce-opportunity.json': (text, lines) => {
    const opportunity = JSON.parse(text) as Opportunity;
    const records = opportunity.OpportunityLineItems.records.filter((item) => lines.includes(item.Line_Code__c));
    return { ...opportunity, OpportunityLineItems: { ...opportunity.OpportunityLineItems, totalSize: records.length, records } };
  },
  'sow-terms.json': (text, lines) => {
    const sow = JSON.parse(text) as SowTerms;
    const isKept = (path: string): boolean => !path.startsWith('lines.') || lines.includes(path.split('.')[1] ?? '');
    return { ...sow, terms: sow.terms.filter((term) => isKept(term.path)) };
  },
  'change-orders.json': () => ({ changeOrders: [] }),
  'disputes-and-promises.json': (text, lines) =>
    Object.fromEntries(
      Object.entries(JSON.parse(text) as Held).map(([what, list]) => [
        what,
        list.filter((each) => lines.includes(each.invoice.split('-')[1] ?? '')),
      ]),
    ),
};
