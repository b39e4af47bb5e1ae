import fc from 'fast-check';
import { sql, type Insertable } from 'kysely';
import { uuidv7 } from 'uuidv7';
import { resolveDeal, type ResolvedDeal } from '../../db/aliases';
import { type DB } from '../../db/types';
import { type DealAlias } from '../../domain/deal/terms';
import { isViolation } from '../../domain/violation';
import { testDatabase } from '../support/database';
import { emptied } from '../support/emptied';

type Database = Awaited<ReturnType<typeof testDatabase>>;

const hubspot = (externalId: string): DealAlias => ({ source: 'hubspot', externalId });
const salesforce = (externalId: string): DealAlias => ({ source: 'salesforce', externalId });
const contract = (externalId: string): DealAlias => ({ source: 'contract', externalId });

describe('a deal with many names', () => {
  let database: Database;
  beforeAll(async () => {
    database = await testDatabase();
    await sql`insert into calendar values ('CAL', 'US', null, 'America/New_York', '{MO}', 8, '09:00', '17:00')`.execute(database.db);
    await sql`insert into legal_entity values
      ('LE', 'G', 'Firm', 'Inc.', 'US', 'USD', 'America/New_York', '[]', '{}', 'line', 'half-up', '01-01', 'CAL')`.execute(database.db);
  });
  afterAll(() => database.drop());
  beforeEach(async () => {
    await emptied(database.db, 'deal', 'deal_alias');
  });

  const row = (contractNumber: string, shortCode = contractNumber): Insertable<DB['deal']> => ({
    id: uuidv7(),
    name: 'Deal',
    state: 'handoff',
    contract_number: contractNumber,
    short_code: shortCode,
    project_code: shortCode,
    lead_entity_id: 'LE',
    entity_ids: ['LE'],
    closed_won_at: '2026-01-23T14:00:00Z',
    signed_date: '2026-01-22',
    terms: '{}',
    terms_hash: '',
    state_since: '2026-01-23T14:00:00Z',
  });
  const resolve = (aliases: DealAlias[], order = '1', contractNumber = 'CT-1', shortCode = contractNumber) =>
    database.db.transaction().execute((trx) => resolveDeal(trx, aliases, order, () => row(contractNumber, shortCode)));
  const resolved = async (...args: Parameters<typeof resolve>): Promise<ResolvedDeal> => {
    const answer = await resolve(...args);
    if (isViolation(answer)) throw new Error(answer.violation);
    return answer;
  };
  const deals = async () => (await database.db.selectFrom('deal').select('id').execute()).length;

  test('is created once and found by each of its names, also by those it got later', async () => {
    const first = await resolved([hubspot('1'), contract('CT-1')]);
    const second = await resolved([salesforce('9'), contract('CT-1')]);
    const third = await resolved([salesforce('9')]);
    expect([first.created, second.created, third.created]).toEqual([true, false, false]);
    expect(new Set([first.dealId, second.dealId, third.dealId]).size).toBe(1);
    expect(await database.db.selectFrom('deal_alias').select('source').orderBy('source').execute()).toEqual([
      { source: 'contract' },
      { source: 'hubspot' },
      { source: 'salesforce' },
    ]);
  });

  test('is one deal when twenty transactions of two systems report it at the same moment', async () => {
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, index) =>
        resolved(index % 2 === 0 ? [hubspot('1'), salesforce('9'), contract('CT-1')] : [salesforce('9'), contract('CT-1')]),
      ),
    );
    expect(new Set(answers.map((answer) => answer.dealId)).size).toBe(1);
    expect(answers.filter((answer) => answer.created).length).toBe(1);
    expect(await deals()).toBe(1);
  });

  test('is one deal per group of linked names, whoever comes first and whichever names each report gives', async () => {
    const reports = fc.array(fc.record({ group: fc.integer({ min: 0, max: 2 }), mask: fc.integer({ min: 0, max: 3 }) }), {
      minLength: 2,
      maxLength: 20,
    });
    await fc.assert(
      fc.asyncProperty(reports, async (list) => {
        await emptied(database.db, 'deal', 'deal_alias');
        const answers = await Promise.all(
          list.map(async ({ group, mask }) => {
            const names = [
              contract(`CT-${group}`),
              ...(mask & 1 ? [hubspot(`${group}`)] : []),
              ...(mask & 2 ? [salesforce(`${group}`)] : []),
            ];
            return { group, ...(await resolved(names, '1', `CT-${group}`)) };
          }),
        );
        for (const group of new Set(list.map((each) => each.group))) {
          const same = answers.filter((answer) => answer.group === group);
          expect(new Set(same.map((answer) => answer.dealId)).size).toBe(1);
          expect(same.filter((answer) => answer.created).length).toBe(1);
        }
        expect(await deals()).toBe(new Set(list.map((each) => each.group)).size);
      }),
      { numRuns: 15 },
    );
  });

  test('cannot be two deals: names of different deals are refused and nothing is linked', async () => {
    await resolved([hubspot('1')], '1', 'CT-1');
    await resolved([salesforce('9')], '1', 'CT-2');
    expect(await resolve([hubspot('1'), salesforce('9'), contract('CT-1')])).toMatchObject({ violation: 'DealAliasConflict' });
    expect(await database.db.selectFrom('deal_alias').select('source').execute()).toHaveLength(2);
  });

  test('is not created under the contract number or short code of another one', async () => {
    await resolved([hubspot('1')], '1', 'CT-1', 'AAA');
    expect(await resolve([hubspot('2')], '1', 'CT-1', 'BBB')).toMatchObject({ violation: 'DealContractNumberTaken' });
    expect(await resolve([hubspot('2')], '1', 'CT-2', 'AAA')).toMatchObject({ violation: 'DealShortCodeTaken' });
    expect(await deals()).toBe(1);
  });

  test('takes what is later in the order of the source, and knows what is history', async () => {
    const superseded = async (name: DealAlias, order: string) => (await resolved([name, contract('CT-1')], order)).superseded;
    expect(await superseded(hubspot('1'), '1769177120000')).toBe(false);
    expect(await superseded(hubspot('1'), '1769177120000')).toBe(false);
    expect(await superseded(hubspot('1'), '999177120000')).toBe(true);
    expect(await superseded(hubspot('1'), '1769177120001')).toBe(false);
    expect(await superseded(salesforce('9'), '17')).toBe(false);
    expect(await superseded(salesforce('9'), '9')).toBe(true);
  });
});
