import { approvalRules, billingPolicy, collectionsPolicy, policyAt, savePolicy, slaMinutes } from '../../db/policies';
import { requiredTiers } from '../../domain/approval/policy';
import { taxTreatment } from '../../domain/billing/tax';
import { isViolation } from '../../domain/violation';
import { taxRatesOf } from '../../db/parties';
import { testDatabase } from '../support/database';

type Database = Awaited<ReturnType<typeof testDatabase>>;

describe('policies in force', () => {
  let database: Database;
  beforeAll(async () => {
    database = await testDatabase({ firm: true });
  });
  afterAll(() => database.drop());

  const facts = { amount: null, marginPercent: null, discountPercent: null, paymentTermsDays: null };
  const rulesOf = async (subject: string) => {
    const rules = await approvalRules(database.db, subject, '2026-03-01');
    if (isViolation(rules)) throw new Error(rules.violation);
    const tiers = requiredTiers(rules.matrix, subject, facts);
    if (isViolation(tiers)) throw new Error(tiers.violation);
    return { ...rules, asked: tiers.flatMap((tier) => tier.steps.map((step) => `${tier.tier} ${step.role}`)) };
  };

  test('for approvals are the firm’s own where it names the subject, else the global control points', async () => {
    const invoice = await rulesOf('invoice');
    const kickoff = await rulesOf('kickoff');
    expect(invoice.asked).toEqual(['1 finance-controller']);
    expect(invoice.policyVersionId).toBe((await policyAt(database.db, 'approval', '2026-03-01'))?.id);
    expect(kickoff.asked).toEqual(['1 pmo-lead']);
    expect(kickoff.policyVersionId).toBe((await policyAt(database.db, 'control-points', '2026-03-01'))?.id);
    expect((await rulesOf('cancellation')).asked).toEqual(['1 delivery-director', '1 finance-controller']);
    expect((await rulesOf('project-close')).asked).toEqual(['1 pmo-lead']);
    expect(kickoff).toMatchObject({ delegationMaxDepth: 2, groupCurrency: 'USD', sla: { workingMinutes: 960, remindAtPercent: [50, 90] } });
    expect(kickoff.duties.map((duty) => duty.id)).toContain('SOD-5');
  });

  test('are refused for a date before the firm had any', async () => {
    expect(await approvalRules(database.db, 'deal', '2025-12-31')).toMatchObject({ violation: 'PolicyNotInForce' });
  });

  test('set deadlines: the firm’s first, then the standard, none for what nobody named', async () => {
    expect(await slaMinutes(database.db, 'invoice', '2026-03-01')).toBe(480);
    expect(await slaMinutes(database.db, 'handoff', '2026-03-01')).toBe(960);
    expect(await slaMinutes(database.db, 'coffee', '2026-03-01')).toBeNull();
    expect(await slaMinutes(database.db, 'constructor', '2026-03-01')).toBeNull();
  });

  test('say when runs are cut off, what cash may differ, and how a class is dunned', async () => {
    expect(await billingPolicy(database.db, '2026-03-01', 'LE-US')).toMatchObject({ cutOffDay: 6, billingLeadWorkingDays: 3 });
    const standard = await collectionsPolicy(database.db, 'a class of its own', '2026-03-01', 'LE-US');
    expect(standard.tolerance).toEqual({ percent: '0.5', majorCap: '50', overrides: { JPY: '5000' } });
    expect(standard.ladder.map((step) => step.name)).toEqual(['due-soon', 'reminder', 'first-notice', 'second-notice', 'hand-over']);
    const other = await collectionsPolicy(database.db, 'public-sector', '2026-03-01', 'LE-US');
    expect(other.ladder).not.toEqual(standard.ladder);
  });

  test('are the latest that began on or before the date, the higher version of one day', async () => {
    const standard = await policyAt(database.db, 'billing', '2026-03-01');
    if (standard === null) throw new Error('no standard');
    const save = (version: number, validFrom: string, cutOffDay: number) =>
      database.db.transaction().execute((trx) => savePolicy(trx, 'billing', { ...standard.body, version, validFrom, cutOffDay }));
    expect(await save(10, '2027-01-01', 10)).toBe(true);
    expect(await save(11, '2027-01-01', 11)).toBe(true);
    expect(await save(12, '2026-12-01', 12)).toBe(true);
    const day = async (date: string) => (await billingPolicy(database.db, date, 'LE-US')).cutOffDay;
    expect([await day('2026-11-30'), await day('2026-12-31'), await day('2027-01-01')]).toEqual([6, 12, 11]);
  });

  test.each([
    ['DE', '2026-10-06', 'S', '19'],
    ['FR', '2026-10-06', 'S', '20'],
    ['EE', '2025-06-30', 'S', '22'],
    ['EE', '2025-07-01', 'S', '24'],
    ['FI', '2026-01-01', 'S', '25.5'],
    ['RO', '2025-08-01', 'S', '21'],
    ['SG', '2026-10-06', 'S', '9'],
    ['JP', '2026-10-06', 'S', '10'],
    ['GB', '2026-10-06', 'S', '20'],
    ['CH', '2026-10-06', 'S', '8.1'],
    ['US', '2026-10-06', 'O', '0'],
  ])('tax services in %s on %s with category %s at %s percent', async (country, date, category, ratePercent) => {
    const party = { country, taxRegistrations: [] };
    const treatment = taxTreatment({ seller: party, customer: party }, date, await taxRatesOf(database.db, country));
    expect(treatment).toMatchObject({ category, ratePercent });
  });

  test('tax in every member state of the European Union and overlap nowhere', async () => {
    const rows = await database.db.selectFrom('tax_rate').selectAll().orderBy('country').orderBy('valid_from').execute();
    const current = new Set(rows.filter((row) => row.kind === 'VAT' && row.valid_to === null).map((row) => row.country));
    const members = 'AT BE BG HR CY CZ DK EE FI FR DE GR HU IE IT LV LT LU MT NL PL PT RO SK SI ES SE'.split(' ');
    expect(members.filter((country) => !current.has(country))).toEqual([]);
    rows.forEach((row, index) => {
      const next = rows[index + 1];
      if (next?.country === row.country) expect(row.valid_to !== null && row.valid_to < next.valid_from).toBe(true);
    });
  });
});
