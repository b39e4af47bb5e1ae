import { type Client } from '@temporalio/client';
import { sql } from 'kysely';
import { scriptOf } from '../bare/scripted';
import { type LifecycleScript } from '../bare/script';
import { countsOf, type LifecycleCounts } from './counts';
import { historiesBelow, type RunHistory } from './histories';
import { playDeals, type Surroundings } from './people';

/** What one lifecycle of the product is, played alone. */
export interface OneLifecycle {
  readonly counts: LifecycleCounts;
  readonly script: LifecycleScript;
  /** Effect rows of its runs: one for each activity; a look whose workflow task was done again is the same look. */
  readonly effects: number;
  /** Of effects and of the inbox. */
  readonly commits: number;
}

type Played = Surroundings & { readonly client: Client };

const ALONE = 3;

/** Plays deals until everything is warm, then some one by one, and takes the one whose messages met the fewest workflow tasks. */
export async function oneLifecycle(stack: Played, warm: number, prefix = 'ALONE'): Promise<OneLifecycle> {
  await playDeals(stack, names(`${prefix}-WARM`, warm), { atOnce: 4 });
  let best: readonly RunHistory[] = [];
  for (const name of names(prefix, ALONE)) {
    const { dealIds } = await playDeals(stack, [name], { atOnce: 1 });
    const runs = await historiesBelow(stack.client, [`deal/${dealIds[0]}`, `intake/bank/${name}`]);
    if (best.length === 0 || countsOf(runs).historyEvents < countsOf(best).historyEvents) best = runs;
  }
  return described(stack, best);
}

async function described({ db }: Played, runs: readonly RunHistory[]): Promise<OneLifecycle> {
  const ids = runs.map((run) => run.workflowId);
  const { effects } = await db
    .selectFrom('effect')
    .select(sql<number>`count(distinct regexp_replace(key, '/[0-9]+[.]([0-9]+)$', '/\\1'))`.as('effects'))
    .where('workflow_id', 'in', ids)
    .executeTakeFirstOrThrow();
  const script = scriptOf(runs);
  const inbox = script.messages.reduce((sum, message) => sum + message.commits, 0);
  return { counts: countsOf(runs), script, effects: Number(effects), commits: Number(effects) + inbox };
}

/** Names of deals of one round; each is used once. */
export function names(prefix: string, count: number): string[] {
  return Array.from({ length: count }, (_, index) => `${prefix}-${index + 1}`);
}
