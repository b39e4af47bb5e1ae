import { appendAudit } from '../../db/audit';
import { anchorHash, headsHash, sealAnchor } from '../../db/audit-anchor';
import { verifyStream } from '../../db/audit-streams';
import { verifyAudit } from '../../db/audit-verify';
import { keepText } from '../../db/free-text';
import { testDatabase, type TestDatabase } from '../support/database';
import { emptied } from '../support/emptied';
import { rewrite, shifted, tamper } from '../support/tampering';

const at = '2026-03-02T09:00:00.000Z';
const STREAMS = ['deal/1', 'deal/2', 'vendor/1'];

let database: TestDatabase;
beforeAll(async () => {
  database = await testDatabase();
});
afterAll(() => database.drop());

/** Entries 1 to 3 of each stream are sealed by anchor 1, entries 4 to 6 of the deals by anchor 2; 7 and 8 of deal/1 by none. */
beforeEach(async () => {
  await tamper(database.pool, `update audit_anchor_tip set sequence = 0, hash = repeat('0', 64)`);
  await emptied(database.db, 'audit_entry', 'audit_head', 'audit_personal', 'audit_anchor_head', 'audit_anchor');
  for (const stream of STREAMS) await write(stream, 3);
  await sealAnchor(database.db);
  for (const stream of ['deal/1', 'deal/2']) await write(stream, 3);
  await sealAnchor(database.db);
  await write('deal/1', 2);
});

async function write(stream: string, count: number): Promise<void> {
  for (let index = 0; index < count; index += 1) {
    const body = `words of ${stream} ${index} ${Math.random()}`;
    const textId = await keepText(database.db, { author: 'U-1', subject: stream, purpose: 'decision', origin: 'D', body, at });
    await database.db.transaction().execute((trx) =>
      appendAudit(trx, {
        ...{ stream, at, action: 'invoice.issued', subject: `INV-${index}`, actor: 'engine', entityId: 'LE-US' },
        details: { totalMinor: 1000 + index },
        personal: { contact: `person ${stream} ${index}` },
        texts: { reason: textId },
      }),
    );
  }
}

const change = (set: string, stream: string, sequence: number) =>
  `update audit_entry set ${set} where stream = '${stream}' and sequence = ${sequence}`;
const remove = (stream: string, which: string) => `delete from audit_entry where stream = '${stream}' and sequence ${which}`;
const setHead = (stream: string, sequence: number) =>
  `update audit_head set sequence = ${sequence}, hash = (select hash from audit_entry e where e.stream = '${stream}' and e.sequence = ${sequence}) where stream = '${stream}'`;
const copy = (stream: string, sequence: number, to: string, place: number) =>
  `insert into audit_entry select (jsonb_populate_record(e, jsonb_build_object('stream', '${to}', 'sequence', ${place}))).* from audit_entry e where stream = '${stream}' and sequence = ${sequence}`;
const forgetPersonal = (which = 'true') => `delete from audit_personal where ${which}`;
const amount = (content: string) => content.replace(/"totalMinor":\d+/, '"totalMinor":9001');

type Tampering = readonly string[] | (() => Promise<void>);

async function firstHash(): Promise<string> {
  const { rows } = await database.pool.query<{ hash: string }>(`select hash from audit_entry where stream = 'deal/2' and sequence = 1`);
  return rows[0]?.hash ?? '';
}

/** Writes the last anchor anew, with a hash that fits. */
async function resealed(setTip: boolean): Promise<void> {
  const row = await database.db.selectFrom('audit_anchor').selectAll().where('sequence', '=', 2).executeTakeFirstOrThrow();
  const hash = anchorHash({ ...row, sealedAt: at, headsHash: row.heads_hash, previousHash: row.previous_hash });
  await tamper(database.pool, `update audit_anchor set sealed_at = '${at}', hash = '${hash}' where sequence = 2`);
  if (setTip) await tamper(database.pool, `update audit_anchor_tip set hash = '${hash}'`);
}

/** What somebody with all rights does, and the rows that are named: the first damaged one of every stream, and nothing else. */
const TAMPERINGS: readonly (readonly [string, Tampering, readonly string[]])[] = [
  ['the text of an entry', [change(`content = replace(content, '1001', '9001')`, 'deal/2', 2)], ['deal/2 2 changed']],
  ['a blank in the text', [change(`content = content || ' '`, 'deal/2', 2)], ['deal/2 2 changed']],
  ['the hash of an entry', [change(`hash = repeat('a', 64)`, 'deal/2', 2)], ['deal/2 2 changed']],
  ['the hash of an entry, to what is none', [change(`hash = ''`, 'deal/1', 8)], ['deal/1 8 changed']],
  ['the hash that an entry follows', [change(`previous_hash = repeat('a', 64)`, 'deal/2', 3)], ['deal/2 3 changed']],
  ['the hash that an entry follows, with its own', () => rewritten('deal/2', 3, 3, { previousHash: 'a'.repeat(64) }), ['deal/2 3 changed']],
  ['the same of the last entry', () => rewritten('deal/1', 8, 8, { previousHash: 'a'.repeat(64) }), ['deal/1 8 changed']],
  ['the same, to follow an earlier entry', async () => rewritten('deal/2', 5, 5, { previousHash: await firstHash() }), ['deal/2 5 changed']],
  ['text and hash together', () => rewritten('deal/2', 2, 2), ['deal/2 2 changed']],
  ['text and hash of the last entry together', () => rewritten('deal/1', 8, 8), ['deal/1 8 changed']],
  ['text and hash of two entries, one after the other', () => rewritten('deal/2', 2, 3), ['deal/2 2 changed']],
  ['a whole chain behind an entry, with its head', () => rewritten('deal/2', 5, 6, { withHead: true }), ['deal/2 5 changed']],
  ['a whole chain from its first entry, with its head', () => rewritten('deal/2', 1, 6, { withHead: true }), ['deal/2 1 changed']],
  ['the entity of an entry', [change(`entity_id = 'LE-DE'`, 'vendor/1', 1)], ['vendor/1 1 changed']],
  ['the entity of an entry, to none', [change('entity_id = null', 'vendor/1', 3)], ['vendor/1 3 changed']],
  ['the moment of recording', [change(`recorded_at = recorded_at - interval '1 day'`, 'vendor/1', 3)], ['vendor/1 3 changed']],
  ['an entry of the middle is deleted', [remove('deal/1', '= 4'), forgetPersonal()], ['deal/1 4 missing']],
  ['several entries are deleted', [remove('deal/1', 'in (2, 3, 6)'), forgetPersonal()], ['deal/1 2 missing']],
  ['an entry is deleted and those behind it numbered anew', [remove('deal/1', '= 4'), ...shifted('deal/1', 4, -1), forgetPersonal()], ['deal/1 4 missing']],
  ['the first entry is deleted', [remove('deal/2', '= 1'), forgetPersonal()], ['deal/2 1 missing']],
  ['the last entries are deleted', [remove('deal/1', '> 6'), forgetPersonal()], ['deal/1 7 cut-off']],
  ['the last entries are deleted with the head', [remove('deal/2', '> 4'), setHead('deal/2', 4), forgetPersonal()], ['deal/2 5 cut-off']],
  ['sealed and later entries are deleted with the head', [remove('deal/1', '> 5'), setHead('deal/1', 5), forgetPersonal()], ['deal/1 6 cut-off']],
  ['a whole stream is deleted', [remove('vendor/1', '> 0'), forgetPersonal()], ['vendor/1 1 cut-off']],
  ['a whole stream is deleted with its head', [remove('vendor/1', '> 0'), `delete from audit_head where stream = 'vendor/1'`, forgetPersonal()], ['vendor/1 1 cut-off']],
  ['two entries change places', [`update audit_entry set sequence = 11 - sequence + 100 where stream = 'deal/1' and sequence in (5, 6)`, `update audit_entry set sequence = sequence - 100 where sequence > 100`], ['deal/1 5 missing']],
  ['an entry stands twice, behind the last', [copy('deal/1', 3, 'deal/1', 9), 'update audit_head set sequence = 9 where stream = \'deal/1\''], ['deal/1 9 inserted']],
  ['an entry stands twice, in the middle', [...shifted('deal/1', 3, 1), copy('deal/1', 2, 'deal/1', 3)], ['deal/1 3 inserted']],
  ['the first entry stands again in the middle', [...shifted('deal/1', 5, 1), copy('deal/1', 1, 'deal/1', 5)], ['deal/1 5 inserted']],
  ['an entry stands far behind the last', [copy('deal/1', 3, 'deal/1', 90)], ['deal/1 90 inserted']],
  ['an entry stands before the first', [copy('deal/1', 3, 'deal/1', -1)], ['deal/1 -1 inserted']],
  ['an entry is made up between two', () => madeUp(3, 1), ['deal/1 3 inserted']],
  ['two entries are made up between two', () => madeUp(3, 2), ['deal/1 3 inserted']],
  ['an entry is moved to another stream', [change(`stream = 'vendor/1', sequence = 4`, 'deal/1', 8), setHead('vendor/1', 4)], ['deal/1 8 cut-off', 'vendor/1 4 inserted']],
  ['an entry of the middle is moved to another stream', [change(`stream = 'vendor/1', sequence = 4`, 'deal/1', 4), setHead('vendor/1', 4)], ['deal/1 4 missing', 'vendor/1 4 inserted']],
  ['a stream is renamed', [`update audit_entry set stream = 'deal/7' where stream = 'deal/2'`, `update audit_head set stream = 'deal/7' where stream = 'deal/2'`], ['deal/2 1 cut-off', 'deal/7 1 inserted']],
  ['a stream is copied under another name', [1, 2, 3].map((place) => copy('vendor/1', place, 'vendor/2', place)), ['vendor/2 1 inserted']],
  ['a head is set back', [setHead('deal/1', 4)], ['deal/1 5 changed']],
  ['a head is set forward', [`update audit_head set sequence = 9 where stream = 'deal/1'`], ['deal/1 9 cut-off']],
  ['a head has another hash', [`update audit_head set hash = repeat('0', 64) where stream = 'vendor/1'`], ['vendor/1 3 changed']],
  ['a head is deleted', [`delete from audit_head where stream = 'deal/2'`], ['deal/2 1 missing']],
  ['the first anchor is deleted', ['delete from audit_anchor where sequence = 1'], ['(anchors) 1 missing']],
  ['the first anchor is deleted with its heads', ['delete from audit_anchor where sequence = 1', 'delete from audit_anchor_head where anchor_sequence = 1'], ['(anchors) 1 missing']],
  ['the last anchor is deleted with its heads', ['delete from audit_anchor where sequence = 2', 'delete from audit_anchor_head where anchor_sequence = 2'], ['(anchors) 2 cut-off']],
  ['all anchors are deleted', ['delete from audit_anchor', 'delete from audit_anchor_head'], ['(anchors) 1 cut-off']],
  ['an anchor counts otherwise', ['update audit_anchor set entries = entries - 1 where sequence = 2'], ['(anchors) 2 changed']],
  ['an anchor is of another moment', [`update audit_anchor set sealed_at = '${at}' where sequence = 1`], ['(anchors) 1 changed']],
  ['the last anchor is written anew with a hash that fits', () => resealed(false), ['(anchors) 2 changed']],
  ['an anchor is put behind the last', [`insert into audit_anchor select 3, sealed_at, streams, entries, heads_hash, hash, hash from audit_anchor where sequence = 2`], ['(anchors) 3 inserted']],
  ['a head that an anchor names is another', [`update audit_anchor_head set hash = repeat('a', 64) where anchor_sequence = 1 and stream = 'deal/1'`], ['(anchors) 1 changed']],
  ['a head that an anchor names is gone', [`delete from audit_anchor_head where anchor_sequence = 1 and stream = 'vendor/1'`], ['(anchors) 1 changed']],
  ['an anchor no more knows its entries', ['update audit_anchor_head set entry_hashes = null where anchor_sequence = 1'], ['(anchors) 1 changed']],
  ['nothing says which anchor is the last', ['delete from audit_anchor_tip'], ['(anchors) 2 missing']],
  ['a personal value', [`update audit_personal set value = 'somebody else' where value = 'person vendor/1 1'`], ['vendor/1 2 changed']],
  ['the name of a personal field', [`update audit_personal set field = 'email' where value = 'person vendor/1 1'`], ['vendor/1 2 changed']],
  ['the salt of a personal value', [`update audit_personal set salt = '00' where value = 'person vendor/1 2'`], ['vendor/1 3 changed']],
  ['the words of a person', [`update free_text set body = 'other words' where id = (${textOf('deal/2', 4)})`], ['deal/2 4 changed']],
  ['the words of a person are deleted', [`delete from free_text where id = (${textOf('deal/2', 5)})`], ['deal/2 5 changed']],
]; // prettier-ignore

test.each(TAMPERINGS)('%s: found and named', async (_name, tampering, expected) => {
  if (typeof tampering === 'function') await tampering();
  else await tamper(database.pool, ...tampering);
  try {
    const report = await verifyAudit(database.db, { batch: 4 });
    expect(report.damage.map(({ stream, sequence, kind }) => `${stream} ${sequence} ${kind}`)).toEqual(expected);
    expect(report.valid).toBe(false);
    for (const stream of [...STREAMS, 'deal/7', 'vendor/2']) {
      const inWhole = report.damage.find((each) => each.stream === stream) ?? { stream };
      const alone = (await verifyStream(database.db, stream, { batch: 4 }))?.damage ?? {};
      expect({ stream, ...alone }).toEqual(inWhole);
    }
  } finally {
    await tamper(database.pool, "insert into audit_anchor_tip (sequence, hash) values (0, '') on conflict do nothing");
  }
});

test('as many as forty kinds were tried', () => {
  expect(new Set(TAMPERINGS.map(([name]) => name)).size).toBeGreaterThanOrEqual(40);
});

test('the owner of the table who switches the triggers off is found all the same', async () => {
  await database.pool.query('alter table audit_entry disable trigger user');
  await database.pool.query(change(`content = replace(content, '1001', '9001')`, 'deal/2', 2));
  await database.pool.query('alter table audit_entry enable trigger user');
  expect((await verifyAudit(database.db)).damage).toMatchObject([{ stream: 'deal/2', sequence: 2, kind: 'changed' }]);
});

test('who writes the last anchor anew with everything that knows it is found by an anchor noted elsewhere', async () => {
  const { lastAnchor } = await verifyAudit(database.db);
  await resealed(true);
  expect(lastAnchor).toMatchObject({ sequence: 2 });
  const report = await verifyAudit(database.db, lastAnchor === null ? {} : { witness: lastAnchor });
  expect(report.damage).toMatchObject([{ stream: '(anchors)', sequence: 2, kind: 'changed' }]);
});

test('what was sealed before anchors knew entries is still checked, by the last entry that they name', async () => {
  const anchors = await database.db.selectFrom('audit_anchor').selectAll().orderBy('sequence').execute();
  expect(anchors).toHaveLength(2);
  await emptied(database.db, 'audit_anchor_head', 'audit_anchor');
  await tamper(
    database.pool,
    `insert into audit_anchor_head (anchor_sequence, stream, sequence, hash) select 1, stream, sequence, hash from audit_head`,
  );
  const hashes = await database.db.selectFrom('audit_head').selectAll().orderBy('stream').execute();
  const heads = headsHash(hashes.map((head) => ({ ...head, entriesHash: null })));
  const anchor = { sequence: 1, sealedAt: at, streams: 3, entries: 17, headsHash: heads, previousHash: '0'.repeat(64) };
  await tamper(
    database.pool,
    `insert into audit_anchor values (1, '${at}', 3, 17, '${heads}', '${anchor.previousHash}', '${anchorHash(anchor)}')`,
    `update audit_anchor_tip set sequence = 1, hash = '${anchorHash(anchor)}'`,
  );
  expect(await verifyAudit(database.db)).toMatchObject({ valid: true, anchors: 1 });
  await rewritten('deal/2', 2, 6, { withHead: true });
  expect((await verifyAudit(database.db)).damage).toMatchObject([{ stream: 'deal/2', sequence: 6, kind: 'changed' }]);
});

function textOf(stream: string, sequence: number): string {
  return `select (content::jsonb -> 'texts' -> 'reason' ->> 'id')::uuid from audit_entry where stream = '${stream}' and sequence = ${sequence}`;
}

async function rewritten(
  stream: string,
  from: number,
  until: number,
  { previousHash, withHead = false }: { previousHash?: string; withHead?: boolean } = {},
): Promise<void> {
  const content = previousHash === undefined ? { content: amount } : { previousHash };
  const hash = await rewrite(database.pool, { stream, from, until, ...content });
  if (withHead) await tamper(database.pool, `update audit_head set hash = '${hash}' where stream = '${stream}'`);
}

/** Puts entries that nobody wrote before one of deal/1; each follows the one before it. */
async function madeUp(place: number, count: number): Promise<void> {
  await tamper(database.pool, ...shifted('deal/1', place, count));
  for (let index = 0; index < count; index += 1) {
    await tamper(database.pool, copy('deal/1', place - 1, 'deal/1', place + index));
  }
  const { rows } = await database.pool.query<{ hash: string }>(
    `select hash from audit_entry where stream = 'deal/1' and sequence = ${place - 1}`,
  );
  let previousHash = rows[0]?.hash ?? '';
  for (let index = 0; index < count; index += 1) {
    const sequence = place + index;
    const content = (said: string) => amount(said).replace(/"sequence":\d+/, `"sequence":${sequence}`);
    previousHash = await rewrite(database.pool, { stream: 'deal/1', from: sequence, until: sequence, content, previousHash });
  }
}
