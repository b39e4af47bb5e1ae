import { policyAt } from '../../db/policies';
import { approvalWorkflowId } from '../../domain/ids';
import { withdrawSignal } from '../../workflows/approval/messages';
import { refusalOf, until } from '../support/lifecycles';
import { askForCutOffDay, BILLING_RUN, CHANGED_AT, decideOnPolicy, onceItRuns, policyChangeSettled } from '../support/policy-runs';
import { shown } from '../support/shown';
import { uniqueName } from '../support/temporal';
import { startTestEngine, type TestEngine } from '../support/worker';

let engine: TestEngine;
beforeAll(async () => {
  // The run of a policy has the same name everywhere.
  engine = await startTestEngine({ namespace: uniqueName('policies') });
});
afterAll(() => engine.stop());

const ask = (cutOffDay: number) => askForCutOffDay(engine, cutOffDay);
const decide = (approvalId: string, by: string, verdict?: 'grant' | 'refuse') => decideOnPolicy(engine, approvalId, by, verdict);
const settled = (changeId: string, state: string) => policyChangeSettled(engine, changeId, state);
const cutOffDay = async () => (await policyAt(engine.db, 'billing', '2026-03-10'))?.body.cutOffDay;
const ended = () =>
  until('the run to end', async () => (await engine.client.workflow.getHandle(BILLING_RUN).describe()).status.name === 'COMPLETED');

test('a granted change is in force, and its run ends; until then it says what it waits for and takes no other', async () => {
  const { changeId, approvalId } = await ask(4);
  expect((await shown(engine, BILLING_RUN)).details).toContain(`approval/${approvalId}`);
  expect(await refusalOf(ask(5))).toBe('PolicyChangeOpen');
  await decide(approvalId, 'U-FC-US');
  expect(await cutOffDay()).toBe(6);
  await decide(approvalId, 'U-CFO');
  await settled(changeId, 'applied');
  expect(await cutOffDay()).toBe(4);
  await ended();
  const open = await engine.db.selectFrom('open_wait').select('subject').where('workflow_id', '=', BILLING_RUN).where('closed_at', 'is', null).execute(); // prettier-ignore
  expect(open).toEqual([]);
});

test('a refused change and one that is taken back leave what was in force, and the next run begins', async () => {
  const before = await cutOffDay();
  const refused = await ask(7);
  await decide(refused.approvalId, 'U-FC-US', 'refuse');
  await settled(refused.changeId, 'refused');
  const back = await ask(8);
  const asked = engine.client.workflow.getHandle(approvalWorkflowId(back.approvalId));
  await onceItRuns(() => asked.signal(withdrawSignal, { reasonId: null, at: CHANGED_AT }));
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
  await onceItRuns(() => engine.client.workflow.getHandle(approvalWorkflowId(approvalId)).describe());
  await engine.client.workflow.getHandle(BILLING_RUN).cancel();
  await settled(changeId, 'withdrawn');
  expect(await cutOffDay()).toBe(before);
});
