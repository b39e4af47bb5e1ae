import { sql, type Kysely } from 'kysely';
import { type DB } from '../../db/types';

/** Empties tables, and those that refer to them, also such as nobody may empty: with the triggers off, as only a superuser can. */
export async function emptied(db: Kysely<DB>, ...tables: readonly string[]): Promise<void> {
  await db.transaction().execute(async (trx) => {
    await sql`set local session_replication_role = replica`.execute(trx);
    await sql`truncate ${sql.join(tables.map((table) => sql.table(table)))} cascade`.execute(trx);
  });
}
