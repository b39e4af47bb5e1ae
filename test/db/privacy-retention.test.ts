import { randomUUID } from 'node:crypto';
import { sql } from 'kysely';
import { refuseUnfit } from '../../activities/policy-change/fit';
import { verifyAudit } from '../../db/audit-verify';
import { keepText } from '../../db/free-text';
import { loadMasterData } from '../../db/master-data';
import { policyVersions } from '../../db/policies';
import { sweep, sweepable } from '../../db/privacy/sweep';
import { isViolation } from '../../domain/violation';
import { readMasterDataFolder } from '../../integrations/master-data/folder';
import { STANDARD_POLICIES } from '../../scripts/seed-folder';
import { insertFacts, type Facts } from '../support/api-facts';
import { testDatabase, type TestDatabase } from '../support/database';
import { insertEvent, insertLeaver, insertTime, type Leaver } from '../support/leaver';
import { REFERENCE_FOLDER } from '../support/reference-deal';
import { reasonOf } from '../support/texts';

const AT = '2037-01-15T09:00:00.000Z';

describe('what is past its time', () => {
  let database: TestDatabase;
  let facts: Facts;
  let leaver: Leaver;
  beforeAll(async () => {
    database = await testDatabase({ firm: true });
    facts = await insertFacts(database.db, 'LE-US', 'BA-US');
    leaver = await insertLeaver(database.db);
  });
  afterAll(() => database.drop());

  const write = (author: string, at: string, subject = 'x') =>
    keepText(database.db, { author, subject, purpose: 'decision', origin: randomUUID(), body: 'words', at });
  const away = (userId: string, until: string) =>
    database.db
      .insertInto('absence')
      .values({
        id: randomUUID(),
        user_id: userId,
        away_from: '2030-01-01T00:00:00Z',
        away_until: until,
        recorded_at: '2030-01-01T00:00:00Z',
      })
      .execute();
  const holdOn = async (kind: string, id: string) => {
    const holdId = randomUUID();
    await sql`insert into legal_hold (id, scope_kind, scope_id, reason_id, placed_by, placed_at)
              values (${holdId}, ${kind}, ${id}, ${await reasonOf(database.db, 'hold', 'U-CEO')}, 'U-CEO', ${AT})`.execute(database.db);
    return async () =>
      sql`update legal_hold set released_by = 'U-LEGAL', released_at = ${AT}, release_reason_id = reason_id where id = ${holdId}`.execute(
        database.db,
      );
  };
  const erased = async (at = AT) => (await sweep(database.db, at)).erased;
  const wordsLeft = async () => (await database.db.selectFrom('free_text').select('id').where('body', 'is not', null).execute()).length;

  test('is erased by class in batches, counted beforehand, on record by counts, and once', async () => {
    // Due: 24 months for absences, 84 for words, 60 for notes of work, 36 for events, 12 for rows; what is younger stays.
    await away(leaver.userId, '2035-01-14T00:00:00Z');
    await away(leaver.userId, '2035-01-16T00:00:00Z');
    for (let number = 0; number < 3; number += 1) await write('U-PMO', '2030-01-14T00:00:00Z');
    await write('U-PMO', '2030-01-16T00:00:00Z');
    const noted = await insertTime(database.db, leaver, facts.contractLineId, { note: 'old', workDate: '2032-01-14' });
    await insertTime(database.db, leaver, facts.contractLineId, { note: 'newer', workDate: '2032-01-16' });
    await insertTime(database.db, await insertLeaver(database.db, { active: true }), facts.contractLineId, {
      note: 'open',
      workDate: '2031-01-14',
      status: 'submitted',
    });
    const old = await insertEvent(database.db, { email: 'x' }, { settledAt: '2034-01-14T00:00:00Z' });
    await insertEvent(database.db, { email: 'x' }, { settledAt: '2034-01-16T00:00:00Z' });
    await insertEvent(database.db, { email: 'x' }, { settledAt: '2026-01-14T00:00:00Z', type: 'bank-statements' });
    await sql`insert into field_access (id, request_id, reader, seen_at, route, subject, field_classes)
              values (gen_random_uuid(), 'r-1', 'U-PMO', '2020-01-01', 'GET /', 'x', '{cost}'), (gen_random_uuid(), 'r-2', 'U-PMO', now(), 'GET /', 'x', '{cost}')`.execute(database.db); // prettier-ignore
    const { erased: counted } = await sweepable(database.db, AT);
    expect(counted).toMatchObject({ absence: 1, 'time_entry.note': 1, field_access: 1, 'inbox_event of banks': 1, person: 1 });
    expect(counted.free_text).toBeGreaterThanOrEqual(3);
    const release = await holdOn('person', leaver.personId);
    const swept = await sweep(database.db, AT);
    expect({ ...swept.erased, free_text: 0, inbox_event: 0 }).toMatchObject({
      absence: 0,
      'time_entry.note': 0,
      field_access: 1,
      person: 0,
    });
    expect(swept.held).toMatchObject({ absence: 1, 'time_entry.note': 1, field_access: 0, person: 1 });
    expect((await sweepable(database.db, AT)).held).toEqual(swept.held);
    await release();
    expect(await erased()).toMatchObject({ absence: 1, 'time_entry.note': 1, field_access: 0, person: 1 });
    const left = await sweep(database.db, AT);
    expect(Object.values({ ...left.erased, ...left.held }).every((count) => count === 0)).toBe(true);
    const entry = await database.db
      .selectFrom('time_entry')
      .select(['note', 'hours'])
      .where('entry_id', '=', noted)
      .executeTakeFirstOrThrow();
    expect(entry).toEqual({ note: null, hours: '8' });
    const event = await database.db.selectFrom('inbox_event').selectAll().where('id', '=', old).executeTakeFirstOrThrow();
    expect(event).toMatchObject({ payload: {}, payload_hash: old, erased_at: AT });
    expect(await verifyAudit(database.db)).toMatchObject({ valid: true });
    const { rows } = await sql<{ content: string }>`select content from audit_entry where stream = 'privacy'`.execute(database.db);
    const swepts = rows.map(({ content }) => JSON.parse(content) as { action: string; details: object }).filter(({ action }) => action === 'retention.swept'); // prettier-ignore
    expect(swepts.every(({ details }) => Object.keys(details).sort().join() === 'class,erased,policyVersionId')).toBe(true);
  });

  test('is kept by a hold on a deal, also the words and events of others about it', async () => {
    await erased();
    await write('U-PMO', '2026-01-01T00:00:00Z', `invoice/${facts.invoiceId}`);
    await insertEvent(database.db, {}, { dealId: facts.dealId });
    const before = await wordsLeft();
    const release = await holdOn('deal', facts.dealId);
    expect(await erased()).toMatchObject({ free_text: 0, inbox_event: 0 });
    await release();
    expect(await erased()).toMatchObject({ free_text: 2, inbox_event: 1 }); // the reason of the hold too
    expect(await wordsLeft()).toBe(before - 1);
  });

  test('is kept by a hold on a deal, also what was noted about a booking of it, and so is whoever is booked on it', async () => {
    const { project_code: projectCode } = await database.db
      .selectFrom('deal')
      .select('project_code')
      .where('id', '=', facts.dealId)
      .executeTakeFirstOrThrow();
    const booked = await insertLeaver(database.db);
    const book = (over: object) =>
      database.db
        .insertInto('booking')
        .values({
          ...{ id: randomUUID(), person_id: booked.personId, kind: 'project', project_code: projectCode, status: 'firm' },
          ...{ start_date: '2026-01-05', end_date: '2026-01-09', hours_per_day: '8', note: 'at the hospital on Thursday', ...over },
        })
        .execute();
    await book({});
    await book({ kind: 'leave', project_code: null, note: 'gone for good' });
    const release = await holdOn('deal', facts.dealId);
    const { erased: gone, held } = await sweep(database.db, AT);
    expect([gone['booking.note'], held['booking.note'], gone['person'], held['person']]).toEqual([1, 1, 0, 1]);
    const notes = database.db.selectFrom('booking').select('note').where('person_id', '=', booked.personId).where('note', 'is not', null);
    expect(await notes.execute()).toEqual([{ note: 'at the hospital on Thursday' }]);
    await release();
    expect(await erased()).toMatchObject({ 'booking.note': 1, person: 1 });
    expect(await notes.execute()).toEqual([]);
  });

  test('a thousand rows go in several batches', async () => {
    await sql`insert into free_text (id, author, subject, purpose, origin, body, salt, commitment, written_at)
              select gen_random_uuid(), 'U-PMO', 's', 'decision', n::text, 'words', 'salt', 'c', '2026-01-01' from generate_series(1, 1100) n`.execute(database.db); // prettier-ignore
    expect(await erased()).toMatchObject({ free_text: 1100 });
  });

  test('the policy goes below no floor, and an entity keeps nothing for a shorter time than its group', async () => {
    const versions = await policyVersions(database.db, 'retention');
    const { months } = versions[0]?.body as { months: Record<string, number> };
    const planned = (body: object) => ({ version: 2, body: { ...body, version: 2, validFrom: '2026-06-01' }, versions, differences: [] });
    const group = (over: object) => ({ months: { ...months, ...over } });
    const below = refuseUnfit('retention', null, group({ accounting: 119 }), planned(group({ accounting: 119 })));
    expect(below).toMatchObject({ violation: 'PolicyInvalid', errors: [{ violation: 'TooSmall', path: '/content/months/accounting' }] });
    expect(JSON.stringify(below)).toContain('HGB');
    expect(refuseUnfit('retention', null, group({ accounting: 180 }), planned(group({ accounting: 180 })))).toBeNull();
    const shorter = { months: { words: 60, absences: 36 } };
    expect(refuseUnfit('retention', 'LE-DE', shorter, planned(shorter))).toMatchObject({
      violation: 'PolicyVariationInvalid',
      errors: [{ violation: 'RetentionTooShort', path: '/content/months/words' }],
    });
    const longer = { months: { absences: 36 } };
    expect(refuseUnfit('retention', 'LE-DE', longer, planned(longer))).toBeNull();
  });

  test('an entity that keeps longer is gone by', async () => {
    const body = JSON.stringify({ version: 7, validFrom: '2000-01-01', months: { absences: 60 } });
    await database.db.transaction().execute(async (trx) => {
      await sql`set local session_replication_role = replica`.execute(trx);
      await sql`insert into policy_version (id, kind, version, valid_from, body, body_hash, entity_id, refines_id)
                values (gen_random_uuid(), 'retention', 7, '2000-01-01', ${body}, 'h', 'LE-DE', (select id from policy_version where kind = 'retention'))`.execute(
        trx,
      );
    });
    const german = await insertLeaver(database.db, { entityId: 'LE-DE', active: true });
    const american = await insertLeaver(database.db, { active: true });
    await sql`update app_user set entity_id = 'LE-DE' where id = ${german.userId}`.execute(database.db);
    for (const { userId } of [german, american]) await away(userId, '2034-01-14T00:00:00Z');
    expect(await erased()).toMatchObject({ absence: 1 });
    expect(await erased('2039-01-15T00:00:00.000Z')).toMatchObject({ absence: 1 });
  });

  test('nothing is erased by age where no policy is in force', async () => {
    const bare = await testDatabase();
    const nothing = { erased: {}, held: {} };
    expect([await sweep(bare.db, AT), await sweepable(bare.db, AT)]).toEqual([nothing, nothing]);
    await bare.drop();
  });

  test('whoever comes back under another id is taken and named in the log of the load; an erased id is refused', async () => {
    const read = readMasterDataFolder(REFERENCE_FOLDER, STANDARD_POLICIES);
    if (!('data' in read)) throw new Error('the firm cannot be read');
    const [first] = read.data['users.json'].users;
    const load = (over: object) =>
      loadMasterData(
        database.db,
        { ...read, data: { ...read.data, 'users.json': { ...read.data['users.json'], users: [...read.data['users.json'].users, { ...first!, ...over }] } } }, // prettier-ignore
        { at: AT, actor: 'U-CFO' },
      );
    const before = await sql`select * from audit_entry where stream = 'master-data'`.execute(database.db);
    expect(await load({ id: leaver.userId, name: leaver.name, email: leaver.email })).toMatchObject({
      violation: 'PersonErased',
      detail: leaver.userId,
      errors: [{ path: `/users.json/users/${read.data['users.json'].users.length}/id` }],
    });
    expect((await sql`select * from audit_entry where stream = 'master-data'`.execute(database.db)).rows).toEqual(before.rows);
    const loaded = await load({ id: 'U-AGAIN', name: leaver.name, email: leaver.email.toUpperCase() });
    expect(isViolation(loaded)).toBe(false);
    const { rows } = await sql<{ content: string }>`select content from audit_entry where stream = 'master-data' order by sequence desc limit 1`.execute(database.db); // prettier-ignore
    expect(rows[0]?.content).toContain('"returned":["U-AGAIN"]');
    expect(rows[0]?.content).not.toContain(leaver.email);
    const gone = await database.db.selectFrom('app_user').selectAll().where('id', '=', leaver.userId).executeTakeFirstOrThrow();
    expect(gone).toMatchObject({ name: leaver.userId, active: false });
  });
});
