import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { gzipSync } from 'node:zlib';
import { sql } from 'kysely';
import { historyFromJSON, historyToJSON } from '@temporalio/common/lib/proto-utils';
import { temporal } from '@temporalio/proto';
import { appendAudit } from '../../db/audit';
import { sealAnchor } from '../../db/audit-anchor';
import { exportAudit } from '../../db/audit-export/export';
import { type AuditReport } from '../../db/audit-verify';
import { wholeGroup } from '../../db/entity-scope';
import { keepText, textsOf } from '../../db/free-text';
import { compileProduct } from '../../scripts/compile';
import { insertFacts } from '../support/api-facts';
import { testDatabase } from '../support/database';
import { asLogin } from '../support/login';
import { REFERENCE_FOLDER } from '../support/reference-deal';
import { testAddress } from '../support/servers';
import { APPLICATION_ROLE } from '../../runtime/postgres';
import { keptHistory } from '../../workers/run-history';

type Database = Awaited<ReturnType<typeof testDatabase>>;

const root = resolve(__dirname, '..', '..');

describe('programs run by hand', () => {
  let database: Database;
  let empty: string;
  let built: string;
  beforeAll(async () => {
    [database, built] = await Promise.all([testDatabase(), compileProduct('js-of-tests')]);
    empty = mkdtempSync(join(tmpdir(), 'throughline-empty-'));
  });
  afterAll(async () => {
    rmSync(empty, { recursive: true });
    await database.drop();
  });

  interface Ended {
    readonly code: number;
    readonly out: string;
    readonly err: string;
  }

  /** Runs a program, compiled as it is in production, on the database of this test, or without any. */
  function run([program = '', ...args]: readonly string[], databaseUrl = database.url, more: Record<string, string> = {}): Promise<Ended> {
    const env = { ...process.env, THROUGHLINE_DATA_DIR: empty, DATABASE_URL: databaseUrl, ...more };
    return new Promise((done) => {
      execFile(
        process.execPath,
        ['--enable-source-maps', join(built, 'scripts', `${program}.js`), ...args],
        { cwd: root, env },
        (error, out, err) => {
          done({ code: error === null ? 0 : Number(error.code), out, err });
        },
      );
    });
  }

  test('the seed says what it loaded, and names faults and loads nothing where there are some', async () => {
    const loaded = await run(['seed', REFERENCE_FOLDER]);
    expect([loaded.code, loaded.err]).toEqual([0, '']);
    expect(loaded.out).toMatch(/legalEntities\s+4/);
    const refused = await run(['seed', empty]);
    expect(refused.code).toBe(1);
    expect(refused.err).toContain('users.json cannot be read (ENOENT)');
    expect((await run(['seed', join(empty, 'nowhere')])).code).toBe(2);
  });

  test('a start that cannot be says why and what to do, without a stack, and ends with the code of its reason', async () => {
    const api = { TEMPORAL_ADDRESS: testAddress('THROUGHLINE_TEST_TEMPORAL_ADDRESS'), THROUGHLINE_ROLES: 'api', DEV_ISSUER: 'true' };
    const taken = createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    const PORT = String((taken.address() as AddressInfo).port);
    const unmigrated = await testDatabase({ empty: true });
    const start = (url: string, more: Record<string, string>, ...args: string[]) => run(['start', ...args], url, { ...api, ...more });
    expect(await start(database.url, { PORT })).toMatchObject({
      code: 1,
      err: `Port ${PORT} is in use. Free it, or set PORT to another port.\n`,
    });
    expect(await start(database.url, { PORT }, '--help')).toMatchObject({
      code: 0,
      out: expect.stringContaining('Usage: start') as unknown,
    });
    expect((await start(database.url, { PORT }, 'everything')).code).toBe(1);
    const behind = await start(unmigrated.url, { PORT: '0' });
    expect([behind.code, behind.err]).toEqual([3, expect.stringMatching(/^The database lacks .* Run npm run migrate first\.\n$/)]);
    const nowhere = await start('postgres://u:hidden@127.0.0.1:1/x', { PORT: '0' });
    expect([nowhere.code, nowhere.err]).toEqual([
      1,
      expect.stringMatching(/^The database at 127\.0\.0\.1:1 does not answer .* Check DATABASE_URL .*\n$/),
    ]);
    const login = await asLogin(database, APPLICATION_ROLE);
    await database.pool.query(`grant ${APPLICATION_ROLE} to ${login.name} with set false`);
    const narrow = await start(login.url, { PORT: '0' });
    expect([narrow.code, narrow.err]).toEqual([1, expect.stringMatching(/^login_\w+ may not take the role throughline_app\. .*;\n$/)]);
    await login.drop();
    taken.close();
    await unmigrated.drop();
  });

  test('texts are erased by whoever is named, and only those that were chosen', async () => {
    const written = {
      author: 'U-17',
      subject: 'deal/1',
      purpose: 'decision',
      origin: 'D',
      body: 'Ada said so',
      at: '2026-01-05T08:00:00Z',
    } as const;
    const id = await keepText(database.db, written);
    const program = 'erase-texts';
    expect((await run([program, '--by', 'U-OPS'])).err).toContain('Say which texts');
    expect((await run([program, '--by', 'U-OPS', '--id', 'x'])).code).toBe(2);
    expect((await run([program, '--author', 'U-17'])).code).toBe(2);
    expect((await run([program, '--by', 'U-OPS', '--author', 'U-18'])).out).toBe('0 texts erased\n');
    await database.db.transaction().execute(async (trx) => {
      await sql`set local session_replication_role = replica`.execute(trx);
      const placed = { placed_by: 'U-DPO', placed_at: written.at };
      await trx
        .insertInto('legal_hold')
        .values({ id, scope_kind: 'person', scope_id: 'U-17', reason_id: id, ...placed })
        .execute();
    });
    const held = `0 texts erased\n1 texts kept by a legal hold\n${id}\n`;
    expect(await run([program, '--by', 'U-OPS', '--author', 'U-17'])).toEqual({ code: 1, out: held, err: '' });
    await sql`update legal_hold set released_by = 'U-LEGAL', released_at = ${written.at}, release_reason_id = ${id}`.execute(database.db);
    expect(await run([program, '--by', 'U-OPS', '--author', 'U-17'])).toEqual({ code: 0, out: `1 texts erased\n${id}\n`, err: '' });
    expect((await textsOf(database.db, [id])).get(id)).toBeNull();
  });

  test('what is past its time is counted or erased by class, where a retention policy is in force', async () => {
    const bare = await testDatabase();
    expect(await run(['privacy-sweep'], bare.url)).toMatchObject({
      code: 2,
      out: '',
      err: expect.stringMatching(/npm run seed/) as string,
    });
    await bare.drop();
    const firm = await testDatabase({ firm: true });
    await sql`insert into free_text (id, author, subject, purpose, origin, body, salt, commitment, written_at)
              values (gen_random_uuid(), 'U-PMO', 's', 'decision', 'o', 'words', 'salt', 'c', '2000-01-01')`.execute(firm.db);
    const counted = await run(['privacy-sweep', '--dry-run'], firm.url);
    expect(counted).toMatchObject({ code: 0, out: expect.stringMatching(/^free_text: 1 would be erased$/m) as string });
    expect(await run(['privacy-sweep'], firm.url)).toMatchObject({
      code: 0,
      out: expect.stringMatching(/^free_text: 1 erased$/m) as string,
    });
    expect((await run(['privacy-sweep', '--dry-run'], firm.url)).out).toMatch(/^free_text: 0 would be erased$/m);
    await firm.drop();
  }, 60_000);

  test('a stored history is written as JSON, in whatever form it was kept, and one that is not stored is said so', async () => {
    const event = {
      eventId: '1',
      eventType: 'EVENT_TYPE_WORKFLOW_EXECUTION_STARTED',
      workflowExecutionStartedEventAttributes: { workflowType: { name: 'dealToCash' } },
    };
    const history = temporal.api.history.v1.History.create(historyFromJSON({ events: [event] }));
    const inJson = { format: 'json', history: gzipSync(historyToJSON(history)) };
    for (const [runId, closedAt, kept] of [
      ['first', '2026-01-05T08:00:00Z', inJson],
      ['last', '2026-01-06T08:00:00Z', keptHistory(history)],
    ] as const)
      // prettier-ignore
      await database.db
        .insertInto('run_history')
        .values({ workflow_id: 'deal/1', run_id: runId, workflow_type: 'dealToCash', status: 'COMPLETED', started_at: closedAt, closed_at: closedAt, events: 1, ...kept }) // prettier-ignore
        .execute();
    const written = { code: 0, out: `${historyToJSON(history)}\n`, err: '' };
    expect(await run(['history', 'deal/1'])).toEqual(written);
    expect(await run(['history', 'deal/1', 'first'])).toEqual(written);
    expect(await run(['history', 'deal/1', 'other'])).toMatchObject({ code: 1, out: '', err: expect.stringContaining('No history') as unknown }); // prettier-ignore
    expect((await run(['history'])).code).toBe(2);
  });

  test('the audit check ends with 0 on a whole log and with 1 on a damaged one, which it names', async () => {
    const whole = await run(['audit-verify']);
    expect([whole.code, whole.err]).toEqual([0, '']);
    expect(whole.out).toContain('The audit log is whole.');
    const anchor = await sealAnchor(database.db);
    const witness = `${anchor?.sequence}:${anchor?.hash}`;
    expect((await run(['audit-verify', '--anchor', witness])).code).toBe(0);
    expect((await run(['audit-verify', '--anchor', `${(anchor?.sequence ?? 0) + 1}:${anchor?.hash}`])).code).toBe(1);
    const client = await database.pool.connect();
    await client.query('set session_replication_role = replica');
    await client.query(`update audit_entry set content = content || ' ' where stream = 'master-data' and sequence = 1`);
    client.release(true);
    const damaged = await run(['audit-verify', '--json']);
    expect(damaged.code).toBe(1);
    const report = JSON.parse(damaged.out) as AuditReport;
    expect(report).toMatchObject({ valid: false, damage: [{ stream: 'master-data', sequence: 1, kind: 'changed' }] });
  });

  test('an exported file is checked without a database, by itself and against an anchor that was noted', async () => {
    const { dealId } = await insertFacts(database.db, 'LE-US', 'BA-US');
    const fact = { stream: `deal/${dealId}`, action: 'noted', subject: 'S', actor: 'U-1', at: '2026-03-02T09:00:00.000Z' };
    for (let count = 0; count < 2; count += 1) await database.db.transaction().execute((trx) => appendAudit(trx, fact));
    const anchor = await sealAnchor(database.db);
    const reader = { scope: wholeGroup, amounts: wholeGroup, texts: wholeGroup, cost: wholeGroup, margin: wholeGroup };
    const by = { name: 'U-1', at: fact.at, redact: (shown: unknown) => shown };
    const made = await exportAudit(database.db, dealId, reader, { after: 0, limit: 10 }, by);
    const file = join(empty, 'export.json');
    const check = async (text: string, ...more: string[]) => {
      writeFileSync(file, text);
      const { code, out } = await run(['audit-verify', '--export', file, ...more], '');
      return [code, out.trim().split('\n').at(-1)];
    };
    const whole = JSON.stringify(made);
    expect(await check(whole)).toEqual([0, 'The file is whole.']);
    expect(await check(whole, '--anchor', `${anchor?.sequence}:${anchor?.hash}`)).toEqual([0, 'The file is whole.']);
    expect(await check(whole, '--anchor', `${anchor?.sequence}:${'0'.repeat(64)}`)).toEqual([1, 'The file is damaged in 1 places.']);
    expect(await check(whole.replaceAll('noted', 'knotted'))).toEqual([1, 'The file is damaged in 3 places.']);
    expect((await check('{}'))[0]).toBe(2);
  });

  test('the audit check ends with 2 where it cannot check: no database, or an option that is wrong', async () => {
    const nowhere = await run(['audit-verify'], '');
    expect([nowhere.code, nowhere.err]).toEqual([2, expect.stringContaining('No database')]);
    expect((await run(['audit-verify', '--anchor', 'x'])).code).toBe(2);
  });
});
