import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join, resolve } from 'node:path';
import { text } from 'node:stream/consumers';

export interface ReadPdf {
  readonly title: string;
  readonly created: string;
  /** Rows of each page from top to bottom, the texts of a row from left to right. */
  readonly pages: readonly (readonly (readonly string[])[])[];
}

/** Reads a PDF back with a library of others; in a process of its own, because that library is an ES module only. */
export async function readPdf(bytes: Buffer): Promise<ReadPdf> {
  const child = spawn(process.execPath, [join(__dirname, 'pdf-text.mjs')], { cwd: resolve(__dirname, '..', '..') });
  child.stdin.end(bytes);
  const [out, problems] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
  if (out === '') throw new Error(`the PDF cannot be read: ${problems}`);
  return JSON.parse(out) as ReadPdf;
}

/** All rows of all pages, each as one text. */
export function rowsOf(pdf: ReadPdf): string[] {
  return pdf.pages.flatMap((page) => page.map((row) => row.join(' ').replace(/\s+/g, ' ')));
}
