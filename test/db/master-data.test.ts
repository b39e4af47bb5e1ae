import { rmSync, readFileSync, writeFileSync, appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { sql } from 'kysely';
import { directory } from '../../db/directory';
import { keepText } from '../../db/free-text';
import { policyAt } from '../../db/policies';
import { knownRoles, scopeOfRole } from '../../domain/access';
import { describeMasterDataError, type MasterDataError } from '../../integrations/master-data/errors';
import { seedFolder, STANDARD_POLICIES } from '../../scripts/seed-folder';
import { testDatabase } from '../support/database';
import { readJson, referenceDealFolder, setInJson } from '../support/reference-deal';
import { auditOf } from '../support/texts';

type Database = Awaited<ReturnType<typeof testDatabase>>;

const by = { at: '2026-01-01T00:00:00.000Z', actor: 'U-OPS' };

describe('master data of a firm', () => {
  let database: Database;
  let folder: string;
  beforeAll(async () => {
    database = await testDatabase();
  });
  afterAll(() => database.drop());
  beforeEach(() => {
    folder = referenceDealFolder();
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  const seed = () => seedFolder(database.db, folder, by);
  const faults = async (): Promise<string[]> => {
    const before = await counted();
    const answer = await seed();
    expect(await counted()).toEqual(before);
    if ('counts' in answer) throw new Error('was loaded');
    return answer.map((error: MasterDataError) => describeMasterDataError(error));
  };
  const counted = async () =>
    (
      await sql`select (select count(*) from app_user) as users, (select count(*) from audit_entry) as audit,
        (select count(*) from policy_version) as policies, (select count(*) from fx_rate) as rates`.execute(database.db)
    ).rows;

  test('is loaded whole, again without any change, and each load is on record without names', async () => {
    const first = await seed();
    expect(first).toMatchObject({ counts: { legalEntities: 4, users: 25, fxRates: 2060, billToAccounts: 5 } });
    const tables = [
      'calendar',
      'calendar_holiday',
      'legal_entity',
      'bill_to_account',
      'customer_purchase_order',
      'customer_alias',
      'role_assignment',
    ];
    const contents = async () =>
      Promise.all(tables.map(async (table) => (await sql`select * from ${sql.table(table)} order by 1, 2`.execute(database.db)).rows));
    const before = await contents();
    expect(await seed()).toMatchObject({ newPolicies: [] });
    expect(await contents()).toEqual(before);
    const { entries } = await auditOf(database.db, 'master-data', { after: 0, limit: 10 });
    expect(entries).toMatchObject([
      { sequence: 1, actor: 'U-OPS', details: { counts: { people: 60 } } },
      { sequence: 2, details: { newPolicies: [] } },
    ]);
    const { users } = readJson<{ users: { name: string }[] }>(folder, 'users.json');
    for (const { name } of users) expect(JSON.stringify(entries)).not.toContain(name);
  });

  test('keeps amounts in minor units, roles for the group or the entity, names in other systems, and moments in UTC', async () => {
    await seed();
    const { db } = database;
    const limits = await db
      .selectFrom('app_user')
      .select(['id', 'approval_limit_minor', 'approval_limit_currency'])
      .where('id', 'in', ['U-CFO', 'U-LEGAL'])
      .orderBy('id')
      .execute();
    expect(limits).toEqual([
      { id: 'U-CFO', approval_limit_minor: 2_000_000_000, approval_limit_currency: 'USD' },
      { id: 'U-LEGAL', approval_limit_minor: null, approval_limit_currency: null },
    ]);
    const roles = await db
      .selectFrom('role_assignment')
      .selectAll()
      .where('user_id', 'in', ['U-CEO', 'U-FC-DE'])
      .orderBy('user_id')
      .orderBy('role')
      .execute();
    expect(roles.map((each) => `${each.user_id} ${each.role} ${each.scope_kind} ${each.scope_id}`)).toEqual([
      'U-CEO ceo group GRP-ALD',
      'U-CEO entity-head entity LE-US',
      'U-FC-DE finance-controller entity LE-DE',
    ]);
    const aliases = await db.selectFrom('customer_alias').select(['source', 'external_id']).orderBy('source').execute();
    expect(aliases).toEqual([
      { source: 'hubspot', external_id: '18420077311' },
      { source: 'salesforce', external_id: '001Hs00003kQ7ZdIAK' },
    ]);
    expect(await db.selectFrom('delegation').select(['valid_from', 'ceiling_minor']).where('id', '=', 'DEL-01').executeTakeFirst()).toEqual(
      {
        valid_from: '2026-07-19T22:00:00.000Z',
        ceiling_minor: 100_000_000,
      },
    );
    const order = await db
      .selectFrom('customer_purchase_order')
      .select(['limit_minor', 'line_ids'])
      .where('number', '=', '4500118207')
      .executeTakeFirst();
    expect(order).toEqual({ limit_minor: 24_000_000, line_ids: ['L1'] });
    const account = await db
      .selectFrom('entity_bank_account')
      .select(['account', 'currency'])
      .where('entity_id', '=', 'LE-DE')
      .executeTakeFirst();
    expect(account).toEqual({ account: 'DE60999900100048192037', currency: 'EUR' });
  });

  test('names project managers for the lines of its own deal only; another deal has its own, and a folder without a deal names them for all', async () => {
    await seed();
    const { db } = database;
    await db.deleteFrom('line_manager').execute();
    await db.insertInto('line_manager').values({ deal_alias: '', line_id: 'L1', user_id: 'U-PM-JP' }).execute();
    const managers = async () => {
      const rows = await db.selectFrom('line_manager').selectAll().where('line_id', '=', 'L1').orderBy('deal_alias').execute();
      return rows.map((row) => `${row.deal_alias || 'every deal'} ${row.user_id}`);
    };
    const give = (manager: string, contractId: string) => {
      setInJson(folder, 'users.json', '/projectManagersByLine/L1', manager);
      setInJson(folder, 'deal-closed.cloudevents.json', '/data/contractId', contractId);
    };
    give('U-PM-US', 'CT-FIRST');
    await seed();
    expect(await managers()).toEqual(['CT-FIRST U-PM-US']);
    give('U-PM-EU', 'CT-SECOND');
    await seed();
    expect(await managers()).toEqual(['CT-FIRST U-PM-US', 'CT-SECOND U-PM-EU']);
    rmSync(join(folder, 'deal-closed.cloudevents.json'));
    await seed();
    expect(await managers()).toEqual(['every deal U-PM-EU', 'CT-FIRST U-PM-US', 'CT-SECOND U-PM-EU']);
  });

  test('follows its files: what changed is changed, and a role or holiday that is gone is gone', async () => {
    await seed();
    const { users } = readJson<{ users: { id: string }[] }>(folder, 'users.json');
    const chief = users.findIndex((user) => user.id === 'U-CEO');
    const { calendars } = readJson<{ calendars: { holidays: unknown[] }[] }>(folder, 'calendars.json');
    setInJson(folder, 'users.json', `/users/${chief}/roles`, ['ceo']);
    setInJson(folder, 'users.json', '/committees/0/members', ['U-CEO', 'U-CFO', 'U-DELDIR', 'U-PMO']);
    setInJson(folder, 'customers.json', '/customers/0/billToAccounts/0/paymentTermsDays', 45);
    setInJson(folder, 'calendars.json', '/calendars/0/holidays', calendars[0]?.holidays.slice(1));
    await seed();
    const { db } = database;
    expect(await db.selectFrom('role_assignment').select('role').where('user_id', '=', 'U-CEO').execute()).toEqual([{ role: 'ceo' }]);
    expect(await db.selectFrom('committee_member').select('user_id').execute()).toHaveLength(4);
    expect(await db.selectFrom('bill_to_account').select('payment_terms_days').where('id', '=', 'BA-US').executeTakeFirst()).toEqual({
      payment_terms_days: 45,
    });
    const holidays = await db
      .selectFrom('calendar_holiday')
      .select('date')
      .where('calendar_id', '=', 'CAL-US')
      .orderBy('date')
      .limit(1)
      .execute();
    expect(holidays).not.toEqual([{ date: '2026-01-01' }]);
  });

  test('without somebody who left: inactive, without roles and seats, their delegations ended, and back again when the files name them', async () => {
    await seed();
    const { users, delegations } = readJson<{ users: { id: string }[]; delegations: { id: string; delegator: string; from: string }[] }>(
      folder,
      'users.json',
    );
    const { db } = database;
    const entity = await db.selectFrom('app_user').select(['entity_id', 'calendar_id']).where('id', '=', 'U-CEO').executeTakeFirstOrThrow();
    await db
      .insertInto('app_user')
      .values({ id: 'U-LEFT', name: 'Left', email: 'left@example.com', ...entity })
      .execute();
    await db.insertInto('role_assignment').values({ user_id: 'U-LEFT', role: 'cfo', scope_kind: 'group', scope_id: 'GRP-ALD' }).execute();
    await db.insertInto('committee_member').values({ role: 'deal-committee', user_id: 'U-LEFT' }).execute();
    const given = { delegator_id: 'U-LEFT', delegate_id: 'U-CEO', role: 'cfo', reason: 'leave', valid_until: '2026-12-31T00:00:00.000Z' };
    await db
      .insertInto('delegation')
      .values([
        { id: 'D-BEGUN', valid_from: '2025-12-01T00:00:00.000Z', ...given },
        { id: 'D-LATER', valid_from: '2026-02-01T00:00:00.000Z', ...given },
      ])
      .execute();
    // What a person gave over the API is no business of the files.
    const words = {
      author: 'U-CEO',
      subject: 'delegation/D-GIVEN',
      purpose: 'delegation',
      origin: 'test',
      body: 'leave',
      at: by.at,
    } as const;
    const own = {
      ...given,
      reason: null,
      reason_id: await keepText(db, words),
      requested_at: by.at,
      valid_until: '2026-06-30T00:00:00.000Z',
    };
    await db
      .insertInto('delegation')
      .values({ id: 'D-GIVEN', valid_from: '2025-12-01T00:00:00.000Z', ...own })
      .execute();
    await seed();
    expect(await db.selectFrom('delegation').select('valid_until').where('id', '=', 'D-GIVEN').executeTakeFirst()).toEqual({
      valid_until: own.valid_until,
    });
    const rolesOf = (userId: string) => db.selectFrom('role_assignment').select('role').where('user_id', '=', userId).execute();
    const left = await db.selectFrom('app_user').select('active').where('id', '=', 'U-LEFT').executeTakeFirst();
    expect(left).toEqual({ active: false });
    expect(await rolesOf('U-LEFT')).toEqual([]);
    expect(await db.selectFrom('committee_member').select('role').where('user_id', '=', 'U-LEFT').execute()).toEqual([]);
    const ofFiles = db.selectFrom('delegation').select(['id', 'valid_until']).where('requested_at', 'is', null);
    const kept = await ofFiles.where('delegator_id', '=', 'U-LEFT').execute();
    expect(kept).toEqual([{ id: 'D-BEGUN', valid_until: by.at }]);
    expect(await ofFiles.where('valid_until', '>', by.at).execute()).toHaveLength(delegations.length);
    await db.updateTable('app_user').set({ active: false }).where('id', '=', 'U-CEO').execute();
    expect((await directory(db)).assignments.some(({ userId }) => userId === 'U-CEO')).toBe(false);
    expect((await directory(db)).committees.flatMap(({ members }) => members)).not.toContain('U-CEO');
    await seed();
    expect(await db.selectFrom('app_user').select('id').where('active', '=', true).execute()).toHaveLength(users.length);
  });

  test('of an integration changes nothing about who may do what, however it came in', async () => {
    await seed();
    const people = () => seedFolder(database.db, folder, { ...by, actor: 'api-key:1' });
    setInJson(folder, 'customers.json', '/customers/0/billToAccounts/0/paymentTermsDays', 44);
    expect(await people()).toHaveProperty('counts');
    setInJson(folder, 'users.json', '/users/0/roles', ['cfo']);
    expect(JSON.stringify(await people())).toContain('PersonRequired');
  });

  test('loaded by four at once ends as loaded by one', async () => {
    const answers = await Promise.all(Array.from({ length: 4 }, () => seed()));
    expect(answers.every((answer) => 'counts' in answer)).toBe(true);
  });

  test('with faults is not loaded at all, and every fault is named with file, line, field and reason', async () => {
    await seed();
    appendFileSync(join(folder, 'fx-rates.csv'), '2026-13-01,EUR,USD,1.1,illustrative\n2026-01-05,EUR,XXQ,-1,illustrative\n');
    appendFileSync(join(folder, 'people.csv'), 'P-900,too,few\n');
    writeFileSync(join(folder, 'roles.json'), '{ "roles": [');
    rmSync(join(folder, 'calendars.json'));
    setInJson(folder, 'customers.json', '/customers/0/billToAccounts/0/currency', undefined);
    setInJson(folder, 'customers.json', '/customers/0/billToAccounts/1/paymentTermsDays', '30');
    const lines = readFileSync(join(folder, 'fx-rates.csv'), 'utf8').trimEnd().split('\n').length;
    const found = await faults();
    expect(found).toEqual(
      expect.arrayContaining([
        expect.stringMatching(new RegExp(`^fx-rates.csv:${lines - 1} date: `)),
        expect.stringMatching(new RegExp(`^fx-rates.csv:${lines} quote: `)),
        expect.stringMatching(new RegExp(`^fx-rates.csv:${lines} rate: `)),
        expect.stringMatching(/^people.csv:62 .*Invalid Record Length/),
        expect.stringMatching(/^roles.json is no JSON: /),
        'calendars.json cannot be read (ENOENT)',
        expect.stringMatching(/^customers.json \/customers\/0\/billToAccounts\/0\/currency: /),
        expect.stringMatching(/^customers.json \/customers\/0\/billToAccounts\/1\/paymentTermsDays: /),
      ]),
    );
    expect(found).toHaveLength(8);
  });

  test.each([
    [
      'a calendar nobody knows',
      'legal-entities.json',
      '/legalEntities/1/calendarId',
      'CAL-X',
      '/legalEntities/1/calendarId: CAL-X is no calendar',
    ],
    ['a seller nobody knows', 'customers.json', '/customers/0/billToAccounts/0/servedBy', 'LE-X', '/servedBy: LE-X is no legal entity'],
    ['a role without a scope', 'users.json', '/users/0/roles/1', 'king', '/users/0/roles/1: king is no role with an access scope'],
    ['two users of one id', 'users.json', '/users/1/id', 'U-SELLER', '/users: U-SELLER stands twice'],
    ['a committee of strangers', 'users.json', '/committees/0/members/5', 'U-X', '/committees/0/members/5: U-X is no user'],
    ['a delegation to oneself', 'users.json', '/delegations/0/delegate', 'U-FC-DE', '/delegations/0: delegates to the delegator'],
    ['a delegation that ends first', 'users.json', '/delegations/0/until', '2026-01-01T00:00:00Z', '/delegations/0: ends before it begins'],
    [
      'a limit finer than the currency',
      'users.json',
      '/users/1/approvalLimit',
      '1.005',
      '/users/1/approvalLimit: 1.005 has more than 2 decimals',
    ],
    [
      'a condition nobody understands',
      'approval-policy.json',
      '/matrix/0/when',
      { amountOver: '1' },
      '/matrix/0/when/amountOver: no field of this name',
    ],
    ['a rule that stands twice', 'approval-policy.json', '/matrix/1/id', 'AP-DEAL-1', 'AP-DEAL-1 stands twice'],
    ['a day that ends first', 'calendars.json', '/calendars/0/dayEnd', '08:00', '/calendars/0/dayEnd: the day ends before it starts'],
  ])('with %s is refused', async (_what, file, pointer, value, expected) => {
    await seed();
    setInJson(folder, file, pointer, value);
    expect((await faults()).join('\n')).toContain(expected);
  });

  test('with rates of one person that overlap, or one currency twice on a day, is refused', async () => {
    await seed();
    appendFileSync(join(folder, 'cost-rates.csv'), 'P-001,USD,150.00,2026-03-01,2026-04-30,standard cost\nP-XXX,USD,1,2026-01-01,,x\n');
    appendFileSync(join(folder, 'fx-rates.csv'), '2025-12-31,EUR,USD,1.2,illustrative\n');
    expect((await faults()).sort()).toEqual([
      'cost-rates.csv:122 valid_from: overlaps another rate of the person',
      'cost-rates.csv:123 person_id: P-XXX is no person',
      expect.stringMatching(/^fx-rates.csv:\d+ date: EUR\/USD 2025-12-31 stands twice$/),
    ]);
  });

  test('with a policy that changed without a new version is refused whole; with a new version it is in force from its day', async () => {
    await seed();
    setInJson(folder, 'approval-policy.json', '/sla/workingMinutes/deal', 480);
    setInJson(folder, 'approval-policy.json', '/validFrom', '2026-06-01');
    expect(await faults()).toEqual([expect.stringContaining('PolicyVersionChanged')]);
    setInJson(folder, 'approval-policy.json', '/version', 4);
    expect(await seed()).toMatchObject({ newPolicies: ['approval'] });
    expect((await policyAt(database.db, 'approval', '2026-05-31'))?.version).toBe(3);
    expect((await policyAt(database.db, 'approval', '2026-06-01'))?.version).toBe(4);
  });

  test('may bring its own standard, and then says what it refines and who approved it', async () => {
    await seed();
    const standard = readJson<Record<string, unknown>>(STANDARD_POLICIES, 'billing.json');
    writeFileSync(join(folder, 'billing.json'), JSON.stringify({ ...standard, version: 2, validFrom: '2026-01-01', cutOffDay: 4 }));
    expect(await faults()).toEqual([expect.stringMatching(/^billing.json \/refines/)]);
    setInJson(folder, 'billing.json', '/refines', 'billing 1');
    setInJson(folder, 'billing.json', '/approvedBy', 'U-CFO');
    expect(await seed()).toMatchObject({ newPolicies: ['billing'] });
    expect((await policyAt(database.db, 'billing', '2026-01-01'))?.body).toMatchObject({ cutOffDay: 4, approvedBy: 'U-CFO' });
    expect((await policyAt(database.db, 'billing', '2025-12-31'))?.body).toMatchObject({ cutOffDay: 6 });
  });

  test('scopes roles as the access rules do', () => {
    const { roles } = readJson<{ roles: Record<string, string> }>(STANDARD_POLICIES, 'access-scopes.json');
    for (const [role, scope] of Object.entries(roles)) {
      expect(knownRoles()).toContain(role);
      expect([role, scopeOfRole(role, 'LE').kind]).toEqual([role, scope === 'group' ? 'group' : 'entities']);
    }
  });
});
