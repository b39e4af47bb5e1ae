import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { figuresOf } from '../../simulation/figures';
import { readDealFolder } from '../../simulation/folder';
import { playFolder, type PlayedDeal } from '../../simulation/play';
import { expectedReport } from '../support/expected/report';
import { uniqueName } from '../support/temporal';
import { startInstallation, type Installation } from './installation';

const FOLDER = resolve(__dirname, '..', '..', 'examples', 'reference-deal');
const LINES = ['L3', 'L5'];

interface Stated {
  readonly changeOrders: readonly { readonly id: string; readonly lines: readonly string[]; readonly modificationAccounting: { readonly answer: string } }[]; // prettier-ignore
}

describe('a deal whose contract changes while it runs, played over HTTP', () => {
  const expected = expectedReport(FOLDER, { lines: LINES });
  let installation: Installation;
  let played: PlayedDeal;

  beforeAll(async () => {
    installation = await startInstallation(uniqueName('change-orders'));
    played = await playFolder(readDealFolder(FOLDER, LINES, { changeOrders: true }), installation);
  }, 480_000);
  afterAll(() => installation.close(), 60_000);

  test('bills as recomputed from the input', async () => {
    const { invoices } = await figuresOf(installation.db, played.dealId);
    expect(invoices).toEqual(expected.invoices);
  });

  test('applies every change order of its lines, accounted for as the folder says', async () => {
    const text = readFileSync(join(FOLDER, 'change-orders.json'), 'utf8');
    const stated = (JSON.parse(text) as Stated).changeOrders.filter((order) => order.lines.every((line) => LINES.includes(line)));
    const orders = await installation.db
      .selectFrom('change_order')
      .select(['number', 'state', 'accounting_treatment'])
      .orderBy('number')
      .execute();
    expect(orders.length).toBeGreaterThan(0);
    expect(orders.map((order) => [order.number, order.state, order.accounting_treatment])).toEqual(
      stated.map(({ id, modificationAccounting }) => [id, 'applied', modificationAccounting.answer.replaceAll(' ', '-')]),
    );
    const versions = await installation.db.selectFrom('contract_version').select('version').orderBy('version').execute();
    expect(versions.map((each) => each.version)).toEqual([1, ...stated.map((_, index) => index + 2)]);
  });
});
