import { createHash } from 'node:crypto';
import { type InvoiceDocument } from '../contracts/invoice-document';
import { documentFacts } from '../db/document-facts';
import { documentFile, keepDocument, keepDocumentFile, keptDocument, type DocumentFile } from '../db/invoice-documents';
import { type InvoiceRow } from '../db/reads/invoices';
import { composeDocument } from '../documents/compose';
import { renderPdf } from '../documents/render';
import { isViolation } from '../domain/violation';
import { type RouteDeps } from './deps';
import { ApiError, refused } from './errors';

/**
 * The PDF of an issued invoice or credit note: made of its fixed document when somebody asks first, then kept. Refused with
 * `InvoiceNotIssued` for a draft, which has neither number nor date and must not be taken for an invoice.
 */
export async function pdfOf(deps: RouteDeps, invoice: InvoiceRow): Promise<DocumentFile> {
  const { db } = deps;
  const kept = await documentFile(db, invoice.id, 'pdf');
  if (kept !== undefined) return unchanged(invoice.id, kept);
  const document = (await keptDocument(db, invoice.id)) ?? (await composedLate(deps, invoice));
  const bytes = await renderPdf(document);
  const file = { bytes, sha256: sha256(bytes) };
  const at = await deps.clock.now();
  return unchanged(invoice.id, await keepDocumentFile(db, { invoiceId: invoice.id, kind: 'pdf', file, at }));
}

/** `inline`, with the number as a name that every system takes. */
export function dispositionOf({ number }: InvoiceRow): string {
  const name = (number ?? '').replace(/[^A-Za-z0-9._-]+/g, '-').replace(/^[.-]+/, '');
  return `inline; filename="${name === '' ? 'document' : name}.pdf"`;
}

/** The document of an invoice that got its number before documents were kept: as its rows say today, and from then on fixed. */
async function composedLate({ db, clock }: RouteDeps, invoice: InvoiceRow): Promise<InvoiceDocument> {
  const { number, issue_date: issueDate, due_date: dueDate } = invoice;
  if (number === null || issueDate === null || dueDate === null) throw new ApiError('InvoiceNotIssued', `the invoice is ${invoice.state}`);
  const facts = await documentFacts(db, invoice, issueDate);
  const document = composeDocument(facts, { number, issueDate, dueDate, issuedAt: `${issueDate}T00:00:00.000Z` });
  if (isViolation(document)) throw refused(document);
  await keepDocument(db, invoice.id, document, await clock.now());
  return (await keptDocument(db, invoice.id)) ?? document;
}

function unchanged(invoiceId: string, file: DocumentFile): DocumentFile {
  if (sha256(file.bytes) !== file.sha256) throw new Error(`the file of invoice ${invoiceId} was changed`);
  return file;
}

function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}
