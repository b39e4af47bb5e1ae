import { type InvoiceDocument } from '../contracts/invoice-document';
import { amountText, dateText, ibanText, priceText, quantityText } from './format';
import { ACCENT, BAND, lineHeight, MUTED, type Sheet, type Style } from './sheet';
import { pairs, table } from './table';
import { categoryName, taxName, taxReason } from './wording';

const LABEL: Style = { size: 7.5, bold: true, color: ACCENT };
const NOTE: Style = { size: 8, color: MUTED };

/** The lines of the document. */
export async function positions(sheet: Sheet, document: InvoiceDocument): Promise<void> {
  const { currency } = document;
  const columns = [
    { title: '#', share: 3, align: 'right' },
    { title: 'Description', share: 44 },
    { title: 'Quantity', share: 11, align: 'right' },
    { title: 'Unit', share: 9 },
    { title: 'Unit price', share: 14, align: 'right' },
    { title: `Net ${currency}`, share: 17, align: 'right' },
  ] as const;
  const rows = document.lines.map((line, index) => [
    String(index + 1),
    line.person === null ? line.description : `${line.description} · ${line.person}`,
    line.quantity === null ? '' : quantityText(line.quantity),
    line.unit ?? '',
    line.unitPrice === null ? '' : priceText(line.unitPrice, currency),
    amountText(line.netMinor, currency),
  ]);
  await table(sheet, columns, rows);
}

/** Tax by category with the reason where there is none, and what it comes to. */
export async function totals(sheet: Sheet, document: InvoiceDocument): Promise<void> {
  const { currency, discountMinor, netMinor, taxMinor, totalMinor, taxInSellerCurrency: home } = document;
  const tax = taxName(document.seller);
  const sums: [string, string][] = [];
  if (discountMinor !== 0) {
    sums.push(['Before discount', amountText(netMinor + discountMinor, currency)], ['Discount', amountText(-discountMinor, currency)]);
  }
  sums.push(['Net', amountText(netMinor, currency)], [tax, amountText(taxMinor, currency)]);
  await sheet.keep(150);
  await sumBlock(sheet, sums, [
    `${document.kind === 'invoice' ? 'Total' : 'Total credited'} ${currency}`,
    amountText(totalMinor, currency),
  ]);
  const columns = [
    { title: `${tax} category`, share: 46 },
    { title: `Net ${currency}`, share: 18, align: 'right' },
    { title: 'Rate', share: 16, align: 'right' },
    { title: `${tax} ${currency}`, share: 20, align: 'right' },
  ] as const;
  const rows = document.taxes.map((each) => [
    categoryName(each),
    amountText(each.netMinor, currency),
    `${each.ratePercent} %`,
    amountText(each.taxMinor, currency),
  ]);
  await table(sheet, columns, rows);
  for (const reason of document.taxes.flatMap((each) => taxReason(each) ?? [])) await sheet.paragraph(reason, NOTE);
  if (home !== null) {
    const amount = `${home.currency} ${amountText(home.minor, home.currency)}`;
    await sheet.paragraph(`${tax} in ${home.currency}: ${amount}, at the reference rate of ${dateText(home.rateAsOf)}.`, NOTE);
  }
  sheet.y += 8;
}

async function sumBlock(
  sheet: Sheet,
  sums: readonly (readonly [string, string])[],
  [title, total]: readonly [string, string],
): Promise<void> {
  const width = sheet.width * 0.46;
  const x = sheet.right - width;
  const plain: Style = { size: 8.5 };
  for (const [name, value] of sums) {
    sheet.text(name, x + 8, sheet.y, width / 2, { ...plain, color: MUTED });
    sheet.text(value, x + width / 2, sheet.y, width / 2 - 3, { ...plain, align: 'right' });
    sheet.y += lineHeight(plain) + 2;
  }
  const strong: Style = { size: 10.5, bold: true, color: ACCENT };
  sheet.band(x, sheet.y, width, lineHeight(strong) + 8, BAND);
  sheet.text(title, x + 8, sheet.y + 4, width / 2, strong);
  sheet.text(total, x + width / 2 - 20, sheet.y + 4, width / 2 + 17, { ...strong, align: 'right' });
  sheet.y += lineHeight(strong) + 20;
}

/** How to pay, or what becomes of a credit. */
export async function payment(sheet: Sheet, document: InvoiceDocument): Promise<void> {
  await sheet.keep(90);
  if (document.kind === 'credit-note') {
    const corrected = document.corrects.map((each) => `${each.number} of ${dateText(each.issueDate)}`).join(', ');
    const what = corrected === '' ? 'This credit note' : `This credit note corrects invoice ${corrected}. It`;
    await sheet.paragraph(`${what} credits the amount to your account; nothing is to be paid.`, NOTE);
    return;
  }
  const { seller, currency } = document;
  sheet.y += sheet.text('Payment', sheet.left, sheet.y, sheet.width, LABEL) + 2;
  const total = `${currency} ${amountText(document.totalMinor, currency)}`;
  await sheet.paragraph(`Please pay ${total} by ${dateText(document.dueDate)} and quote ${document.reference}.`, { size: 8.5 });
  sheet.y += 3;
  const account = seller.bankAccount;
  if (account === null) return;
  const entries = [
    ['Account holder', seller.name],
    ['Bank', account.bankName ?? null],
    ['IBAN', account.iban === undefined ? null : ibanText(account.iban)],
    ['Account', account.iban === undefined ? (account.account ?? null) : null],
    ['Routing', account.routing ?? null],
    ['BIC', account.bic ?? null],
    ['Payment reference', document.reference],
  ] as const;
  await sheet.keep(entries.length * 12);
  sheet.y += pairs(sheet, entries, { x: sheet.left, y: sheet.y, width: sheet.width, nameWidth: 96 });
}
