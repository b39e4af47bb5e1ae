import { sql } from 'kysely';
import { uuidv7 } from 'uuidv7';
import { unfinishedErasures } from '../../db/privacy/erasures';
import { heldData } from '../../db/privacy/held-data';
import { heldPerson } from '../../db/privacy/person';
import { nextStep, runErasure } from '../../db/privacy/run-erasure';
import { nameOf } from '../../domain/privacy/entry';
import { REGISTER } from '../../domain/privacy/register';
import { testDatabase, type TestDatabase } from '../support/database';
import { PLANTED, plantEverywhere, type Planted } from '../support/planted-person';

const AT = '2026-06-01T09:00:00.000Z';

describe('erasing somebody of whom something stands everywhere', () => {
  let database: TestDatabase;
  let planted: Planted[];
  const erasureId = uuidv7();
  beforeAll(async () => {
    database = await testDatabase();
    planted = await plantEverywhere(database.db);
    await database.db.transaction().execute(async (trx) => {
      await sql`set local session_replication_role = replica`.execute(trx);
      await sql`update app_user set active = false`.execute(trx);
      await sql`insert into intake_batch (id, deal_id, kind, media_type, state, received_by)
                select batch_id, gen_random_uuid(), 'time-entries', '', 'failed', 'x' from intake_block`.execute(trx);
      await sql`insert into erasure (id, user_id, person_id, state, requested_by, requested_at, decided_by, decided_at)
                values (${erasureId}, ${PLANTED.userId}, ${PLANTED.personId}, 'granted', 'U-1', ${AT}, 'U-2', ${AT})`.execute(trx);
    });
  });
  afterAll(() => database.drop());

  const stepsDone = async () =>
    (await database.db.selectFrom('erasure_step').selectAll().where('erasure_id', '=', erasureId).execute()).sort((a, b) => (a.step < b.step ? -1 : 1)); // prettier-ignore

  /** Where a text stands, as `table.column`. */
  async function placesOf(text: string): Promise<string[]> {
    const { rows } = await sql<{ name: string; column: string }>`
      select c.relname as name, a.attname as column from pg_attribute a join pg_class c on c.oid = a.attrelid
       where c.relnamespace = 'public'::regnamespace and c.relkind = 'r' and a.attnum > 0 and not a.attisdropped
         and a.atttypid in ('text'::regtype, 'jsonb'::regtype, 'json'::regtype)`.execute(database.db);
    const found: string[] = [];
    for (const { name, column } of rows) {
      const { rows: hits } = await sql`
        select 1 from ${sql.table(name)} as t where strpos(lower(t.${sql.ref(column)}::text), ${text.toLowerCase()}) > 0 limit 1`.execute(
        database.db,
      );
      if (hits.length > 0) found.push(`${name}.${column}`);
    }
    return found.sort();
  }

  test('breaks off in the middle and does nothing of the step that was under way', async () => {
    for (let step = 0; step < 20; step += 1) expect(await nextStep(database.db, erasureId, AT)).toEqual({ kind: 'more' });
    const before = await stepsDone();
    // The process dies before the commit of a step: whatever it did is taken back with its row and its entry.
    await sql.raw(`create function die() returns trigger language plpgsql as $$ begin raise exception 'killed'; end $$;
      create trigger die before insert on erasure_step for each row execute function die()`).execute(database.db); // prettier-ignore
    await expect(nextStep(database.db, erasureId, AT)).rejects.toThrow('killed');
    await sql.raw('drop trigger die on erasure_step; drop function die').execute(database.db);
    expect(await stepsDone()).toEqual(before);
    expect(await unfinishedErasures(database.db)).toEqual([erasureId]);
  });

  test('goes on with what is left, also when two do it at once, and ends with every entry of the register once', async () => {
    const both = await Promise.all([runErasure(database.db, erasureId, AT), runErasure(database.db, erasureId, AT)]);
    expect(both).toEqual([{ kind: 'done' }, { kind: 'done' }]);
    expect((await stepsDone()).map(({ step }) => step)).toEqual(REGISTER.map(nameOf).sort());
    expect(await unfinishedErasures(database.db)).toEqual([]);
  });

  test('leaves the name and the address only where the register keeps it', async () => {
    const kept = REGISTER.filter(({ erasure }) => erasure.do === 'keep').flatMap(({ table, columns }) =>
      columns.map((each) => `${table}.${each}`),
    );
    const name = await placesOf(PLANTED.name);
    const address = await placesOf(PLANTED.email);
    expect([...name, ...address].filter((place) => !kept.includes(place))).toEqual([]);
    expect(name.length).toBeGreaterThan(5);
  });

  test('leaves nothing of what is deleted, emptied or replaced', async () => {
    for (const { entry, markers } of planted) {
      const { erasure } = entry;
      const gone = 'columns' in erasure ? erasure.columns : ['delete', 'erase-words', 'empty-payload', 'drop-blocks'].includes(erasure.do) ? Object.keys(markers) : []; // prettier-ignore
      const inRow = erasure.do === 'erase-words' ? ['body'] : gone;
      for (const column of inRow) {
        const marker = markers[column];
        if (marker === undefined || entry.link.in.includes(column) && entry.link.by !== 'words' && entry.link.by !== 'names') continue; // prettier-ignore
        expect({ entry: nameOf(entry), places: await placesOf(marker) }).toEqual({ entry: nameOf(entry), places: [] });
      }
    }
  });

  test('once more changes nothing', async () => {
    const steps = await stepsDone();
    expect(await runErasure(database.db, erasureId, AT)).toEqual({ kind: 'done' });
    expect(await stepsDone()).toEqual(steps);
  });

  test('leaves an export of what stays, by ids', async () => {
    const person = (await heldPerson(database.db, PLANTED.userId))!;
    expect(person).toMatchObject({ isErased: true, words: [] });
    const { rows } = await heldData(database.db, person, { limit: 200, after: null });
    expect(rows.filter(({ table }) => table === 'app_user')).toMatchObject([
      { personalData: { id: PLANTED.userId, name: PLANTED.userId, email: 'erased@invalid', erased_at: expect.any(String) as string } },
    ]);
    expect(rows.map(({ table }) => table)).toEqual(
      expect.arrayContaining(['approval_decision', 'time_entry', 'cost_rate', 'field_access']),
    );
    expect(rows.some(({ table }) => ['absence', 'audit_personal', 'notification'].includes(table))).toBe(false);
  });

  test('counts in the log, and says there nothing but ids', async () => {
    const { rows } = await sql<{ content: string }>`select content from audit_entry where stream = 'privacy' order by sequence`.execute(
      database.db,
    );
    const text = rows.map(({ content }) => content).join('\n');
    expect(text).toContain('"action":"erasure.done"');
    expect(text.toLowerCase()).not.toContain(PLANTED.name.toLowerCase());
    expect(text).not.toContain(PLANTED.email);
  });

  test('an erased person is never filled again, whoever tries', async () => {
    await expect(sql`update app_user set name = 'Marlene' where id = ${PLANTED.userId}`.execute(database.db)).rejects.toThrow(
      /stays erased/,
    );
    await expect(sql`update person set email = 'x@example.com' where id = ${PLANTED.personId}`.execute(database.db)).rejects.toThrow(
      /stays erased/,
    );
  });
});
