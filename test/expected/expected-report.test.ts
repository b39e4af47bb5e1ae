import { resolve } from 'node:path';
import { readFileSync } from 'node:fs';
import { domesticRates } from '../support/expected/document';
import { exchangeOf } from '../support/expected/exchange';
import { checkedExpenses, netOf } from '../support/expected/expenses';
import { expectedFigures, partiesOf } from '../support/expected/figures';
import { minorOf, plain } from '../support/expected/fraction';
import { priceOf } from '../support/expected/pricing';
import { expectedReport, type ExpectedReport } from '../support/expected/report';
import { runsOf } from '../support/expected/runs';
import { readWholeFolder } from '../support/expected/whole-folder';
import { expectTies } from './ties';

const FOLDER = resolve(__dirname, '..', '..', 'examples', 'reference-deal');
const folder = readWholeFolder(FOLDER);
const exchange = exchangeOf(folder.fxRates);
const expenses = checkedExpenses(folder, exchange);

const started = performance.now();
const report = expectedReport(FOLDER);
const seconds = (performance.now() - started) / 1000;

const lineOf = (id: string) => folder.deal.lines.find((line) => line.id === id) ?? fail(`no line ${id}`);
const entryOf = (id: string) => folder.time.find((row) => row.entry_id === id) ?? fail(`no entry ${id}`);
const runOf = (lineId: string, period: string) => {
  const runs = runsOf(folder, partiesOf(folder, lineOf(lineId)), exchange, expenses);
  return runs.find((run) => run.period === period) ?? fail(`no run ${period}`);
};
const invoice = (reference: string, from: ExpectedReport = report) =>
  from.invoices.find((each) => each.reference === reference) ?? fail(`no invoice ${reference}`);
const billedIn = (lineId: string, period: string): (string | undefined)[] =>
  runOf(lineId, period).parts.map(({ item }) => item.row.entry_id);

describe('the recomputed report of the reference deal', () => {
  test('is there in under ten seconds and ties within itself', () => {
    expect(seconds).toBeLessThan(10);
    expectTies(report);
  });

  test('has every line, both corrections and every kind of figure', () => {
    expect([...new Set(report.invoices.map(({ lineId }) => lineId))].sort()).toEqual(['L1', 'L2', 'L3', 'L4', 'L5', 'L6', 'L7']);
    expect(report.corrections.map(({ reference }) => reference)).toEqual(['TSR26-L2-2026-03-CN', 'TSR26-L2-2026-03-R1']);
    for (const [name, figure] of Object.entries(report)) expect([name, Object.keys(figure as object).length > 0]).toEqual([name, true]);
  });

  test('agrees to the cent with the payments and promises that the customers made', () => {
    const promised = (JSON.parse(readFileSync(resolve(FOLDER, 'disputes-and-promises.json'), 'utf8')) as { promises: { invoice: string; amount: string }[] }).promises; // prettier-ignore
    expect(promised.map((each) => invoice(each.invoice).total)).toEqual(promised.map(({ amount }) => amount));
    expect(promised).toHaveLength(2);
  });
});

describe('cases of the reference deal worked out by hand', () => {
  test('the entry that crosses a cap is split by amount, and the queue runs on when the cap rises', () => {
    // Until the queue comes to TE-02829 the line has billed 999,954.52. Four hours of a role that the customer's card lacks, at 151.00 of the
    // entity's list, are 604.00: 45.48 fit below 1,000,000.00, 558.52 wait for the change order of 20 July.
    const crossing = runOf('L3', '2026-06').parts.at(-1);
    expect([crossing?.item.row.entry_id, crossing?.item.amount, crossing?.amount]).toEqual(['TE-02829', 60400n, 4548n]);
    const released = runOf('L3', '2026-07').parts[0];
    expect([released?.item.row.entry_id, released?.amount]).toEqual(['TE-02829', 55852n]);
    const runs = report.notToExceed.runs.filter(({ lineId }) => lineId === 'L3');
    expect(runs.find(({ period }) => period === '2026-06')).toMatchObject({ limit: '1000000.00', billedToDate: '1000000.00', parkedAfter: '52230.55' }); // prettier-ignore
    expect(runs.find(({ period }) => period === '2026-07')).toMatchObject({ limit: '1865000.00', releasedFromParked: '52230.55', parkedAfter: '0.00' }); // prettier-ignore
    // 80 % of 1,000,000 is passed in June; the higher cap does not report it again.
    expect(report.notToExceed.softLimits.filter(({ lineId }) => lineId === 'L3')).toHaveLength(1);
  });

  test('tax of a yen invoice is rounded down on the document', () => {
    // 11,588,643 × 10 % = 1,158,864.3
    expect(invoice('TSR26-L7-2026-04')).toMatchObject({ net: '11588643', tax: '1158864', total: '12747507' });
  });

  test('approval at the first moments of the 6th, local time, moves an entry to the next run', () => {
    // 2026-06-05T16:00:10Z is ten seconds past midnight of 6 June in Singapore; TE-01974 was worked on 25 May.
    expect(entryOf('TE-01974')).toMatchObject({ work_date: '2026-05-25', approved_at: '2026-06-05T16:00:10Z' });
    expect(billedIn('L4', '2026-05')).not.toContain('TE-01974');
    expect(billedIn('L4', '2026-06')).toContain('TE-01974');
    // 2026-09-05T22:10Z is ten past midnight of 6 September in Frankfurt.
    expect(billedIn('L3', '2026-08')).not.toContain('TE-04500');
    expect(billedIn('L3', '2026-09')).toContain('TE-04500');
  });

  test('on-site and overtime uplifts are added, and only the amount is rounded', () => {
    // 252.54 × (1 + (20 + 7.5) / 100) = 321.9885; × 1.5 h = 482.98275
    const price = priceOf(folder, lineOf('L4'), entryOf('TE-02086'));
    expect([price?.rateId, plain(price?.unitPrice ?? fail('no price')), price?.amount]).toEqual(['R-0073', '321.9885', 48298n]);
  });

  test('a duplicate and a redelivery count once', () => {
    // TE-05328 repeats TE-04039 eleven minutes later; TE-02829 came twice under one id and is no breach.
    expect(report.policyBreaches.time.DUPLICATE_ENTRY).toEqual(['TE-05328', 'TE-05329', 'TE-05330', 'TE-05331', 'TE-05332']);
    expect(billedIn('L2', '2026-08')).not.toContain('TE-05328');
    expect(billedIn('L3', '2026-06').filter((id) => id === 'TE-02829')).toHaveLength(1);
  });

  test('an expense goes through the euro at the latest rate on or before its date', () => {
    const expense = (id: string) => folder.expenses.find((row) => row.expense_id === id) ?? fail(id);
    // Easter Monday has no rate; that of 2 April is 0.8410: 139.84 / 0.8410 = 166.278… EUR.
    expect(netOf(expense('EX-0104'), exchange, 'EUR')).toBe(16628n);
    // 1,219.49 SGD × 178.55 / 1.5470 = 140,749.8… JPY
    expect(netOf(expense('EX-0139'), exchange, 'JPY')).toBe(140750n);
  });

  test('silence is acceptance at the end of the tenth working day of the customer', () => {
    // Delivered 13 May 2026 (18:00 in New York); 25 May is a holiday, so the tenth working day is 28 May and the invoice is of the 29th.
    expect(report.acceptances.find(({ acceptance }) => acceptance === 'deemed')).toMatchObject({ milestoneId: 'L1-M3', acceptedOn: '2026-05-28' }); // prettier-ignore
    expect(invoice('TSR26-L1-M3')).toMatchObject({ period: '2026-05', issueDate: '2026-05-29', dueDate: '2026-06-28' });
  });

  test('a small rest is written off, an excess and an unexplained payment stay on account', () => {
    // 128,895.57 − 128,860.57 = 35.00, below 50.00 and 0.5 %; 196,483.52 − 195,283.52 = 1,200.00 too much.
    const [, may, june] = report.cash.afterEachStatement;
    expect(may?.openInvoices.map(({ reference }) => reference)).not.toContain('TSR26-L4-2026-03');
    expect(report.books.find(({ asOf, entity }) => asOf === '2026-05-31' && entity === 'LE-SG')?.bankCharges).toBe('35.00');
    expect(may?.onAccount).toEqual({ EUR: '1200.00' });
    expect(june?.onAccount).toEqual({ EUR: '1200.00', SGD: '5000.00' });
  });

  test('a returned payment was never made, and interest runs through it', () => {
    // Due 5 June, paid on the 8th, returned on the 10th: open for 25 days on the 30th. 253,045.26 × 25 × 0.08 / 365 = 1,386.5493…
    const june = report.cash.afterEachStatement.at(-1);
    expect(june?.openInvoices).toContainEqual({ reference: 'TSR26-L2-2026-04', open: '253045.26', daysOverdue: 25 });
    expect(report.interest).toContainEqual({ asOf: '2026-06-30', reference: 'TSR26-L2-2026-04', currency: 'USD', amount: '1386.55' });
    // In two parts: 104,520.44 on the due date, 12,480.00 still open 55 days after it: 12,480 × 55 × 0.08 / 365 = 150.4438…
    expect(report.interest).toContainEqual({ asOf: '2026-06-30', reference: 'TSR26-L2-2026-03', currency: 'USD', amount: '150.44' });
  });

  test('the rebill leaves out what was found not billable and discounts anew', () => {
    // Five days of eight hours at 170.20 are 6,808.00, less 2.5 % 6,637.80; 117,000.44 − 6,637.80 = 110,362.64, due when the invoice was.
    const [credit, rebill] = report.corrections;
    expect(credit).toMatchObject({ kind: 'credit-note', net: '-117000.44', total: '-117000.44', issueDate: '2026-07-10' });
    expect(rebill).toMatchObject({ kind: 'invoice', net: '110362.64', dueDate: '2026-05-06' });
  });

  test('an add-on is paid by day in its first month, and revenue follows the days', () => {
    // January: 4,200 × 14 / 31 = 1,896.774… beside 18,000; from February in full.
    expect(invoice('TSR26-L5-2027-01').net).toBe('19896.77');
    expect(invoice('TSR26-L5-2027-02').net).toBe('22200.00');
    // Revenue of January: fees 72,789.04 − 54,443.84 (123 and 92 of 365 days), add-on 35,496.77 × 14 / 256 = 1,941.23, tickets 2,322.00, credit 900.00.
    expect(report.revenue.byLineMonth.L5?.['2027-01']).toBe('21708.43');
  });
});

describe('cuts', () => {
  test('to the lines without time and materials give what the smaller recomputation gives', () => {
    const cut = expectedReport(FOLDER, { lines: ['L1', 'L5', 'L6'], withoutChangeOrders: true });
    const smaller = expectedFigures(FOLDER);
    expect(cut.invoices).toEqual(smaller.invoices);
    expect(cut.acceptances).toEqual(smaller.acceptances);
    expect(cut.cash.afterEachStatement.map(({ asOf, openInvoices }) => [asOf, openInvoices.map(({ open }) => open)])).toEqual(
      smaller.receivables.map(({ asOf, open }) => [asOf, open.map((each) => each.open)]),
    );
    expectTies(cut);
  });

  test('without change orders keep the first cap, the old rates and the tasks of the first version', () => {
    const cut = expectedReport(FOLDER, { lines: ['L3'], withoutChangeOrders: true });
    const [last] = cut.notToExceed.runs.slice(-1);
    expect(last).toMatchObject({ limit: '1000000.00', billedToDate: '1000000.00' });
    expect(minorOf(last?.parkedAfter ?? '0', 'EUR')).toBeGreaterThan(0n);
    expect(cut.policyBreaches.time).not.toHaveProperty('BEFORE_CONTRACT_VERSION');
    expectTies(cut);
  });
});

test('tax rates are those of the standard policy', () => {
  interface Rate {
    readonly country: string;
    readonly ratePercent: string;
    readonly validTo: string | null;
  }
  const policy = JSON.parse(readFileSync(resolve(__dirname, '..', '..', 'policies', 'tax-rates.json'), 'utf8')) as { rates: Rate[] };
  const inForce = policy.rates.filter(({ validTo, ratePercent }) => validTo === null && ratePercent !== '0');
  expect(Object.fromEntries(inForce.map(({ country, ratePercent }) => [country, ratePercent]))).toEqual(domesticRates);
});

function fail(message: string): never {
  throw new Error(message);
}
