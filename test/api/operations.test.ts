import { uuidv7 } from 'uuidv7';
import { dealWorkflowId, projectWorkflowId } from '../../domain/ids';
import { type Answer, problemOf, type Send, testApi, type TestApi } from '../support/api';
import { accept } from '../support/delivery';
import {
  approve,
  bringToDelivery,
  linesOf,
  openWaits,
  pendingApproval,
  proposeTerms,
  reach,
  refuse,
  startDeal,
  type TestDeal,
  testDeal,
  until,
} from '../support/lifecycles';
import { loseTaxRegistrations } from '../support/master-data';
import { startTestEngine, type TestEngine } from '../support/worker';

/** What is asked of runs besides the facts of delivery: releases, withdrawals, rechecks; what is stuck; keys that are revoked. */
describe('operations over HTTP, with running workflows', () => {
  const now = '2026-03-10T12:00:00.000Z';
  let engine: TestEngine;
  let api: TestApi;
  let operator: Send;
  let stranger: Send;
  beforeAll(async () => {
    engine = await startTestEngine();
    api = await testApi({ engine, deps: { updateTimeoutMs: 10_000, clock: { now: () => Promise.resolve(now) } } });
    operator = await api.withKey(['operator']);
    stranger = await api.withKey(['time-integration']);
  });
  afterAll(async () => {
    await api.close();
    await engine.stop();
  });

  const expectSameTwice = async (ask: () => Promise<Answer>, status: number): Promise<Answer> => {
    const first = await ask();
    expect(first.status).toBe(status);
    const second = await ask();
    expect([second.status, second.body, second.headers['idempotent-replayed']]).toEqual([status, first.body, 'true']);
    return first;
  };
  const codeOf = async (sent: Promise<Answer>): Promise<[number, string]> => {
    const { status, code } = problemOf(await sent);
    return [status, code];
  };

  describe('a release of a refused draft', () => {
    let deal: TestDeal;
    let url: string;
    const release = (send: Send, to = url, key?: string, itemKey = 'milestone/M1') =>
      send('POST', to, { body: { itemKey }, ...(key === undefined ? {} : { key }) });
    let controller: Send;
    beforeAll(async () => {
      controller = await api.as('U-FC-US');
      deal = await startDeal(engine, testDeal({ startDate: '2026-01-01', signedDate: '2026-01-02' }));
      await bringToDelivery(engine, deal);
      const [line] = await linesOf(engine, deal);
      url = `/v1/contract-lines/${line!.id}/releases`;
    });

    test('has nothing to release before a draft was refused', async () => {
      expect(await codeOf(release(controller))).toEqual([409, 'ItemNotHeld']);
    });

    test('lets the item be billed anew, once', async () => {
      await accept(engine, deal, 'M1', '2026-03-04');
      await refuse(engine, deal, 'invoice', 'U-FC-US', 'the order number is wrong');
      await until('the item to be held', async () => (await openWaits(engine, deal.dealId)).some((wait) => wait.kind === 'held-item'));
      expect(await codeOf(release(controller, url, undefined, 'milestone/none'))).toEqual([409, 'ItemNotHeld']);
      const { body } = await expectSameTwice(() => release(controller, url, 'release'), 200);
      expect(body).toMatchObject({ billingPlan: expect.arrayContaining([expect.objectContaining({ heldReason: null })]) as unknown });
      await pendingApproval(engine, deal, 'invoice');
      expect(await codeOf(release(controller, url, 'again'))).toEqual([409, 'ItemNotHeld']);
      const effects = await engine.db.selectFrom('effect').select('key').where('key', 'like', 'release-item/%').execute();
      expect(effects).toHaveLength(1);
    });

    test('is for finance, of a line that is there', async () => {
      expect(await codeOf(release(await api.as('U-SELLER')))).toEqual([403, 'PermissionMissing']);
      expect(await codeOf(release(await api.as('U-FC-JP')))).toEqual([404, 'LineUnknown']);
      expect(await codeOf(release(controller, `/v1/contract-lines/${uuidv7()}/releases`))).toEqual([404, 'LineUnknown']);
      expect(problemOf(await controller('POST', url, { body: {} }))).toMatchObject({ status: 400, code: 'ValidationFailed' });
    });
  });

  describe('a withdrawal', () => {
    const withdraw = (send: Send, id: string, key?: string) =>
      send('POST', `/v1/approvals/${id}/withdrawal`, { body: { reason: 'asked too early' }, ...(key === undefined ? {} : { key }) });
    const asked = async (): Promise<{ deal: TestDeal; id: string }> => {
      const deal = await startDeal(engine, testDeal());
      await reach(engine, deal, 'terms');
      await proposeTerms(deal);
      return { deal, id: (await pendingApproval(engine, deal, 'sow')).id };
    };

    test('by the requester ends the approval, and what it was for goes on', async () => {
      const seller = await api.as('U-SELLER');
      const { deal, id } = await asked();
      await expectSameTwice(() => withdraw(seller, id, `w-${id}`), 202);
      await until('the approval to be withdrawn', async () => {
        const { body } = await seller('GET', `/v1/approvals/${id}`);
        return (body as { state: string }).state === 'withdrawn';
      });
      expect(((await seller('GET', `/v1/approvals/${id}`)).body as { reason: string }).reason).toBe('asked too early');
      expect(await codeOf(withdraw(seller, id))).toEqual([410, 'ApprovalGone']);
      await until('the deal to wait for terms', async () =>
        (await openWaits(engine, deal.dealId)).some((wait) => wait.kind === 'sow-terms'),
      );
      await deal.handle.terminate('test over');
    });

    test('is for the requester alone, of an approval that is there and open', async () => {
      const { deal, id } = await asked();
      const seller = await api.as('U-SELLER');
      expect(await codeOf(withdraw(await api.as('U-LEGAL'), id))).toEqual([403, 'RequesterRequired']);
      expect(await codeOf(withdraw(stranger, id))).toEqual([403, 'PermissionMissing']);
      expect(await codeOf(withdraw(seller, uuidv7()))).toEqual([404, 'ApprovalUnknown']);
      await refuse(engine, deal, 'sow', 'U-LEGAL');
      await until('the refusal', async () => {
        const row = await engine.db.selectFrom('approval').select('state').where('id', '=', id).executeTakeFirstOrThrow();
        return row.state === 'refused';
      });
      expect(await codeOf(withdraw(seller, id))).toEqual([409, 'AlreadyDecided']);
      await deal.handle.terminate('test over');
    });
  });

  describe('a recheck of a project', () => {
    const recheck = (send: Send, id: string, key?: string) => send('POST', `/v1/projects/${id}/recheck`, key === undefined ? {} : { key });

    test('reaches its run, once per key', async () => {
      const manager = await api.as('U-PM-US');
      const deal = await startDeal(engine, testDeal());
      await bringToDelivery(engine, deal);
      const { id } = await engine.db.selectFrom('project').select('id').where('deal_id', '=', deal.dealId).executeTakeFirstOrThrow();
      expect((await expectSameTwice(() => recheck(manager, id, `r-${id}`), 202)).body).toEqual({ projectId: id });
      const { events } = await engine.client.workflow.getHandle(projectWorkflowId(id)).fetchHistory();
      const signals = (events ?? []).map((event) => event.workflowExecutionSignaledEventAttributes?.signalName).filter(Boolean);
      expect(signals).toEqual(['recheckProject']);

      expect(await codeOf(recheck(stranger, id))).toEqual([403, 'PermissionMissing']);
      expect(await codeOf(recheck(manager, uuidv7()))).toEqual([404, 'ProjectUnknown']);
      await engine.client.workflow.getHandle(projectWorkflowId(id)).terminate('test over');
      expect(await codeOf(recheck(manager, id))).toEqual([503, 'RunMissing']);
      await engine.db.updateTable('project').set({ state: 'closed' }).where('id', '=', id).execute();
      expect(await codeOf(recheck(manager, id))).toEqual([409, 'ProjectClosed']);
      await deal.handle.terminate('test over');
    });
  });

  test('what is stuck is listed for operators while it is, and afterwards where it is asked for', async () => {
    const deal = await startDeal(engine, testDeal());
    await reach(engine, deal, 'terms');
    await proposeTerms(deal);
    await loseBaseline(deal);
    const workflowId = dealWorkflowId(deal.dealId);
    const listed = async (query: string) => {
      const { status, body } = await operator('GET', `/v1/exceptions${query}`);
      expect(status).toBe(200);
      return (body as { data: { id: string; workflowId: string; closedAt: string | null }[] }).data;
    };
    const found = (await listed('')).filter((each) => each.workflowId === workflowId);
    expect(found).toMatchObject([{ kind: 'stuck/createBaseline', dealId: deal.dealId, ownerRole: 'operator', closedAt: null }]);
    await engine.db.updateTable('process_exception').set({ closed_at: now }).where('workflow_id', '=', workflowId).execute();
    expect((await listed('?open=true')).map((each) => each.workflowId)).not.toContain(workflowId);
    expect((await listed('?open=false')).map((each) => each.workflowId)).toContain(workflowId);
    const { body } = await operator('GET', '/v1/exceptions?open=false&limit=1');
    expect((body as { data: unknown[] }).data).toHaveLength(1);
    expect(await codeOf(stranger('GET', '/v1/exceptions'))).toEqual([403, 'PermissionMissing']);
    const ofEntity = await api.withKey(['operator'], { kind: 'entities', entityIds: ['LE-US'] });
    const elsewhere = await api.withKey(['operator'], { kind: 'entities', entityIds: ['LE-JP'] });
    const seenBy = async (send: Send) => {
      const { id = '' } = (await listed('?open=false')).find((each) => each.workflowId === workflowId) ?? {};
      const { body: all } = await send('GET', '/v1/exceptions?open=false');
      return [(all as { data: { id: string }[] }).data.some((each) => each.id === id), (await send('GET', `/v1/exceptions/${id}`)).status];
    };
    expect([await seenBy(operator), await seenBy(ofEntity), await seenBy(elsewhere)]).toEqual([
      [true, 200],
      [true, 200],
      [false, 404],
    ]);
    expect(await codeOf(operator('GET', '/v1/exceptions?open=maybe'))).toEqual([400, 'ValidationFailed']);
    expect(await codeOf(operator('GET', '/v1/exceptions?cursor=x'))).toEqual([400, 'CursorInvalid']);
    await deal.handle.terminate('test over');
  });

  /** The customer's tax registration is lost before the baseline, which therefore cannot be made. */
  async function loseBaseline(deal: TestDeal): Promise<void> {
    await approve(engine, deal, 'sow');
    await pendingApproval(engine, deal, 'deal');
    const putBack = await loseTaxRegistrations(engine, 'BA-US');
    await approve(engine, deal, 'deal');
    const reports = engine.db.selectFrom('process_exception').selectAll().where('workflow_id', '=', dealWorkflowId(deal.dealId));
    await until('the run to be stuck', () => reports.executeTakeFirst());
    await putBack();
  }

  describe('the end of an API key', () => {
    let administrator: Send;
    const key = { name: 'desk', roles: ['service-desk-integration'], scope: { kind: 'group' } };
    const created = async () => (await administrator('POST', '/v1/api-keys', { body: key })).body as { id: string; key: string };
    const end = (send: Send, id: string, repeat?: string) =>
      send('DELETE', `/v1/api-keys/${id}`, repeat === undefined ? {} : { key: repeat });
    const signInWith = (secret: string) => api.anyone('GET', '/v1/me', { headers: { authorization: `Bearer ${secret}` } });
    beforeAll(async () => {
      const values = { user_id: 'U-PMO', role: 'operator', scope_kind: 'group', scope_id: 'GRP-ALD' };
      await engine.db.insertInto('role_assignment').values(values).execute();
      administrator = await api.as('U-PMO');
    });

    test('is at once, and once', async () => {
      const { id, key: secret } = await created();
      expect((await signInWith(secret)).status).toBe(200);
      expect((await expectSameTwice(() => end(administrator, id, `end-${id}`), 200)).body).toEqual({ id });
      expect(await codeOf(signInWith(secret))).toEqual([401, 'ApiKeyInvalid']);
      const revoked = () => engine.db.selectFrom('api_key').select('revoked_at').where('id', '=', id).executeTakeFirstOrThrow();
      const first = await revoked();
      expect((await end(administrator, id)).status).toBe(200);
      expect(await revoked()).toEqual(first);
    });

    test('is decided by a person who may, of a key that is there', async () => {
      const { id, key: secret } = await created();
      expect(await codeOf(end(await api.as('U-CFO'), id))).toEqual([403, 'PermissionMissing']);
      expect(await codeOf(end(operator, id))).toEqual([403, 'PersonRequired']);
      expect(await codeOf(end(administrator, uuidv7()))).toEqual([404, 'ApiKeyUnknown']);
      expect(await codeOf(end(administrator, 'no-id'))).toEqual([400, 'ValidationFailed']);
      expect((await signInWith(secret)).status).toBe(200);
    });
  });
});
