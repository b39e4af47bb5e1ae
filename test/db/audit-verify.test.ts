import { appendAudit, entryHash } from '../../db/audit';
import { anchorHash, headsHash, sealAnchor } from '../../db/audit-anchor';
import { verifyStream } from '../../db/audit-streams';
import { verifyAudit, type AuditReport } from '../../db/audit-verify';
import { commitmentOf, sha256 } from '../../db/hash';
import { testDatabase } from '../support/database';
import { emptied } from '../support/emptied';
import { tamper as tampered } from '../support/tampering';

type Database = Awaited<ReturnType<typeof testDatabase>>;

const at = '2026-03-02T09:00:00.000Z';

describe('the audit log', () => {
  let database: Database;
  beforeAll(async () => {
    database = await testDatabase();
  });
  afterAll(() => database.drop());
  beforeEach(async () => {
    await tamper(`update audit_anchor_tip set sequence = 0, hash = repeat('0', 64)`);
    await emptied(database.db, 'audit_entry', 'audit_head', 'audit_personal', 'audit_anchor_head', 'audit_anchor');
    for (const stream of ['deal/1', 'deal/2', 'vendor/1']) await write(stream, 3);
    await sealAnchor(database.db);
    for (const stream of ['deal/1', 'deal/2']) await write(stream, 3);
    await sealAnchor(database.db);
    await write('deal/1', 2);
  });

  async function write(stream: string, count: number): Promise<void> {
    for (let index = 0; index < count; index += 1) {
      await database.db.transaction().execute((trx) =>
        appendAudit(trx, {
          stream,
          action: 'invoice.issued',
          subject: `INV-${index}`,
          actor: 'engine',
          at,
          details: { totalMinor: 1000 + index },
          personal: { contact: `person ${stream} ${index}` },
        }),
      );
    }
  }

  const tamper = (...statements: string[]) => tampered(database.pool, ...statements);

  /** Writes an entry again with another text and a hash that fits it. */
  async function rehash(stream: string, from: number, change: (content: string, sequence: number) => string): Promise<string> {
    const rows = await database.db.selectFrom('audit_entry').selectAll().where('stream', '=', stream).orderBy('sequence').execute();
    let previous = rows.find((row) => row.sequence === from)?.previous_hash ?? '';
    for (const row of rows.filter((each) => each.sequence >= from)) {
      const content = change(row.content, row.sequence);
      const hash = entryHash(previous, content);
      await tamper(
        `update audit_entry set content = '${content}', previous_hash = '${previous}', hash = '${hash}' where stream = '${stream}' and sequence = ${row.sequence}`,
      );
      previous = hash;
    }
    return previous;
  }

  const verify = (): Promise<AuditReport> => verifyAudit(database.db, { batch: 4 });
  const found = async () => {
    const report = await verify();
    expect(report.valid).toBe(report.damage.length === 0);
    await eachAlone(report);
    return report.damage.map(({ stream, sequence, kind }) => `${stream} ${sequence} ${kind}`);
  };

  /** A stream that is checked alone has the damage that the check of the whole log finds in it. */
  async function eachAlone({ damage }: AuditReport): Promise<void> {
    for (const stream of ['deal/1', 'deal/2', 'deal/9', 'vendor/1']) {
      const expected = damage.find((each) => each.stream === stream);
      const report = await verifyStream(database.db, stream, { batch: 4 });
      const alone = report?.damage ? { stream, ...report.damage } : undefined;
      expect({ stream, alone, valid: report?.valid ?? true }).toEqual({ stream, alone: expected, valid: expected === undefined });
    }
  }

  test('that nobody touched is valid, whatever the size of the batches, and says what is not sealed yet', async () => {
    for (const batch of [1, 2, 4, 100]) {
      expect(await verifyAudit(database.db, { batch })).toMatchObject({
        valid: true,
        streams: 3,
        entries: 17,
        anchors: 2,
        unanchored: 2,
        erased: 0,
        damage: [],
      });
    }
  });

  test('refuses to change, delete or re-anchor anything', async () => {
    for (const statement of [
      `update audit_entry set content = '{}'`,
      'delete from audit_entry',
      'delete from audit_anchor_head',
      `update audit_anchor set hash = ''`,
    ]) {
      await expect(database.pool.query(statement)).rejects.toThrow('append-only');
    }
    expect(await found()).toEqual([]);
  });

  test('stays valid when persons are erased, and counts what is gone', async () => {
    await database.db.deleteFrom('audit_personal').where('value', 'like', 'person deal/1%').execute();
    expect(await verify()).toMatchObject({ valid: true, erased: 8 });
  });

  test('names an entry whose text was changed', async () => {
    await tamper(`update audit_entry set content = replace(content, '1001', '9001') where stream = 'deal/2' and sequence = 2`);
    expect(await found()).toEqual(['deal/2 2 changed']);
  });

  test('names an entry whose text and hash were changed together', async () => {
    const row = await database.db
      .selectFrom('audit_entry')
      .selectAll()
      .where('stream', '=', 'deal/2')
      .where('sequence', '=', 2)
      .executeTakeFirstOrThrow();
    const content = row.content.replace('1001', '9001');
    await tamper(
      `update audit_entry set content = '${content}', hash = '${entryHash(row.previous_hash, content)}' where stream = 'deal/2' and sequence = 2`,
    );
    expect(await found()).toEqual(['deal/2 2 changed']);
  });

  test('names an entry whose moment of recording was changed', async () => {
    await tamper(`update audit_entry set recorded_at = recorded_at - interval '1 day' where stream = 'vendor/1' and sequence = 3`);
    expect(await found()).toEqual(['vendor/1 3 changed']);
  });

  test('names an entry that is missing in the middle', async () => {
    await tamper(`delete from audit_entry where stream = 'deal/1' and sequence = 4`, 'delete from audit_personal');
    expect(await found()).toEqual(['deal/1 4 missing']);
  });

  test('names an entry that is missing although the rows after it were numbered anew', async () => {
    await tamper(
      `delete from audit_entry where stream = 'deal/1' and sequence = 4`,
      `update audit_entry set sequence = -sequence where stream = 'deal/1' and sequence > 4`,
      `update audit_entry set sequence = -sequence - 1 where stream = 'deal/1' and sequence < 0`,
      'delete from audit_personal',
    );
    expect(await found()).toEqual(['deal/1 4 missing']);
  });

  test('names an entry that was put between two others', async () => {
    const before = await database.db
      .selectFrom('audit_entry')
      .selectAll()
      .where('stream', '=', 'deal/1')
      .where('sequence', '=', 2)
      .executeTakeFirstOrThrow();
    const content = before.content.replace('"sequence":2', '"sequence":3');
    await tamper(
      `update audit_entry set sequence = -sequence where stream = 'deal/1' and sequence > 2`,
      `update audit_entry set sequence = -sequence + 1 where stream = 'deal/1' and sequence < 0`,
      `insert into audit_entry values ('deal/1', 3, '${before.recorded_at}', '${content}', '${before.hash}', '${entryHash(before.hash, content)}')`,
    );
    expect(await found()).toEqual(['deal/1 3 inserted']);
  });

  test('names an entry that was put behind the last one', async () => {
    const last = await database.db
      .selectFrom('audit_entry')
      .selectAll()
      .where('stream', '=', 'deal/1')
      .where('sequence', '=', 8)
      .executeTakeFirstOrThrow();
    const content = last.content.replace('"sequence":8', '"sequence":9');
    await tamper(
      `insert into audit_entry values ('deal/1', 9, '${last.recorded_at}', '${content}', '${last.hash}', '${entryHash(last.hash, content)}')`,
    );
    expect(await found()).toEqual(['deal/1 9 inserted']);
  });

  test('names a stream that was made up', async () => {
    await tamper(
      `insert into audit_entry select 'deal/9', sequence, recorded_at, content, previous_hash, hash from audit_entry where stream = 'deal/2'`,
    );
    expect(await found()).toEqual(['deal/9 1 inserted']);
  });

  test('names the first entry that was cut off the end', async () => {
    await tamper(`delete from audit_entry where stream = 'deal/1' and sequence > 6`, 'delete from audit_personal');
    expect(await found()).toEqual(['deal/1 7 cut-off']);
  });

  test('names the first sealed entry that was cut off although the head was set back', async () => {
    await tamper(
      `delete from audit_entry where stream = 'deal/2' and sequence > 4`,
      `update audit_head set sequence = 4, hash = (select hash from audit_entry where stream = 'deal/2' and sequence = 4) where stream = 'deal/2'`,
      'delete from audit_personal',
    );
    expect(await found()).toEqual(['deal/2 5 cut-off']);
  });

  test('names a sealed stream that is gone with its head', async () => {
    await tamper(
      `delete from audit_entry where stream = 'vendor/1'`,
      `delete from audit_head where stream = 'vendor/1'`,
      'delete from audit_personal',
    );
    expect(await found()).toEqual(['vendor/1 1 cut-off']);
  });

  test('names the first entry from which a whole chain was written anew', async () => {
    const hash = await rehash('deal/2', 2, (content) => content.replace('1001', '9001'));
    await tamper(`update audit_head set hash = '${hash}' where stream = 'deal/2'`);
    expect(await found()).toEqual(['deal/2 2 changed']);
  });

  test('names a head that was changed, and one that is gone', async () => {
    await tamper(
      `update audit_head set hash = repeat('0', 64) where stream = 'vendor/1'`,
      `delete from audit_head where stream = 'deal/2'`,
    );
    expect(await found()).toEqual(['deal/2 1 missing', 'vendor/1 3 changed']);
  });

  test('names an entry that was moved to another stream', async () => {
    await tamper(
      `update audit_entry set stream = 'vendor/1', sequence = 4 where stream = 'deal/1' and sequence = 8`,
      `update audit_head set sequence = 4 where stream = 'vendor/1'`,
    );
    expect(await found()).toEqual(['deal/1 8 cut-off', 'vendor/1 4 inserted']);
  });

  test('names the entry behind which a personal value was replaced', async () => {
    await tamper(`update audit_personal set value = 'somebody else' where value = 'person vendor/1 1'`);
    expect(await found()).toEqual(['vendor/1 2 changed']);
  });

  test('names personal values that no entry speaks of', async () => {
    const commitment = commitmentOf('00', 'contact', 'nobody');
    await tamper(`insert into audit_personal values ('${commitment}', '00', 'nobody', 'contact')`);
    const report = await verify();
    expect(report.damage).toMatchObject([{ stream: '(personal)', kind: 'inserted' }]);
    expect(report.damage[0]?.detail).toContain(commitment);
  });

  test('names an anchor that was changed, one that is missing, and heads that were changed', async () => {
    await tamper(`update audit_anchor set entries = entries - 1 where sequence = 2`);
    expect(await found()).toEqual(['(anchors) 2 changed']);
    await tamper(`update audit_anchor set entries = entries + 1 where sequence = 2`, `delete from audit_anchor where sequence = 1`);
    expect(await found()).toEqual(['(anchors) 1 missing']);
  });

  test('names an anchor from which a head was taken', async () => {
    await tamper(`delete from audit_anchor_head where anchor_sequence = 1 and stream = 'vendor/1'`);
    expect(await found()).toEqual(['(anchors) 1 changed']);
  });

  test('names an anchor that was written anew without the stream that was removed', async () => {
    const anchor = await database.db.selectFrom('audit_anchor').selectAll().where('sequence', '=', 1).executeTakeFirstOrThrow();
    const heads = await database.db
      .selectFrom('audit_anchor_head')
      .selectAll()
      .where('anchor_sequence', '=', 1)
      .where('stream', '<>', 'vendor/1')
      .execute();
    const forged = {
      ...anchor,
      sealedAt: anchor.sealed_at,
      headsHash: headsHash(heads.map((head) => ({ ...head, entriesHash: sha256(head.entry_hashes?.toString('hex') ?? '') }))),
      previousHash: anchor.previous_hash,
      streams: 2,
      entries: 6,
    };
    await tamper(
      `delete from audit_anchor_head where anchor_sequence = 1 and stream = 'vendor/1'`,
      `delete from audit_entry where stream = 'vendor/1'`,
      `delete from audit_head where stream = 'vendor/1'`,
      `delete from audit_personal where value like 'person vendor/1%'`,
      `update audit_anchor set streams = 2, entries = 6, heads_hash = '${forged.headsHash}', hash = '${anchorHash(forged)}' where sequence = 1`,
    );
    expect(await found()).toEqual(['(anchors) 1 changed']);
  });

  test('finds the last anchors cut off, and with all that knows them when one was noted elsewhere', async () => {
    const { lastAnchor } = await verify();
    await tamper('delete from audit_anchor_head where anchor_sequence = 2', 'delete from audit_anchor where sequence = 2');
    expect(await found()).toEqual(['(anchors) 2 cut-off']);
    await tamper(`update audit_anchor_tip set sequence = 1, hash = (select hash from audit_anchor where sequence = 1)`);
    expect(await found()).toEqual([]);
    expect(lastAnchor).not.toBeNull();
    const report = await verifyAudit(database.db, lastAnchor === null ? {} : { witness: lastAnchor });
    expect(report.damage).toMatchObject([{ stream: '(anchors)', sequence: 2, kind: 'cut-off' }]);
  });

  test('names the damage of every stream at once', async () => {
    await tamper(
      `update audit_entry set content = content || ' ' where stream = 'deal/1' and sequence in (2, 5)`,
      `delete from audit_entry where stream = 'deal/2' and sequence = 1`,
      'delete from audit_personal',
    );
    expect(await found()).toEqual(['deal/1 2 changed', 'deal/2 1 missing']);
  });
});
