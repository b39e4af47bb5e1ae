import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { SEEDS, writePerturbed } from '../e2e/perturbation/perturbation';
import { expectTies } from '../expected/ties';
import { expectedReport } from '../support/expected/report';
import { readWholeFolder } from '../support/expected/whole-folder';

const REFERENCE = resolve(__dirname, '..', '..', 'examples', 'reference-deal');

describe('the perturbed deals', () => {
  const root = mkdtempSync(join(tmpdir(), 'throughline-coverage-'));
  const deals = SEEDS.map((seed) => {
    const path = join(root, String(seed));
    writePerturbed(REFERENCE, path, seed);
    return { folder: readWholeFolder(path), report: expectedReport(path) };
  });
  rmSync(root, { recursive: true, force: true });
  const reports = deals.map(({ report }) => report);
  const all = <T>(pick: (report: (typeof reports)[number]) => readonly T[]): Set<T> => new Set(reports.flatMap((report) => pick(report)));
  const how = <T>(holds: (report: (typeof reports)[number]) => readonly T[]): number => reports.filter((report) => holds(report).length > 0).length; // prettier-ignore

  test('are twenty, and each ties within itself', () => {
    expect(deals).toHaveLength(20);
    for (const report of reports) expectTies(report);
  });

  test('have every engagement model in several deals, every line, and both change orders', () => {
    const models = deals.flatMap(({ folder }) => folder.deal.lines.map((line) => line.engagementModel));
    for (const model of ['fixed-fee', 'time-and-materials', 'managed-service', 'retainer'])
      expect([model, models.filter((each) => each === model).length >= 4]).toEqual([model, true]);
    expect(new Set(deals.flatMap(({ folder }) => folder.deal.lines.map(({ id }) => id))).size).toBe(7);
    const orders = deals.flatMap(({ folder }) => folder.changeOrders.map(({ id }) => id));
    expect(new Set(orders).size).toBe(2);
    expect(orders.length).toBeGreaterThan(4);
  });

  test('reach limits, release what was parked, and leave some beyond the limit, or have no limit at all', () => {
    const runs = (report: (typeof reports)[number]) => report.notToExceed.runs;
    expect(how((report) => runs(report).filter(({ parkedAfter }) => Number(parkedAfter) > 0))).toBeGreaterThan(4);
    expect(how((report) => runs(report).filter(({ releasedFromParked }) => Number(releasedFromParked) > 0))).toBeGreaterThan(0);
    expect(how((report) => report.notToExceed.softLimits)).toBeGreaterThan(4);
    const lines = deals.flatMap(({ folder }) => folder.deal.lines).filter((line) => line.engagementModel === 'time-and-materials');
    expect(lines.some((line) => line.notToExceed === undefined)).toBe(true);
  });

  test('have every tax category, credit notes, discrepancies, overage, true-ups and service credits', () => {
    expect(all(({ invoices }) => invoices.map(({ taxCategory }) => taxCategory))).toEqual(new Set(['S', 'O', 'AE']));
    expect(all(({ invoices }) => invoices.map(({ kind }) => kind))).toEqual(new Set(['invoice', 'credit-note']));
    expect(how(({ contract }) => contract.discrepancies)).toBeGreaterThan(4);
    expect(how(({ retainer }) => retainer.filter((month) => Number(month.overageHours) > 0))).toBeGreaterThan(0);
    expect(how(({ retainer }) => retainer.filter((month) => Number(month.rolledOut) > 0))).toBeGreaterThan(0);
    for (const part of ['overage', 'trueUp', 'serviceCredit'] as const)
      expect([part, how(({ managedService }) => managedService.filter((month) => Number(month[part]) > 0)) > 0]).toEqual([part, true]);
  });

  test('have payments that are late, short by a little, too much, and interest', () => {
    expect(how(({ interest }) => interest)).toBeGreaterThan(4);
    expect(how(({ books }) => books.filter(({ bankCharges }) => Number(bankCharges) > 0))).toBeGreaterThan(1);
    expect(how(({ cash }) => cash.afterEachStatement.filter(({ onAccount }) => Object.keys(onAccount).length > 0))).toBeGreaterThan(4);
    expect(how(({ cash }) => cash.afterEachStatement.filter(({ overdue }) => Object.keys(overdue).length > 0))).toBeGreaterThan(4);
  });

  test('have breaches of most kinds', () => {
    const codes = all(({ policyBreaches: { time, expenses } }) => [...Object.keys(time), ...Object.keys(expenses)]);
    for (const code of [
      'COMPLIANCE_LAPSED',
      'DUPLICATE_ENTRY',
      'LATE_SUBMISSION',
      'DAY_OVER_LIMIT',
      'WEEK_OVER_LIMIT',
      'MISSING_WEEK',
      'NOT_APPROVED',
      'REST_DAY_UNAPPROVED',
      'TASK_CLOSED',
      'DUPLICATE_EXPENSE',
      'FIXED_RATE_MISMATCH',
      'LATE_EXPENSE',
      'OVER_LIMIT',
      'OVER_LIMIT_JUSTIFIED',
      'RECEIPT_MISSING',
    ])
      // prettier-ignore
      expect(codes).toContain(code);
  });
});
