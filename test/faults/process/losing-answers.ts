import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import { activityInfo } from '@temporalio/activity';
import { type Activities } from '../../../contracts/activities';

/** An activity of this worker that has begun and whose answer nobody has yet. */
export interface OpenActivity {
  readonly name: string;
  readonly workflowId: string;
  readonly committed: boolean;
}

/** What the worker does to its activities, and what of them is open. */
export interface LosingAnswers {
  readonly disguise: (activities: Activities) => Activities;
  open(): OpenActivity[];
  /** From now on whatever has committed is not answered. */
  hold(): void;
  release(): void;
}

type Effect = (input: unknown) => Promise<unknown>;

/**
 * The first time that an activity of each name has committed, its caller is told that it failed: "done, but the answer was lost". What was
 * lost stands in `journal`, which outlives a worker that is killed. Refusals committed nothing and are not touched.
 */
export function losingAnswers(journal: string): LosingAnswers {
  const lost = new Set(existsSync(journal) ? readFileSync(journal, 'utf8').split('\n') : []);
  const running = new Map<number, OpenActivity>();
  let next = 0;
  let held: { readonly until: Promise<void>; readonly release: () => void } | null = null;
  const disguised =
    (name: string, effect: Effect): Effect =>
    async (input) => {
      const id = next++;
      const workflowId = activityInfo().workflowExecution?.workflowId ?? '';
      running.set(id, { name, workflowId, committed: false });
      try {
        const answer = await effect(input);
        running.set(id, { name, workflowId, committed: true });
        await held?.until;
        if (lost.has(name)) return answer;
        lost.add(name);
        appendFileSync(journal, `${name}\n`);
      } finally {
        running.delete(id);
      }
      throw new Error(`the answer of ${name} was lost`);
    };
  return {
    disguise: (activities) =>
      Object.fromEntries(
        Object.entries(activities).map(([name, effect]) => [name, disguised(name, effect as Effect)]),
      ) as unknown as Activities,
    open: () => [...running.values()],
    hold: () => {
      let release = (): void => undefined;
      const until = new Promise<void>((resolve) => {
        release = resolve;
      });
      held ??= { until, release };
    },
    release: () => {
      held?.release();
      held = null;
    },
  };
}
