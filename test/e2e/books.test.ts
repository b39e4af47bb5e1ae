import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parse } from 'csv-parse/sync';
import { verifyBooks } from '../../db/books/verify';
import { figuresOf, type Figures } from '../../simulation/figures';
import { readDealFolder, statementDays } from '../../simulation/folder';
import { playFolder } from '../../simulation/play';
import { type Stage } from '../../simulation/stage';
import { expectedReport } from '../support/expected/report';
import { uniqueName } from '../support/temporal';
import { startInstallation, type Installation } from './installation';

const FOLDER = resolve(__dirname, '..', '..', 'examples', 'reference-deal');
const LINES = ['L1', 'L6'];
const folder = readDealFolder(FOLDER, LINES);
const expected = expectedReport(FOLDER, { lines: LINES });

describe('the books of a fixed fee and a retainer, played over HTTP', () => {
  let installation: Installation;
  let figures: Figures;
  beforeAll(async () => {
    installation = await startInstallation(uniqueName('books'));
    const { dealId } = await playFolder(folder, installation, {
      onBrought: async (key, stage) => {
        if (key === 'forecast/L1/2026-02-28') await bringExpenses(stage);
      },
    });
    figures = await figuresOf(installation.db, dealId, statementDays(folder));
  }, 720_000);
  afterAll(() => installation.close(), 60_000);

  test('recognise each line and month what is recomputed from the input', () => {
    expect(figures.revenue).toEqual(expected.revenue);
  });

  test('show contract assets and liabilities as recomputed', () => {
    expect(figures.contractBalances).toEqual(expected.contractBalances);
  });

  test('state cash, age and interest after each bank file as recomputed', () => {
    const inDollars = expected.cash.afterEachStatement.map((each) => ({ ...each, onAccount: pick(each.onAccount, 'USD') }));
    expect(figures.cash).toEqual({ afterEachStatement: inDollars });
    expect(figures.ageing).toEqual(expected.ageing);
    expect(figures.interest).toEqual(expected.interest);
  });

  test('have the recomputed trial balance at each month end', () => {
    const without = figures.trialBalance.map(({ accounts: _, ...balances }) => balances);
    expect(without).toEqual(expected.books);
    expect(figures.trialBalance.flatMap(({ accounts }) => accounts).length).toBeGreaterThan(0);
  });

  test('tie to documents and payments, and rest when every month is closed', async () => {
    const { valid, ties } = await verifyBooks(installation.db);
    expect(ties.filter(({ broken }) => broken.length > 0)).toEqual([]);
    expect(valid).toBe(true);
    const open = await installation.db.selectFrom('accounting_period').select('period').where('state', '=', 'soft-closed').execute();
    const running = await installation.db.selectFrom('entity_books').select('entity_id').where('state', '=', 'open').execute();
    expect([open, running]).toEqual([[], []]);
    expect(figures.audit).toMatchObject({ verified: true });
  });
});

/** Of several currencies, that of the lines that are played. */
function pick(amounts: Readonly<Record<string, string>>, currency: string): Record<string, string> {
  return Object.fromEntries(Object.entries(amounts).filter(([each]) => each === currency));
}

/** Expenses of the fixed fee are cost; brought again they change nothing. */
async function bringExpenses(stage: Stage): Promise<void> {
  const rows: Record<string, string>[] = parse(readFileSync(join(FOLDER, 'expenses.csv'), 'utf8'), { columns: true });
  const expenses = rows
    .filter((row) => row.line_id === 'L1')
    .map((row) => ({
      expenseId: row.expense_id,
      reportId: row.report_id || null,
      personId: row.person_id,
      lineId: row.line_id,
      spendDate: row.spend_date,
      country: row.country,
      category: row.category,
      quantity: row.quantity,
      unit: row.unit,
      currency: row.currency,
      amountGross: row.amount_gross,
      recoverableTax: row.recoverable_tax,
      receipt: row.receipt === 'Y',
      justification: row.justification || null,
      billable: row.billable === 'Y',
      status: row.status,
      submittedAt: row.submitted_at,
      approvedAt: row.approved_at || null,
      approvedBy: row.approved_by || null,
    }));
  await stage.write('U-PM-US', 'POST', `/v1/deals/${await stage.dealId()}/expenses`, 'expenses-of-L1', expenses);
}
