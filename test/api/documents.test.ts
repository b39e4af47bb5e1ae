import { createHash } from 'node:crypto';
import { uuidv7 } from 'uuidv7';
import { createApiKey } from '../../api/auth/api-keys';
import { amountText, dateText, priceText } from '../../documents/format';
import { type Scope } from '../../domain/access';
import { problemOf, testApi, type TestApi } from '../support/api';
import { insertDocument } from '../support/issued-documents';
import { readPdf, rowsOf } from '../support/read-pdf';
import { insertSharedDeal, type SharedDeal } from '../support/shared-deal';

let api: TestApi;
let deal: SharedDeal;
beforeAll(async () => {
  api = await testApi();
  deal = await insertSharedDeal(api.db);
});
afterAll(() => api.close());

interface Asking {
  readonly roles?: readonly string[];
  readonly scope?: Scope;
  readonly headers?: Readonly<Record<string, string>>;
}

async function fetched(invoiceId: string, { roles = ['auditor'], scope = { kind: 'group' }, headers = {} }: Asking = {}) {
  const key = String(await createApiKey(api.db, { id: uuidv7(), name: 'test', roles, scope }));
  return api.app.inject({
    method: 'GET',
    url: `/v1/invoices/${invoiceId}/document`,
    headers: { authorization: `Bearer ${key}`, ...headers },
  });
}

/** Every figure of a document as its rows say it, in the words of the PDF. */
async function expectedRows(invoiceId: string): Promise<string[]> {
  const invoice = await api.db.selectFrom('invoice').selectAll().where('id', '=', invoiceId).executeTakeFirstOrThrow();
  const lines = await api.db.selectFrom('invoice_line').selectAll().where('invoice_id', '=', invoiceId).orderBy('position').execute();
  const isCredit = invoice.document_kind === 'credit-note';
  const shown = (minor: number) => amountText(isCredit ? 0 - minor : minor, invoice.currency);
  const price = (text: string | null) => (text === null ? [] : [priceText(text, invoice.currency)]);
  return [
    ...lines.map(
      (line, index) =>
      [index + 1, line.description, ...(line.quantity === null ? [] : [line.quantity]), ...(line.unit === null ? [] : [line.unit]), ...price(line.unit_price), shown(line.amount_minor)].join(' '), // prettier-ignore
    ),
    `Net ${shown(invoice.net_minor)}`,
    `${isCredit ? 'Total credited' : 'Total'} ${invoice.currency} ${shown(invoice.total_minor)}`,
    `Date of issue ${dateText(invoice.issue_date ?? '')}`,
    `Number ${invoice.number ?? ''}`,
    `Our reference ${invoice.reference}`,
  ];
}

async function compared(invoiceId: string): Promise<string[]> {
  const answer = await fetched(invoiceId);
  expect([answer.statusCode, answer.headers['content-type']]).toEqual([200, 'application/pdf']);
  const rows = rowsOf(await readPdf(answer.rawPayload));
  const found = (wanted: string) => rows.some((row) => row === wanted || row.endsWith(` ${wanted}`));
  expect((await expectedRows(invoiceId)).filter((wanted) => !found(wanted))).toEqual([]);
  return rows;
}

describe('every figure of the PDF is the one of the database', () => {
  test('an invoice in yen, without decimals, with its tax', async () => {
    const lines = [
      { description: 'Fee', quantity: '2', unit: 'month', unit_price: '4500000', amount_minor: 9_000_000, tax_minor: 900_000 },
      { description: 'More', amount_minor: 1, tax_minor: 0 },
    ];
    const rows = await compared(await insertDocument(api.db, { contractLineId: deal.other.id, lines }));
    expect(rows).toEqual(expect.arrayContaining(['Consumption tax 900,000', 'Standard rate (S), 10 % 9,000,001 10 % 900,000', 'Qualified invoice issuer T2901040178362'])); // prettier-ignore
    expect(rows.filter((row) => /\d\.\d\d\b/.test(row))).toEqual([]);
  });

  test('a credit note, in the words of a credit, with the invoice of the month that it corrects', async () => {
    const item = { position: 0, item_id: `${deal.lead.id}/A/2026-03` };
    const fee = [{ description: 'Fee', quantity: '1', unit: 'month', unit_price: '1000', amount_minor: 100_000 }];
    const feeId = await insertDocument(api.db, {
      contractLineId: deal.lead.id,
      lines: fee,
      items: [{ ...item, item_kind: 'service-month' }],
    });
    const lines = [
      { description: 'Days beyond', amount_minor: -40_000 },
      { description: 'Tickets', quantity: '2', unit: 'ticket', unit_price: '40', amount_minor: 8_000 },
    ];
    const credit = { contractLineId: deal.lead.id, lines, tax_category: 'O', tax_rate_percent: '0', tax_reason_code: 'VATEX-EU-O' };
    const id = await insertDocument(api.db, { ...credit, items: [{ ...item, item_kind: 'unearned-fee' }] });
    const { number } = await api.db.selectFrom('invoice').select('number').where('id', '=', feeId).executeTakeFirstOrThrow();
    const answer = await fetched(id);
    const rows = rowsOf(await readPdf(answer.rawPayload));
    expect(rows).toEqual(expect.arrayContaining(['1 Days beyond 400.00', '2 Tickets -2 ticket 40.00 -80.00', 'Total credited USD 320.00']));
    expect(rows.some((row) => row.endsWith(`Corrects invoice ${number ?? ''} of 2 Mar 2026`))).toBe(true);
  });

  test('a reverse charge, with both VAT ids and the sentence', async () => {
    const reverse = { entity_id: 'LE-DE', bill_to_id: 'BA-FR', currency: 'EUR', tax_category: 'AE', tax_rate_percent: '0', tax_reason_code: 'VATEX-EU-AE' }; // prettier-ignore
    const lines = [{ description: 'Advice', quantity: '10.25', unit: 'hour', unit_price: '185.5', amount_minor: 190_138 }];
    const rows = await compared(await insertDocument(api.db, { contractLineId: deal.lead.id, lines, ...reverse }));
    expect(rows.some((row) => row.startsWith('Reverse charge: the customer is liable'))).toBe(true);
    for (const id of ['DE813742901', 'FR42918730466']) expect(rows.some((row) => row.includes(id))).toBe(true);
  });

  test('an invoice of two hundred lines', async () => {
    const lines = Array.from({ length: 200 }, (_, index) => ({ description: `Work ${index}`, quantity: '1.25', unit: 'hour', unit_price: '99.5', amount_minor: 12_438 + index })); // prettier-ignore
    await compared(await insertDocument(api.db, { contractLineId: deal.lead.id, lines }));
  });
});

describe('GET /v1/invoices/:id/document', () => {
  const lines = [{ description: 'Fee', amount_minor: 100_000 }];

  test('gives everybody the same bytes, also those who ask at once, and tells who has them already', async () => {
    const id = await insertDocument(api.db, { contractLineId: deal.lead.id, lines, number: 'N/"1"\\é\u0007' });
    const answers = await Promise.all([fetched(id), fetched(id), fetched(id)]);
    const hashes = answers.map(({ rawPayload }) => createHash('sha256').update(rawPayload).digest('hex'));
    expect(new Set(hashes).size).toBe(1);
    expect(answers[0]?.headers).toMatchObject({ etag: `"${hashes[0]}"`, 'content-disposition': 'inline; filename="N-1-.pdf"', 'cache-control': 'private, no-cache' }); // prettier-ignore
    expect((await fetched(id, { headers: { 'if-none-match': `"${hashes[0]}"` } })).statusCode).toBe(304);
    // What changes afterwards does not reach a document that was issued.
    await api.db.updateTable('legal_entity').set({ name: 'Renamed' }).where('id', '=', 'LE-US').execute();
    expect((await fetched(id)).rawPayload.equals(answers[0]?.rawPayload ?? Buffer.alloc(0))).toBe(true);
    await expect(api.db.deleteFrom('invoice_document_file').where('invoice_id', '=', id).execute()).rejects.toThrow(/append-only/);
  });

  test('is for those who may read the invoice', async () => {
    const id = await insertDocument(api.db, { contractLineId: deal.lead.id, lines });
    const scopes: Record<string, Scope> = {
      own: { kind: 'entities', entityIds: ['LE-US'] },
      other: { kind: 'entities', entityIds: ['LE-JP'] },
    };
    expect((await fetched(id, { scope: scopes.own! })).statusCode).toBe(200);
    expect((await fetched(id, { scope: scopes.other! })).json()).toMatchObject({ status: 404, code: 'InvoiceUnknown' });
    expect((await fetched(id, { roles: ['legal-counsel'] })).json()).toMatchObject({ status: 403, code: 'PermissionMissing' });
    expect(problemOf(await api.anyone('GET', `/v1/invoices/${id}/document`))).toMatchObject({ status: 401 });
  });

  test.each(['draft', 'approved', 'void'])('refuses one that is %s', async (state) => {
    const nothing = { number: null, issue_date: null, due_date: null };
    const id = await insertDocument(api.db, { contractLineId: deal.lead.id, lines, state, ...nothing });
    expect((await fetched(id)).json()).toMatchObject({ status: 409, code: 'InvoiceNotIssued' });
  });
});
