import { sql } from 'kysely';
import { appendAudit } from '../../db/audit';
import { verifyAudit } from '../../db/audit-verify';
import { eraseTexts } from '../../db/erase-texts';
import { keepText, textsOf, type WrittenText } from '../../db/free-text';
import { testDatabase } from '../support/database';
import { auditOf } from '../support/texts';

type Database = Awaited<ReturnType<typeof testDatabase>>;

const AT = '2026-03-02T09:00:00.000Z';

describe('words of people', () => {
  let database: Database;
  beforeAll(async () => {
    database = await testDatabase();
  });
  afterAll(() => database.drop());

  const written = (over: Partial<WrittenText> = {}): WrittenText => ({
    author: 'U-CFO',
    subject: 'approval/1',
    purpose: 'decision',
    origin: 'D-1',
    body: 'Ada Example asked for it',
    at: AT,
    ...over,
  });
  const keep = (over: Partial<WrittenText> = {}) => keepText(database.db, written(over));
  const erase = async (...ids: string[]) => (await eraseTexts(database.db, { ids }, { actor: 'U-OPS', at: AT })).erased;
  const said = async (id: string) => (await textsOf(database.db, [id])).get(id);

  /** As somebody would who owns the database. */
  const tamper = async (statement: string) => {
    await sql.raw(`begin; set local session_replication_role = replica; ${statement}; commit`).execute(database.db);
  };

  test('are kept once however often their request comes, and other words of the same request beside them', async () => {
    const ids = await Promise.all(Array.from({ length: 20 }, () => keep({ origin: 'D-once' })));
    expect(new Set(ids).size).toBe(1);
    const others = [
      await keep({ origin: 'D-once', body: 'on second thought' }),
      await keep({ origin: 'D-two' }),
      await keep({ origin: 'D-once', author: 'U-CEO' }),
      await keep({ origin: 'D-once', purpose: 'hold' }),
    ];
    expect(new Set([...ids, ...others]).size).toBe(5);
    expect(await said(ids[0]!)).toBe('Ada Example asked for it');
  });

  test('give nothing away by their id: the same words of another request have another', async () => {
    expect(await keep({ origin: 'D-a' })).not.toBe(await keep({ origin: 'D-b' }));
  });

  test.each([
    ['changed', `update free_text set body = 'something else' where id = $1`],
    ['given to somebody else', `update free_text set author = 'U-CEO', body = null, salt = null, erased_at = now() where id = $1`],
    ['half erased', `update free_text set body = null, erased_at = now() where id = $1`],
    ['removed', `delete from free_text where id = $1`],
    ['emptied with all others', `truncate free_text cascade`],
  ])('are never %s', async (_what, statement) => {
    const id = await keep({ origin: 'D-kept' });
    await expect(sql.raw(statement.replace('$1', `'${id}'`)).execute(database.db)).rejects.toThrow(/only erased|check constraint/);
    expect(await said(id)).toBe('Ada Example asked for it');
  });

  test('are erased by id, once and for good, and what others wrote stays', async () => {
    const [mine, other] = [await keep({ origin: 'D-erase' }), await keep({ origin: 'D-stay' })];
    expect(await erase(mine)).toEqual([mine]);
    expect([await said(mine), await said(other)]).toEqual([null, 'Ada Example asked for it']);
    expect(await erase(mine)).toEqual([]);
    await expect(
      sql`update free_text set body = 'back', salt = 'x', erased_at = null where id = ${mine}`.execute(database.db),
    ).rejects.toThrow('only erased');
    const rest = await sql<{ text: string }>`select free_text::text as text from free_text where id = ${mine}`.execute(database.db);
    expect(rest.rows[0]?.text).not.toContain('Ada');
  });

  test('are erased by author or by subject, and the erasure is on record by ids alone', async () => {
    const by = { actor: 'U-OPS', at: AT };
    const mine = [await keep({ author: 'U-GONE', origin: '1' }), await keep({ author: 'U-GONE', origin: '2', purpose: 'hold' })].sort();
    const about = await keep({ subject: 'invoice/7', origin: '3' });
    expect(await eraseTexts(database.db, { author: 'U-GONE' }, by)).toEqual({ erased: mine, held: [] });
    expect(await eraseTexts(database.db, { subject: 'invoice/7' }, by)).toEqual({ erased: [about], held: [] });
    expect(await eraseTexts(database.db, { author: 'U-GONE' }, by)).toEqual({ erased: [], held: [] });
    const { entries } = await auditOf(database.db, 'free-texts');
    expect(entries.slice(-2)).toMatchObject([
      { action: 'texts.erased', actor: 'U-OPS', details: { ids: mine } },
      { action: 'texts.erased', actor: 'U-OPS', details: { ids: [about] } },
    ]);
    expect(JSON.stringify(entries)).not.toContain('Ada');
  });

  test('are erased from stored answers too, whatever characters they hold, and no other answer is', async () => {
    const words = 'Ada "the first" Example\nsaid \\ no – ☂';
    const id = await keep({ origin: 'D-answer', body: words });
    const answer = (key: string, reason: string) =>
      database.db
        .insertInto('idempotency_key')
        .values({
          principal: 'U-CFO',
          key,
          request_hash: 'x',
          state: 'answered',
          status: 200,
          body: JSON.stringify({ decisions: [{ reason }] }),
          locked_until: AT,
        }) // prettier-ignore
        .execute();
    await answer('with', words);
    await answer('without', 'no');
    await erase(id);
    expect((await database.db.selectFrom('idempotency_key').select('key').execute()).map((row) => row.key)).toEqual(['without']);
  });

  test('stand in the log as id and commitment: erased they leave it valid, changed or vanished they are found', async () => {
    const [first, second, third] = [await keep({ origin: 'L-1' }), await keep({ origin: 'L-2' }), await keep({ origin: 'L-3' })];
    for (const [index, reason] of [first, second, third].entries())
      await database.db
        .transaction()
        .execute((trx) =>
          appendAudit(trx, { stream: `deal/${index}`, action: 'decided', subject: 's', actor: 'U-CFO', at: AT, texts: { reason } }),
        );
    const rows = await database.db.selectFrom('audit_entry').select('content').execute();
    expect(JSON.stringify(rows)).not.toContain('Ada');
    expect(rows.map((row) => row.content).join()).toContain(first);
    await erase(first);
    expect(await verifyAudit(database.db)).toMatchObject({ valid: true, erased: 1 });
    await tamper(`update free_text set body = 'I never said so' where id = '${second}'`);
    await tamper(`delete from free_text where id = '${third}'`);
    const { damage } = await verifyAudit(database.db);
    expect(damage).toMatchObject([
      { stream: 'deal/1', kind: 'changed', detail: 'the text of reason was changed' },
      { stream: 'deal/2', kind: 'changed', detail: 'the text of reason is not there' },
    ]);
  });

  test('that were never kept stand in no entry', async () => {
    const event = { stream: 'deal/9', action: 'decided', subject: 's', actor: 'U-CFO', at: AT };
    const texts = { reason: '11111111-1111-4111-8111-111111111111' };
    await expect(database.db.transaction().execute((trx) => appendAudit(trx, { ...event, texts }))).rejects.toThrow('never kept');
  });

  test('an entry that was given to another entity is found', async () => {
    const event = { stream: 'deal/entity', action: 'noted', subject: 's', actor: 'U-CFO', at: AT, entityId: 'LE-1' };
    await database.db.transaction().execute((trx) => appendAudit(trx, event));
    await tamper(`update audit_entry set entity_id = 'LE-2' where stream = 'deal/entity'`);
    const { damage } = await verifyAudit(database.db);
    expect(damage.filter(({ stream }) => stream === 'deal/entity')).toMatchObject([
      { sequence: 1, kind: 'changed', detail: 'given to another entity' },
    ]);
  });
});
