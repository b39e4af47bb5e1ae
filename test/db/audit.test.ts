import pino from 'pino';
import { appendAudit, personalValues } from '../../db/audit';
import { sealAnchor } from '../../db/audit-anchor';
import { verifyAudit } from '../../db/audit-verify';
import { startSealer } from '../../workers/sealer';
import { testDatabase } from '../support/database';
import { auditOf } from '../support/texts';

type Database = Awaited<ReturnType<typeof testDatabase>>;

describe('an audit stream', () => {
  let database: Database;
  beforeAll(async () => {
    database = await testDatabase();
  });
  afterAll(() => database.drop());

  const append = (stream: string, subject: string, personal: Record<string, string> = {}) =>
    database.db
      .transaction()
      .execute((trx) => appendAudit(trx, { stream, subject, action: 'noted', actor: 'U-PMO', at: '2026-01-05T08:00:00.000Z', personal }));

  test('is read page by page in its order', async () => {
    for (let index = 1; index <= 5; index += 1) await append('deal/pages', `S-${index}`);
    await append('deal/pages2', 'other');
    const first = await auditOf(database.db, 'deal/pages', { after: 0, limit: 2 });
    expect(first.entries.map((entry) => entry.subject)).toEqual(['S-1', 'S-2']);
    expect(first.next).toBe(2);
    const last = await auditOf(database.db, 'deal/pages', { after: 3, limit: 2 });
    expect(last.entries.map((entry) => entry.subject)).toEqual(['S-4', 'S-5']);
    expect(last.next).toBeNull();
    expect(await auditOf(database.db, 'deal/none', { after: 0, limit: 2 })).toEqual({ entries: [], next: null });
  });

  test('numbers its entries without gaps when thirty write at once, beside other streams', async () => {
    const sequences = await Promise.all(Array.from({ length: 30 }, (_, index) => append('deal/busy', `S-${index}`)));
    await Promise.all(Array.from({ length: 10 }, (_, index) => append(`deal/${index}`, 'S')));
    expect(sequences.sort((a, b) => a - b)).toEqual(Array.from({ length: 30 }, (_, index) => index + 1));
    expect(await verifyAudit(database.db)).toMatchObject({ valid: true });
  });

  test('holds no personal value, only what stands for it, different each time', async () => {
    await append('deal/person', 'S-1', { contact: 'Ada Example', email: 'ada@customer.example' });
    await append('deal/person', 'S-2', { contact: 'Ada Example' });
    const rows = await database.db.selectFrom('audit_entry').select('content').where('stream', '=', 'deal/person').execute();
    expect(JSON.stringify(rows)).not.toMatch(/Ada|ada@/);
    const { entries } = await auditOf(database.db, 'deal/person', { after: 0, limit: 10 });
    const [first = '', second = ''] = entries.map((entry) => entry.personal?.contact ?? '');
    expect(first).not.toBe(second);
    const values = await personalValues(database.db, [first, second]);
    expect([values.get(first), values.get(second)]).toEqual(['Ada Example', 'Ada Example']);
    await database.db.deleteFrom('audit_personal').where('commitment', '=', first).execute();
    expect([...(await personalValues(database.db, [first, second])).keys()]).toEqual([second]);
  });

  test('rolls back with the transaction that wrote it', async () => {
    const failed = database.db.transaction().execute(async (trx) => {
      await appendAudit(trx, { stream: 'deal/lost', subject: 'S', action: 'noted', actor: 'U-PMO', at: '2026-01-05T08:00:00.000Z' });
      throw new Error('outage');
    });
    await expect(failed).rejects.toThrow('outage');
    expect((await auditOf(database.db, 'deal/lost', { after: 0, limit: 2 })).entries).toEqual([]);
  });

  test('is anchored once by any number of sealers, and nothing is anchored where nothing moved', async () => {
    await append('deal/sealed', 'S-1');
    const sealed = await Promise.all(Array.from({ length: 8 }, () => sealAnchor(database.db)));
    const anchors = sealed.filter((anchor) => anchor !== null);
    expect(anchors.length).toBe(1);
    expect(await sealAnchor(database.db)).toBeNull();
    expect(await verifyAudit(database.db)).toMatchObject({ valid: true, unanchored: 0, lastAnchor: { hash: anchors[0]?.hash } });
  });

  test('is anchored by the sealer in the background, and what is left when the sealer stops', async () => {
    await sealAnchor(database.db);
    const sealer = startSealer(database.db, pino({ level: 'silent' }), 20);
    await append('deal/background', 'S-1');
    for (let tries = 0; tries < 100 && (await verifyAudit(database.db)).unanchored > 0; tries += 1)
      await new Promise((resolve) => setTimeout(resolve, 20));
    expect((await verifyAudit(database.db)).unanchored).toBe(0);
    await sealer.stop();

    const slow = startSealer(database.db, pino({ level: 'silent' }), 3_600_000);
    await new Promise((resolve) => setTimeout(resolve, 50));
    await append('deal/background', 'S-2');
    await slow.stop();
    expect((await verifyAudit(database.db)).unanchored).toBe(0);
  });
});
