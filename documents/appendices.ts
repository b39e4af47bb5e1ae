import { type InvoiceDocument } from '../contracts/invoice-document';
import { sum } from '../domain/decimal';
import { amountText, dateText, priceText, quantityText } from './format';
import { ACCENT, MUTED, type Sheet } from './sheet';
import { table } from './table';

/** The work and the expenses behind the lines, entry by entry, each on pages of its own. Notes of people are not printed. */
export async function appendices(sheet: Sheet, document: InvoiceDocument): Promise<void> {
  const { time, expenses } = document;
  if (time.length > 0) await timeAppendix(sheet, document);
  if (expenses.length > 0) await expenseAppendix(sheet, document, time.length > 0 ? 'B' : 'A');
}

async function timeAppendix(sheet: Sheet, { time, currency, number }: InvoiceDocument): Promise<void> {
  await title(
    sheet,
    'Appendix A: time',
    `Every entry that ${number} bills, by day. Hours and amounts are what this document bills of the entry.`,
  );
  const columns = [
    { title: 'Date', share: 17 },
    { title: 'Person', share: 26 },
    { title: 'Role', share: 18 },
    { title: 'Hours', share: 11, align: 'right' },
    { title: `Rate ${currency}`, share: 15, align: 'right' },
    { title: `Amount ${currency}`, share: 17, align: 'right' },
  ] as const;
  const rows = time.map((row) => [
    dateText(row.date),
    row.person,
    row.roleCode,
    quantityText(row.hours),
    row.unitPrice === null ? '' : priceText(row.unitPrice, currency),
    row.amountMinor === null ? '' : amountText(row.amountMinor, currency),
  ]);
  const hours = quantityText(sum(time.map((row) => row.hours)));
  await table(sheet, columns, rows, ['Total', '', '', hours, '', totalOf(time, currency)]);
}

async function expenseAppendix(sheet: Sheet, { expenses, currency, number }: InvoiceDocument, letter: string): Promise<void> {
  await title(sheet, `Appendix ${letter}: expenses`, `Every expense that ${number} bills, as it was spent and as it is billed.`);
  const columns = [
    { title: 'Date', share: 17 },
    { title: 'Person', share: 24 },
    { title: 'Category', share: 21 },
    { title: 'Country', share: 11 },
    { title: 'Spent', share: 21, align: 'right' },
    { title: `Amount ${currency}`, share: 18, align: 'right' },
  ] as const;
  const rows = expenses.map((row) => [
    dateText(row.date),
    row.person,
    row.category,
    row.country,
    `${row.spent.currency} ${amountText(row.spent.minor, row.spent.currency)}`,
    row.amountMinor === null ? '' : amountText(row.amountMinor, currency),
  ]);
  await table(sheet, columns, rows, ['Total', '', '', '', '', totalOf(expenses, currency)]);
}

async function title(sheet: Sheet, text: string, explanation: string): Promise<void> {
  await sheet.newPage();
  await sheet.paragraph(text, { size: 13, bold: true, color: ACCENT });
  await sheet.paragraph(explanation, { size: 8, color: MUTED });
  sheet.y += 8;
}

/** The sum where every row has an amount; none where one is not told. */
function totalOf(rows: readonly { readonly amountMinor: number | null }[], currency: string): string {
  if (rows.some((row) => row.amountMinor === null)) return '';
  return amountText(
    rows.reduce((total, row) => total + (row.amountMinor ?? 0), 0),
    currency,
  );
}
