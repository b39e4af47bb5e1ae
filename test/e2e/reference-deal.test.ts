import { resolve } from 'node:path';
import { figuresOf } from '../../simulation/figures';
import { readDealFolder } from '../../simulation/folder';
import { playFolder, type PlayedDeal } from '../../simulation/play';
import { expectedFigures } from '../support/expected/figures';
import { type ExpectedReceivables } from '../support/expected/receivables';
import { uniqueName } from '../support/temporal';
import { startInstallation, type Installation } from './installation';
import { plantHold, wordsOfHolds } from './planted-words';
import { peopleOf, scanForPeople } from './privacy-scan';
import { receivablesOf } from './receivables-view';
import { waitComparison, type WaitComparison } from './wait-comparison';

const FOLDER = resolve(__dirname, '..', '..', 'examples', 'reference-deal');
const folder = readDealFolder(FOLDER, ['L1', 'L5', 'L6']);
const expected = expectedFigures(FOLDER);

describe('the reference deal, played over HTTP', () => {
  let installation: Installation;
  let played: PlayedDeal;
  let waits: WaitComparison;
  const receivables: ExpectedReceivables[] = [];
  /** What a person of the play writes about somebody; planted once, as soon as a document is issued. */
  const planted = 'Ermengarde Fothergill-Quince of the customer asked for time';
  let plantedOn: string | null = null;

  beforeAll(async () => {
    installation = await startInstallation(uniqueName('reference-deal'));
    waits = waitComparison(installation.client, installation.db);
    const monthly = new Map(folder.bankFiles.map(({ file }) => [`bank/${file.messageId}`, file]));
    played = await playFolder(folder, installation, {
      onWait: waits.compare,
      onBrought: async (key, stage, moment) => {
        const file = monthly.get(key);
        if (file) receivables.push(await receivablesOf(stage, folder, lastDay(file)));
        plantedOn ??= await plantHold(stage, folder, moment, planted);
      },
    });
  }, 720_000);
  afterAll(() => installation.close(), 60_000);

  test('bills every invoice and credit note as recomputed from the input', async () => {
    expect((await figuresOf(installation.db, played.dealId)).invoices).toEqual(expected.invoices);
  });

  test('takes acceptance in writing and by silence on the recomputed days', async () => {
    const rows = await installation.db
      .selectFrom('milestone')
      .select(['milestone_id as milestoneId', 'accepted_on as acceptedOn', 'acceptance'])
      .orderBy('milestone_id')
      .execute();
    expect(rows).toEqual(expected.acceptances);
    expect(rows.filter((row) => row.acceptance === 'deemed')).not.toHaveLength(0);
  });

  test('states the recomputed receivables and money on account after each bank file', () => {
    expect(receivables).toEqual(expected.receivables);
  });

  test('ends with every invoice settled, the project closed and the deal run completed', async () => {
    const { db, client } = installation;
    const open = await db.selectFrom('invoice').select(['reference', 'state', 'open_minor']).where('state', '<>', 'settled').execute();
    const project = await db.selectFrom('project').select(['state']).executeTakeFirstOrThrow();
    const deal = await db.selectFrom('deal').select('state').executeTakeFirstOrThrow();
    const run = await client.workflow.getHandle(`deal/${played.dealId}`).describe();
    expect(open).toEqual([]);
    expect(project.state).toBe('closed');
    expect(deal.state).toBe('closed');
    expect(run.status.name).toBe('COMPLETED');
    const waiting = await db.selectFrom('open_wait').selectAll().where('closed_at', 'is', null).execute();
    expect(waiting).toEqual([]);
  });

  test('shows in Temporal, at every wait and for every open run, what open_wait says', () => {
    const { compared, differences } = waits.result();
    expect(differences).toEqual([]);
    expect(compared).toBeGreaterThan(played.steps);
  });

  test('leaves no name and no e-mail address of a person in histories, ids, search attributes or logs', async () => {
    const { runs, findings } = await scanForPeople(installation.client, FOLDER, installation.logLines, [planted]);
    expect(peopleOf(FOLDER).length).toBeGreaterThan(100);
    expect(findings).toEqual([]);
    expect(runs).toBeGreaterThan(2 * expected.invoices.length);
    expect(installation.logLines.length).toBeGreaterThan(0);
  });

  test('keeps what a person wrote where it can be erased, and shows it to readers of the document', async () => {
    expect(await wordsOfHolds(played.stage, folder, plantedOn ?? '')).toEqual([planted]);
    const kept = await installation.db.selectFrom('free_text').select(['author', 'subject']).where('body', '=', planted).execute();
    expect(kept).toEqual([{ author: expect.stringMatching(/^U-/) as string, subject: `invoice/${plantedOn}` }]);
  });
});

function lastDay(file: { statements: readonly { to: string }[] }): string {
  return file.statements.map((statement) => statement.to).sort().at(-1) ?? ''; // prettier-ignore
}
