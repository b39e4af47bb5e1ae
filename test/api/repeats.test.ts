import { randomUUID } from 'node:crypto';
import { uuidv7 } from 'uuidv7';
import { projectWorkflowId } from '../../domain/ids';
import { signOffUpdate } from '../../workflows/project-to-close/messages';
import { type Answer, problemOf, type Send, testApi, type TestApi } from '../support/api';
import { bringToDelivery, linesOf, reach, refusalOf, startDeal, type TestDeal, testDeal } from '../support/lifecycles';
import { startTestEngine, type TestEngine } from '../support/worker';

/** The same key and content give the same answer, a refusal too; a new key, or a refusal that has passed, is evaluated anew. */
describe('a message to a run that is repeated', () => {
  const now = '2026-03-10T12:00:00.000Z';
  let engine: TestEngine;
  let api: TestApi;
  let manager: Send;
  let deal: TestDeal;
  let projectId: string;
  beforeAll(async () => {
    engine = await startTestEngine();
    const clock = { now: () => Promise.resolve(now) };
    api = await testApi({ engine, deps: { updateTimeoutMs: 10_000, clock } });
    manager = await api.as('U-PM-US');
  });
  afterAll(async () => {
    await api.close();
    await engine.stop();
  });
  beforeEach(async () => {
    deal = await startDeal(engine, testDeal({ startDate: '2026-01-01', signedDate: '2026-01-02' }));
    await bringToDelivery(engine, deal);
    const row = await engine.db.selectFrom('project').select('id').where('deal_id', '=', deal.dealId).executeTakeFirstOrThrow();
    projectId = row.id;
  });
  afterEach(() => deal.handle.terminate('test over'));

  const setProject = (state: string) => engine.db.updateTable('project').set({ state }).where('id', '=', projectId).execute();
  const letter = { documentReference: 'letter', signedOn: '2026-03-10' };
  const signOff = (key?: string, send = manager): Promise<Answer> =>
    send('POST', `/v1/projects/${projectId}/sign-off`, { body: letter, ...(key === undefined ? {} : { key }) });
  const signOffs = () => engine.db.selectFrom('project_sign_off').selectAll().where('project_id', '=', projectId).execute();
  const acceptedUpdates = async (): Promise<number> => {
    const { events } = await engine.client.workflow.getHandle(projectWorkflowId(projectId)).fetchHistory();
    return (events ?? []).filter((event) => event.workflowExecutionUpdateAcceptedEventAttributes).length;
  };

  test('would be refused for ever under one update id: a run remembers what its handler refused', async () => {
    const project = engine.client.workflow.getHandle(projectWorkflowId(projectId));
    const input = { signOffId: randomUUID(), ...letter, by: 'U-PM-US', at: now };
    const send = (updateId: string) => project.executeUpdate(signOffUpdate, { args: [input], updateId });
    expect(await refusalOf(send('one'))).toBe('ProjectNotClosing');
    await setProject('closing');
    expect(await refusalOf(send('one'))).toBe('ProjectNotClosing');
    expect(await send('two')).toMatchObject({ projectId });
  });

  test('is taken under its own key once a refusal that passes by itself has passed, and then has one answer', async () => {
    const first = await signOff('letter');
    expect(problemOf(first)).toMatchObject({ status: 409, code: 'ProjectNotClosing' });
    expect(problemOf(await signOff('letter')).requestId).not.toBe(problemOf(first).requestId);
    await setProject('closing');
    const taken = await signOff('letter');
    expect(taken.status).toBe(200);
    await setProject('active');
    expect(await signOff('letter')).toMatchObject({ status: 200, body: taken.body });
    expect(await signOffs()).toHaveLength(1);
  });

  test('is answered as it was taken where its answer was lost, also after the project closed by it', async () => {
    await setProject('closing');
    const taken = await signOff('lost');
    expect(taken.status).toBe(200);
    const lost = { state: 'running', locked_until: '2020-01-01T00:00:00Z' };
    await engine.db.updateTable('idempotency_key').set(lost).where('key', '=', 'lost').execute();
    await setProject('closed');
    await engine.client.workflow.getHandle(projectWorkflowId(projectId)).terminate('it has ended');
    expect(await signOff('lost')).toMatchObject({ status: 200, body: { id: projectId, state: 'closed' } });
    expect(problemOf(await signOff('another'))).toMatchObject({ status: 409, code: 'ProjectClosed' });
    expect(await signOffs()).toHaveLength(1);
  });

  test('has its refusal as its answer, word for word; a new key is evaluated anew, and so is none', async () => {
    await setProject('closing');
    expect((await signOff('first')).status).toBe(200);
    const refused = await signOff('second');
    expect(problemOf(refused)).toMatchObject({ status: 409, code: 'ProjectSignedOff' });
    await engine.db.deleteFrom('project_sign_off').where('project_id', '=', projectId).execute();
    expect((await signOff('second')).body).toEqual(refused.body);
    expect((await signOff('third')).status).toBe(200);
    expect(problemOf(await signOff()).code).toBe('ProjectSignedOff');
    await engine.db.deleteFrom('project_sign_off').where('project_id', '=', projectId).execute();
    expect((await signOff()).status).toBe(200);
  });

  test('is evaluated anew under a new key also where it names its own id', async () => {
    const [line] = await linesOf(engine, deal);
    const usage = { eventId: `U-${deal.dealId}`, servicePeriod: '2026-02', tickets: 1, p1Tickets: 0, p1WithinTarget: 0, supersedes: null };
    await engine.db
      .insertInto('usage_report')
      .values({ ...other(usage.eventId), contract_line_id: line!.id, service_period: '2026-01' })
      .execute();
    const superseding = { ...usage, eventId: `V-${deal.dealId}`, supersedes: usage.eventId };
    const correct = (key: string) =>
      manager('POST', `/v1/contract-lines/${line!.id}/usage-reports`, {
        body: { ...superseding, reportedAt: '2026-03-01T00:00:00Z' },
        key,
      });
    expect(problemOf(await correct('a'))).toMatchObject({ status: 422, code: 'UsageSupersedesOther' });
    await engine.db.updateTable('usage_report').set({ service_period: '2026-02' }).where('event_id', '=', usage.eventId).execute();
    expect(problemOf(await correct('a')).code).toBe('UsageSupersedesOther');
    expect((await correct('b')).status).toBe(200);
  });

  const other = (eventId: string) => ({
    event_id: eventId,
    tickets: 2,
    p1_tickets: 0,
    p1_within_target: 0,
    supersedes: null,
    reported_at: '2026-02-01T00:00:00Z',
    content_hash: 'x',
  });

  test('joins its first evaluation while that is under way, and no outage is remembered', async () => {
    await setProject('closing');
    const impatient = await testApi({ engine, deps: { updateTimeoutMs: 400, clock: { now: () => Promise.resolve(now) } } });
    const hurried = await impatient.as('U-PM-US');
    const key = uuidv7();
    await engine.db.transaction().execute(async (trx) => {
      await trx.selectFrom('project').select('id').where('id', '=', projectId).forUpdate().execute();
      for (let count = 0; count < 4; count += 1) {
        const answer = await signOff(key, hurried);
        expect(problemOf(answer)).toMatchObject({ status: 503, code: 'OutcomeUnknown', retryable: true });
      }
    });
    expect((await signOff(key)).status).toBe(200);
    expect([await acceptedUpdates(), (await signOffs()).length]).toEqual([1, 1]);
    await impatient.close();
  });

  test('a deal that is not there yet refuses for now only', async () => {
    const waiting = await startDeal(engine, testDeal());
    await reach(engine, waiting, 'terms');
    await engine.db.updateTable('deal').set({ state: 'handoff' }).where('id', '=', waiting.dealId).execute();
    const seller = await api.as('U-SELLER');
    const terms = [{ path: 'paymentTermsDays', value: '30', unit: 'days', clause: '7.2' }];
    const proposalId = uuidv7();
    const propose = (key: string) =>
      seller('POST', `/v1/deals/${waiting.dealId}/sow-proposals`, { body: { proposalId, documentId: 'SOW', terms }, key });
    expect(problemOf(await propose('now'))).toMatchObject({ status: 409, code: 'TermsNotExpected' });
    await engine.db.updateTable('deal').set({ state: 'terms' }).where('id', '=', waiting.dealId).execute();
    const taken = await propose('now');
    expect(taken).toMatchObject({ status: 201, body: { proposalId, version: 1 } });
    expect((await propose('now')).body).toEqual(taken.body);
    await waiting.handle.terminate('test over');
  });
});
