import { sql } from 'kysely';
import { awaits, readElectorate } from '../../db/reads/candidates';
import { type ApprovalFilter, listApprovals } from '../../db/reads/approvals';
import { type Question } from '../../domain/approval/questions';
import { LIMIT_HOLDER_ROLE } from '../../domain/approval/settle-step';
import { type Approval, type ApprovalStep, type Vote } from '../../domain/approval/state';
import { step } from '../domain/approval-builders';
import { testDatabase, type TestDatabase } from '../support/database';
import { approvalRow, newApprovalId, policyVersionOf } from '../support/planted-approvals';

const AT = '2026-03-02T10:00:00.000Z';
const COUNT = 400;

/** The same numbers in every run. */
function chance(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** what a person's inbox finds by its index is what the rule says of each approval. */
describe('the inbox of a person', () => {
  let database: TestDatabase;
  let approvals: { readonly approval: Approval; readonly entityId: string; readonly openedAt: string }[];
  let userIds: string[];
  const random = chance(7);
  const pick = <T>(values: readonly T[]): T => values[Math.floor(random() * values.length)] as T;
  const some = <T>(values: readonly T[], share: number): T[] => values.filter(() => random() < share);

  beforeAll(async () => {
    database = await testDatabase({ firm: true });
    const { db } = database;
    const users = await db.selectFrom('app_user').select('id').orderBy('id').execute();
    userIds = users.map(({ id }) => id);
    const entities = (await db.selectFrom('legal_entity').select('id').orderBy('id').execute()).map(({ id }) => id);
    const held = await db.selectFrom('role_assignment').select('role').distinct().orderBy('role').execute();
    const seats = await db.selectFrom('committee_member').select('role').distinct().execute();
    const committees = seats.map(({ role }) => role);
    const roles = [...held.map(({ role }) => role), ...committees, LIMIT_HOLDER_ROLE, 'held-by-nobody'];
    const policyVersionId = await policyVersionOf(db);
    for (const [index, [delegator, role]] of (await pairs()).entries())
      if (random() < 0.4) await delegate(`DEL-${index}`, delegator, pick(userIds), role);
    approvals = Array.from({ length: COUNT }, (_, index) => ({
      approval: anyApproval(roles, committees, index),
      entityId: pick(entities),
      // Several at one moment, so that the order within it counts.
      openedAt: new Date(Date.parse(AT) + Math.floor(index / 3) * 60_000).toISOString(),
    }));
    const rows = approvals.map(({ approval, entityId, openedAt }) => approvalRow(approval, { entityId, openedAt, policyVersionId }));
    await db.insertInto('approval').values(rows).execute();
  });
  afterAll(() => database.drop());

  async function pairs(): Promise<[string, string][]> {
    const rows = await database.db.selectFrom('role_assignment').select(['user_id', 'role']).orderBy('user_id').orderBy('role').execute();
    return rows.map(({ user_id: userId, role }) => [userId, role]);
  }

  async function delegate(id: string, delegator: string, to: string, role: string): Promise<void> {
    const given = { id, delegator_id: delegator, delegate_id: to, role, reason: 'test' };
    const time = { valid_from: '2020-01-01T00:00:00Z', valid_until: '2090-01-01T00:00:00Z' };
    if (to !== delegator) await database.db.insertInto('delegation').values({ ...given, ...time }).execute(); // prettier-ignore
  }

  function anyApproval(roles: readonly string[], committees: readonly string[], index: number): Approval {
    const core = {
      ...{ approvalId: newApprovalId(), subject: { kind: pick(['sow', 'deal']), id: `S-${index}` }, requestedBy: pick(userIds) },
      ...{ requestedAt: AT, shownHash: 'h', amount: random() < 0.5 ? { minor: Math.floor(random() * 3e8), currency: 'USD' } : null },
      ...{ expiresAt: null, conditions: [], questions: random() < 0.2 ? [question(pick([1, 2]))] : [] },
      tiers: [1, 2].map((tier) => ({ tier, steps: some(roles, 0.12).map((role) => anyStep(role, committees)) })),
    };
    if (random() < 0.2) return { ...core, kind: 'approved', at: AT };
    return { ...core, kind: 'pending', openTier: pick([1, 2]) };
  }

  const question = (tier: number): Question => ({
    ...{ questionId: `Q-${random()}`, tier, role: 'cfo', by: pick(userIds), textId: 'T', askedAt: AT },
    answer: random() < 0.5 ? null : { by: 'U-SELLER', textId: 'T', at: AT },
  });

  function anyStep(role: string, committees: readonly string[]): ApprovalStep {
    const votes: Vote[] = some(userIds, 0.05).map((by) => ({
      ...{ decisionId: `D-${by}`, by, onBehalfOf: random() < 0.3 ? pick(userIds) : null, verdict: 'grant' as const },
      ...{ reasonId: null, limit: null, at: AT, weight: 1, groups: [] },
    }));
    const escalatedTo = some(['role', 'entity-head', 'cfo', 'pmo-lead'], 0.15);
    const outcome = random() < 0.8 ? 'open' : 'granted';
    return {
      ...step(role),
      committee: committees.includes(role),
      outcome,
      votes,
      recused: some(userIds, 0.05),
      escalatedTo,
    };
  }

  async function inboxOf(userId: string, filter: ApprovalFilter = {}, limit = 7): Promise<string[]> {
    const reader = { scope: { kind: 'group' as const }, userId, at: AT };
    const ids: string[] = [];
    for (let after: readonly string[] | null = null; ;) {
      const page: Awaited<ReturnType<typeof listApprovals>> = await listApprovals(
        database.db,
        reader,
        { mine: true, ...filter },
        { limit, after },
      );
      ids.push(...page.rows.map(({ id }) => id));
      after = page.next;
      if (after === null) return ids;
    }
  }

  async function byRule(userId: string): Promise<{ approval: Approval }[]> {
    const electorate = await readElectorate(database.db, AT);
    return approvals
      .filter(({ approval, entityId }) => awaits(electorate, approval, entityId, userId))
      .sort((a, b) =>
        a.openedAt === b.openedAt ? (a.approval.approvalId < b.approval.approvalId ? 1 : -1) : a.openedAt < b.openedAt ? 1 : -1,
      );
  }

  test('holds exactly what the rule says, for everybody, in pages of any size, the last opened first', async () => {
    let found = 0;
    for (const userId of userIds) {
      const wanted = (await byRule(userId)).map(({ approval }) => approval.approvalId);
      expect([userId, await inboxOf(userId)]).toEqual([userId, wanted]);
      expect([userId, await inboxOf(userId, {}, 200)]).toEqual([userId, wanted]);
      found += wanted.length;
    }
    expect(found).toBeGreaterThan(COUNT);
  });

  test('follows who holds the role now, and what is decided', async () => {
    const busiest = userIds[0] ?? '';
    await database.db.updateTable('app_user').set({ active: false }).where('id', '=', busiest).execute();
    for (const userId of userIds.slice(1)) expect([userId, await inboxOf(userId)]).toEqual([userId, (await byRule(userId)).map(({ approval }) => approval.approvalId)]); // prettier-ignore
    const user = userIds[5] ?? '';
    const [first] = await inboxOf(user, {}, 200);
    const entry = approvals.find(({ approval }) => approval.approvalId === first);
    if (entry?.approval.kind !== 'pending') throw new Error('an inbox holds what is pending');
    const ended = { ...entry.approval, kind: 'approved', at: AT };
    await database.db.updateTable('approval').set({ record: JSON.stringify(ended), state: 'approved', decided_at: AT }).where('id', '=', first ?? '').execute(); // prettier-ignore
    expect(await inboxOf(user, {}, 200)).not.toContain(first);
    expect(
      await database.db
        .selectFrom('approval_asked')
        .selectAll()
        .where('approval_id', '=', first ?? '')
        .execute(),
    ).toEqual([]);
    approvals = approvals.filter((each) => each !== entry);
  });

  test('is narrowed by kind', async () => {
    for (const userId of userIds.slice(5, 10)) {
      const wanted = (await byRule(userId)).filter(({ approval }) => approval.subject.kind === 'deal');
      expect(await inboxOf(userId, { subjectKind: 'deal' })).toEqual(wanted.map(({ approval }) => approval.approvalId));
    }
  });

  test('every pending approval has its places, and no other has one', async () => {
    const { rows } = await sql<{ wrong: number }>`
      with wanted as (
        select approval.id as approval_id, place, opened_at from approval, places_asked(entity_id, record) as place where state = 'pending'
      )
      select ((select count(*) from (select * from wanted except select * from approval_asked) as missing)
            + (select count(*) from (select * from approval_asked except select * from wanted) as surplus))::int as wrong`.execute(
      database.db,
    );
    expect(rows[0]?.wrong).toBe(0);
  });
});
