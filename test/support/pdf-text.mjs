// Reads the PDFs that its parent sends and answers with their pages: each a list of rows, each row the texts that stand on one height from
// left to right. Ends with its parent.
import { getDocument } from 'pdfjs-dist/legacy/build/pdf.mjs';

process.on('message', async ({ number, bytes }) => {
  try {
    process.send({ number, pdf: await read(bytes) });
  } catch (error) {
    process.send({ number, problem: String(error) });
  }
});
process.once('disconnect', () => process.exit(0));

async function read(bytes) {
  const pdf = await getDocument({ data: new Uint8Array(bytes), verbosity: 0 }).promise;
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
  await pdf.destroy();
  return { pages, title: info.Title, created: info.CreationDate };
}
