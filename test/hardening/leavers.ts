import { type Kysely } from 'kysely';
import { type DB } from '../../db/types';

interface Leaver {
  readonly userId: string;
  readonly personId: string;
  readonly name: string;
}

/** Two people whom the files of the firm do not name any more: one is erased in the run, the other never can be. */
export const LEFT: Leaver = { userId: 'U-LEFT', personId: 'P-LEFT', name: 'Lena Leftwich' };
export const STAYS: Leaver = { userId: 'U-STAYS', personId: 'P-STAYS', name: 'Stan Staysworth' };

/** As loads of master data left them behind. */
export async function insertLeavers(db: Kysely<DB>, leftAt: string): Promise<void> {
  for (const { userId, personId, name } of [LEFT, STAYS]) {
    const email = `${userId.toLowerCase()}@example.com`;
    const both = { name, email, entity_id: 'LE-US', calendar_id: 'CAL-US', left_at: leftAt };
    await db
      .insertInto('person')
      .values({ id: personId, ...both, employment: 'employee', role_code: 'SCO', country: 'US' })
      .execute();
    await db
      .insertInto('app_user')
      .values({ id: userId, ...both, person_id: personId, active: false })
      .execute();
  }
}
