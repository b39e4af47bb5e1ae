import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { rows } from '../../support/expected/folder';

export type Json = Record<string, unknown>;
export type Row = Record<string, string>;
export interface Table {
  readonly header: readonly string[];
  rows: Row[];
}

/** The deal event, as far as it is changed. */
export interface DealFile {
  readonly data: Json & { startDate: string; lines: (Json & { id: string; engagementModel: string; sellingEntity: string })[] };
}

export const EVENT = 'deal-closed.cloudevents.json';

export function json(folder: string, name: string): unknown {
  return JSON.parse(readFileSync(join(folder, name), 'utf8'));
}

export function save(folder: string, name: string, value: unknown): void {
  writeFileSync(join(folder, name), JSON.stringify(value, null, 2));
}

export function csv(folder: string, name: string): Table {
  const text = readFileSync(join(folder, name), 'utf8');
  return { header: (text.split('\n')[0] ?? '').split(','), rows: rows(text).map((row) => ({ ...row })) };
}

export function saveCsv(folder: string, name: string, table: Table): void {
  const quoted = (cell: string): string => (/[",]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell);
  const lines = table.rows.map((row) => table.header.map((key) => quoted(row[key] ?? '')).join(','));
  writeFileSync(join(folder, name), `${[table.header.join(','), ...lines].join('\n')}\n`);
}

/** Makes each row of a table another one, or drops it. */
export function eachRow(folder: string, name: string, change: (row: Row) => Row | null): void {
  const table = csv(folder, name);
  table.rows = table.rows.map(change).filter((row): row is Row => row !== null);
  saveCsv(folder, name, table);
}

/** The month after that of a date. */
export function monthAfter(date: string): string {
  return new Date(Date.UTC(Number(date.slice(0, 4)), Number(date.slice(5, 7)), 1)).toISOString().slice(0, 7);
}

export function dayAfter(date: string, days: number): string {
  return new Date(Date.parse(`${date}T00:00:00Z`) + days * 86_400_000).toISOString().slice(0, 10);
}

/** Later by whole days and hours; in UTC, to the second. */
export function later(instant: string, days: number, hours = 0): string {
  return new Date(Date.parse(instant) + days * 86_400_000 + hours * 3_600_000).toISOString().replace('.000Z', 'Z');
}

export const two = (value: number): string => String(value).padStart(2, '0');

/** An amount with the digits of its currency. */
export const inCurrency = (amount: number, currency: string): string => amount.toFixed(currency === 'JPY' ? 0 : 2);
