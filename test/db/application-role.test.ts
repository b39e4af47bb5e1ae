import { sql, type Kysely } from 'kysely';
import { Client } from 'pg';
import { appendAudit } from '../../db/audit';
import { sealAnchor } from '../../db/audit-anchor';
import { verifyAudit } from '../../db/audit-verify';
import { type DB } from '../../db/types';
import { APPLICATION_ROLE, createDatabase, createPool } from '../../runtime/postgres';
import { testDatabase, type TestDatabase } from '../support/database';
import { asLogin, type Login } from '../support/login';

const AUDIT = ['audit_entry', 'audit_anchor', 'audit_anchor_head', 'field_access'] as const;
const at = '2026-03-02T09:00:00.000Z';
const DENIED = { code: '42501' };

let database: TestDatabase;
let login: Login;
/** A pool as the product opens it, on a login that has this role and no other right. */
let db: Kysely<DB>;
beforeAll(async () => {
  database = await testDatabase();
  login = await asLogin(database, APPLICATION_ROLE);
  db = createDatabase(createPool({ url: login.url, poolSize: 4, statementTimeoutMs: 20_000, role: APPLICATION_ROLE }));
  await write('deal/1');
  await write('deal/1');
  await sealAnchor(db);
  await write('deal/1');
});
afterAll(async () => {
  await db.destroy();
  await login.drop();
  await database.drop();
});

const write = (stream: string) =>
  db
    .transaction()
    .execute((trx) => appendAudit(trx, { stream, at, action: 'noted', subject: 'S', actor: 'U-1', personal: { contact: 'Ada' } }));

test('the product runs as this role, appends to the log and seals it', async () => {
  const { rows } = await sql<{ role: string; login: string }>`select current_user as role, session_user as login`.execute(db);
  expect(rows).toEqual([{ role: APPLICATION_ROLE, login: login.name }]);
  expect(await verifyAudit(db)).toMatchObject({ valid: true, streams: 1, entries: 3, anchors: 1, unanchored: 1 });
});

test.each([...AUDIT, 'audit_head', 'audit_anchor_tip'])(
  '%s is neither changed, deleted from, emptied, nor rid of its triggers',
  async (table) => {
    const { rows } = await sql<{ column: string }>`
    select attname as column from pg_attribute where attrelid = ${table}::regclass and attnum > 0 limit 1`.execute(database.db);
    const column = rows[0]?.column ?? '';
    for (const statement of [
      `update ${table} set ${column} = ${column}`,
      `delete from ${table}`,
      `truncate ${table}`,
      `truncate ${table} cascade`,
      `merge into ${table} as t using (select 1) as s on true when matched then delete`,
      `select * from ${table} for update`,
    ]) {
      await expect(sql.raw(statement).execute(db)).rejects.toMatchObject(DENIED);
    }
    for (const statement of [
      `alter table ${table} disable trigger all`,
      `alter table ${table} disable trigger user`,
      `alter table ${table} add column x integer`,
      `alter table ${table} owner to ${APPLICATION_ROLE}`,
      `drop table ${table} cascade`,
      `create rule away as on insert to ${table} do instead nothing`,
      `create trigger away before insert on ${table} for each row execute function note_anchor()`,
    ]) {
      await expect(sql.raw(statement).execute(db)).rejects.toMatchObject({ code: expect.stringMatching(/^42501$/) as string });
    }
  },
);

test('entries are appended by the function alone: the role writes no row of the chain and moves no head', async () => {
  for (const statement of [
    `insert into audit_entry select * from audit_entry limit 1`,
    `insert into audit_head values ('deal/9', 0, '')`,
    `update audit_head set sequence = 1`,
    `update audit_anchor_tip set sequence = 0`,
    `insert into audit_anchor_tip (is_only, sequence, hash) values (false, 0, '')`,
  ]) {
    await expect(sql.raw(statement).execute(db)).rejects.toMatchObject(DENIED);
  }
});

test('a table of the same name in a temporary schema does not lead the function astray', async () => {
  await db.connection().execute(async (one) => {
    await sql`create temporary table audit_head (stream text primary key, sequence bigint, hash text)`.execute(one);
    await sql`create temporary table audit_entry (like public.audit_entry)`.execute(one);
    await one.transaction().execute((trx) => appendAudit(trx, { stream: 'deal/2', at, action: 'noted', subject: 'S', actor: 'U-1' }));
    await sql`drop table pg_temp.audit_head, pg_temp.audit_entry`.execute(one);
  });
  const kept = await db.selectFrom('audit_entry').select('sequence').where('stream', '=', 'deal/2').execute();
  expect(kept).toEqual([{ sequence: 1 }]);
});

test('the login takes no other role, and no mode in which triggers rest', async () => {
  const { rows } = await database.pool.query<{ owner: string }>('select current_user as owner');
  const owner = rows[0]?.owner ?? '';
  const client = new Client({ connectionString: login.url, options: `-c role=${APPLICATION_ROLE}` });
  await client.connect();
  try {
    await expect(client.query('set session_replication_role = replica')).rejects.toMatchObject(DENIED);
    await expect(client.query(`set role ${owner}`)).rejects.toMatchObject(DENIED);
    await expect(client.query('alter function refuse_change() owner to current_user')).rejects.toMatchObject(DENIED);
    await expect(client.query(`create or replace function public.refuse_change() returns trigger language plpgsql as 'begin return new; end'`)).rejects.toMatchObject(DENIED); // prettier-ignore
    await client.query('reset role');
    await expect(client.query('delete from audit_entry')).rejects.toMatchObject(DENIED);
  } finally {
    await client.end();
  }
});

test('every table that is append-only by trigger is so by right, every other one serves the product, and none is emptied', async () => {
  const { rows } = await sql<{ name: string; kept: boolean; rights: string[] }>`
    select c.oid::regclass::text as name,
           exists (select from pg_trigger t where t.tgrelid = c.oid and t.tgfoid = 'refuse_change'::regproc) as kept,
           array(select each from unnest(array['SELECT', 'INSERT', 'UPDATE', 'DELETE', 'TRUNCATE', 'TRIGGER', 'REFERENCES']) each
                  where has_table_privilege(${APPLICATION_ROLE}, c.oid, each)) as rights
      from pg_class c where c.relnamespace = 'public'::regnamespace and c.relkind = 'r' order by 1`.execute(database.db);
  const rightsOf = (name: string) => rows.find((row) => row.name === name)?.rights;
  const special = {
    audit_entry: ['SELECT'],
    audit_head: ['SELECT'],
    audit_anchor_tip: ['SELECT'],
    kysely_migration: ['SELECT'],
    kysely_migration_lock: ['SELECT'],
    audit_personal: ['SELECT', 'INSERT', 'DELETE'],
    free_text: ['SELECT', 'INSERT', 'UPDATE'],
  };
  for (const [name, rights] of Object.entries(special)) expect([name, rightsOf(name)]).toEqual([name, rights]);
  for (const { name, kept, rights } of rows.filter((row) => !Object.hasOwn(special, row.name))) {
    expect([name, rights]).toEqual([name, kept ? ['SELECT', 'INSERT'] : ['SELECT', 'INSERT', 'UPDATE', 'DELETE']]);
  }
  expect(rows.filter(({ kept }) => kept).length).toBeGreaterThan(12);
});
