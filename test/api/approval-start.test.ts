import { randomUUID } from 'node:crypto';
import { WorkflowNotFoundError, type WorkflowHandle } from '@temporalio/client';
import { createActivities } from '../../activities/index';
import { type ApprovalView } from '../../contracts/workflow-state';
import { type ApprovalInput } from '../../workflows/approval/messages';
import { inRun } from '../support/activity-run';
import { testApi, type TestApi } from '../support/api';
import { insertFacts } from '../support/api-facts';
import { until } from '../support/lifecycles';
import { startTestEngine, type TestEngine } from '../support/worker';

/** An approval is on record in the effect that asks for it, a moment before its run is started (ADR 0025). */
describe('an answer to an approval whose run is about to start', () => {
  const now = '2026-03-02T12:00:00.000Z';
  let engine: TestEngine;
  let api: TestApi;
  beforeAll(async () => {
    engine = await startTestEngine({ capture: false });
    api = await testApi({ engine, deps: { updateTimeoutMs: 10_000, clock: { now: () => Promise.resolve(now) } } });
  });
  afterEach(() => jest.restoreAllMocks());
  afterAll(async () => {
    await api.close();
    await engine.stop();
  });

  /** An approval on record; its run starts once the first message has found nobody. */
  async function aboutToStart(): Promise<{ url: string; shownHash: string; start: () => Promise<WorkflowHandle>; missed: () => number }> {
    const { approvalId, dealId } = await insertFacts(engine.db, 'LE-US', 'BA-US');
    const row = await engine.db.selectFrom('approval').selectAll().where('id', '=', approvalId).executeTakeFirstOrThrow();
    const opened: ApprovalView = {
      ...{ approvalId, state: 'pending', tier: 1, requestedBy: row.requested_by, shownHash: row.shown_hash },
      ...{ decidedAt: null, reasonId: null, revision: 1, stage: 'pending', waits: [] },
    };
    const input: ApprovalInput = {
      ...{ approvalId, subjectKind: 'kickoff', subjectId: row.subject_id, dealId, opened },
      clock: { simulated: true, moment: now },
    };
    const workflowId = `approval/${approvalId}`;
    const start = () => engine.client.workflow.start('approval', { workflowId, taskQueue: engine.taskQueue, args: [input] });
    let missed = 0;
    const startAfter = async <T>(sent: Promise<T>): Promise<T> => {
      try {
        return await sent;
      } catch (error) {
        if (!(error instanceof WorkflowNotFoundError)) throw error;
        missed += 1;
        await start();
        throw error;
      }
    };
    const handle = api.temporal.workflow.getHandle(workflowId);
    jest.spyOn(api.temporal.workflow, 'getHandle').mockReturnValueOnce({
      ...handle,
      executeUpdate: (...update: Parameters<WorkflowHandle['executeUpdate']>) => startAfter(handle.executeUpdate(...update)),
      signal: (...signal: Parameters<WorkflowHandle['signal']>) => startAfter(handle.signal(...signal)),
    } as WorkflowHandle);
    return { url: `/v1/approvals/${approvalId}`, shownHash: row.shown_hash, start, missed: () => missed };
  }

  /** */
  test('a decision that is on record, and that its run has not heard of, is told to the run when it comes again', async () => {
    const { url, shownHash, start } = await aboutToStart();
    const run = await start();
    const decisionId = randomUUID();
    const said = { decisionId, by: 'U-FC-US', verdict: 'grant', role: null, reasonId: null, shownHash, at: now } as const;
    const { approvalId } = await run.query<ApprovalView>('approval');
    await inRun(run.workflowId, () => createActivities({ db: engine.db }).recordDecision({ approvalId, decision: said }));
    expect(await run.query('approval')).toMatchObject({ state: 'pending' });

    const answer = await (await api.as('U-FC-US'))('POST', `${url}/decisions`, { body: { decisionId, verdict: 'grant', shownHash } });
    expect(answer).toMatchObject({ status: 200, body: { outcome: 'accepted', approval: { state: 'approved' } } });
    expect(await run.result()).toMatchObject({ approvalId, state: 'approved' });
    const late = await (await api.as('U-FC-US'))('POST', `${url}/decisions`, { body: { decisionId, verdict: 'grant', shownHash } });
    expect(late).toMatchObject({ status: 200, body: { outcome: 'already-received' } });
  });

  test('a decision waits for the run and is taken', async () => {
    const { url, shownHash, missed } = await aboutToStart();
    const answer = await (await api.as('U-FC-US'))('POST', `${url}/decisions`, { body: { verdict: 'grant', shownHash } });
    expect(answer).toMatchObject({ status: 200, body: { outcome: 'accepted', approval: { decisions: [{ decidedBy: 'U-FC-US' }] } } });
    expect(missed()).toBe(1);
  });

  test('a withdrawal waits for the run and is told to it', async () => {
    const { url, missed } = await aboutToStart();
    const seller = await api.as('U-SELLER');
    expect((await seller('POST', `${url}/withdrawal`, { body: { reason: 'another draft' } })).status).toBe(202);
    expect(missed()).toBe(1);
    const reader = await api.as('U-PMO');
    await until('the withdrawal', async () => ((await reader('GET', url)).body as { state: string }).state === 'withdrawn');
  });
});
