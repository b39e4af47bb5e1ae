import { type Kysely } from 'kysely';
import { createActivities } from '../../activities/index';
import { type InvoiceDocument } from '../../contracts/invoice-document';
import { savePolicy } from '../../db/policies';
import { type DB } from '../../db/types';
import { renderPdf } from '../../documents/render';
import { inRun } from '../support/activity-run';
import { approvedInvoice } from '../support/approved';
import { testDatabase, type TestDatabase } from '../support/database';
import { readPdf, rowsOf } from '../support/read-pdf';
import { bringTime, deliveredLine, expenseRow, insertTestRate, takeRun, WORKER, type DeliveredLine } from '../support/time-and-materials';

const CUT_OFF = '2026-03-05T23:00:00.000Z';

let database: TestDatabase;
let db: Kysely<DB>;
let activities: ReturnType<typeof createActivities>;
beforeAll(async () => {
  database = await testDatabase({ firm: true });
  db = database.db;
  activities = createActivities({ db });
  await insertTestRate(db);
});
afterAll(() => database.drop());

/** Two entries and an expense of February, billed with a discount and issued; gives the invoice. */
async function issued(line: DeliveredLine): Promise<string> {
  const worked = [
    { entryId: 'A', workDate: '2026-02-03', hours: '7.5', note: 'a note of somebody' },
    { entryId: 'B', workDate: '2026-02-04', hours: '4' },
  ];
  await bringTime(db, activities, line, worked, '2026-02-20T09:00:00.000Z');
  await db.insertInto('expense').values(expenseRow(line, 'X')).execute();
  await takeRun(db, activities, line, '2026-02', CUT_OFF);
  const where = db.selectFrom('invoice').select('id').where('contract_line_id', '=', line.contractLineId);
  const { id: invoiceId } = await where.executeTakeFirstOrThrow();
  const approvalId = await approvedInvoice(db, invoiceId);
  await inRun(`invoice/${invoiceId}`, () => activities.approveInvoice({ invoiceId, approvalId, at: CUT_OFF }));
  await inRun(`invoice/${invoiceId}`, () => activities.issueInvoice({ invoiceId, approvalId, at: '2026-03-06T08:00:00.000Z' }));
  return invoiceId;
}

async function documentOf(invoiceId: string): Promise<{ document: InvoiceDocument; content: string; sha256: string }> {
  const row = await db.selectFrom('invoice_document').selectAll().where('invoice_id', '=', invoiceId).executeTakeFirstOrThrow();
  return { ...row, document: JSON.parse(row.content) as InvoiceDocument };
}

test('an issue fixes the document with its figures, and the log of the deal has its hash', async () => {
  const line = await deliveredLine(db, activities, { feeDiscountPercent: '10' });
  const invoiceId = await issued(line);
  const invoice = await db.selectFrom('invoice').selectAll().where('id', '=', invoiceId).executeTakeFirstOrThrow();
  const { document, content, sha256 } = await documentOf(invoiceId);
  const { net_minor: netMinor, tax_minor: taxMinor, total_minor: totalMinor } = invoice;
  expect(document).toMatchObject({ number: invoice.number, reference: invoice.reference, netMinor, taxMinor, totalMinor });
  expect([document.issueDate, document.dueDate]).toEqual([invoice.issue_date, invoice.due_date]);
  expect(document.supply).toEqual({ from: '2026-02-03', to: '2026-02-10' });
  expect(document.discountMinor).toBe(11_500);
  expect(document.time.map(({ date, hours, unitPrice, amountMinor }) => [date, hours, unitPrice, amountMinor])).toEqual([
    ['2026-02-03', '7.5', '100', 75_000],
    ['2026-02-04', '4', '100', 40_000],
  ]);
  expect(document.expenses).toMatchObject([{ date: '2026-02-10', category: 'airfare', spent: { minor: 20_000, currency: 'EUR' } }]);
  expect(document.lines.reduce((sum, each) => sum + each.netMinor, 0)).toBe(netMinor);
  const entries = await db.selectFrom('audit_entry').select('content').where('stream', '=', `deal/${line.dealId}`).execute();
  expect(entries.filter((entry) => entry.content.includes(sha256))).toHaveLength(1);

  const rows = rowsOf(await readPdf(await renderPdf(document)));
  expect(rows).toEqual(expect.arrayContaining(['3 Feb 2026 Person 1 TEST 7.5 100.00 750.00', '4 Feb 2026 Person 1 TEST 4 100.00 400.00', 'Discount -115.00'])); // prettier-ignore
  const { name } = await db.selectFrom('person').select('name').where('id', '=', WORKER).executeTakeFirstOrThrow();
  for (const personal of [name, WORKER, 'a note of somebody']) expect(content).not.toContain(personal);
});

test('whose time it is stands there by name or initials only where policy says so', async () => {
  const [plain, asked] = [await deliveredLine(db, activities), await deliveredLine(db, activities)];
  const deal = await db.selectFrom('deal').select('contract_number').where('id', '=', asked.dealId).executeTakeFirstOrThrow();
  const documents = { people: 'initials', peopleByContract: { [deal.contract_number]: 'name' } } as const;
  const policy = { version: 9, validFrom: '2026-01-01', cutOffDay: 6, billingLeadWorkingDays: 3, purchaseOrder: { exhausted: 'blocks', lapsed: 'warns' }, documents } as const; // prettier-ignore
  await db.transaction().execute((trx) => savePolicy(trx, 'billing', policy));
  const { name } = await db.selectFrom('person').select('name').where('id', '=', WORKER).executeTakeFirstOrThrow();
  const initials = name.split(/[\s-]/).map((word) => `${word.charAt(0)}.`).join(' '); // prettier-ignore
  const shown = async (line: DeliveredLine) => (await documentOf(await issued(line))).document.time.map(({ person }) => person);
  expect(await shown(plain)).toEqual([initials, initials]);
  expect(await shown(asked)).toEqual([name, name]);
});
