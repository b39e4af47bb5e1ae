import { type ChildProcess, fork } from 'node:child_process';
import { join } from 'node:path';

export interface ReadPdf {
  readonly title: string;
  readonly created: string;
  /** Rows of each page from top to bottom, the texts of a row from left to right. */
  readonly pages: readonly (readonly (readonly string[])[])[];
}

type Answer = { readonly number: number; readonly pdf: ReadPdf } | { readonly number: number; readonly problem: string };

/** Reads a PDF back with a library of others; in a process of its own, because that library is an ES module only. One serves all tests. */
export async function readPdf(bytes: Buffer): Promise<ReadPdf> {
  const child = readerProcess();
  const number = (asked += 1);
  const answer = await new Promise<Answer>((resolve) => {
    waiting.set(number, resolve);
    child.channel?.ref();
    child.send({ number, bytes });
  });
  if ('problem' in answer) throw new Error(`the PDF cannot be read: ${answer.problem}`);
  return answer.pdf;
}

let asked = 0;
let reader: ChildProcess | undefined;
const waiting = new Map<number, (answer: Answer) => void>();

/** It keeps nobody alive while nothing is asked of it, and ends with this process. */
function readerProcess(): ChildProcess {
  if (reader?.connected === true) return reader;
  const child = fork(join(__dirname, 'pdf-text.mjs'), { serialization: 'advanced', execArgv: [] });
  child.on('message', (answer: Answer) => {
    waiting.get(answer.number)?.(answer);
    waiting.delete(answer.number);
    if (waiting.size === 0) child.channel?.unref();
  });
  child.once('exit', () => {
    for (const [number, answered] of waiting) answered({ number, problem: 'its reader has ended' });
    waiting.clear();
  });
  child.unref();
  reader = child;
  return child;
}

/** All rows of all pages, each as one text. */
export function rowsOf(pdf: ReadPdf): string[] {
  return pdf.pages.flatMap((page) => page.map((row) => row.join(' ').replace(/\s+/g, ' ')));
}
