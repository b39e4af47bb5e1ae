import { randomUUID } from 'node:crypto';
import { type Kysely } from 'kysely';
import { createActivities } from '../../activities/index';
import { verifyBooks } from '../../db/books/verify';
import { wholeGroup } from '../../db/entity-scope';
import { keptDocument } from '../../db/invoice-documents';
import { feeDocuments } from '../../db/overage';
import { readInvoice } from '../../db/reads/invoice';
import { listInterest } from '../../db/reads/interest';
import { readReceivables } from '../../db/reads/receivables';
import { type DB } from '../../db/types';
import { type CorrectionRequest } from '../../domain/billing/correction/choice';
import { inRun } from '../support/activity-run';
import { approvedCorrection } from '../support/approved';
import { soldLines } from '../support/books';
import { correct, correctionInput, documentOf, issued, paid, REBILL } from '../support/corrections';
import { testDatabase, type TestDatabase } from '../support/database';
import { service } from '../support/lifecycles';
import { reasonOf } from '../support/texts';
import { bringTime, deliveredLine, expenseRow, insertTestRate, takeRun, type DeliveredLine } from '../support/time-and-materials';

const CUT_OFF = { february: '2026-03-05T23:00:00.000Z', march: '2026-04-05T22:00:00.000Z' } as const;
const AFTER = '2026-04-20T09:00:00.000Z';

let database: TestDatabase;
let db: Kysely<DB>;
let activities: ReturnType<typeof createActivities>;
beforeAll(async () => {
  database = await testDatabase({ firm: true, poolSize: 24 });
  db = database.db;
  activities = createActivities({ db });
  await insertTestRate(db);
});
afterEach(async () => {
  const { ties } = await verifyBooks(db);
  expect(ties.filter(({ broken }) => broken.length > 0)).toEqual([]);
});
afterAll(() => database.drop());

/** 800.00 and 400.00 of fees with a discount of 2.5 % and 170.00 of expenses: 1,340.00 net, 1,594.60 with tax, due on 8 April 2026. */
async function february(over: Parameters<typeof deliveredLine>[2] = {}): Promise<{ line: DeliveredLine; invoiceId: string }> {
  const line = await deliveredLine(db, activities, { feeDiscountPercent: '2.5', ...over });
  const time = [
    { entryId: 'A', workDate: '2026-02-02', hours: '8' },
    { entryId: 'B', workDate: '2026-02-03', hours: '4' },
  ];
  await bringTime(db, activities, line, time, '2026-02-10T09:00:00.000Z');
  await db.insertInto('expense').values(expenseRow(line, 'X')).execute();
  const { invoiceId } = await takeRun(db, activities, line, '2026-02', CUT_OFF.february);
  // Every case begins in March anew, but no number is dated before the one of the case before.
  await db.updateTable('number_series').set({ last_date: '2026-03-01' }).execute();
  const { total_minor: total, due_date: due } = await issued(db, activities, invoiceId ?? '', '2026-03-09T09:00:00.000Z');
  expect([total, due]).toEqual([159_460, '2026-04-08']);
  return { line, invoiceId: invoiceId ?? '' };
}

const entry = (line: DeliveredLine, id: string) => `${line.lineId}/${id}`;
const waived = (line: DeliveredLine, ...ids: readonly string[]): CorrectionRequest => ({
  kind: 'full',
  otherwise: 'rebill',
  choices: ids.map((id) => ({ item: entry(line, id), fate: 'waive' })),
});
const refusalOf = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'done',
    (error: unknown) => String((error as { type?: string }).type),
  );
const request = (invoiceId: string, correction: ReturnType<typeof correctionInput>) =>
  inRun(`correction/${invoiceId}`, () => activities.requestCorrection({ invoiceId, correction }));
const documents = (invoiceId: string) =>
  db
    .selectFrom('invoice')
    .select([
      'reference',
      'document_kind as kind',
      'state',
      'net_minor as net',
      'total_minor as total',
      'open_minor as open',
      'due_date as due',
    ])
    .where('corrects_id', '=', invoiceId)
    .orderBy('document_kind')
    .execute();
const onAccount = async (line: DeliveredLine) =>
  (
    await db
      .selectFrom('payment')
      .innerJoin('payment_application as applied', 'applied.payment_id', 'payment.id')
      .innerJoin('invoice', 'invoice.id', 'applied.invoice_id')
      .select(['payment.id', 'payment.on_account_minor as minor'])
      .distinct()
      .where('invoice.contract_line_id', '=', line.contractLineId)
      .execute()
  ).map(({ minor }) => minor);

describe('credit and rebill', () => {
  test('takes the invoice back with a number of its own and bills the rest once more, due as before; the entry given up is never billed again', async () => {
    const { line, invoiceId } = await february();
    const { rebillId } = await correct(db, activities, invoiceId, correctionInput(waived(line, 'B'), AFTER));
    const root = (await documentOf(db, invoiceId)).reference;
    expect(await documents(invoiceId)).toEqual([
      { reference: `${root}-CN`, kind: 'credit-note', state: 'settled', net: -134_000, total: -159_460, open: 0, due: '2026-05-20' },
      { reference: `${root}-R1`, kind: 'invoice', state: 'issued', net: 95_000, total: 113_050, open: 113_050, due: '2026-04-08' },
    ]);
    expect(await documentOf(db, invoiceId)).toMatchObject({ state: 'credited', credited_on: '2026-04-20', open_minor: 0 });
    const standing = await db
      .selectFrom('invoiced_item')
      .select(['invoice_id', 'entry_id', 'expense_id'])
      .where('item_id', 'like', `${line.contractLineId}/%`)
      .where('credited_by', 'is', null)
      .orderBy('item_id')
      .execute();
    expect(standing).toEqual([
      { invoice_id: rebillId, entry_id: entry(line, 'A'), expense_id: null },
      { invoice_id: rebillId, entry_id: null, expense_id: entry(line, 'X') },
    ]);
    expect(await takeRun(db, activities, line, '2026-03', CUT_OFF.march)).toMatchObject({ invoiceId: null });
  });

  test('both documents are kept as printed: the credit names the invoice and shows what it credits, the rebill has a due date that has passed', async () => {
    const { line, invoiceId } = await february();
    const { rebillId } = await correct(db, activities, invoiceId, correctionInput(waived(line, 'B'), AFTER));
    const credit = await db.selectFrom('invoice').select('id').where('corrects_id', '=', invoiceId).where('document_kind', '=', 'credit-note').executeTakeFirstOrThrow(); // prettier-ignore
    const { reference, number } = await documentOf(db, invoiceId);
    const corrects = [{ number, reference, issueDate: '2026-03-09' }];
    const printed = await keptDocument(db, credit.id);
    expect(printed).toMatchObject({ kind: 'credit-note', corrects, netMinor: 134_000, totalMinor: 159_460, discountMinor: 0 });
    expect(printed?.time.map(({ date, hours, amountMinor }) => [date, hours, amountMinor])).toEqual([
      ['2026-02-02', '8', 80_000],
      ['2026-02-03', '4', 40_000],
    ]);
    const again = await keptDocument(db, rebillId ?? '');
    expect(again).toMatchObject({ kind: 'invoice', corrects, issueDate: '2026-04-20', dueDate: '2026-04-08', paymentTermsDays: -12, discountMinor: 2_000 }); // prettier-ignore
  });

  test('revenue changes with the documents, in the month of the correction and not in that of the work', async () => {
    const { line, invoiceId } = await february();
    await correct(db, activities, invoiceId, correctionInput(waived(line, 'B'), AFTER));
    const revenue = db
      .selectFrom('revenue_by_line_month')
      .select(['month', 'revenue_minor as minor', 'is_correction as corrected'])
      .where('contract_line_id', '=', line.contractLineId);
    expect(await revenue.execute()).toEqual([{ month: '2026-04', minor: -39_000, corrected: true }]);
  });

  test('a rebill is corrected in turn; references count from the first invoice', async () => {
    const { line, invoiceId } = await february();
    const { rebillId } = await correct(db, activities, invoiceId, correctionInput(waived(line, 'B'), AFTER));
    await correct(db, activities, rebillId ?? '', correctionInput(waived(line, 'X'), '2026-04-21T09:00:00.000Z'));
    const { reference: root } = await documentOf(db, invoiceId);
    expect((await documents(rebillId ?? '')).map(({ reference, total, due }) => [reference, total, due])).toEqual([
      [`${root}-CN2`, -113_050, '2026-05-21'],
      [`${root}-R2`, 92_820, '2026-04-08'],
    ]);
  });

  test('room that a credit makes below a limit is used by what was parked, in the order of the work', async () => {
    const { line, invoiceId } = await february({ notToExceed: { minor: 130_000, currency: 'EUR' } });
    const time = [
      { entryId: 'P', workDate: '2026-03-02', hours: '3' },
      { entryId: 'Q', workDate: '2026-03-03', hours: '8' },
    ];
    await bringTime(db, activities, line, time, '2026-03-10T09:00:00.000Z');
    await takeRun(db, activities, line, '2026-03', CUT_OFF.march);
    await correct(db, activities, invoiceId, correctionInput(waived(line, 'B'), AFTER));
    await takeRun(db, activities, line, '2026-04', '2026-05-05T22:00:00.000Z');
    const billed = db
      .selectFrom('invoiced_item')
      .select(['entry_id as entry', 'part', 'amount_minor as minor'])
      .where('entry_id', 'in', [entry(line, 'P'), entry(line, 'Q')])
      .orderBy('entry_id')
      .orderBy('part');
    expect(await billed.execute()).toEqual([
      { entry: entry(line, 'P'), part: 1, minor: 10_000 },
      { entry: entry(line, 'P'), part: 2, minor: 20_000 },
      { entry: entry(line, 'Q'), part: 1, minor: 20_000 },
    ]);
  });
});

describe('what a credit keeps back', () => {
  test('is in no run and on no rebill until it is released; then it is billed with a due date of its own, or given up', async () => {
    const { line, invoiceId } = await february();
    const hold = { kind: 'full', otherwise: 'rebill', choices: [{ item: entry(line, 'B'), fate: 'hold' }, { item: entry(line, 'X'), fate: 'hold' }] } as const; // prettier-ignore
    await correct(db, activities, invoiceId, correctionInput(hold, AFTER));
    expect(await takeRun(db, activities, line, '2026-03', CUT_OFF.march)).toMatchObject({ invoiceId: null });
    expect(await refusalOf(request(invoiceId, correctionInput(REBILL, AFTER)))).toBe('InvoiceCredited');

    const release = { kind: 'release', otherwise: 'rebill', choices: [{ item: entry(line, 'X'), fate: 'waive' }] } as const;
    const later = '2026-05-04T09:00:00.000Z';
    const { rebillId } = await correct(db, activities, invoiceId, correctionInput(release, later));
    const { reference: root } = await documentOf(db, invoiceId);
    expect(await documentOf(db, rebillId ?? '')).toMatchObject({ reference: `${root}-R2`, net_minor: 39_000, due_date: '2026-06-03' });
    expect((await readInvoice(db, wholeGroup, invoiceId))?.corrections[0]?.things).toMatchObject([
      { item: entry(line, 'A'), fate: 'rebill', released: false },
      { item: entry(line, 'B'), fate: 'rebill', released: true },
      { item: entry(line, 'X'), fate: 'waive', released: true },
    ]);
    expect(await refusalOf(request(invoiceId, correctionInput(release, later)))).toBe('CorrectionItemUnknown');
    expect(await takeRun(db, activities, line, '2026-04', '2026-05-05T22:00:00.000Z')).toMatchObject({ invoiceId: null });
  });
});

describe('a monthly fee', () => {
  const feeOf = async (item: string) => {
    const contractLineId = [...(await soldLines(db, [service()])).values()][0] ?? '';
    const { id: itemId } = await db.selectFrom('billing_plan_item').select('id').where('contract_line_id', '=', contractLineId).where('item_key', '=', item).executeTakeFirstOrThrow(); // prettier-ignore
    const { invoiceId } = await inRun(contractLineId, () => activities.billItem({ contractLineId, itemId, turn: 1, at: '2026-02-01T00:00:00.000Z' })); // prettier-ignore
    await db.updateTable('number_series').set({ last_date: '2026-02-01' }).execute();
    await issued(db, activities, invoiceId ?? '', '2026-02-02T09:00:00.000Z');
    return { contractLineId, invoiceId: invoiceId ?? '' };
  };
  const corrected = async (contractLineId: string) =>
    (await db.selectFrom('revenue_by_line_month').select('revenue_minor as minor').where('contract_line_id', '=', contractLineId).where('is_correction', '=', true).execute()).map(({ minor }) => minor); // prettier-ignore

  test('that is given up takes its revenue back, one that is kept back keeps it; a stop of the line credits nothing twice', async () => {
    const given = await feeOf('fee/2026-02');
    await correct(db, activities, given.invoiceId, correctionInput({ kind: 'full', otherwise: 'waive', choices: [] }, AFTER));
    expect(await corrected(given.contractLineId)).toEqual([-1_000_000]);
    expect(await feeDocuments(db, given.contractLineId)).toMatchObject([{ period: '2026-02', amount: { minor: 0 }, issued: true }]);

    const kept = await feeOf('fee/2026-02');
    await correct(db, activities, kept.invoiceId, correctionInput({ kind: 'full', otherwise: 'hold', choices: [] }, AFTER));
    expect(await corrected(kept.contractLineId)).toEqual([]);
    const released = correctionInput({ kind: 'release', otherwise: 'rebill', choices: [] }, AFTER);
    const { rebillId } = await correct(db, activities, kept.invoiceId, released);
    expect(await documentOf(db, rebillId ?? '')).toMatchObject({ total_minor: 1_190_000, state: 'issued' });
    expect(await corrected(kept.contractLineId)).toEqual([]);
    expect(await feeDocuments(db, kept.contractLineId)).toMatchObject([{ amount: { minor: 1_000_000 } }]);
  });

  test('is credited by an amount, and not by more than stands there', async () => {
    const { contractLineId, invoiceId } = await feeOf('fee/2026-02');
    await correct(db, activities, invoiceId, correctionInput({ kind: 'partial', choices: [{ line: 0, amountMinor: 250_000 }] }, AFTER));
    expect(await documentOf(db, invoiceId)).toMatchObject({ state: 'issued', open_minor: 892_500 });
    expect(await corrected(contractLineId)).toEqual([-250_000]);
    const more = { kind: 'partial', choices: [{ line: 0, amountMinor: 750_001 }] } as const;
    expect(await refusalOf(request(invoiceId, correctionInput(more, AFTER)))).toBe('CreditAboveStanding');
  });
});

describe('a partial credit', () => {
  test('leaves the invoice open for the rest, and another one takes what is left of it', async () => {
    const { line, invoiceId } = await february();
    const item = { kind: 'partial', choices: [{ item: entry(line, 'B'), fate: 'waive' }] } as const;
    await correct(db, activities, invoiceId, correctionInput(item, AFTER));
    expect(await documentOf(db, invoiceId)).toMatchObject({ state: 'issued', open_minor: 113_050 });
    const expense = (await readInvoice(db, wholeGroup, invoiceId))?.lines.find((each) => each.items.some(({ itemKind }) => itemKind === 'expense')); // prettier-ignore
    const position = expense?.position ?? -1;
    const tooMuch = { kind: 'partial', choices: [{ line: position, amountMinor: 17_001 }] } as const;
    expect(await refusalOf(request(invoiceId, correctionInput(tooMuch, AFTER)))).toBe('CreditAboveStanding');
    await correct(
      db,
      activities,
      invoiceId,
      correctionInput({ kind: 'partial', choices: [{ line: position, amountMinor: 7_000 }] }, AFTER),
    );
    await correct(db, activities, invoiceId, correctionInput({ kind: 'full', otherwise: 'waive', choices: [] }, AFTER));
    const credits = (await documents(invoiceId)).map(({ total }) => total);
    expect(credits).toEqual([-46_410, -8_330, -104_720]);
    expect(credits.reduce((a, b) => a + b)).toBe(-159_460);
    expect(await documentOf(db, invoiceId)).toMatchObject({ state: 'credited', open_minor: 0 });
  });

  test('of what is paid already leaves the money on account', async () => {
    const { line, invoiceId } = await february();
    const { reference } = await documentOf(db, invoiceId);
    await paid(db, activities, [{ reference, minor: 159_460, on: '2026-04-02' }]);
    await inRun(`invoice/${invoiceId}`, () => activities.reviewReceivable({ invoiceId, look: '1', at: '2026-04-02T18:00:00.000Z' }));
    await correct(
      db,
      activities,
      invoiceId,
      correctionInput({ kind: 'partial', choices: [{ item: entry(line, 'B'), fate: 'waive' }] }, AFTER),
    );
    expect(await documentOf(db, invoiceId)).toMatchObject({ state: 'settled', open_minor: 0 });
    expect(await onAccount(line)).toEqual([46_410]);
    const of = async (asOf: string) =>
      (await readReceivables(db, wholeGroup, {}, asOf)).parties.find(({ billToId }) => billToId === 'BA-DE')?.onAccount ?? '0.00';
    expect([await of('2026-04-19'), await of('2026-04-20')]).toEqual(['0.00', '464.10']);
  });
});

describe('cash', () => {
  test('moves along with the day on which it was paid, an excess goes on account, and the past stays as it was stated', async () => {
    const { line, invoiceId } = await february();
    const { reference } = await documentOf(db, invoiceId);
    await paid(db, activities, [{ reference, minor: 120_000, on: '2026-04-10' }]);
    const before = await readReceivables(db, wholeGroup, {}, '2026-04-15');
    const interestBefore = await listInterest(db, wholeGroup, {}, '2026-04-15', { limit: 100, after: null });
    const { rebillId } = await correct(db, activities, invoiceId, correctionInput(waived(line, 'B'), AFTER));
    expect(await documentOf(db, rebillId ?? '')).toMatchObject({ open_minor: 0, total_minor: 113_050 });
    expect(await onAccount(line)).toEqual([6_950]);
    expect(await readReceivables(db, wholeGroup, {}, '2026-04-15')).toEqual(before);
    expect(await listInterest(db, wholeGroup, {}, '2026-04-15', { limit: 100, after: null })).toEqual(interestBefore);
    // The rebill was owed from 8 April on and paid two days later: 1,130.50 × 8 % × 2 / 365.
    const interest = (await listInterest(db, wholeGroup, {}, '2026-04-30', { limit: 100, after: null })).rows;
    expect(interest.filter(({ invoiceId: id }) => [invoiceId, rebillId].includes(id))).toMatchObject([
      { invoiceId: rebillId, interest: '0.50' },
    ]);
  });

  test('that comes back opens the rebill, not the credited invoice, and its excess is gone', async () => {
    const { line, invoiceId } = await february();
    const { reference } = await documentOf(db, invoiceId);
    await paid(db, activities, [{ reference, minor: 159_000, on: '2026-04-10' }]);
    expect(await documentOf(db, invoiceId)).toMatchObject({ open_minor: 0 });
    const { rebillId } = await correct(db, activities, invoiceId, correctionInput(waived(line, 'B'), AFTER));
    await paid(db, activities, [{ reference, minor: 159_000, on: '2026-04-22', returned: true }]);
    expect(await documentOf(db, rebillId ?? '')).toMatchObject({ state: 'issued', open_minor: 113_050 });
    expect(await documentOf(db, invoiceId)).toMatchObject({ state: 'credited', open_minor: 0 });
    expect((await verifyBooks(db)).ties.find(({ tie }) => tie === 'bank-charges')).toMatchObject({ broken: [] });
  });

  test('that names the credited invoice pays what was billed in its place; beyond that, or without a rebill, it stays on account', async () => {
    const { line, invoiceId } = await february();
    const { reference } = await documentOf(db, invoiceId);
    const { rebillId } = await correct(db, activities, invoiceId, correctionInput(waived(line, 'B'), AFTER));
    await paid(db, activities, [{ reference, minor: 159_460, on: '2026-04-22' }]);
    expect(await documentOf(db, rebillId ?? '')).toMatchObject({ open_minor: 0 });
    expect(await onAccount(line)).toEqual([46_410]);

    const other = await february();
    await correct(db, activities, other.invoiceId, correctionInput({ kind: 'full', otherwise: 'waive', choices: [] }, AFTER));
    await paid(db, activities, [{ reference: (await documentOf(db, other.invoiceId)).reference, minor: 100, on: '2026-04-22' }]);
    expect(await onAccount(other.line)).toEqual([]);
  });
});

describe('a correction is refused', () => {
  test('of a draft, of a credit note, of what is credited, twice at a time, and by who entered or approved its time', async () => {
    const line = await deliveredLine(db, activities);
    await bringTime(db, activities, line, [{ entryId: 'A', workDate: '2026-02-02', hours: '8' }], '2026-02-10T09:00:00.000Z');
    const { invoiceId } = await takeRun(db, activities, line, '2026-02', CUT_OFF.february);
    const asked = (over: Parameters<typeof correctionInput>[2] = {}) => request(invoiceId ?? '', correctionInput(REBILL, AFTER, over));
    expect(await refusalOf(asked())).toBe('InvoiceNotCorrectable');
    await issued(db, activities, invoiceId ?? '', '2026-03-09T09:00:00.000Z');
    expect(await refusalOf(asked({ by: 'U-PM-EU' }))).toBe('DutiesConflict');
    expect(await refusalOf(asked({ disputeId: 'none' }))).toBe('DisputeUnknown');

    const correctionId = randomUUID();
    const first = await asked({ correctionId });
    expect(await asked({ correctionId })).toEqual(first);
    expect(await refusalOf(asked({ correctionId, reasonCode: 'PRICE' }))).toBe('EffectIdentityMismatch');
    expect(await refusalOf(asked())).toBe('CorrectionOpen');
    await inRun('c', () => activities.settleCorrection({ invoiceId: invoiceId ?? '', correctionId, outcome: 'refused', at: AFTER }));

    await correct(db, activities, invoiceId ?? '', correctionInput(REBILL, AFTER));
    expect(await refusalOf(asked())).toBe('InvoiceCredited');
    const credit = await db.selectFrom('invoice').select('id').where('corrects_id', '=', invoiceId).where('document_kind', '=', 'credit-note').executeTakeFirstOrThrow(); // prettier-ignore
    expect(await refusalOf(request(credit.id, correctionInput(REBILL, AFTER)))).toBe('InvoiceNotCorrectable');
    await db.updateTable('project').set({ state: 'closed' }).where('deal_id', '=', line.dealId).execute();
    expect(await refusalOf(asked())).toBe('InvoiceCredited');
  });

  test('in a closed project', async () => {
    const { line, invoiceId } = await february();
    await db.updateTable('project').set({ state: 'closed' }).where('deal_id', '=', line.dealId).execute();
    expect(await refusalOf(request(invoiceId, correctionInput(REBILL, AFTER)))).toBe('ProjectClosed');
  });

  test('and ends as outdated where it is not what was shown any more when it is to be issued', async () => {
    const { line, invoiceId } = await february();
    const correction = correctionInput(waived(line, 'B'), AFTER);
    await request(invoiceId, correction);
    const { correctionId } = correction;
    const run = `correction/${invoiceId}`;
    await approvedCorrection(db, correctionId);
    await inRun(run, () => activities.settleCorrection({ invoiceId, correctionId, outcome: 'approved', at: AFTER }));
    const changed = JSON.stringify(waived(line, 'A'));
    await db.updateTable('invoice_correction').set({ request: changed }).where('id', '=', correctionId).execute();
    const answer = await inRun(run, () => activities.issueCorrection({ invoiceId, correctionId, at: AFTER }));
    expect(answer).toMatchObject({ rebillId: null, view: { open: null } });
    expect(await documents(invoiceId)).toEqual([]);
    expect((await readInvoice(db, wholeGroup, invoiceId))?.corrections).toMatchObject([{ state: 'outdated' }]);
  });
});

describe('a dispute', () => {
  const raise = async (invoiceId: string, over: Record<string, unknown> = {}) => {
    const reasonId = await reasonOf(db, 'not agreed', 'U-AR');
    const dispute = { disputeId: randomUUID(), reference: null, amountMinor: 40_000, reasonCode: 'HOURS', reasonId, ownerRole: 'project-manager', raisedAt: AFTER, by: 'U-AR', at: AFTER, ...over }; // prettier-ignore
    await inRun(`correction/${invoiceId}`, () => activities.raiseDispute({ invoiceId, dispute }));
    return dispute.disputeId;
  };
  const resolve = (invoiceId: string, disputeId: string, over: Record<string, unknown> = {}) => {
    const resolution = {
      resolutionId: randomUUID(),
      disputeId,
      outcome: 'rejected',
      notBillable: [],
      reasonId: null,
      by: 'U-DELDIR',
      at: AFTER,
      ...over,
    } as const;
    return inRun(`correction/${invoiceId}`, () => activities.resolveDispute({ invoiceId, resolution }));
  };
  const heldBy = async (invoiceId: string) => {
    const rows = await db
      .selectFrom('collection_hold')
      .select('id')
      .where('invoice_id', '=', invoiceId)
      .where('lifted_at', 'is', null)
      .execute();
    return rows.map(({ id }) => id);
  };

  test('is refused beyond what is open, in the future, twice, and where what was found does not stand on the invoice', async () => {
    const { line, invoiceId } = await february();
    expect(await refusalOf(raise(invoiceId, { amountMinor: 159_461 }))).toBe('HoldAboveOpenAmount');
    expect(await refusalOf(raise(invoiceId, { raisedAt: '2026-04-20T09:00:01.000Z' }))).toBe('DisputeInFuture');
    const disputeId = await raise(invoiceId);
    expect(await refusalOf(resolve(invoiceId, 'none'))).toBe('DisputeUnknown');
    const foreign = { outcome: 'upheld', notBillable: [{ item: 'TE-404' }] };
    expect(await refusalOf(resolve(invoiceId, disputeId, foreign))).toBe('CorrectionItemUnknown');
    expect(await refusalOf(request(invoiceId, correctionInput(waived(line, 'B'), AFTER, { disputeId })))).toBe('DisputeNotUpheld');
    await resolve(invoiceId, disputeId);
    expect(await refusalOf(resolve(invoiceId, disputeId, foreign))).toBe('DisputeResolved');
    expect(await heldBy(invoiceId)).toEqual([]);
  });

  test('that is upheld stops dunning until the correction is issued; a promise to pay goes along to the rebill, and so does the ladder', async () => {
    const { line, invoiceId } = await february();
    const disputeId = await raise(invoiceId);
    const promise = { holdId: randomUUID(), kind: 'promise', amountMinor: null, reasonId: await reasonOf(db, 'by June', 'U-AR'), from: AFTER, until: '2026-06-01T00:00:00.000Z', by: 'U-AR', at: AFTER } as const; // prettier-ignore
    await inRun(`invoice/${invoiceId}`, () => activities.recordHold({ invoiceId, hold: promise }));
    const taken = await inRun(`invoice/${invoiceId}`, () => activities.reviewReceivable({ invoiceId, look: '1', at: AFTER }));
    expect(taken.waits.map(({ kind }) => kind).sort()).toEqual(['payment', 'promise']);
    await resolve(invoiceId, disputeId, { outcome: 'upheld-in-part', notBillable: [{ item: entry(line, 'B') }] });
    expect((await heldBy(invoiceId)).sort()).toEqual([disputeId, promise.holdId].sort());
    const { rebillId } = await correct(db, activities, invoiceId, correctionInput(waived(line, 'B'), AFTER, { disputeId }));
    expect([await heldBy(invoiceId), await heldBy(rebillId ?? '')]).toEqual([[], [promise.holdId]]);
    const levels = async (id: string) =>
      (await db.selectFrom('dunning_step').select('level').where('invoice_id', '=', id).orderBy('level').execute()).map(
        ({ level }) => level,
      );
    expect(await levels(rebillId ?? '')).toEqual(await levels(invoiceId));
    expect(await levels(invoiceId)).not.toEqual([]);
  });
});
