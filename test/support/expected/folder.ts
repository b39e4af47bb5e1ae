import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Calendar } from './days';

/** The parts of a deal folder that the recomputation needs, as they stand in the files; read by its own code. */
export interface ExpectedFolder {
  readonly deal: RawDeal;
  readonly entities: readonly RawEntity[];
  readonly billTos: readonly RawBillTo[];
  readonly calendars: readonly Calendar[];
  readonly milestones: readonly Row[];
  readonly usage: readonly Row[];
  readonly time: readonly Row[];
  readonly tasks: readonly Row[];
  readonly people: readonly Row[];
  readonly vendors: readonly RawVendor[];
  readonly vendorRules: Readonly<Record<string, readonly string[]>>;
  /** Bank files in the order of their names. */
  readonly bank: readonly string[];
}

export type Row = Readonly<Record<string, string>>;

export interface RawDeal {
  readonly contractId: string;
  readonly shortCode: string;
  readonly customer: { readonly id: string };
  readonly startDate: string;
  readonly endDate: string;
  readonly paymentTermsDays: number | string;
  readonly lateInterestPercentPerYear: number | string;
  readonly deemedAcceptanceBusinessDays?: number | string;
  readonly lines: RawLine[];
}

export interface RawLine {
  readonly id: string;
  readonly engagementModel: string;
  readonly revenueMethod: string;
  readonly region: string;
  readonly sellingEntity: string;
  readonly billTo: string;
  readonly currency: string;
  readonly startDate: string;
  readonly endDate: string;
  readonly fixedFee: string;
  readonly milestones: readonly { readonly id: string; readonly percent: string }[];
  readonly monthlyFee: string;
  readonly includedTicketsPerMonth: number | string;
  readonly overagePerTicket: string;
  readonly minimumCommitment?: { readonly amount: string } | null;
  readonly slaCredits?: {
    readonly table: readonly {
      readonly fromPercent: string;
      readonly belowPercent: string | null;
      readonly creditPercentOfMonthlyFee: string;
    }[];
  } | null;
  readonly includedHoursPerMonth: string;
  readonly overageRatePerHour: string;
  readonly rollover?: { readonly maxHours: string } | null;
  readonly notToExceed?: string | null;
  readonly capSoftPercent?: string | null;
  readonly feeDiscountPercent?: string | null;
  readonly expensesBillable?: boolean;
}

export interface RawEntity {
  readonly id: string;
  readonly country: string;
  readonly timeZone: string;
  readonly calendarId: string;
  readonly invoiceRounding: { readonly level: 'line' | 'document'; readonly mode: 'half-up' | 'down' };
  readonly bankAccount: { readonly account?: string; readonly iban?: string };
}

export interface RawBillTo {
  readonly id: string;
  readonly name: string;
  readonly country: string;
  readonly calendarId: string;
  readonly taxRegistrations: readonly { readonly type: string; readonly value: string }[];
}

export interface RawVendor {
  readonly id: string;
  readonly country: string;
  readonly complianceDocuments: readonly { readonly type: string; readonly validFrom: string; readonly validUntil: string }[];
}

/** Reads a deal folder; the terms of the statement of work replace those of the deal event (S-01). */
export function readExpectedFolder(path: string): ExpectedFolder {
  const text = (name: string): string => readFileSync(join(path, name), 'utf8');
  const json = (name: string): unknown => JSON.parse(text(name));
  const vendors = json('vendors.json') as { requiredDocuments: unknown; vendors: RawVendor[] };
  const bankFiles = readdirSync(join(path, 'bank')).filter((name) => name.endsWith('.xml')).sort(); // prettier-ignore
  return {
    deal: governing((json('deal-closed.cloudevents.json') as { data: RawDeal }).data, json('sow-terms.json') as { terms: SowTerm[] }),
    entities: (json('legal-entities.json') as { legalEntities: RawEntity[] }).legalEntities,
    billTos: (json('customers.json') as { customers: { billToAccounts: RawBillTo[] }[] }).customers.flatMap((each) => each.billToAccounts),
    calendars: (json('calendars.json') as { calendars: Calendar[] }).calendars,
    milestones: rows(text('milestones.csv')),
    usage: rows(text('usage.csv')),
    time: rows(text('timesheets.csv')),
    tasks: rows(text('work-packages.csv')),
    people: rows(text('people.csv')),
    vendors: vendors.vendors,
    vendorRules: vendorRules(vendors.requiredDocuments),
    bank: bankFiles.map((name) => text(join('bank', name))),
  };
}

export interface SowTerm {
  readonly path: string;
  readonly value: string;
  readonly clause: string;
}

/** `lines.L1.milestones.M1.percent`: a part that meets a list names the element with that id. */
export function governing(deal: RawDeal, sow: { terms: SowTerm[] }): RawDeal {
  const copy = structuredClone(deal);
  for (const { path, value } of sow.terms) {
    const parts = path.split('.');
    const last = parts.pop() ?? '';
    let place: unknown = copy;
    for (const part of parts)
      place = Array.isArray(place) ? place.find(({ id }) => id === part) : (place as Record<string, unknown>)?.[part];
    if (place !== undefined && place !== null) (place as Record<string, unknown>)[last] = value;
  }
  return copy;
}

function vendorRules(required: unknown): Record<string, readonly string[]> {
  const rules: Record<string, readonly string[]> = {};
  for (const [country, documents] of Object.entries(required as Record<string, unknown>)) {
    if (Array.isArray(documents)) rules[country] = documents as string[];
    else if (typeof documents === 'object') Object.assign(rules, documents);
  }
  return rules;
}

/** CSV with a header line; quotes as in RFC 4180. */
export function rows(csv: string): Row[] {
  const [header = [], ...body] = csv.split(/\r?\n/).filter((line) => line !== '').map(cells); // prettier-ignore
  return body.map((row) => Object.fromEntries(header.map((name, index) => [name, row[index] ?? ''])));
}

function cells(line: string): string[] {
  const found: string[] = [];
  for (const match of line.matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^,]*))/g)) found.push((match[1] ?? match[2] ?? '').replaceAll('""', '"'));
  return found;
}
