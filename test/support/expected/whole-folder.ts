import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readExpectedFolder, rows, type ExpectedFolder, type RawDeal, type Row, type SowTerm } from './folder';

/** What is left out of a deal folder before anything is computed, as if its files did not say it. */
export interface Cut {
  /** Ids of the lines to keep; all where it is absent. */
  readonly lines?: readonly string[];
  /** True where no change order takes effect: no cap, rate card, add-on or task that one of them brings. */
  readonly withoutChangeOrders?: boolean;
}

/** Everything in a deal folder that a figure depends on. */
export interface WholeFolder extends ExpectedFolder {
  /** The deal as the CRM knows it, before the statement of work governs. */
  readonly event: RawDeal;
  readonly sowTerms: readonly SowTerm[];
  readonly rateCards: readonly Row[];
  readonly uplifts: readonly Row[];
  readonly costRates: readonly Row[];
  readonly fxRates: readonly Row[];
  readonly expenses: readonly Row[];
  readonly expensePolicies: readonly Row[];
  readonly labourRules: readonly RawLabourRule[];
  readonly bookings: readonly Row[];
  readonly forecasts: readonly Row[];
  /** Approved ones only. */
  readonly changeOrders: readonly RawChangeOrder[];
  readonly disputes: readonly RawDispute[];
}

export interface RawLabourRule {
  readonly id: string;
  readonly appliesTo: readonly string[];
  readonly refines?: string;
  readonly dailyMaxHours?: string;
  readonly weeklyMaxHours?: string;
  readonly weeklyAverageMaxHours?: string;
  readonly referenceWeeks?: number;
  readonly monthlyOvertimeMaxHours?: string;
}

export interface RawChangeOrder {
  readonly id: string;
  readonly status: string;
  readonly contractVersionAfter: number;
  readonly changes: readonly { readonly path: string; readonly to: unknown; readonly inForceFrom: string }[];
}

export interface RawDispute {
  readonly id: string;
  readonly invoice: string;
  readonly resolution?: {
    readonly decidedAt: string;
    readonly entriesNotBillable: readonly string[];
    readonly correction: string;
    readonly creditNoteReference?: string;
    readonly rebillReference?: string;
  } | null;
}

/**
 * Reads a deal folder whole, then cuts it. Time and expenses of lines that are cut out are not there for any check; project bookings count
 * where their request is of a kept line. Tasks of a contract version that is not in force, and time on them, are no part of the deal.
 */
export function readWholeFolder(path: string, { lines, withoutChangeOrders = false }: Cut = {}): WholeFolder {
  const text = (name: string): string | null => (existsSync(join(path, name)) ? readFileSync(join(path, name), 'utf8') : null);
  const table = (name: string): Row[] => rows(text(name) ?? '');
  const json = <T>(name: string, otherwise: T): T => JSON.parse(text(name) ?? JSON.stringify(otherwise)) as T;
  const folder = readExpectedFolder(path);
  const event = json('deal-closed.cloudevents.json', {} as { data: RawDeal }).data;
  const kept = event.lines.map(({ id }) => id).filter((id) => lines === undefined || lines.includes(id));
  const isKept = (row: Row): boolean => kept.includes(row.line_id ?? '');
  const cutDeal = (deal: RawDeal): RawDeal => ({ ...deal, lines: deal.lines.filter(({ id }) => kept.includes(id)) });
  const stated = json('change-orders.json', { changeOrders: [] as RawChangeOrder[] }).changeOrders;
  const changeOrders = stated.filter(({ status }) => status === 'approved' && !withoutChangeOrders);
  const isDropped = (value: string): boolean => stated.some((order) => !changeOrders.includes(order) && names(order, value));
  const versions = ['1', '', ...changeOrders.map((order) => String(order.contractVersionAfter))];
  const tasks = folder.tasks.filter((row) => isKept(row) && versions.includes(row.contract_version ?? ''));
  const later = folder.tasks.filter((row) => !versions.includes(row.contract_version ?? '')).map((row) => row.task_id);
  const requests = table('resource-requests.csv').filter(isKept).map((row) => row.request_id); // prettier-ignore
  return {
    ...folder,
    deal: cutDeal(folder.deal),
    event: cutDeal(event),
    sowTerms: json('sow-terms.json', { terms: [] as SowTerm[] }).terms.filter(
      ({ path: term }) => !term.startsWith('lines.') || kept.includes(term.split('.')[1] ?? ''),
    ),
    tasks,
    time: folder.time.filter((row) => isKept(row) && !later.includes(row.task_id)),
    milestones: folder.milestones.filter(isKept),
    usage: folder.usage.filter(isKept),
    rateCards: table('rate-cards.csv').filter((row) => !isDropped(row.card_id ?? '')),
    uplifts: table('uplifts.csv').filter(isKept),
    costRates: table('cost-rates.csv'),
    fxRates: table('fx-rates.csv'),
    expenses: table('expenses.csv').filter(isKept),
    expensePolicies: table('expense-policies.csv'),
    labourRules: json('labour-rules.json', { rules: [] as RawLabourRule[] }).rules,
    bookings: table('bookings.csv').filter(({ request_id: request }) => !request || requests.includes(request)),
    forecasts: table('etc-forecasts.csv').filter(isKept),
    changeOrders,
    disputes: json('disputes-and-promises.json', { disputes: [] as RawDispute[] }).disputes ?? [],
  };
}

const names = ({ changes }: RawChangeOrder, card: string): boolean =>
  changes.some(({ path, to }) => path.endsWith('.rateCard') && to === card);
