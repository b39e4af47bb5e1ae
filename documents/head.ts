import { type DocumentParty, type InvoiceDocument } from '../contracts/invoice-document';
import { dateText, periodText } from './format';
import { ACCENT, INK, MUTED, type Sheet, type Style } from './sheet';
import { pairs } from './table';
import { registrationName, titleOf } from './wording';

const SMALL: Style = { size: 8, color: MUTED };
const PLAIN: Style = { size: 8.5, color: INK };
const LABEL: Style = { size: 7.5, bold: true, color: ACCENT };

/** Who sells, what this is, who buys, and what it is about. What is longer than any envelope takes is cut, and seen to be. */
export function head(sheet: Sheet, document: InvoiceDocument): void {
  const half = sheet.width / 2 - 12;
  const middle = sheet.left + sheet.width / 2 + 12;
  const top = sheet.y;
  const seller = partyLines(sheet, document.seller, half);
  let left = top;
  left += sheet.text(document.seller.name, sheet.left, left, half, { size: 13, bold: true, color: ACCENT, atMost: 4 });
  left += sheet.lines(seller, sheet.left, left + 2, half, SMALL) + 2;
  let right = top;
  right += sheet.text(titleOf(document), middle, right, half, { size: 20, color: ACCENT, align: 'right' });
  right += sheet.text(document.number, middle, right, half, { size: 10, bold: true, align: 'right', atMost: 4 });
  sheet.y = Math.max(left, right) + 12;
  sheet.rule(sheet.y, sheet.left, sheet.right, 1.2, ACCENT);
  sheet.y += 12;

  const start = sheet.y;
  let y = start + sheet.text('Bill to', sheet.left, start, half, LABEL) + 2;
  y += sheet.text(document.buyer.name, sheet.left, y, half, { size: 10, bold: true, atMost: 4 }) + 1;
  y += sheet.lines(partyLines(sheet, document.buyer, half), sheet.left, y, half, PLAIN);
  const facts = pairs(sheet, factsOf(document), { x: middle, y: start, width: half, nameWidth: 96 });
  sheet.y = Math.max(y, start + facts) + 16;
}

function partyLines(sheet: Sheet, party: DocumentParty, width: number): string[] {
  const registrations = party.registrations.map(({ type, value }) => `${registrationName(type)} ${value}`);
  return [...party.address, ...registrations].flatMap((line) => sheet.fit(line, width, { ...PLAIN, atMost: 3 })).slice(0, 16);
}

function factsOf(document: InvoiceDocument): (readonly [string, string | null])[] {
  const { buyer, contract, kind, supply } = document;
  const corrected = document.corrects.map((each) => `${each.number} of ${dateText(each.issueDate)}`).join(', ');
  return [
    ['Number', document.number],
    ['Date of issue', dateText(document.issueDate)],
    [supply.from === supply.to ? 'Date of supply' : 'Supply period', periodText(supply)],
    ['Due date', kind === 'invoice' ? dateText(document.dueDate) : null],
    ['Payment terms', kind === 'invoice' ? termsText(document.paymentTermsDays) : null],
    ['Corrects invoice', corrected],
    ['Our reference', document.reference],
    ['Your reference', buyer.buyerReference],
    ['Purchase order', buyer.purchaseOrder],
    ['Contract', `${contract.number}, version ${contract.version}`],
    ['Service', `${contract.lineId}: ${contract.lineName}`],
    ['Currency', document.currency],
  ];
}

/** A rebill keeps the due date of the invoice that it replaces, which may have passed. */
function termsText(days: number): string | null {
  if (days < 0) return null;
  return days === 0 ? 'On receipt' : `${days} days from the date of issue, net`;
}
