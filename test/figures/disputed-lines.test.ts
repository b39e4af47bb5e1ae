import { resolve } from 'node:path';
import { verifyBooks } from '../../db/books/verify';
import { figuresOf, type Figures } from '../../simulation/figures';
import { readDealFolder, statementDays } from '../../simulation/folder';
import { playFolder, type PlayedDeal } from '../../simulation/play';
import { expectedReport, type ExpectedReport } from '../support/expected/report';
import { uniqueName } from '../support/temporal';
import { expectDisputesPlayed } from '../e2e/disputes';
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

  test('keep what was paid, rest dunning while disputed or promised, and end with every invoice settled or credited', async () => {
    const { db } = installation;
    await expectDisputesPlayed(db);
    const open = await db.selectFrom('invoice').select('reference').where('state', 'not in', ['settled', 'credited']).execute();
    expect(open).toEqual([]);
    expect(await db.selectFrom('deal').select('state').execute()).toEqual([{ state: 'closed' }]);
    expect((await verifyBooks(db)).ties.filter(({ broken }) => broken.length > 0)).toEqual([]);
  });
});
