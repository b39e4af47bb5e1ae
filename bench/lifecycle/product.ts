import { type Client } from '@temporalio/client';
import { scriptOf } from '../bare/scripted';
import { type LifecycleScript } from '../bare/script';
import { countsOf, type LifecycleCounts } from './counts';
import { historiesBelow, type RunHistory } from './histories';
import { playDeals, type Surroundings } from './people';

/** What one lifecycle of the product is, played alone. */
export interface OneLifecycle {
  readonly counts: LifecycleCounts;
  readonly script: LifecycleScript;
  /** Effect rows of its runs: one for each activity execution. */
  readonly effects: number;
  /** Of effects and of the inbox. */
  readonly commits: number;
}

type Played = Surroundings & { readonly client: Client };

const ALONE = 3;
const AT_MOST = 9;

/**
 * Plays deals until everything is warm, then some one by one, and takes the one whose messages met the fewest workflow tasks. Where the
 * machine was so busy that a task was done again, so were its effects: such a one does not count, and another is played.
 */
export async function oneLifecycle(stack: Played, warm: number, prefix = 'ALONE'): Promise<OneLifecycle> {
  await playDeals(stack, names(`${prefix}-WARM`, warm), { atOnce: 4 });
  let best: OneLifecycle | null = null;
  for (const [index, name] of names(prefix, AT_MOST).entries()) {
    if (index >= ALONE && best !== null && isUndisturbed(best)) break;
    const { dealIds } = await playDeals(stack, [name], { atOnce: 1 });
    const one = await described(stack, await historiesBelow(stack.client, [`deal/${dealIds[0]}`, `intake/bank/${name}`]));
    if (best === null || isBetter(one, best)) best = one;
  }
  if (best === null) throw new Error('no lifecycle was played');
  return best;
}

function isUndisturbed({ effects, counts }: OneLifecycle): boolean {
  return effects === counts.localActivities + counts.remoteActivities;
}

function isBetter(one: OneLifecycle, other: OneLifecycle): boolean {
  if (isUndisturbed(one) !== isUndisturbed(other)) return isUndisturbed(one);
  return one.counts.historyEvents < other.counts.historyEvents;
}

async function described({ db }: Played, runs: readonly RunHistory[]): Promise<OneLifecycle> {
  const ids = runs.map((run) => run.workflowId);
  const { effects } = await db
    .selectFrom('effect')
    .select((eb) => eb.fn.countAll<number>().as('effects'))
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
