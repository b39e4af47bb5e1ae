import { sql, type Kysely } from 'kysely';
import { uuidv7 } from 'uuidv7';
import { createActivities } from '../../activities/index';
import { type Activities } from '../../contracts/activities';
import { putInboxEvent } from '../../db/inbox';
import { type DB } from '../../db/types';
import { parseCamt053 } from '../../integrations/bank/camt053';
import { writeCamt053 } from '../../integrations/bank/camt053-writer';
import { type BankStatementFile } from '../../integrations/bank/statement';
import { inRun } from '../support/activity-run';
import { approvedDeal, approvedInvoice } from '../support/approved';
import { bankFile, type GeneratedPayment } from '../support/bank-files';
import { dealRow } from '../support/builders';
import { testDatabase, type TestDatabase } from '../support/database';
import { service, testDeal } from '../support/lifecycles';

/** Of the file with 1,000 entries: where those of the customer begin, and how many of these the bank takes back at the end. */
const ENTRIES = 1_000;
const PAID_FROM = 300;
const RETURNED = 40;
const PER_BLOCK = 250;
const BLOCKS = 4;
/** The block in which the process dies. */
const DEADLY = 3;
const ON = '2029-10-15';
const AT = `${ON}T18:00:00.000Z`;

let database: TestDatabase;
let db: Kysely<DB>;
beforeAll(async () => {
  database = await testDatabase({ firm: true });
  db = database.db;
});
afterAll(() => database.drop());

interface Invoice {
  readonly id: string;
  readonly reference: string;
  readonly totalMinor: number;
}

/** The fees of nine months, issued to one customer. */
async function issuedFees(activities: Activities): Promise<Invoice[]> {
  const term = { startDate: '2028-01-01', endDate: '2028-09-30' };
  const terms = testDeal({ ...term, lines: [service(term)] });
  const row = dealRow(terms, { state: 'approval', seller_id: 'U-SELLER' });
  await db.insertInto('deal').values(row).execute();
  const at = '2028-01-01T00:00:00.000Z';
  const baseline = { dealId: row.id, approvalId: await approvedDeal(db, row.id, terms), at };
  const { lines } = await inRun('deal', () => activities.createBaseline(baseline));
  const contractLineId = lines[0]?.contractLineId ?? '';
  const items = await db
    .selectFrom('billing_plan_item')
    .select('id')
    .where('contract_line_id', '=', contractLineId)
    .where('item_key', 'like', 'fee/%')
    .orderBy('item_key')
    .execute();
  for (const [turn, { id }] of items.entries()) {
    const { invoiceId } = await inRun('line', () => activities.billItem({ contractLineId, itemId: id, turn, at }));
    if (invoiceId === null) throw new Error('a fee was not drafted');
    const approvalId = await approvedInvoice(db, invoiceId);
    await inRun(invoiceId, () => activities.approveInvoice({ invoiceId, approvalId, at }));
    await inRun(invoiceId, () => activities.issueInvoice({ invoiceId, approvalId, at }));
  }
  const issued = await db
    .selectFrom('invoice')
    .select(['id', 'reference', 'total_minor as totalMinor'])
    .where('contract_line_id', '=', contractLineId)
    .orderBy('issue_date')
    .execute();
  return issued;
}

/** Strangers, then many small payments of the customer on all invoices, then some of them back; figures follow from the position alone. */
function payments(invoices: readonly Invoice[], customer: string): GeneratedPayment[] {
  return Array.from({ length: ENTRIES }, (_, index): GeneratedPayment => {
    const invoice = invoices[index % invoices.length];
    const minor = 100 + ((index * 7919) % 4_000);
    if (invoice === undefined || index < PAID_FROM) return { debtor: `Stranger ${index % 97}`, reference: `X-${index}`, minor };
    if (index >= ENTRIES - RETURNED) return returnOf(index - RETURNED - PER_BLOCK, invoices, customer);
    const written = index % 5 === 0 ? { freeText: `Payment of ${invoice.reference}, thank you` } : {};
    return { debtor: customer, reference: invoice.reference, minor, endToEndId: `E2E-${index}`, ...written };
  });
}

function returnOf(index: number, invoices: readonly Invoice[], debtor: string): GeneratedPayment {
  const reference = invoices[index % invoices.length]?.reference ?? '';
  return { debtor, reference, minor: 100 + ((index * 7919) % 4_000), endToEndId: `E2E-${index}`, returned: true };
}

async function received(file: BankStatementFile): Promise<string> {
  const name = uuidv7();
  const event = { source: 'api', eventId: name, type: 'bank-statements', subject: 'bank', sourceOrder: '1', occurredAt: AT };
  return (await putInboxEvent(db, { ...event, businessReceivedAt: AT, payload: file })).row.id;
}

const effects = async (inboxEventId: string) =>
  Number(
    (
      await db
        .selectFrom('effect')
        .select((eb) => eb.fn.countAll<number>().as('count'))
        .where('key', 'like', `intake/${inboxEventId}%`)
        .executeTakeFirstOrThrow()
    ).count,
  );

const figures = async (inboxEventId: string) => {
  const { rows } = await sql<Record<string, number>>`
    select (select count(*) from payment join bank_statement s on s.id = bank_statement_id where s.inbox_event_id = ${inboxEventId}) as payments,
           (select coalesce(sum(amount_minor), 0)::bigint from payment where reversed_on is null) as paid,
           (select coalesce(sum(on_account_minor), 0)::bigint from payment where reversed_on is null) as on_account,
           (select coalesce(sum(amount_minor), 0)::bigint from payment_application where reversed_on is null) as applied,
           (select count(*) from payment where reversed_on is not null) as returned,
           (select sum(total_minor - open_minor)::bigint from invoice) as reduced,
           (select coalesce(sum(debit_minor - credit_minor), 0)::bigint from journal_line where account_code = '1000') as bank`.execute(db);
  return rows[0];
};

const statementOf = (inboxEventId: string) =>
  db
    .selectFrom('bank_statement')
    .select(['state', 'transaction_count', 'applied_count'])
    .where('inbox_event_id', '=', inboxEventId)
    .executeTakeFirstOrThrow();

test('a file of 1,000 entries is applied in blocks, each once, also when the process dies between and inside them', async () => {
  const activities = createActivities({ db });
  const invoices = await issuedFees(activities);
  const { name } = await db.selectFrom('bill_to_account').select('name').where('id', '=', 'BA-DE').executeTakeFirstOrThrow();
  const planned = payments(invoices, name);
  const xml = writeCamt053(await bankFile(db, 'LE-DE', planned, ON));
  const started = performance.now();
  const read = parseCamt053(xml, { maxBytes: 16 * 1024 * 1024, maxNodes: 1_000_000 });
  if (read.kind !== 'read') throw new Error(JSON.stringify(read.violations.slice(0, 3)));
  const parsed = performance.now();
  const id = await received(read.file);

  const opened = await inRun('intake/bank', () => activities.applyIntake({ inboxEventId: id, at: AT }));
  expect(opened).toMatchObject({ blocks: BLOCKS, invoices: [] });
  expect(await statementOf(id)).toEqual({ state: 'applying', transaction_count: ENTRIES, applied_count: 0 });
  expect(await figures(id)).toMatchObject({ payments: 0, bank: 0 });

  const times: number[] = [];
  const block = async (number: number) => {
    const before = performance.now();
    const answer = await inRun('intake/bank', () => createActivities({ db }).applyIntakeBlock({ inboxEventId: id, block: number, at: AT }));
    times.push(performance.now() - before);
    return answer;
  };
  for (let number = 1; number < DEADLY; number += 1) await block(number);
  expect(await statementOf(id)).toMatchObject({ state: 'applying', applied_count: (DEADLY - 1) * PER_BLOCK });
  const before = await figures(id);
  await dyingInside(() => block(DEADLY));
  expect(await figures(id)).toEqual(before);
  expect(await effects(id)).toBe(DEADLY);

  const answers = [];
  for (let number = DEADLY; number <= BLOCKS; number += 1) {
    const [answer, again] = await Promise.all([block(number), block(number)]); // the answer of one is lost, or a worker that was given up still runs
    expect(again).toEqual(answer);
    answers.push(answer);
  }
  const total = performance.now() - parsed;
  const done = await figures(id);
  expect(await statementOf(id)).toEqual({ state: 'applied', transaction_count: ENTRIES, applied_count: ENTRIES });
  expect(await effects(id)).toBe(BLOCKS + 1);
  expect(done).toEqual(expected(planned));
  expect(new Set(answers.flatMap((answer) => answer.invoices.map((each) => each.invoiceId))).size).toBe(invoices.length);

  for (let number = 1; number <= BLOCKS; number += 1) await block(number);
  expect(await inRun('intake/bank', () => activities.applyIntake({ inboxEventId: id, at: AT }))).toEqual(opened);
  expect(await figures(id)).toEqual(done);
  const { rows } = await sql`select invoice.id from invoice
    left join payment_application a on a.invoice_id = invoice.id and a.reversed_on is null
    group by invoice.id having total_minor - coalesce(sum(a.amount_minor), 0) <> open_minor`.execute(db);
  expect(rows).toEqual([]);
  console.info(
    `${ENTRIES} entries, ${(xml.length / 1e6).toFixed(1)} MB: read in ${Math.round(parsed - started)} ms, applied in ${Math.round(total)} ms, ` +
      `longest block ${Math.round(Math.max(...times))} ms, RSS ${Math.round(process.memoryUsage().rss / 1e6)} MB`,
  );
});

test('an entry that moves no money, as banks write for notices, is no payment and does not hold up the file', async () => {
  const activities = createActivities({ db });
  const { name } = await db.selectFrom('bill_to_account').select('name').where('id', '=', 'BA-DE').executeTakeFirstOrThrow();
  const nothing = { debtor: name, reference: 'notice', minor: 0 };
  const planned = [nothing, { ...nothing, returned: true }, { debtor: name, reference: 'on account', minor: 4_200 }];
  const read = parseCamt053(writeCamt053(await bankFile(db, 'LE-DE', planned, ON)));
  if (read.kind !== 'read') throw new Error(JSON.stringify(read.violations));
  const id = await received(read.file);
  await inRun('intake/bank', () => activities.applyIntake({ inboxEventId: id, at: AT }));
  expect(await statementOf(id)).toEqual({ state: 'applied', transaction_count: 3, applied_count: 3 });
  expect(await figures(id)).toMatchObject({ payments: 1 });
  expect(await db.selectFrom('process_exception').select('detail').where('kind', 'like', 'payment/%').execute()).toEqual([]);
});

/** What the file says, computed from what it was made of: the customer's money counts, less what was returned, and none of it is too much. */
function expected(planned: readonly GeneratedPayment[]): Record<string, number> {
  const sum = (list: readonly GeneratedPayment[]) => list.reduce((total, each) => total + each.minor, 0);
  const own = planned.slice(PAID_FROM);
  const credits = own.filter((each) => each.returned !== true);
  const returned = own.filter((each) => each.returned === true);
  const paid = sum(credits) - sum(returned);
  return { payments: credits.length, paid, on_account: 0, applied: paid, returned: returned.length, reduced: paid, bank: paid };
}

/** The database refuses in the middle of the block, as when the process is killed there. */
async function dyingInside(block: () => Promise<unknown>): Promise<void> {
  await sql`create function die() returns trigger language plpgsql as 'begin raise exception ''killed''; end'`.execute(db);
  await sql`create trigger die before insert on payment for each row when (new.entry_position = ${sql.lit((DEADLY - 1) * PER_BLOCK + 100)}) execute function die()`.execute(
    db,
  );
  await expect(block()).rejects.toThrow('killed');
  await sql`drop trigger die on payment`.execute(db);
}
