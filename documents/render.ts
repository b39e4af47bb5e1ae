import { type InvoiceDocument } from '../contracts/invoice-document';
import { appendices } from './appendices';
import { head } from './head';
import { openSheet } from './sheet';
import { payment, positions, totals } from './sums';
import { registrationName, titleOf } from './wording';

/** Countries where people print on Letter. */
const LETTER = new Set(['US', 'CA', 'MX', 'PH', 'CL', 'CO', 'VE']);

/** The PDF of a document. The same document gives the same bytes: no clock, no chance, no place of its own. */
export async function renderPdf(document: InvoiceDocument): Promise<Buffer> {
  const title = titleOf(document);
  const sheet = await openSheet({
    title: `${title} ${document.number}`,
    author: document.seller.name,
    createdAt: new Date(document.issuedAt),
    size: LETTER.has(document.seller.country) ? 'LETTER' : 'A4',
  });
  head(sheet, document);
  await positions(sheet, document);
  await totals(sheet, document);
  await payment(sheet, document);
  await appendices(sheet, document);
  const registrations = document.seller.registrations.map(({ type, value }) => `${registrationName(type)} ${value}`);
  const { name, legalForm } = document.seller;
  const seller = [name, ...(name.includes(legalForm) ? [] : [legalForm]), ...registrations].join(' · ');
  return sheet.finish((page, pages) => ({ left: seller, right: `${title} ${document.number} · Page ${page} of ${pages}` }));
}
