import { WithStartWorkflowOperation } from '@temporalio/client';
import { uuidv7 } from 'uuidv7';
import { type PolicyChangeInput } from '../../contracts/workflow-state';
import { policyAt } from '../../db/policies';
import { approvalWorkflowId, policyWorkflowId } from '../../domain/ids';
import { contentOf } from '../../domain/policy/content';
import { decideUpdate, withdrawSignal } from '../../workflows/approval/messages';
import { requestPolicyChangeUpdate } from '../../workflows/policy-change/messages';
import { policyChange } from '../../workflows/policy-change/workflow';
import { refusalOf, until } from '../support/lifecycles';
import { seedReferenceDeal } from '../support/reference-deal';
import { shown } from '../support/shown';
import { reasonOf } from '../support/texts';
import { startTestEngine, type TestEngine } from '../support/worker';

let engine: TestEngine;
beforeAll(async () => {
  engine = await startTestEngine();
  await seedReferenceDeal(engine.db);
});
afterAll(() => engine.stop());

const at = '2026-03-10T09:00:00.000Z';
const RUN = policyWorkflowId('billing', null);

/** A change of the cut-off day of the group, as the API sends it. */
async function ask(cutOffDay: number, changeId = uuidv7()) {
  const current = await policyAt(engine.db, 'billing', '2026-03-10');
  if (current === null) throw new Error('no policy');
  const input: PolicyChangeInput = {
    ...{ changeId, by: 'U-PMO', at, action: 'introduce', basedOn: current.id, effectiveFrom: '2026-03-10' },
    reasonId: await reasonOf(engine.db, 'because'),
    content: { ...contentOf(current.body), cutOffDay },
  };
  return engine.client.workflow.executeUpdateWithStart(requestPolicyChangeUpdate, {
    args: [input],
    startWorkflowOperation: new WithStartWorkflowOperation(policyChange, {
      workflowId: RUN,
      taskQueue: engine.taskQueue,
      workflowIdConflictPolicy: 'USE_EXISTING',
      args: [{ kind: 'billing', entityId: null, clock: { simulated: true, moment: at } }],
    }),
  });
}

async function decide(approvalId: string, by: string, verdict: 'grant' | 'refuse' = 'grant'): Promise<void> {
  const { shown_hash: shownHash } = await engine.db.selectFrom('approval').select('shown_hash').where('id', '=', approvalId).executeTakeFirstOrThrow(); // prettier-ignore
  const reasonId = verdict === 'refuse' ? await reasonOf(engine.db, 'no', by) : null;
  const decision = { decisionId: uuidv7(), by, verdict, reasonId, role: null, shownHash, at };
  const handle = engine.client.workflow.getHandle(approvalWorkflowId(approvalId));
  await until('the approval to take decisions', () =>
    handle.executeUpdate(decideUpdate, { args: [decision] }).then(() => true, isNotThere),
  );
}

function isNotThere(error: unknown): false {
  if (error instanceof Error && error.name === 'WorkflowNotFoundError') return false;
  throw error;
}

const stateOf = async (changeId: string) =>
  (await engine.db.selectFrom('policy_change').select('state').where('id', '=', changeId).executeTakeFirstOrThrow()).state;
const settled = (changeId: string, state: string) => until(`the change to be ${state}`, async () => (await stateOf(changeId)) === state);
const cutOffDay = async () => (await policyAt(engine.db, 'billing', '2026-03-10'))?.body.cutOffDay;
const ended = () =>
  until('the run to end', async () => (await engine.client.workflow.getHandle(RUN).describe()).status.name === 'COMPLETED');

test('a granted change is in force, and its run ends; until then it says what it waits for and takes no other', async () => {
  const { changeId, approvalId } = await ask(4);
  expect((await shown(engine, RUN)).details).toContain(`approval/${approvalId}`);
  expect(await refusalOf(ask(5))).toBe('PolicyChangeOpen');
  await decide(approvalId, 'U-FC-US');
  expect(await cutOffDay()).toBe(6);
  await decide(approvalId, 'U-CFO');
  await settled(changeId, 'applied');
  expect(await cutOffDay()).toBe(4);
  await ended();
  const open = await engine.db.selectFrom('open_wait').select('subject').where('workflow_id', '=', RUN).where('closed_at', 'is', null).execute(); // prettier-ignore
  expect(open).toEqual([]);
});

test('a refused change and one that is taken back leave what was in force, and the next run begins', async () => {
  const before = await cutOffDay();
  const refused = await ask(7);
  await decide(refused.approvalId, 'U-FC-US', 'refuse');
  await settled(refused.changeId, 'refused');
  const back = await ask(8);
  await until('the approval to run', () =>
    engine.client.workflow
      .getHandle(approvalWorkflowId(back.approvalId))
      .signal(withdrawSignal, { reasonId: null, at })
      .then(() => true, isNotThere),
  );
  await settled(back.changeId, 'withdrawn');
  expect(await cutOffDay()).toBe(before);
  await ended();
});

test('a request that is refused leaves no run and no change', async () => {
  expect(await refusalOf(ask(40))).toBe('PolicyInvalid');
  await ended();
  const open = await engine.db.selectFrom('policy_change').select('id').where('state', '=', 'requested').execute();
  expect(open).toEqual([]);
});

test('a run that is ended from outside withdraws its approval, and nothing is in force', async () => {
  const before = await cutOffDay();
  const { changeId, approvalId } = await ask(9);
  await until('the approval to run', () => engine.client.workflow.getHandle(approvalWorkflowId(approvalId)).describe().then(() => true, isNotThere)); // prettier-ignore
  await engine.client.workflow.getHandle(RUN).cancel();
  await settled(changeId, 'withdrawn');
  expect(await cutOffDay()).toBe(before);
});
