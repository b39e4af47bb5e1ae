// Reads a PDF on stdin and writes its pages as JSON: each a list of rows, each row the texts that stand on one height from left to right.
import { getDocument } from 'pdfjs-dist/legacy/build/pdf.mjs';

const chunks = [];
for await (const chunk of process.stdin) chunks.push(chunk);
const pdf = await getDocument({ data: new Uint8Array(Buffer.concat(chunks)), verbosity: 0 }).promise;
const pages = [];
for (let number = 1; number <= pdf.numPages; number += 1) {
  const { items } = await (await pdf.getPage(number)).getTextContent();
  const rows = new Map();
  for (const { str, transform } of items) {
    if (str.trim() === '') continue;
    const height = Math.round(transform[5] * 2);
    rows.set(height, [...(rows.get(height) ?? []), { x: transform[4], str }]);
  }
  const inOrder = [...rows].sort(([a], [b]) => b - a);
  pages.push(inOrder.map(([, row]) => row.sort((a, b) => a.x - b.x).map(({ str }) => str)));
}
const { info } = await pdf.getMetadata();
process.stdout.write(JSON.stringify({ pages, title: info.Title, created: info.CreationDate }));
