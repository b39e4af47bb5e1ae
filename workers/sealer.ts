import { setTimeout as delay } from 'node:timers/promises';
import { type Kysely } from 'kysely';
import { sealAnchor } from '../db/audit-anchor';
import { type DB } from '../db/types';

/** What the sealer needs of a logger; the hash of every anchor goes there, so that the log is a witness outside the database. */
export interface SealerLog {
  info(fields: Record<string, unknown>, message: string): void;
  warn(fields: Record<string, unknown>, message: string): void;
}

export interface Sealer {
  /** Seals what is left and ends; resolves when nothing runs any more. */
  stop(): Promise<void>;
}

/**
 * Seals an anchor over all audit streams every few seconds (D9). Any number of processes may run one: a lock in the database lets one
 * seal at a time. An outage of the database is logged and tried again at the next turn.
 */
export function startSealer(db: Kysely<DB>, log: SealerLog, everyMilliseconds = 5_000): Sealer {
  const stopping = new AbortController();
  const ended = run(db, log, everyMilliseconds, stopping.signal);
  return {
    stop: () => {
      stopping.abort();
      return ended;
    },
  };
}

async function run(db: Kysely<DB>, log: SealerLog, everyMilliseconds: number, stopping: AbortSignal): Promise<void> {
  while (!stopping.aborted) {
    await seal(db, log);
    await delay(everyMilliseconds, undefined, { signal: stopping }).catch(() => undefined);
  }
  await seal(db, log);
}

async function seal(db: Kysely<DB>, log: SealerLog): Promise<void> {
  try {
    const anchor = await sealAnchor(db);
    if (anchor !== null) log.info({ anchor: anchor.sequence, hash: anchor.hash, entries: anchor.entries }, 'audit anchor sealed');
  } catch (error) {
    log.warn({ err: error }, 'audit anchor not sealed; tried again at the next turn');
  }
}
