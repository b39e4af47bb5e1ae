import { type Kysely } from 'kysely';
import { type InvoiceDocument } from '../contracts/invoice-document';
import { canonicalJson } from '../domain/canonical-json';
import { type Instant } from '../domain/deal/terms';
import { sha256 } from './hash';
import { type DB } from './types';

export interface DocumentFile {
  readonly bytes: Buffer;
  readonly sha256: string;
}

/** Keeps what stands on a document and gives its hash; what is there already stays. */
export async function keepDocument(db: Kysely<DB>, invoiceId: string, document: InvoiceDocument, at: Instant): Promise<string> {
  const content = canonicalJson(document);
  const hash = sha256(content);
  await db
    .insertInto('invoice_document')
    .values({ invoice_id: invoiceId, content, sha256: hash, created_at: at })
    .onConflict((conflict) => conflict.doNothing())
    .execute();
  return hash;
}

/** What was fixed with the number; undefined for a document that got its number before documents were kept. Throws where it was changed. */
export async function keptDocument(db: Kysely<DB>, invoiceId: string): Promise<InvoiceDocument | undefined> {
  const row = await db.selectFrom('invoice_document').selectAll().where('invoice_id', '=', invoiceId).executeTakeFirst();
  if (row === undefined) return undefined;
  if (sha256(row.content) !== row.sha256) throw new Error(`the document of invoice ${invoiceId} was changed`);
  return JSON.parse(row.content) as InvoiceDocument;
}

export async function documentFile(db: Kysely<DB>, invoiceId: string, kind: 'pdf'): Promise<DocumentFile | undefined> {
  return db
    .selectFrom('invoice_document_file')
    .select(['bytes', 'sha256'])
    .where('invoice_id', '=', invoiceId)
    .where('kind', '=', kind)
    .executeTakeFirst();
}

/** Keeps the file that was made first, and gives that one to everybody. */
export async function keepDocumentFile(
  db: Kysely<DB>,
  { invoiceId, kind, file, at }: { invoiceId: string; kind: 'pdf'; file: DocumentFile; at: Instant },
): Promise<DocumentFile> {
  await db
    .insertInto('invoice_document_file')
    .values({ invoice_id: invoiceId, kind, bytes: file.bytes, sha256: file.sha256, created_at: at })
    .onConflict((conflict) => conflict.doNothing())
    .execute();
  const kept = await documentFile(db, invoiceId, kind);
  if (kept === undefined) throw new Error(`the file of invoice ${invoiceId} was not kept`);
  return kept;
}
