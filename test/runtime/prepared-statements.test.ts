import { sql } from 'kysely';
import { effectOnce } from '../../activities/effect-once';
import { isStalePlan } from '../../runtime/prepared-statements';
import { createDatabase, createPool } from '../../runtime/postgres';
import { type TestDatabase, testDatabase } from '../support/database';

let test: TestDatabase;
beforeAll(async () => {
  test = await testDatabase();
});
afterAll(() => test.drop());

/** Of one connection, so that what it has prepared is seen. */
async function onOneConnection(work: (db: TestDatabase['db']) => Promise<void>): Promise<void> {
  const db = createDatabase(createPool({ url: test.url, poolSize: 1, statementTimeoutMs: 5000 }));
  try {
    await work(db);
  } finally {
    await db.destroy();
  }
}

const notes = (db: TestDatabase['db'], least: number) => sql<object>`select * from note where id >= ${least} order by id`.execute(db);
const effect = (key: string) => ({ key, identity: null, at: '2026-03-02T09:00:00.000Z', actor: 'U-FC' });
const done = (answer: unknown) => ({ answer, audit: { stream: 's', action: 'noted', subject: 'n' } });

describe('statements', () => {
  beforeEach(async () => {
    await sql`drop table if exists note`.execute(test.db);
    await sql`create table note (id integer)`.execute(test.db);
    await sql`insert into note values (1), (2)`.execute(test.db);
  });

  it('are prepared once for each text, whatever their values are', async () => {
    await onOneConnection(async (db) => {
      for (const least of [1, 2, 3]) await notes(db, least);
      const { rows } = await sql<{ count: number }>`
        select count(*) as count from pg_prepared_statements where statement like 'select * from note%'`.execute(db);
      expect(rows).toEqual([{ count: 1 }]);
      expect((await notes(db, 2)).rows).toEqual([{ id: 2 }]);
    });
  });

  it('that a migration made stale are prepared anew: alone at once, within an effect by trying the effect again', async () => {
    await onOneConnection(async (db) => {
      await notes(db, 1);
      await sql`alter table note add column said text`.execute(test.db);
      expect((await notes(db, 2)).rows).toEqual([{ id: 2, said: null }]);
      await sql`alter table note add column heard text`.execute(test.db);
      let tries = 0;
      const answer = await effectOnce(db, effect('stale'), async (trx) => {
        tries += 1;
        return done((await notes(trx, 2)).rows);
      });
      expect([answer, tries]).toEqual([[{ id: 2, said: null, heard: null }], 2]);
    });
  });

  it('that are stale within a transaction say so, and the connection serves again after it', async () => {
    await onOneConnection(async (db) => {
      await notes(db, 1);
      await sql`alter table note add column said text`.execute(test.db);
      const failed = await db
        .transaction()
        .execute((trx) => notes(trx, 1))
        .catch((error: unknown) => error);
      expect(isStalePlan(failed)).toBe(true);
      expect((await db.transaction().execute((trx) => notes(trx, 2))).rows).toEqual([{ id: 2, said: null }]);
    });
  });
});
