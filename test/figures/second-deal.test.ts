import { figuresOf, type Figures } from '../../simulation/figures';
import { readDealFolder, statementDays } from '../../simulation/folder';
import { playFolder } from '../../simulation/play';
import { expectedReport } from '../support/expected/report';
import { SECOND_DEAL } from '../support/second-deal/write';
import { uniqueName } from '../support/temporal';
import { PARTS, recomputed, reported } from '../e2e/compared-figures';
import { startInstallation, type Installation } from '../e2e/installation';

const folder = readDealFolder(SECOND_DEAL);
const expected = expectedReport(SECOND_DEAL);

describe('another deal of another firm, in other currencies, taxes and calendars, played over HTTP', () => {
  let installation: Installation;
  let figures: Figures;
  beforeAll(async () => {
    installation = await startInstallation(uniqueName('second-deal'));
    const { dealId } = await playFolder(folder, installation);
    figures = await figuresOf(installation.db, dealId, statementDays(folder));
  }, 480_000);
  afterAll(() => installation.close(), 60_000);

  test.each(PARTS)('comes to the recomputed figures: %s', (part) => {
    expect(reported(figures)[part]).toEqual(recomputed(expected)[part]);
  });

  test('ends with every invoice settled or credited and the project closed', async () => {
    const { db } = installation;
    expect(await db.selectFrom('invoice').select('reference').where('state', 'not in', ['settled', 'credited']).execute()).toEqual([]);
    expect(await db.selectFrom('project').select('state').execute()).toEqual([{ state: 'closed' }]);
    expect(await db.selectFrom('open_wait').selectAll().where('closed_at', 'is', null).execute()).toEqual([]);
  });
});
