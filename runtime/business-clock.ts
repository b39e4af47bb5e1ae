import { type Kysely } from 'kysely';
import { type DB } from '../db/types';

export interface BusinessClock {
  /** The business moment, ISO 8601 in UTC with `Z`. */
  now(): Promise<string>;
}

/** There is no business moment yet; there will be one. */
export class ClockNotSet extends Error {
  override readonly name = 'ClockNotSet';
}

/**
 * Business time for the API and SQL (D1): real time; in a simulation the moment that the driver last set. Before the driver has set
 * one, a simulation has no business moment and `now` throws `ClockNotSet`.
 */
export function businessClock(db: Kysely<DB>, mode: { readonly simulation: boolean }): BusinessClock {
  if (!mode.simulation) return { now: () => Promise.resolve(new Date().toISOString()) };
  return {
    now: async () => {
      const row = await db.selectFrom('business_clock').select('moment').where('id', '=', 1).executeTakeFirst();
      if (row === undefined) throw new ClockNotSet('The simulation has not set the business clock yet');
      return row.moment;
    },
  };
}
