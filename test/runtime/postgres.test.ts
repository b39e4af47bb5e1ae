import { sql } from 'kysely';
import { businessClock } from '../../runtime/business-clock';
import { createPool } from '../../runtime/postgres';
import { type TestDatabase, testDatabase } from '../support/database';

let test: TestDatabase;
beforeAll(async () => {
  test = await testDatabase();
});
afterAll(() => test.drop());

async function value(expression: string): Promise<unknown> {
  const { rows } = await test.pool.query<{ value: unknown }>(`select ${expression} as value`);
  return rows[0]?.value;
}

describe('values that come out of Postgres', () => {
  it.each([
    [`timestamptz '2026-01-22 10:00:00+01'`, '2026-01-22T09:00:00.000Z'],
    [`timestamptz '2026-01-22 10:00:00.123456+00'`, '2026-01-22T10:00:00.123Z'],
    [`date '2026-03-29'`, '2026-03-29'],
    [`9007199254740991::bigint`, 9007199254740991],
    [`-1::bigint`, -1],
    [`0.10::numeric`, '0.10'],
    [`12345678901234567890.123::numeric`, '12345678901234567890.123'],
    [`'{"a":[1]}'::jsonb`, { a: [1] }],
    [`array[1,2]::bigint[]`, [1, 2]],
    [`array['0.10']::numeric[]`, ['0.10']],
    [`array[date '2026-01-01', null]`, ['2026-01-01', null]],
    [`array[timestamptz '2026-01-22 10:00:00+00']`, ['2026-01-22T10:00:00.000Z']],
    [`null::timestamptz`, null],
  ])('%s reads as %j', async (expression, expected) => {
    expect(await value(expression)).toEqual(expected);
  });

  it('refuses a bigint that a number cannot hold exactly', async () => {
    await expect(value('9007199254740993::bigint')).rejects.toThrow('safe integer');
    expect(await value('1')).toBe(1);
  });

  it('refuses a timestamp that is no moment', async () => {
    await expect(value(`'infinity'::timestamptz`)).rejects.toThrow('not a moment');
  });

  it('writes an instant string back unchanged', async () => {
    const { rows } = await test.pool.query<{ value: string }>('select $1::timestamptz as value', ['2026-06-30T22:30:00.250Z']);
    expect(rows[0]?.value).toBe('2026-06-30T22:30:00.250Z');
  });
});

describe('a database that goes away', () => {
  it('tells the listener and serves again with the next query', async () => {
    const told: Error[] = [];
    const pool = createPool({ url: test.url, poolSize: 1, statementTimeoutMs: 5000, onError: (error) => told.push(error) });
    const { rows } = await pool.query<{ pid: number }>('select pg_backend_pid() as pid');
    await test.pool.query('select pg_terminate_backend($1, 5000)', [rows[0]?.pid]);
    while (told.length === 0) await new Promise((resolve) => setTimeout(resolve, 10));
    expect((await pool.query('select 1')).rowCount).toBe(1);
    await pool.end();
  });

  it('breaks no connection of a pool that has ended: by then all are closed', async () => {
    const told: Error[] = [];
    const applicationName = 'ends-whole';
    const pool = createPool({
      url: test.url,
      poolSize: 8,
      statementTimeoutMs: 5000,
      applicationName,
      onError: (error) => told.push(error),
    });
    await Promise.all(Array.from({ length: 8 }, () => pool.query('select pg_sleep(0.05)')));
    await pool.end();
    const broken = 'select pg_terminate_backend(pid) from pg_stat_activity where application_name = $1';
    expect((await test.pool.query(broken, [applicationName])).rowCount).toBe(0);
    expect(told).toEqual([]);
  });

  it('ends a statement that runs too long', async () => {
    const pool = createPool({ url: test.url, poolSize: 1, statementTimeoutMs: 100 });
    await expect(pool.query('select pg_sleep(5)')).rejects.toMatchObject({ code: '57014' });
    await pool.end();
  });
});

describe('the business clock', () => {
  it('is real time in production, whatever the table says', async () => {
    await sql`insert into business_clock (moment) values ('2026-01-22T10:00:00Z')`.execute(test.db);
    const before = new Date().toISOString();
    const now = await businessClock(test.db, { simulation: false }).now();
    expect(now >= before && now.endsWith('Z')).toBe(true);
  });

  it('is what the simulation driver set last', async () => {
    await sql`update business_clock set moment = '2026-02-01T00:00:00Z'`.execute(test.db);
    expect(await businessClock(test.db, { simulation: true }).now()).toBe('2026-02-01T00:00:00.000Z');
  });

  it('refuses to guess before the simulation has set it', async () => {
    await sql`delete from business_clock`.execute(test.db);
    await expect(businessClock(test.db, { simulation: true }).now()).rejects.toThrow('has not set');
  });
});
