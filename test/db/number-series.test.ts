import { sql } from 'kysely';
import { nextNumber } from '../../db/number-series';
import { testDatabase, type TestDatabase } from '../support/database';

let database: TestDatabase;
beforeAll(async () => {
  database = await testDatabase({ firm: true, poolSize: 24 });
  await sql`create table issued_number (entity_id text not null, number text primary key, date date not null)`.execute(database.db);
});
afterAll(() => database.drop());

class Crash extends Error {}

/** Takes a number as an issue does: in one transaction with what it numbers, which may fail before or after. */
async function issue(entityId: string, series: string, date: string, fate: 'commits' | 'throws' | 'is killed'): Promise<void> {
  await database.db.transaction().execute(async (trx) => {
    const taken = await nextNumber(trx, entityId, series, date);
    await sql`insert into issued_number (entity_id, number, date) values (${entityId}, ${taken.number}, ${taken.date})`.execute(trx);
    if (fate === 'throws') throw new Crash('after the number');
    if (fate === 'is killed') await sql`select pg_terminate_backend(pg_backend_pid())`.execute(trx);
  });
}

test('200 issues at once in two entities, with crashes in between, leave no gap, no number twice and no date before its predecessor', async () => {
  const FATES = ['commits', 'commits', 'throws', 'commits', 'is killed'] as const;
  const attempts = Array.from({ length: 200 }, (_, index) => ({
    entityId: index % 2 === 0 ? 'LE-US' : 'LE-JP',
    date: `2026-03-${String(1 + ((index * 7) % 28)).padStart(2, '0')}`,
    fate: FATES[Math.floor(index / 2) % FATES.length] ?? 'commits',
  }));
  const outcomes = await Promise.allSettled(attempts.map(({ entityId, date, fate }) => issue(entityId, 'INV', date, fate)));
  const done = attempts.filter((_, index) => outcomes[index]?.status === 'fulfilled');
  expect(done).toHaveLength(120);
  expect(done.every(({ fate }) => fate === 'commits')).toBe(true);

  for (const entityId of ['LE-US', 'LE-JP']) {
    const { rows } = await sql<{ number: string; date: string }>`
      select number, date from issued_number where entity_id = ${entityId} order by number`.execute(database.db);
    expect(rows.map(({ number }) => number)).toEqual(
      Array.from({ length: 60 }, (_, index) => `${entityId}-INV-${String(index + 1).padStart(6, '0')}`),
    );
    const dates = rows.map(({ date }) => date);
    expect(dates).toEqual([...dates].sort());
    const counter = await database.db
      .selectFrom('number_series')
      .select(['last_number', 'last_date'])
      .where('entity_id', '=', entityId)
      .executeTakeFirstOrThrow();
    expect(counter).toEqual({ last_number: 60, last_date: dates.at(-1) });
  }
});

test('series of an entity count for themselves', async () => {
  await issue('LE-DE', 'INV', '2026-03-01', 'commits');
  await issue('LE-DE', 'CN', '2026-02-01', 'commits');
  const { rows } = await sql<{ number: string; date: string }>`
    select number, date from issued_number where entity_id = 'LE-DE' order by number`.execute(database.db);
  expect(rows).toEqual([
    { number: 'LE-DE-CN-000001', date: '2026-02-01' },
    { number: 'LE-DE-INV-000001', date: '2026-03-01' },
  ]);
});
