import { resolve } from 'node:path';
import { figuresOf, type Figures } from '../../simulation/figures';
import { readDealFolder } from '../../simulation/folder';
import { playFolder, type PlayedDeal } from '../../simulation/play';
import { expectedReport } from '../support/expected/report';
import { uniqueName } from '../support/temporal';
import { startInstallation, type Installation } from './installation';

const FOLDER = resolve(__dirname, '..', '..', 'examples', 'reference-deal');
const LINES = ['L2', 'L3', 'L4', 'L7'];
const folder = readDealFolder(FOLDER, undefined, { changeOrders: false });
const expected = expectedReport(FOLDER, { withoutChangeOrders: true });

/** Every line of the deal as signed: what its change orders would bring stays outside. */
describe('the time-and-materials lines of the reference deal, played over HTTP', () => {
  let installation: Installation;
  let played: PlayedDeal;
  let figures: Figures;
  beforeAll(async () => {
    installation = await startInstallation(uniqueName('time-and-materials'));
    played = await playFolder(folder, installation);
    figures = await figuresOf(installation.db, played.dealId);
  }, 480_000);
  afterAll(() => installation.close(), 60_000);

  test('bill what is recomputed from the input, with discount and tax of each entity', () => {
    const own = (list: readonly { readonly lineId: string }[]) => list.filter(({ lineId }) => LINES.includes(lineId));
    expect(own(figures.invoices)).toEqual(own(expected.invoices));
    expect(new Set(own(figures.invoices).map(({ lineId }) => lineId)).size).toBe(LINES.length);
  });

  test('the other lines bill the same beside them', () => {
    expect(figures.invoices).toEqual(expected.invoices);
  });

  test('hold the recomputed billable time in hours and money', () => {
    expect(figures.billable).toEqual(expected.billable);
  });

  test('run up to their limits as recomputed: billed, released, parked, soft limits', () => {
    expect(figures.notToExceed).toEqual(expected.notToExceed);
  });

  test('name every breach of policy as recomputed', () => {
    expect(figures.policyBreaches).toEqual(expected.policyBreaches);
  });

  test('end with every invoice settled, nothing unbilled and the project closed', async () => {
    const { db } = installation;
    expect(await db.selectFrom('invoice').select('reference').where('state', 'not in', ['settled']).execute()).toEqual([]);
    expect(await db.selectFrom('parked_entry').select('entry_id').execute()).toEqual([]);
    expect(await db.selectFrom('deal').select('state').execute()).toEqual([{ state: 'closed' }]);
    expect(
      await db.selectFrom('open_wait').selectAll().where('closed_at', 'is', null).where('workflow_id', 'not like', 'period/%').execute(),
    ).toEqual([]);
  });
});
