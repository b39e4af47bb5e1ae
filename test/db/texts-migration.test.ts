import { copyFileSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sql } from 'kysely';
import { type Approval } from '../../domain/approval/state';
import { commitmentOf } from '../../db/hash';
import { migrateToLatest, migrationsFolder } from '../../runtime/migrator';
import { testDatabase, type TestDatabase } from '../support/database';

const AT = '2026-03-02T09:00:00Z';
const WORDS = 'Ada "the first"\tExample – said no';
const id = (digit: number): string => `00000000-0000-4000-8000-00000000000${digit}`;

/** What an approval looked like when its words stood in it. */
const oldRecord = {
  kind: 'refused',
  approvalId: id(1),
  by: 'U-CFO',
  reason: WORDS,
  at: AT,
  tiers: [
    {
      tier: 1,
      steps: [
        {
          role: 'cfo',
          votes: [
            { decisionId: 'D-0', by: 'U-PMO', verdict: 'grant', reason: null, at: AT },
            { decisionId: 'D-1', by: 'U-CFO', verdict: 'refuse', reason: WORDS, at: AT },
          ],
        },
      ],
    },
  ],
};

const OLD_ROWS = [
  `insert into approval (id, workflow_id, subject_kind, subject_id, entity_id, policy_version_id, rule_ids, requested_by, shown, shown_hash, tier, state, record, opened_at, outcome_reason)
   values ('${id(1)}', 'w', 'sow', 's', 'LE', '${id(2)}', '{}', 'U-SELLER', '{}', 'h', 1, 'refused', $$${JSON.stringify(oldRecord)}$$, '${AT}', $$${WORDS}$$)`,
  `insert into approval_decision (decision_id, approval_id, tier, role, decided_by, verdict, reason, shown_hash, decided_at)
   values ('D-0', '${id(1)}', 1, 'cfo', 'U-PMO', 'grant', null, 'h', '${AT}'), ('D-1', '${id(1)}', 1, 'cfo', 'U-CFO', 'refuse', $$${WORDS}$$, 'h', '${AT}')`,
  `insert into cancellation_request (id, deal_id, approval_id, reason, effective_on, requested_by, requested_at, state)
   values ('C-1', '${id(3)}', '${id(1)}', $$${WORDS}$$, '2026-03-31', 'U-PMO', '${AT}', 'granted')`,
  `insert into cancellation_statement (deal_id, effective_on, reason, statement, created_at) values ('${id(3)}', '2026-03-31', $$${WORDS}$$, '[]', '${AT}')`,
  `insert into collection_hold (id, invoice_id, kind, reason, from_moment, recorded_by) values ('H-1', '${id(4)}', 'dispute', $$${WORDS}$$, '${AT}', 'U-AR')`,
  `insert into milestone_response (milestone_id, attempt, response, responded_at, reason, recorded_by)
   values ('${id(5)}', 1, 'rejected', '${AT}', $$${WORDS}$$, 'U-PM'), ('${id(5)}', 2, 'accepted', '${AT}', null, 'U-PM')`,
  `insert into billing_plan_item (id, contract_line_id, item_key, kind, reference, currency, state, held_reason)
   values ('${id(6)}', '${id(7)}', 'k', 'fee', 'R', 'USD', 'planned', $$${WORDS}$$)`,
];

describe('words that stood in columns and approvals', () => {
  let database: TestDatabase;
  let before: string;
  beforeAll(async () => {
    database = await testDatabase({ empty: true, poolSize: 1 });
    before = mkdtempSync(join(tmpdir(), 'migrations-'));
    for (const file of readdirSync(migrationsFolder).filter((name) => name < '0012'))
      copyFileSync(join(migrationsFolder, file), join(before, file));
    await migrateToLatest(database.db, before);
    await sql`set session_replication_role = replica`.execute(database.db);
    for (const row of OLD_ROWS) await sql.raw(row).execute(database.db);
    await sql`set session_replication_role = origin`.execute(database.db);
    // The firm and its policies are left out; nothing else refers to them here.
    for (const column of ['entity_id', 'policy_version_id'])
      await sql.raw(`alter table approval drop constraint approval_${column}_fkey`).execute(database.db);
    await migrateToLatest(database.db);
  });
  afterAll(async () => {
    rmSync(before, { recursive: true });
    await database.drop();
  });

  test('move to one place with their authors, and what referred to them does so by id', async () => {
    const { db } = database;
    const texts = await db.selectFrom('free_text').selectAll().execute();
    for (const text of texts) expect(text).toMatchObject({ body: WORDS, commitment: commitmentOf(text.salt ?? '', text.purpose, WORDS) });
    const written = (textId: string | null) => {
      const text = texts.find((each) => each.id === textId);
      return text && `${text.author} ${text.purpose} ${text.subject}`;
    };
    const decisions = await db.selectFrom('approval_decision').select('reason_id').orderBy('decision_id').execute();
    expect(decisions.map((row) => written(row.reason_id))).toEqual([undefined, `U-CFO decision approval/${id(1)}`]);
    const approval = await db.selectFrom('approval').select(['record', 'outcome_reason_id']).executeTakeFirstOrThrow();
    expect(written(approval.outcome_reason_id)).toBe(`U-CFO decision approval/${id(1)}`);
    const record = approval.record as Approval;
    expect(record.tiers[0]?.steps[0]?.votes.map((vote) => vote.reasonId)).toEqual(decisions.map((row) => row.reason_id));
    expect(record).toMatchObject({ kind: 'refused', reasonId: approval.outcome_reason_id });
    expect(JSON.stringify(record)).not.toMatch(/Ada|"reason"/);
    const request = await db.selectFrom('cancellation_request').select('reason_id').executeTakeFirstOrThrow();
    const statement = await db.selectFrom('cancellation_statement').select('reason_id').executeTakeFirstOrThrow();
    expect([written(request.reason_id), statement.reason_id]).toEqual([`U-PMO cancellation deal/${id(3)}`, request.reason_id]);
    const hold = await db.selectFrom('collection_hold').select('reason_id').executeTakeFirstOrThrow();
    expect(written(hold.reason_id)).toBe(`U-AR hold invoice/${id(4)}`);
    const responses = await db.selectFrom('milestone_response').select('reason_id').orderBy('attempt').execute();
    expect(responses.map((row) => written(row.reason_id))).toEqual([`U-PM response milestone/${id(5)}`, undefined]);
    const item = await db.selectFrom('billing_plan_item').select(['held_reason', 'held_reason_id']).executeTakeFirstOrThrow();
    expect([item.held_reason, written(item.held_reason_id)]).toEqual(['refused', `unknown decision line/${id(7)}`]);
  });

  test('leave decisions append-only as before', async () => {
    await expect(sql`update approval_decision set verdict = 'grant'`.execute(database.db)).rejects.toThrow('append-only');
  });
});
