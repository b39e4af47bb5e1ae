import { WithStartWorkflowOperation } from '@temporalio/client';
import { uuidv7 } from 'uuidv7';
import { type PolicyChangeInput } from '../../contracts/workflow-state';
import { policyAt } from '../../db/policies';
import { approvalWorkflowId, policyWorkflowId } from '../../domain/ids';
import { contentOf } from '../../domain/policy/content';
import { decideUpdate } from '../../workflows/approval/messages';
import { requestPolicyChangeUpdate } from '../../workflows/policy-change/messages';
import { policyChange } from '../../workflows/policy-change/workflow';
import { until } from './lifecycles';
import { reasonOf } from './texts';
import { type TestEngine } from './worker';

/** When the policies of these tests change. */
export const CHANGED_AT = '2026-03-10T09:00:00.000Z';
export const BILLING_RUN = policyWorkflowId('billing', null);

/** A change of the cut-off day of the group, as the API sends it. */
export async function askForCutOffDay(engine: TestEngine, cutOffDay: number, changeId = uuidv7()) {
  const current = await policyAt(engine.db, 'billing', '2026-03-10');
  if (current === null) throw new Error('no policy');
  const input: PolicyChangeInput = {
    ...{ changeId, by: 'U-PMO', at: CHANGED_AT, action: 'introduce', basedOn: current.id, effectiveFrom: '2026-03-10' },
    reasonId: await reasonOf(engine.db, 'because'),
    content: { ...contentOf(current.body), cutOffDay },
  };
  return engine.client.workflow.executeUpdateWithStart(requestPolicyChangeUpdate, {
    args: [input],
    startWorkflowOperation: new WithStartWorkflowOperation(policyChange, {
      workflowId: BILLING_RUN,
      taskQueue: engine.taskQueue,
      workflowIdConflictPolicy: 'USE_EXISTING',
      args: [{ kind: 'billing', entityId: null, clock: { simulated: true, moment: CHANGED_AT } }],
    }),
  });
}

export async function decideOnPolicy(
  engine: TestEngine,
  approvalId: string,
  by: string,
  verdict: 'grant' | 'refuse' = 'grant',
): Promise<void> {
  const { shown_hash: shownHash } = await engine.db.selectFrom('approval').select('shown_hash').where('id', '=', approvalId).executeTakeFirstOrThrow(); // prettier-ignore
  const reasonId = verdict === 'refuse' ? await reasonOf(engine.db, 'no', by) : null;
  const decision = { decisionId: uuidv7(), by, verdict, reasonId, role: null, shownHash, at: CHANGED_AT };
  const handle = engine.client.workflow.getHandle(approvalWorkflowId(approvalId));
  await onceItRuns(() => handle.executeUpdate(decideUpdate, { args: [decision] }));
}

export async function policyChangeSettled(engine: TestEngine, changeId: string, state: string): Promise<void> {
  const stateOf = async () =>
    (await engine.db.selectFrom('policy_change').select('state').where('id', '=', changeId).executeTakeFirstOrThrow()).state;
  await until(`the change to be ${state}`, async () => (await stateOf()) === state);
}

/** An approval is on record a moment before it runs. */
export async function onceItRuns(told: () => Promise<unknown>): Promise<void> {
  const isNotThere = (error: unknown): false => {
    if (error instanceof Error && error.name === 'WorkflowNotFoundError') return false;
    throw error;
  };
  await until('the approval to run', () => told().then(() => true, isNotThere));
}
