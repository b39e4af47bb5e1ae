import { rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { figuresOf, type Figures } from '../../../simulation/figures';
import { readDealFolder, statementDays } from '../../../simulation/folder';
import { playFolder } from '../../../simulation/play';
import { type ExpectedAcceptance } from '../../support/expected/fixed-fee';
import { receivablesAfterEachFile, type ExpectedReceivables } from '../../support/expected/receivables';
import { expectedReport, type ExpectedReport } from '../../support/expected/report';
import { readWholeFolder } from '../../support/expected/whole-folder';
import { scratchFolder } from '../../support/scratch';
import { uniqueName } from '../../support/temporal';
import { recomputed, reported } from '../compared-figures';
import { startInstallation } from '../installation';
import { receivablesOf } from '../receivables-view';
import { writePerturbed } from './perturbation';

const REFERENCE = resolve(__dirname, '..', '..', '..', 'examples', 'reference-deal');
/** Deals played side by side, each on a database and namespace of its own: more would only wait for the processor. */
const AT_A_TIME = 2;

interface Outcome {
  readonly figures: Figures;
  readonly acceptances: readonly { milestoneId: string; acceptedOn: string | null; acceptance: string | null }[];
  readonly receivables: readonly ExpectedReceivables[];
  readonly unsettled: readonly string[];
  readonly dealState: string;
  readonly projectState: string;
}

/** What every perturbed deal must come to; the seeds are spread over test files, which then play side by side on the cores. */
export function perturbedDealsComeOut(seeds: readonly number[]): void {
  const root = scratchFolder('throughline-perturbed-');
  const folderOf = (seed: number): string => join(root, String(seed));
  const outcomes = new Map<number, Promise<Outcome>>();

  beforeAll(() => {
    for (const seed of seeds) writePerturbed(REFERENCE, folderOf(seed), seed);
    const lanes = Array.from({ length: AT_A_TIME }, () => Promise.resolve());
    seeds.forEach((seed, index) => {
      const lane = index % AT_A_TIME;
      const outcome = (lanes[lane] ?? Promise.resolve()).then(() => playSeed(folderOf(seed), seed));
      outcomes.set(seed, outcome);
      lanes[lane] = outcome.then(
        () => undefined,
        () => undefined,
      );
    });
  });
  afterAll(async () => {
    await Promise.allSettled(outcomes.values());
    rmSync(root, { recursive: true, force: true });
  }, 900_000);

  test.each(seeds)(
    'comes to the figures recomputed from its folder, part by part, and is closed (seed %i)',
    async (seed) => {
      const expected = expectedReport(folderOf(seed));
      const { figures, acceptances, receivables, unsettled, dealState, projectState } = (await outcomes.get(seed)) as Outcome;
      expect(reported(figures)).toEqual(recomputed(expected));
      expect(figures.audit.verified).toBe(true);
      expect(acceptances).toEqual(inOrder(expected));
      expect(receivables).toEqual(receivablesAfterEachFile(readWholeFolder(folderOf(seed)), expected.invoices));
      expect({ unsettled, dealState, projectState }).toEqual({ unsettled: [], dealState: 'closed', projectState: 'closed' });
    },
    900_000,
  );
}

function inOrder({ acceptances }: ExpectedReport): ExpectedAcceptance[] {
  return [...acceptances].sort((a, b) => (a.milestoneId < b.milestoneId ? -1 : 1));
}

async function playSeed(path: string, seed: number): Promise<Outcome> {
  const folder = readDealFolder(path);
  const installation = await startInstallation(uniqueName(`perturbed-${seed}`));
  try {
    const { db } = installation;
    const receivables: ExpectedReceivables[] = [];
    const days = statementDays(folder);
    const monthly = new Map(folder.bankFiles.map(({ file }, index) => [`bank/${file.messageId}`, days[index]]));
    const { dealId } = await playFolder(folder, installation, {
      onBrought: async (key, stage) => {
        const lastDay = monthly.get(key);
        if (lastDay !== undefined) receivables.push(await receivablesOf(stage, folder, lastDay));
      },
    });
    return {
      figures: await figuresOf(db, dealId, days),
      acceptances: await db
        .selectFrom('milestone')
        .select(['milestone_id as milestoneId', 'accepted_on as acceptedOn', 'acceptance'])
        .orderBy('milestone_id')
        .execute(),
      receivables,
      unsettled: (await db.selectFrom('invoice').select('reference').where('state', 'not in', ['settled', 'credited']).execute()).map(
        (row) => row.reference,
      ),
      dealState: (await db.selectFrom('deal').select('state').executeTakeFirstOrThrow()).state,
      projectState: (await db.selectFrom('project').select('state').executeTakeFirstOrThrow()).state,
    };
  } finally {
    await installation.close();
  }
}
