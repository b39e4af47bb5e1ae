import { resolve } from 'node:path';
import { verifyBooks } from '../../db/books/verify';
import { figuresOf, type Figures } from '../../simulation/figures';
import { readDealFolder, statementDays } from '../../simulation/folder';
import { playFolder, type PlayedDeal } from '../../simulation/play';
import { expectedReport, type ExpectedReport } from '../support/expected/report';
import { uniqueName } from '../support/temporal';
import { startInstallation, type Installation } from '../e2e/installation';

const REFERENCE = resolve(__dirname, '..', '..', 'examples', 'reference-deal');
const folder = readDealFolder(REFERENCE, ['L2', 'L3']);
const expected: ExpectedReport = expectedReport(REFERENCE, { lines: ['L2', 'L3'], withoutChangeOrders: true });

/** The lines with disputes and promises: one dispute is upheld in part after most of the invoice was paid, one is rejected. */
describe('the disputed lines of the reference deal, played over HTTP', () => {
  let installation: Installation;
  let played: PlayedDeal;
  let figures: Figures;
  beforeAll(async () => {
    installation = await startInstallation(uniqueName('corrections'));
    played = await playFolder(folder, installation);
    figures = await figuresOf(installation.db, played.dealId, statementDays(folder));
  }, 480_000);
  afterAll(() => installation.close(), 60_000);

  test('make the recomputed credit note and rebill', () => {
    expect(figures.corrections).toEqual(expected.corrections);
    expect(figures.corrections).toHaveLength(2);
  });

  test('state everything else as it was before the correction', () => {
    expect(figures.invoices).toEqual(expected.invoices);
    expect(figures.revenue).toEqual(expected.revenue);
    expect(figures.notToExceed).toEqual(expected.notToExceed);
    expect(figures.ageing).toEqual(expected.ageing);
    expect(figures.interest).toEqual(expected.interest);
    const open = (list: ExpectedReport['cash']['afterEachStatement']) => list.map(({ asOf, openInvoices }) => ({ asOf, openInvoices }));
    expect(open(figures.cash.afterEachStatement)).toEqual(open(expected.cash.afterEachStatement));
  });

  test('keep what was paid on the invoice: it pays the rebill, of which only the rest is collected', async () => {
    const { db } = installation;
    const paid = await db
      .selectFrom('payment_application as applied')
      .innerJoin('invoice', 'invoice.id', 'applied.invoice_id')
      .select(['invoice.reference', 'applied.amount_minor as minor', 'applied.moved_on as moved', 'applied.applied_on as on'])
      .where('invoice.reference', 'like', 'TSR26-L2-2026-03%')
      .orderBy('applied.applied_on')
      .orderBy('invoice.reference')
      .execute();
    expect(paid.map(({ reference, minor, moved }) => [reference, minor, moved])).toEqual([
      ['TSR26-L2-2026-03', 10_452_044, '2026-07-10'],
      ['TSR26-L2-2026-03-R1', 10_452_044, null],
      ['TSR26-L2-2026-03-R1', 584_220, null],
    ]);
    expect(paid[0]?.on).toBe(paid[1]?.on);
  });

  test('rest dunning while disputed or promised, resolve both disputes, and end with every invoice settled or credited', async () => {
    const { db } = installation;
    const disputes = await db.selectFrom('invoice_dispute').select(['reference', 'outcome']).orderBy('reference').execute();
    expect(disputes).toEqual([
      { reference: 'DSP-01', outcome: 'upheld-in-part' },
      { reference: 'DSP-02', outcome: 'rejected' },
    ]);
    const heldBack = await db
      .selectFrom('dunning_step as step')
      .innerJoin('invoice', 'invoice.id', 'step.invoice_id')
      .innerJoin('collection_hold as hold', 'hold.id', 'step.held_by')
      .select(['invoice.reference', 'hold.kind'])
      .distinct()
      .execute();
    expect(heldBack).toContainEqual({ reference: 'TSR26-L2-2026-03', kind: expect.stringMatching(/dispute|dunning-hold/) as unknown });
    const open = await db.selectFrom('invoice').select('reference').where('state', 'not in', ['settled', 'credited']).execute();
    expect(open).toEqual([]);
    expect(await db.selectFrom('deal').select('state').execute()).toEqual([{ state: 'closed' }]);
    expect((await verifyBooks(db)).ties.filter(({ broken }) => broken.length > 0)).toEqual([]);
  });
});
