import { type WorkflowHandle } from '@temporalio/client';
import { Client as Postgres } from 'pg';
import { uuidv7 } from 'uuidv7';
import { type ApprovalSubject } from '../../contracts/workflow-state';
import { type approval } from '../../workflows/approval/workflow';
import { withdrawSignal } from '../../workflows/approval/messages';
import { startApproval } from '../support/asked';
import { dealRow } from '../support/builders';
import { decide, milestones, openWaits, refusalOf, testDeal, until } from '../support/lifecycles';
import { testAddress } from '../support/servers';
import { reasonOf } from '../support/texts';
import { startTestEngine, type TestEngine } from '../support/worker';

const NOW = '2026-01-26T15:00:00.000Z';
const large = { fixedFee: { minor: 250_000_000, currency: 'USD' } };

let engine: TestEngine;
beforeAll(async () => {
  engine = await startTestEngine();
});
afterAll(() => engine.stop());

interface Asked {
  readonly id: string;
  readonly shown_hash: string;
  readonly dealId: string;
  readonly handle: WorkflowHandle<typeof approval>;
}

/** A deal above two million whose margin nobody knows: delivery director, then finance controller and PMO, then CFO and CEO. */
async function askForDeal(): Promise<Asked> {
  const row = dealRow(testDeal({ lines: [milestones(large)] }), { state: 'approval' });
  await engine.db.insertInto('deal').values(row).execute();
  return ask('deal', row.id, row.id);
}

async function ask(subjectKind: ApprovalSubject, subjectId: string, dealId: string): Promise<Asked> {
  const { approvalId, shownHash, handle } = await startApproval(engine, { subjectKind, subjectId, dealId, at: NOW });
  return { id: approvalId, shown_hash: shownHash, dealId, handle };
}

const decisionsOn = (approvalId: string) =>
  engine.db
    .selectFrom('approval_decision')
    .selectAll()
    .where('approval_id', '=', approvalId)
    .orderBy('tier')
    .orderBy('decided_by')
    .execute();

test('two people decide on one step at the same moment: one decision is taken, the other is told so, twenty times out of twenty', async () => {
  const row = dealRow(testDeal(), { state: 'terms' });
  await engine.db.insertInto('deal').values(row).execute();
  const proposals = Array.from({ length: 20 }, (_, index) => ({
    id: uuidv7(),
    deal_id: row.id,
    version: index + 1,
    document_id: 'SOW',
    terms: '[]',
    terms_hash: 'hash',
    discrepancies: '[]',
    proposed_by: 'U-SELLER',
    proposed_at: NOW,
    state: 'proposed',
  }));
  await engine.db.insertInto('sow_proposal').values(proposals).execute();
  const refusals = await Promise.all(
    proposals.map(async ({ id }) => {
      const asked = await ask('sow', id, row.id);
      const both = ['U-LEGAL', 'U-LEGAL2'].map((by) => decide(engine, asked, { by, role: 'legal-counsel', at: NOW }));
      const lost = (await Promise.allSettled(both)).filter((outcome) => outcome.status === 'rejected');
      expect(lost).toHaveLength(1);
      expect(await decisionsOn(asked.id)).toHaveLength(1);
      return refusalOf(Promise.reject(lost[0]?.reason as Error));
    }),
  );
  expect(refusals).toEqual(Array(20).fill('AlreadyDecided'));
});

test('a decision is refused with its reason, tiers open one after the other, and the last one approves', async () => {
  const asked = await askForDeal();
  const at = NOW;
  const refused = (decision: Partial<Parameters<typeof decide>[2]> & { by: string }) =>
    refusalOf(decide(engine, asked, { at, ...decision }));

  expect(await refused({ by: 'U-SELLER' })).toBe('ApproverIsRequester');
  expect(await refused({ by: 'U-AR' })).toBe('RoleNotAsked');
  expect(await refused({ by: 'U-FC-US', role: 'finance-controller' })).toBe('TierNotOpen');
  expect(await refused({ by: 'U-DELDIR', shownHash: 'what was shown yesterday' })).toBe('VersionOutdated');
  expect(await refused({ by: 'U-DELDIR', verdict: 'refuse', reasonId: null })).toBe('ReasonMissing');
  expect(await decisionsOn(asked.id)).toEqual([]);

  const first = { by: 'U-DELDIR', at, decisionId: uuidv7() };
  expect((await decide(engine, asked, first)).outcome).toBe('accepted');
  expect((await decide(engine, asked, first)).outcome).toBe('accepted');
  expect((await decide(engine, asked, { by: 'U-DELDIR', role: 'delivery-director', at })).outcome).toBe('already-applied');
  expect(await refused({ ...first, verdict: 'refuse', reasonId: await reasonOf(engine.db, 'on second thought') })).toBe('DecisionIdReused');
  expect(await refused({ by: 'U-PMO', role: 'delivery-director' })).toBe('AlreadyDecided');
  expect(await refused({ by: 'U-CFO', role: 'cfo' })).toBe('TierNotOpen');

  const [second, third] = ['2026-01-26T16:00:00.000Z', '2026-01-26T17:00:00.000Z'];
  for (const by of ['U-FC-US', 'U-PMO']) expect((await decide(engine, asked, { by, at: second })).approval.state).toBe('pending');
  expect((await decide(engine, asked, { by: 'U-CEO', at: third })).approval.state).toBe('pending');
  expect((await decide(engine, asked, { by: 'U-CFO', at: third })).approval.state).toBe('approved');
  expect(await asked.handle.result()).toEqual({ approvalId: asked.id, state: 'approved', decidedAt: third, reasonId: null });
  const steps = await engine.db.selectFrom('approval_step').selectAll().where('approval_id', '=', asked.id).orderBy('tier').orderBy('role').execute(); // prettier-ignore
  expect(steps.map((step) => [step.tier, step.role, step.state, step.need, step.opened_at, step.closed_at])).toEqual([
    [1, 'delivery-director', 'granted', 1, at, at],
    [2, 'finance-controller', 'granted', 1, at, second],
    [2, 'pmo-lead', 'granted', 1, at, second],
    [3, 'ceo', 'granted', 1, second, third],
    [3, 'cfo', 'granted', 1, second, third],
  ]);
  expect((await decisionsOn(asked.id)).map(({ tier, decided_by }) => [tier, decided_by])).toEqual([
    [1, 'U-DELDIR'],
    [2, 'U-FC-US'],
    [2, 'U-PMO'],
    [3, 'U-CEO'],
    [3, 'U-CFO'],
  ]);
  expect(await openWaits(engine, asked.dealId)).toEqual([]);
});

test('a refusal with its reason ends the approval', async () => {
  const asked = await askForDeal();
  const reasonId = await reasonOf(engine.db, 'the fee is too low', 'U-DELDIR');
  await decide(engine, asked, { by: 'U-DELDIR', verdict: 'refuse', reasonId, at: NOW });
  expect(await asked.handle.result()).toMatchObject({ state: 'refused', reasonId });
  expect(await openWaits(engine, asked.dealId)).toEqual([]);
});

test.each(['withdrawn', 'cancelled'])('an approval that was %s waits for nobody, and nobody can decide on it', async (how) => {
  const asked = await askForDeal();
  if (how === 'withdrawn') await asked.handle.signal(withdrawSignal, { reasonId: null, at: NOW });
  else await asked.handle.cancel();
  expect(await asked.handle.result()).toMatchObject({ state: 'withdrawn' });
  await expect(decide(engine, asked, { by: 'U-DELDIR', at: NOW })).rejects.toThrow('already completed');
  expect([await openWaits(engine, asked.dealId), await decisionsOn(asked.id)]).toEqual([[], []]);
});

test('a decision outlives an outage of the database: the effect goes on as a remote activity and has happened once', async () => {
  const asked = await askForDeal();
  const decisionId = uuidv7();
  const name = new URL(engine.databaseUrl).pathname.slice(1);
  const admin = new Postgres({ connectionString: testAddress('THROUGHLINE_TEST_DATABASE_URL') });
  await admin.connect();
  await admin.query(`alter database ${name} allow_connections false`);
  await admin.query('select pg_terminate_backend(pid) from pg_stat_activity where datname = $1', [name]);
  const decision = decide(engine, asked, { decisionId, by: 'U-DELDIR', at: NOW });
  const isRemote = async () => {
    const { pendingActivities } = (await asked.handle.describe()).raw;
    return pendingActivities?.some((activity) => activity.activityType?.name === 'recordDecision');
  };
  await until('the effect to run remotely', isRemote);
  await admin.query(`alter database ${name} allow_connections true`);
  await admin.end();
  expect((await decision).outcome).toBe('accepted');
  const effects = await engine.db.selectFrom('effect').select('key').where('key', '=', `decision/${decisionId}`).execute();
  expect([effects.length, (await decisionsOn(asked.id)).length]).toEqual([1, 1]);
});
