import { type InvoiceDocument } from '../../contracts/invoice-document';
import { printable, wrapped, type Typeface } from '../../documents/printable';
import { renderPdf } from '../../documents/render';
import { invoiceDocument } from '../support/invoice-document';
import { readPdf, rowsOf } from '../support/read-pdf';

const rowsIn = async (document: InvoiceDocument): Promise<string[]> => rowsOf(await readPdf(await renderPdf(document)));

describe('what a customer reads', () => {
  test('names both parties with their registrations, numbers, dates, orders, contract, bank and what to quote', async () => {
    const rows = await rowsIn(invoiceDocument());
    const wanted = ['Seller GmbH', 'Invoice', 'LE-X-INV-000007', 'Buyer SAS', 'VAT ID DE813742901', 'VAT ID FR42918730466', '14 quai', '69002 Lyon', 'France', '6 Mar 2026', '1 Feb 2026 – 28 Feb 2026', '5 Apr 2026', '30 days from the date of issue, net', 'X-A-2026-02', 'AP-1', 'PO-1', 'CT-1, version 2', 'A: Advice', 'DE60 9999 0010 0048 1920 37', 'FHLWDEFFXXX', 'Bank AG', 'Please pay EUR 1,000.00 by 5 Apr 2026 and quote X-A-2026-02.', 'Page 1 of 1']; // prettier-ignore
    expect(wanted.filter((text) => !rows.some((row) => row.includes(text)))).toEqual([]);
    expect(rows).toContain('1 Advice 2026-02 1 month 1,000.00 1,000.00');
  });

  test.each([
    ['AE', 'VATEX-EU-AE', 'Reverse charge: the customer is liable for the tax (article 196 of Directive 2006/112/EC).'],
    ['O', 'VATEX-EU-O', 'Not subject to tax: the supply is outside the scope of tax in the country of the seller.'],
  ])('says why there is no tax in category %s', async (category, reasonCode, sentence) => {
    const taxes = [{ category, ratePercent: '0', reasonCode, netMinor: 100_000, taxMinor: 0 }];
    expect(await rowsIn(invoiceDocument({ taxes }))).toContain(sentence);
  });

  test('shows the rate, the discount, the total with tax, and the tax in the currency of the seller', async () => {
    const document = invoiceDocument({
      currency: 'USD',
      discountMinor: 5_000,
      netMinor: 95_000,
      taxMinor: 18_050,
      totalMinor: 113_050,
      taxes: [{ category: 'S', ratePercent: '19', reasonCode: null, netMinor: 95_000, taxMinor: 18_050 }],
      taxInSellerCurrency: { currency: 'EUR', minor: 16_409, rateAsOf: '2026-03-05' },
    });
    const rows = await rowsIn(document);
    const wanted = ['Before discount 1,000.00', 'Discount -50.00', 'Net 950.00', 'VAT 180.50', 'Total USD 1,130.50', 'Standard rate (S), 19 % 950.00 19 % 180.50', 'VAT in EUR: EUR 164.09, at the reference rate of 5 Mar 2026.']; // prettier-ignore
    expect(wanted.filter((row) => !rows.includes(row))).toEqual([]);
  });

  test('a credit note names the invoice that it corrects and asks for no money', async () => {
    const corrects = [{ number: 'LE-X-INV-000003', reference: 'X-A-2026-01', issueDate: '2026-02-03' }];
    const rows = await rowsIn(invoiceDocument({ kind: 'credit-note', corrects }));
    expect(rows).toContain(
      'This credit note corrects invoice LE-X-INV-000003 of 3 Feb 2026. It credits the amount to your account; nothing is to be paid.',
    );
    expect(rows.some((row) => /Credit note$/.test(row))).toBe(true);
    expect(rows.filter((row) => /Please pay|Due date|IBAN/.test(row))).toEqual([]);
  });

  test('a seller registered for goods and services tax says that it is a tax invoice', async () => {
    const { seller } = invoiceDocument();
    const taxes = [{ category: 'S', ratePercent: '9', reasonCode: null, netMinor: 100_000, taxMinor: 9_000 }];
    const registrations = [{ type: 'GST', value: '201783046Z' }];
    const pdf = await readPdf(await renderPdf(invoiceDocument({ taxes, seller: { ...seller, registrations } })));
    expect(pdf.title).toBe('Tax invoice LE-X-INV-000007');
    expect(rowsOf(pdf).some((row) => row.startsWith('GST 0.00'))).toBe(true);
  });

  test.each([
    ['JPY', 90_000_000, '90,000,000'],
    ['KWD', 1_234_567, '1,234.567'],
    ['EUR', 5, '0.05'],
  ])('writes %s with its digits', async (currency, minor, shown) => {
    const lines = [{ description: 'Fee', person: null, quantity: null, unit: null, unitPrice: null, netMinor: minor }];
    const rows = await rowsIn(invoiceDocument({ currency, lines, netMinor: minor, totalMinor: minor }));
    expect(rows).toEqual(expect.arrayContaining([`1 Fee ${shown}`, `Total ${currency} ${shown}`]));
  });

  test('appends every entry of time and every expense with their sums', async () => {
    const time = [1, 2, 3].map((day) => ({ date: `2026-02-0${day}`, person: `Person ${day}`, roleCode: 'SC', hours: '7.25', unitPrice: '185.5', amountMinor: 134_488 })); // prettier-ignore
    const spent = { minor: 23_050, currency: 'CHF' };
    const expenses = [{ date: '2026-02-10', person: 'Person 1', category: 'airfare', country: 'CH', spent, amountMinor: 24_500 }];
    const pdf = await readPdf(await renderPdf(invoiceDocument({ time, expenses })));
    expect(pdf.pages).toHaveLength(3);
    const rows = rowsOf(pdf);
    expect(rows.filter((row) => row.includes('7.25 185.50 1,344.88'))).toHaveLength(3);
    expect(rows).toEqual(
      expect.arrayContaining(['Total 21.75 4,034.64', '10 Feb 2026 Person 1 airfare CH CHF 230.50 245.00', 'Total 245.00']),
    );
  });
});

describe('any length and any letters', () => {
  test('two hundred lines go over pages, each line once, with the head of the table and the number of the page on every one', async () => {
    const lines = Array.from({ length: 200 }, (_, index) => ({ description: `Work ${index + 1}`, person: null, quantity: '1.5', unit: 'hour', unitPrice: '100.25', netMinor: 15_038 + index })); // prettier-ignore
    const pdf = await readPdf(await renderPdf(invoiceDocument({ lines })));
    const rows = rowsOf(pdf);
    const wanted = lines.map((line, index) => `${index + 1} ${line.description} 1.5 hour 100.25 ${(line.netMinor / 100).toFixed(2)}`);
    expect(rows.filter((row) => / Work \d+ /.test(row))).toEqual(wanted);
    expect(pdf.pages.length).toBeGreaterThan(3);
    pdf.pages.forEach((page, index) => {
      expect(page.flat().join(' ')).toContain(`Page ${index + 1} of ${pdf.pages.length}`);
    });
    const withLines = pdf.pages.filter((page) => page.some((row) => / ?Work \d+/.test(row.join(' '))));
    expect(withLines.filter((page) => !page.some((row) => row.includes('Description')))).toEqual([]);
  });

  const HOSTILE: readonly (readonly [string, string])[] = [
    ['a word of 5,000 letters', 'W'.repeat(5_000)],
    ['a text of 3,000 words', 'word '.repeat(3_000)],
    ['right to left', 'שלום עולם 123 مرحبا بالعالم'],
    ['control characters', 'a\u0000\u0007\u001b[31m\r\n\tb\u2028c'],
    ['marks that turn the direction', 'pay \u202e00.000,1\u202c now\u200b'],
    ['letters without a shape', '東京 🦄 \ue000'],
    ['combining marks', `Z${'\u0335'.repeat(500)}algo`],
    ['half a letter', 'x\ud83dy'],
    ['nothing', ''],
    ['what PDF and formulas use', '(a) \\) <</Type/Catalog>> =1+1 %PDF endobj'],
  ];
  test.each(HOSTILE)('%s does not break it, wherever it stands', async (_, text) => {
    const { seller, buyer, contract, lines } = invoiceDocument();
    const document = invoiceDocument({
      number: `N${text}`.slice(0, 300),
      reference: text,
      lines: lines.map((line) => ({ ...line, description: `${text} end` })),
      seller: { ...seller, name: text, legalForm: text, address: [text, text], registrations: [{ type: text, value: text }] },
      buyer: { ...buyer, name: text, address: [text], buyerReference: text, purchaseOrder: text },
      contract: { ...contract, lineName: text },
    });
    const rows = await rowsIn(document);
    expect(rows.some((row) => row.includes('end'))).toBe(true);
    expect(rows.some((row) => row === 'Total EUR 1,000.00')).toBe(true);
  });

  const face: Typeface = { has: (codePoint) => codePoint < 0x3000, width: (text) => Array.from(text).length };

  test('shows a sign for what has no shape and leaves nothing out unseen', () => {
    expect(printable('東京 office', face)).toBe('\uFFFD\uFFFD office');
    expect(printable('x\ud83dy', face)).toBe('x\uFFFDy');
    expect(printable('a\u202eb\u200bc\u0000d', face)).toBe('abc d');
  });

  test('keeps every letter when it breaks lines, and no line is wider than it may be', () => {
    const text = `short ${'x'.repeat(57)} of words ${'y'.repeat(10)}`;
    const lines = wrapped(text, 10, face);
    expect(lines.every((line) => face.width(line) <= 10)).toBe(true);
    expect(lines.join('').replaceAll(' ', '')).toBe(text.replaceAll(' ', ''));
  });

  test('puts words from right to left in the order in which they are seen', () => {
    expect(wrapped('due שלום 12 עולם now', 40, face)).toEqual(['due עולם 12 שלום now']);
  });
});

describe('the same document', () => {
  test('gives the same bytes, now and a moment later', async () => {
    const document = invoiceDocument();
    const first = await renderPdf(document);
    await new Promise((resolve) => setTimeout(resolve, 1_100));
    expect((await renderPdf(document)).equals(first)).toBe(true);
    expect((await renderPdf(invoiceDocument({ reference: 'X-A-2026-03' }))).equals(first)).toBe(false);
    expect((await readPdf(first)).created).toBe('D:20260306050000Z');
  });

  test('is made of many pages without holding up the process for long', async () => {
    const time = Array.from({ length: 2_000 }, (_, index) => ({ date: '2026-02-01', person: `Person ${index}`, roleCode: 'SC', hours: '1', unitPrice: '100', amountMinor: 10_000 })); // prettier-ignore
    let turns = 0;
    const timer = setInterval(() => (turns += 1), 1);
    const pdf = await readPdf(await renderPdf(invoiceDocument({ time })));
    clearInterval(timer);
    expect(pdf.pages.length).toBeGreaterThan(20);
    expect(turns).toBeGreaterThan(20);
  });
});
