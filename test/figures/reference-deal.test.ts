import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { verifyBooks } from '../../db/books/verify';
import { figuresOf, type Figures } from '../../simulation/figures';
import { readDealFolder, statementDays } from '../../simulation/folder';
import { playFolder, type PlayedDeal } from '../../simulation/play';
import { receivablesAfterEachFile, type ExpectedReceivables } from '../support/expected/receivables';
import { expectedReport } from '../support/expected/report';
import { readWholeFolder } from '../support/expected/whole-folder';
import { uniqueName } from '../support/temporal';
import { apiFigures } from '../e2e/api-figures';
import { PARTS, recomputed, reported } from '../e2e/compared-figures';
import { expectDisputesPlayed } from '../e2e/disputes';
import { startInstallation, type Installation } from '../e2e/installation';
import { plantHold, wordsOfHolds } from '../e2e/planted-words';
import { peopleOf, scanForPeople } from '../e2e/privacy-scan';
import { receivablesOf } from '../e2e/receivables-view';
import { waitComparison, type WaitComparison } from '../e2e/wait-comparison';

const FOLDER = resolve(__dirname, '..', '..', 'examples', 'reference-deal');
const folder = readDealFolder(FOLDER);
const expected = expectedReport(FOLDER);

interface Stated {
  readonly changeOrders: readonly { readonly id: string; readonly modificationAccounting: { readonly answer: string } }[];
}

describe('the whole reference deal with its change orders, played over HTTP', () => {
  let installation: Installation;
  let played: PlayedDeal;
  let figures: Figures;
  let waits: WaitComparison;
  const receivables: ExpectedReceivables[] = [];
  /** What a person of the play writes about somebody; planted once, as soon as a document is issued. */
  const planted = 'Ermengarde Fothergill-Quince of the customer asked for time';
  let plantedOn: string | null = null;

  beforeAll(async () => {
    installation = await startInstallation(uniqueName('reference-deal'));
    waits = waitComparison(installation.client, installation.db);
    const monthly = new Map(folder.bankFiles.map(({ file }, index) => [`bank/${file.messageId}`, statementDays(folder)[index] ?? '']));
    played = await playFolder(folder, installation, {
      onWait: waits.compare,
      onBrought: async (key, stage, moment) => {
        const lastDay = monthly.get(key);
        if (lastDay !== undefined) receivables.push(await receivablesOf(stage, folder, lastDay));
        plantedOn ??= await plantHold(stage, folder, moment, planted);
      },
    });
    figures = await figuresOf(installation.db, played.dealId, statementDays(folder));
  }, 900_000);
  afterAll(() => installation.close(), 60_000);

  test('has every line, and each part of the report has something to say', () => {
    expect(new Set(figures.invoices.map(({ lineId }) => lineId))).toEqual(new Set(folder.lines.map((line) => line.id)));
    expect(folder.leftOut).toEqual([]);
    for (const part of PARTS) expect([part, JSON.stringify(figures[part]).length > 20]).toEqual([part, true]);
  });

  test.each(PARTS)('comes to the recomputed figures: %s', (part) => {
    expect(reported(figures)[part]).toEqual(recomputed(expected)[part]);
  });

  test('tells the same figures over the API, part by part', async () => {
    const told = await apiFigures(played.stage, folder, statementDays(folder));
    const accounts = figures.trialBalance.map(({ asOf, entity, accounts: own }) => ({ asOf, entity, accounts: own }));
    for (const part of PARTS) expect({ [part]: told[part] }).toEqual({ [part]: part === 'trialBalance' ? accounts : figures[part] });
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

  test('stated the recomputed receivables and money on account when each bank file had been read', () => {
    expect(receivables).toEqual(receivablesAfterEachFile(readWholeFolder(FOLDER), expected.invoices));
  });

  test('applied every change order, accounted for as the folder says', async () => {
    const { changeOrders } = JSON.parse(readFileSync(join(FOLDER, 'change-orders.json'), 'utf8')) as Stated;
    const orders = await installation.db
      .selectFrom('change_order')
      .select(['number', 'state', 'accounting_treatment'])
      .orderBy('number')
      .execute();
    expect(orders.map((order) => [order.number, order.state, order.accounting_treatment])).toEqual(
      changeOrders.map(({ id, modificationAccounting }) => [id, 'applied', modificationAccounting.answer.replaceAll(' ', '-')]),
    );
    const versions = await installation.db.selectFrom('contract_version').select('version').orderBy('version').execute();
    expect(versions.map((each) => each.version)).toEqual([1, ...changeOrders.map((_, index) => index + 2)]);
  });

  test('resolved both disputes, rested dunning meanwhile, and had what was paid on the corrected invoice pay its rebill', async () => {
    expect(figures.corrections).toHaveLength(2);
    await expectDisputesPlayed(installation.db);
  });

  test('ends with every invoice settled or credited, nothing unbilled, the project closed and the deal run completed', async () => {
    const { db, client } = installation;
    const open = await db
      .selectFrom('invoice')
      .select(['reference', 'state', 'open_minor'])
      .where('state', 'not in', ['settled', 'credited'])
      .execute();
    const project = await db.selectFrom('project').select(['state']).executeTakeFirstOrThrow();
    const deal = await db.selectFrom('deal').select('state').executeTakeFirstOrThrow();
    const run = await client.workflow.getHandle(`deal/${played.dealId}`).describe();
    expect(open).toEqual([]);
    expect(await db.selectFrom('parked_entry').select('entry_id').execute()).toEqual([]);
    expect(project.state).toBe('closed');
    expect(deal.state).toBe('closed');
    expect(run.status.name).toBe('COMPLETED');
    const waiting = await db.selectFrom('open_wait').selectAll().where('closed_at', 'is', null).execute();
    expect(waiting).toEqual([]);
  });

  test('leaves books that tie to documents and payments, and rest when every month is closed', async () => {
    const { valid, ties } = await verifyBooks(installation.db);
    expect(ties.filter(({ broken }) => broken.length > 0)).toEqual([]);
    expect(valid).toBe(true);
    const open = await installation.db.selectFrom('accounting_period').select('period').where('state', '=', 'soft-closed').execute();
    const running = await installation.db.selectFrom('entity_books').select('entity_id').where('state', '=', 'open').execute();
    expect([open, running]).toEqual([[], []]);
    expect(figures.trialBalance.flatMap(({ accounts }) => accounts).length).toBeGreaterThan(0);
    expect(figures.audit).toMatchObject({ verified: true });
    expect(figures.audit.rows).toBeGreaterThan(figures.audit.heads);
    expect(figures.audit.heads).toBeGreaterThan(2);
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
