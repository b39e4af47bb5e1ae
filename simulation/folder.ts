import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'csv-parse/sync';
import { type z } from 'zod';
import { engagementModel } from '../domain/engagement/registry';
import { isViolation } from '../domain/violation';
import { parseCamt053 } from '../integrations/bank/camt053';
import { type BankStatementFile } from '../integrations/bank/statement';
import {
  changeOrdersSchema,
  customersSchema,
  dealEventSchema,
  disputesSchema,
  expenseRow,
  forecastRow,
  legalEntitiesSchema,
  milestoneRow,
  sowTermsSchema,
  taskRow,
  timeRow,
  usageRow,
  usersSchema,
  type ChangeOrderFile,
  type DealEvent,
  type ExpenseRow,
  type ForecastRow,
  type MilestoneRow,
  type TaskRow,
  type TimeRow,
  type UsageRow,
} from './folder-schema';

/** A deal folder of the reference deal's format, cut to the lines that are played. */
export interface DealFolder {
  readonly path: string;
  readonly dealEvent: DealEvent;
  readonly lines: DealEvent['data']['lines'];
  /** Lines of the deal that are left out, and why. */
  readonly leftOut: readonly { readonly lineId: string; readonly reason: string }[];
  readonly sow: z.infer<typeof sowTermsSchema>;
  readonly users: z.infer<typeof usersSchema>;
  readonly entities: z.infer<typeof legalEntitiesSchema>['legalEntities'];
  readonly billTos: readonly { readonly id: string; readonly name: string }[];
  readonly tasks: readonly TaskRow[];
  readonly milestones: readonly MilestoneRow[];
  readonly usage: readonly UsageRow[];
  readonly time: readonly TimeRow[];
  readonly expenses: readonly ExpenseRow[];
  readonly forecasts: readonly ForecastRow[];
  /** Bank files in the order of their names (S-47), as they stand and as they read. */
  readonly bankFiles: readonly { readonly name: string; readonly xml: string; readonly file: BankStatementFile }[];
  /** About invoices of the lines that are played. */
  readonly disputes: z.infer<typeof disputesSchema>['disputes'];
  readonly promises: z.infer<typeof disputesSchema>['promises'];
  readonly holds: z.infer<typeof disputesSchema>['holds'];
  /** Change orders that were agreed on the lines that are played, and the tasks that they bring. */
  readonly changeOrders: readonly ChangeOrderFile[];
  readonly changeTasks: readonly TaskRow[];
}

/** Something in the folder cannot be read; the message names file and place. */
export class FolderError extends Error {
  override readonly name = 'FolderError';
}

/**
 * Reads a deal folder and cuts it to the lines whose engagement models the product has, or to those of `lineIds` among them.
 * A deal that is cut is played without change orders unless they are asked for. Throws `FolderError` for a missing or malformed file, an
 * unknown line, or when no line is left.
 */
export function readDealFolder(
  path: string,
  lineIds?: readonly string[],
  { changeOrders = lineIds === undefined }: { readonly changeOrders?: boolean } = {},
): DealFolder {
  const event = json(path, 'deal-closed.cloudevents.json', dealEventSchema);
  const { kept, leftOut } = cutLines(event, lineIds);
  const has = (row: { line_id: string }): boolean => kept.some((line) => line.id === row.line_id);
  const about = <Row extends { readonly invoice: string }>(rows: readonly Row[]): Row[] =>
    rows.filter(({ invoice }) => kept.some((line) => invoice.startsWith(`${event.data.shortCode}-${line.id}-`)));
  const { disputes, promises, holds } = exists(path, 'disputes-and-promises.json')
    ? json(path, 'disputes-and-promises.json', disputesSchema)
    : { disputes: [], promises: [], holds: [] };
  const baseline = kept.flatMap((line) => (line.milestones ?? []).map((milestone) => `${line.id} ${milestone.id}`));
  return {
    path,
    dealEvent: { ...event, data: { ...event.data, lines: kept } },
    lines: kept,
    leftOut,
    sow: json(path, 'sow-terms.json', sowTermsSchema),
    users: json(path, 'users.json', usersSchema),
    entities: json(path, 'legal-entities.json', legalEntitiesSchema).legalEntities,
    billTos: json(path, 'customers.json', customersSchema).customers.flatMap((customer) => customer.billToAccounts),
    tasks: csv(path, 'work-packages.csv', taskRow).filter((row) => has(row) && row.contract_version === '1'),
    milestones: csv(path, 'milestones.csv', milestoneRow).filter((row) => baseline.includes(`${row.line_id} ${row.milestone_id}`)),
    usage: csv(path, 'usage.csv', usageRow).filter(has),
    time: csv(path, 'timesheets.csv', timeRow).filter(has),
    expenses: exists(path, 'expenses.csv') ? csv(path, 'expenses.csv', expenseRow).filter(has) : [],
    forecasts: exists(path, 'etc-forecasts.csv') ? csv(path, 'etc-forecasts.csv', forecastRow).filter(has) : [],
    bankFiles: bankFiles(path),
    disputes: about(disputes),
    promises: about(promises),
    holds: about(holds),
    changeOrders: changeOrders
      ? agreedChanges(
          path,
          kept.map((line) => line.id),
        )
      : [],
    changeTasks: csv(path, 'work-packages.csv', taskRow).filter((row) => has(row) && row.contract_version !== '1'),
  };
}

/** The last day of each bank file of the folder: where receivables and books are stated. */
export function statementDays({ bankFiles: files }: DealFolder): string[] {
  return files.map(({ file }) => file.statements.map((statement) => statement.to).sort().at(-1) ?? '').filter((day) => day !== ''); // prettier-ignore
}

function agreedChanges(path: string, lineIds: readonly string[]): ChangeOrderFile[] {
  if (!exists(path, 'change-orders.json')) return [];
  const stated = json(path, 'change-orders.json', changeOrdersSchema).changeOrders;
  return stated.filter((order) => order.status === 'approved' && order.lines.every((lineId) => lineIds.includes(lineId)));
}

function cutLines(event: DealEvent, lineIds: readonly string[] | undefined) {
  const known = event.data.lines.map((line) => line.id);
  const unknown = (lineIds ?? []).filter((lineId) => !known.includes(lineId));
  if (unknown.length > 0) throw new FolderError(`no line ${unknown.join(', ')} in the deal; it has ${known.join(', ')}`);
  const leftOut: { lineId: string; reason: string }[] = [];
  const kept = event.data.lines.filter((line) => {
    const model = engagementModel(line.engagementModel);
    const reason = isViolation(model)
      ? `engagement model ${line.engagementModel} is not in the product yet`
      : lineIds === undefined || lineIds.includes(line.id)
        ? null
        : 'not asked for';
    if (reason !== null) leftOut.push({ lineId: line.id, reason });
    return reason === null;
  });
  if (kept.length === 0) throw new FolderError('no line of the deal can be played');
  return { kept, leftOut };
}

function bankFiles(path: string): DealFolder['bankFiles'] {
  if (!exists(path, 'bank')) return [];
  const names = readdirSync(join(path, 'bank')).filter((name) => name.endsWith('.xml'));
  return names.sort().map((name) => {
    const xml = read(path, join('bank', name));
    const result = parseCamt053(xml);
    if (result.kind === 'refused')
      throw new FolderError(`bank/${name}: ${result.violations.map(({ path: at, detail }) => `${at ?? ''} ${detail}`).join('; ')}`);
    return { name, xml, file: result.file };
  });
}

function json<T>(path: string, name: string, schema: z.ZodType<T>): T {
  let value: unknown;
  try {
    value = JSON.parse(read(path, name));
  } catch (error) {
    if (error instanceof FolderError) throw error;
    throw new FolderError(`${name} is not JSON: ${(error as Error).message}`);
  }
  return checked(name, schema, value);
}

function csv<T>(path: string, name: string, schema: z.ZodType<T>): T[] {
  let rows: unknown[];
  try {
    rows = parse(read(path, name), { columns: true, skip_empty_lines: true, bom: true });
  } catch (error) {
    if (error instanceof FolderError) throw error;
    throw new FolderError(`${name} is not CSV: ${(error as Error).message}`);
  }
  return rows.map((row, index) => checked(`${name}, row ${index + 1}`, schema, row));
}

function checked<T>(place: string, schema: z.ZodType<T>, value: unknown): T {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const issues = parsed.error.issues.slice(0, 5).map((issue) => `${issue.path.join('.')} ${issue.message}`);
  throw new FolderError(`${place}: ${issues.join('; ')}`);
}

function read(path: string, name: string): string {
  try {
    return readFileSync(join(path, name), 'utf8');
  } catch {
    throw new FolderError(`cannot read ${join(path, name)}`);
  }
}

function exists(path: string, name: string): boolean {
  return existsSync(join(path, name));
}
