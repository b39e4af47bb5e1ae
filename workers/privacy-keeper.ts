import { setTimeout as delay } from 'node:timers/promises';
import { type Kysely } from 'kysely';
import { resumeErasures, sweep } from '../db/privacy/sweep';
import { type DB } from '../db/types';
import { type BusinessClock } from '../runtime/business-clock';
import { type Logger } from '../runtime/logger';

export interface PrivacyKeeperDeps {
  readonly db: Kysely<DB>;
  readonly clock: BusinessClock;
  readonly log: Logger;
  /** How often it looks for erasures to go on with; default a minute. What is past its time is looked for every sixtieth time. */
  readonly everyMs?: number;
}

export interface PrivacyKeeper {
  /** Ends after the step or batch that is under way. */
  stop(): Promise<void>;
}

const TURNS_PER_SWEEP = 60;

/**
 * Goes on with erasures that were granted and broke off or were held, and erases what is past its time. Any number of processes
 * may run one: steps and batches wait for one another. An outage is logged and tried again at the next turn.
 */
export function startPrivacyKeeper({ db, clock, log, everyMs = 60_000 }: PrivacyKeeperDeps): PrivacyKeeper {
  const stopping = new AbortController();
  const isStopping = (): boolean => stopping.signal.aborted;

  async function turn(sweeps: boolean): Promise<void> {
    const at = await clock.now();
    const finished = await resumeErasures(db, at, isStopping);
    if (finished > 0) log.info({ finished }, 'erasures finished');
    if (!sweeps) return;
    const { erased, held } = await sweep(db, at, isStopping);
    const [swept, kept] = [erased, held].map((counts) => Object.fromEntries(Object.entries(counts).filter(([, count]) => count > 0)));
    if (Object.keys({ ...swept, ...kept }).length > 0) log.info({ swept, held: kept }, 'erased by age, but what legal holds keep');
  }

  async function run(): Promise<void> {
    for (let number = 1; ; number += 1) {
      await delay(everyMs, undefined, { signal: stopping.signal }).catch(() => undefined);
      if (isStopping()) return;
      await turn(number % TURNS_PER_SWEEP === 1).catch((error: unknown) =>
        log.warn({ err: error }, 'data protection not kept up; tried again'),
      );
    }
  }

  const ended = run();
  return {
    stop: () => {
      stopping.abort();
      return ended;
    },
  };
}
