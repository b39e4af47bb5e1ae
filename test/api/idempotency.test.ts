import { uuidv7 } from 'uuidv7';
import { forgetOldAnswers } from '../../api/idempotency';
import { deliveryPlan, insertFacts, type Facts } from '../support/api-facts';
import { problemOf, type Send, testApi, type TestApi } from '../support/api';

describe('a request that is repeated', () => {
  let api: TestApi;
  let facts: Facts;
  let send: Send;
  beforeAll(async () => {
    api = await testApi({ deps: { updateTimeoutMs: 50 } });
    facts = await insertFacts(api.db, 'LE-US', 'BA-US');
    send = await api.withKey(['time-integration']);
  });
  afterAll(() => api.close());

  const put = (key: string, body: unknown = deliveryPlan(), as = send) =>
    as('PUT', `/v1/deals/${facts.dealId}/delivery-plan`, { body, key, headers: { 'if-match': '*' } });
  const events = () => api.db.selectFrom('inbox_event').select('id').where('type', '=', 'delivery-plan').execute();

  test('gives the same answer and has its effect once', async () => {
    const before = (await events()).length;
    const first = await put('once');
    const second = await put('once');
    expect(first.status).toBe(202);
    expect(second).toMatchObject({ status: 202, body: first.body });
    expect(second.headers['idempotent-replayed']).toBe('true');
    expect((await events()).length).toBe(before + 1);
  });

  test('with another content under the same key is refused', async () => {
    await put('reused');
    expect(problemOf(await put('reused', deliveryPlan('9')))).toMatchObject({ status: 409, code: 'IdempotencyKeyReused' });
  });

  test('means something else where somebody else sends it', async () => {
    const first = await put('mine');
    const other = await api.withKey(['time-integration']);
    const second = await put('mine', deliveryPlan('9'), other);
    expect(second.status).toBe(202);
    expect(second.body).not.toEqual(first.body);
  });

  test('ten times at once has its effect once', async () => {
    const before = (await events()).length;
    const answers = await Promise.all(Array.from({ length: 10 }, () => put('at once')));
    for (const answer of answers) {
      if (answer.status === 202) continue;
      expect(problemOf(answer)).toMatchObject({ status: 409, code: 'RequestInProgress', retryable: true });
      expect(Number(answer.headers['retry-after'])).toBeGreaterThan(0);
    }
    expect(answers.some((answer) => answer.status === 202)).toBe(true);
    expect((await events()).length).toBe(before + 1);
  });

  test('gives its refusal again, word for word', async () => {
    const url = `/v1/deals/${uuidv7()}/delivery-plan`;
    const first = await send('PUT', url, { body: deliveryPlan(), key: 'refused' });
    const second = await send('PUT', url, { body: deliveryPlan(), key: 'refused' });
    expect(problemOf(first).code).toBe('DealUnknown');
    expect(problemOf(second)).toEqual(problemOf(first));
  });

  test('may be corrected under its key where its form was wrong, because nothing was done', async () => {
    expect(problemOf(await put('corrected', { tasks: [] })).code).toBe('ValidationFailed');
    expect((await put('corrected')).status).toBe(202);
  });

  test('is taken over when the process that served it died, and then has the same effect', async () => {
    const first = await put('crashed');
    await api.db
      .updateTable('idempotency_key')
      .set({ state: 'running', status: null, body: null, locked_until: '2020-01-01T00:00:00Z' })
      .where('key', '=', 'crashed')
      .execute();
    const second = await put('crashed');
    expect(second).toMatchObject({ status: 202, body: first.body });
    expect(second.headers['idempotent-replayed']).toBeUndefined();
  });

  test('waits while another process serves it', async () => {
    await put('served');
    await api.db
      .updateTable('idempotency_key')
      .set({ state: 'running', locked_until: '2100-01-01T00:00:00Z' })
      .where('key', '=', 'served')
      .execute();
    expect(problemOf(await put('served'))).toMatchObject({ status: 409, code: 'RequestInProgress' });
  });

  test('is not answered from a store where its outcome was unknown', async () => {
    const seller = await api.as('U-SELLER');
    const ask = () =>
      seller('POST', `/v1/deals/${facts.dealId}/cancellation`, { body: { reason: 'over', effectiveOn: '2026-06-30' }, key: 'unknown' });
    for (const answer of [await ask(), await ask()]) {
      expect(problemOf(answer)).toMatchObject({ status: 503, code: 'OutcomeUnknown', retryable: true });
      expect(answer.headers['idempotent-replayed']).toBeUndefined();
    }
    const kept = await api.db.selectFrom('idempotency_key').selectAll().where('key', '=', 'unknown').execute();
    expect(kept).toMatchObject([{ state: 'running', status: null }]);
  });

  test.each(['', 'x'.repeat(201), 'schlüssel'])('with the key "%s" is refused', async (key) => {
    const answer = await send('PUT', `/v1/deals/${facts.dealId}/delivery-plan`, {
      body: deliveryPlan(),
      headers: { 'idempotency-key': key, 'if-match': '*' },
    });
    expect(problemOf(answer)).toMatchObject({ status: 400, code: 'IdempotencyKeyInvalid' });
  });

  test('is forgotten after a day', async () => {
    await put('old');
    await put('young');
    await api.db.updateTable('idempotency_key').set({ created_at: '2020-01-01T00:00:00Z' }).where('key', '=', 'old').execute();
    expect(await forgetOldAnswers(api.db)).toBe(1);
    expect(await api.db.selectFrom('idempotency_key').select('key').where('key', 'in', ['old', 'young']).execute()).toEqual([
      { key: 'young' },
    ]);
  });
});
