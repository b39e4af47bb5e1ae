import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { readMasterDataFolder } from '../../integrations/master-data/folder';
import { readDealFolder } from '../../simulation/folder';
import { expectedReport } from '../support/expected/report';
import { SECOND_DEAL, writeSecondDeal } from '../support/second-deal/write';
import { expectTies } from './ties';

const POLICIES = resolve(__dirname, '..', '..', 'policies');
const report = expectedReport(SECOND_DEAL);
const invoice = (reference: string) => report.invoices.find((each) => each.reference === reference);

describe('the second deal', () => {
  test('is what its script writes', () => {
    const copy = mkdtempSync(join(tmpdir(), 'throughline-second-deal-'));
    cpSync(SECOND_DEAL, copy, { recursive: true });
    for (const name of ['fx-rates.csv', 'timesheets.csv', 'expenses.csv', 'bank']) rmSync(join(copy, name), { recursive: true });
    writeSecondDeal(copy);
    for (const name of [
      'fx-rates.csv',
      'timesheets.csv',
      'expenses.csv',
      ...readdirSync(join(SECOND_DEAL, 'bank')).map((each) => join('bank', each)),
    ])
      // prettier-ignore
      expect(readFileSync(join(copy, name), 'utf8')).toBe(readFileSync(join(SECOND_DEAL, name), 'utf8'));
    expect(readdirSync(join(copy, 'bank'))).toEqual(readdirSync(join(SECOND_DEAL, 'bank')));
    rmSync(copy, { recursive: true });
  });

  test('has master data, a plan and bank files that the product reads without an error', () => {
    const loaded = readMasterDataFolder(SECOND_DEAL, POLICIES);
    expect('data' in loaded ? [] : loaded).toEqual([]);
    const folder = readDealFolder(SECOND_DEAL);
    expect(folder.bankFiles.map(({ name }) => name)).toEqual(['2026-10.camt053.xml', '2026-11.camt053.xml']);
    expect(folder.dealEvent.data.lines.length).toBeGreaterThan(2);
  });

  test('ties within itself', () => {
    expectTies(report);
    expect([...new Set(report.invoices.map(({ lineId }) => lineId))].sort()).toEqual(['N1', 'N2', 'N3', 'N4', 'N5']);
    expect([...new Set(report.invoices.map(({ currency }) => currency))].sort()).toEqual(['CHF', 'GBP']);
  });

  test('shows every breach that the rules name, where it was planted', () => {
    expect(report.policyBreaches.time).toEqual({
      AVERAGE_WEEK_OVER_LIMIT: ['G-02/2026-10-19'],
      BEFORE_CONTRACT_VERSION: ['H-0905'],
      COMPLIANCE_LAPSED: [entry('S-01', '2026-10-27')],
      DAY_OVER_LIMIT: ['G-02/2026-11-06'],
      DUPLICATE_ENTRY: ['H-0901'],
      LATE_SUBMISSION: [entry('S-01', '2026-09-22')],
      MISSING_WEEK: ['G-03/2026-10-19'],
      MONTHLY_OVERTIME_OVER_LIMIT: ['C-01/2026-11'],
      NOT_APPROVED: ['H-0912'],
      RATE_UNRESOLVED: ['H-0906'],
      REST_DAY_UNAPPROVED: ['H-0902'],
      TASK_CLOSED: ['H-0904'],
      WEEK_OVER_LIMIT: ['C-01/2026-11-16'],
    });
    expect(report.policyBreaches.expenses).toEqual({
      CATEGORY_NOT_BILLABLE: ['Z-014'],
      DUPLICATE_EXPENSE: ['Z-007'],
      FIXED_RATE_MISMATCH: ['Z-010'],
      LATE_EXPENSE: ['Z-023'],
      NOT_APPROVED: ['Z-024'],
      OVER_LIMIT: ['Z-008', 'Z-020'],
      OVER_LIMIT_JUSTIFIED: ['Z-011'],
      RECEIPT_MISSING: ['Z-004'],
    });
  });

  test('taxes by the countries and rounds as its sellers do', () => {
    // 33.35 % and 66.65 % of 84,500.01 are 28,180.753… and 56,319.256…: the penny goes to the larger remainder.
    expect(invoice('BRW26-N1-M1')).toMatchObject({ net: '28180.75', taxCategory: 'S', tax: '5636.15', issueDate: '2026-10-06' });
    // Delivered on Friday 30 October, silent for five working days; St Andrew's Day comes later.
    expect(invoice('BRW26-N1-M2')).toMatchObject({ net: '56319.26', issueDate: '2026-11-09', dueDate: '2026-11-30' });
    expect(invoice('BRW26-N4-2026-09')).toMatchObject({ taxCategory: 'O', tax: '0.00' });
    // Rounded down line by line: 8.1 % of 8,530.05 would be 690.93 on the document.
    expect(invoice('BRW26-N3-2026-09')).toMatchObject({ net: '8530.05', tax: '690.91' });
    // An add-on for 21 of 31 days: 1,150 × 21 / 31 = 779.03
    expect(invoice('BRW26-N5-2027-01')).toMatchObject({ net: '10279.03' });
    // Expenses alone make an invoice, in the month after delivery; Epiphany moves it to the 7th.
    expect(invoice('BRW26-N3-2026-12')).toMatchObject({ net: '41.80', issueDate: '2027-01-07' });
  });

  test('parks, releases, corrects and collects', () => {
    const [september, october] = report.notToExceed.runs;
    expect(september).toMatchObject({ limit: '18500.00', billedFees: '18500.00', releasedFromParked: '0.00' });
    expect(october).toMatchObject({ limit: '88250.00', releasedFromParked: september?.newlyParked, parkedAfter: '0.00' });
    // 9 + 9.25 hours at 126.40 are 2,306.80: 16,193.20 in fees less 485.80 (3 %, half-up) and 94.25 in expenses.
    expect(report.corrections.map(({ reference, net }) => [reference, net])).toEqual([
      ['BRW26-N2-2026-09-CN', `-${invoice('BRW26-N2-2026-09')?.net}`],
      ['BRW26-N2-2026-09-R1', '15801.65'],
    ]);
    expect(report.contract.discrepancies.map(({ path }) => path)).toEqual(['lines.N2.notToExceed', 'lines.N4.overageRatePerHour']);
    expect(report.retainer.map(({ rolledOut }) => rolledOut)).toEqual(['3', '0', '0']);
    expect(report.cash.afterEachStatement.map(({ onAccount }) => onAccount.CHF)).toEqual([undefined, '750.00']);
  });
});

function entry(person: string, date: string): string {
  const line = readFileSync(join(SECOND_DEAL, 'timesheets.csv'), 'utf8').split('\n').find((each) => each.includes(`,${person},${date},`)); // prettier-ignore
  return line?.split(',')[0] ?? '';
}
