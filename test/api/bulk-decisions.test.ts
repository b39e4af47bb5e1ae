import { setTimeout as delay } from 'node:timers/promises';
import { uuidv7 } from 'uuidv7';
import { type DecideApart } from '../../contracts/activities';
import { decisionItem, type DecisionResult, type DecisionsAnswer, MOST_DECISIONS } from '../../contracts/api/approvals';
import { withdrawSignal } from '../../workflows/approval/messages';
import { problemOf, type Send, testApi, type TestApi } from '../support/api';
import { type AskedRun } from '../support/asked';
import { askForSows } from '../support/asked-sows';
import { until } from '../support/lifecycles';
import { startDispatcher } from '../../workers/dispatcher';
import { startTestEngine, type TestEngine } from '../support/worker';

const NOW = '2026-03-02T12:00:00.000Z';
const URL = '/v1/decisions';
const LINES = { accept: 'application/x-ndjson' };

describe('many decisions in one request', () => {
  let engine: TestEngine;
  let api: TestApi;
  let legal: Send;
  beforeAll(async () => {
    engine = await startTestEngine({ capture: false });
    api = await testApi({ engine, deps: { updateTimeoutMs: 10_000, clock: { now: () => Promise.resolve(NOW) } } });
    legal = await api.as('U-LEGAL');
  });
  afterAll(async () => {
    await api.close();
    await engine.stop();
  });

  const grant = ({ approvalId, shownHash }: AskedRun, more: object = {}) => ({ approvalId, shownHash, verdict: 'grant', ...more });
  const decide = async (send: Send, decisions: readonly unknown[], key?: string) =>
    send('POST', URL, { body: { decisions }, ...(key === undefined ? {} : { key }) });
  const resultsOf = (answer: { status: number; body: unknown }): readonly DecisionResult[] => {
    expect(answer.status).toBe(200);
    return (answer.body as DecisionsAnswer).results;
  };
  const outcomes = (results: readonly DecisionResult[]) => results.map(({ outcome, problem }) => problem?.code ?? outcome);
  const decisionsOn = async (asked: readonly AskedRun[]) => {
    const ids = asked.map(({ approvalId }) => approvalId);
    return engine.db.selectFrom('approval_decision').selectAll().where('approval_id', 'in', ids).execute();
  };

  test('each has its own answer in its own place, and what is wrong with one changes nothing for the others', async () => {
    const [first, second, third, gone, last] = (await askForSows(engine, 5, NOW)) as [AskedRun, AskedRun, AskedRun, AskedRun, AskedRun];
    await gone.handle.signal(withdrawSignal, { reasonId: null, at: NOW });
    await gone.handle.result();
    const used = uuidv7();
    const wrong = [
      { verdict: 'grant' },
      grant(second, { verdict: 'refuse' }),
      grant(second),
      grant({ ...third, approvalId: uuidv7() }),
      grant(third, { shownHash: 'older' }),
      grant(third),
      grant(gone),
      null,
    ];
    const sent = [grant(first, { decisionId: used }), ...wrong, grant(last, { decisionId: used }), grant(last, { reason: 'as agreed' })];
    const answer = await decide(legal, sent, 'mixed');
    const results = resultsOf(answer);
    expect(outcomes(results)).toEqual([
      ...['accepted', 'ValidationFailed', 'ReasonMissing', 'ApprovalRepeated', 'ApprovalUnknown', 'VersionOutdated', 'ApprovalRepeated'],
      ...['ApprovalGone', 'ValidationFailed', 'DecisionIdReused', 'ApprovalRepeated'],
    ]);
    expect(results.map(({ index }) => index)).toEqual(sent.map((_, index) => index));
    expect(results[0]).toEqual({
      index: 0,
      approvalId: first.approvalId,
      decisionId: used,
      outcome: 'accepted',
      state: 'pending',
      problem: null,
    });
    expect(results[1]).toMatchObject({ outcome: 'refused', approvalId: null, problem: { status: 400, errors: [{ pointer: '/decisions/1/shownHash', code: 'Required' }, { pointer: '/decisions/1/approvalId', code: 'Required' }] } }); // prettier-ignore
    expect(results[3]?.problem).toMatchObject({ status: 409, action: 'Decide once on each; the first of them counts.' });
    expect((answer.body as DecisionsAnswer).counts).toEqual({
      accepted: 1,
      'already-received': 0,
      'already-applied': 0,
      refused: 10,
      unknown: 0,
    });
    expect((await decisionsOn([first, second, third, gone, last])).map(({ decision_id }) => decision_id)).toEqual([used]);
  });

  test('every rule holds as for one alone: who asked, who is not asked, who has decided, what is decided', async () => {
    const asked = await askForSows(engine, 2, NOW);
    const [first] = asked as [AskedRun];
    expect(outcomes(resultsOf(await decide(await api.as('U-CFO'), [grant(first)])))).toEqual(['RoleNotAsked']);
    expect(outcomes(resultsOf(await decide(await api.as('U-FC-DE'), [grant(first)])))).toEqual(['ApprovalUnknown']);
    expect(outcomes(resultsOf(await decide(legal, asked.map((each) => grant(each)))))).toEqual(['accepted', 'accepted']); // prettier-ignore
    const finance = await api.as('U-FC-US');
    const settled = resultsOf(await decide(finance, asked.map((each) => grant(each)))); // prettier-ignore
    expect(settled.map(({ outcome, state }) => [outcome, state])).toEqual(asked.map(() => ['accepted', 'approved']));
    expect(outcomes(resultsOf(await decide(legal, [grant(first)])))).toEqual(['already-applied']);
    expect(outcomes(resultsOf(await decide(await api.as('U-LEGAL2'), [grant(first)])))).toEqual(['AlreadyDecided']);
    expect(problemOf(await decide(await api.as('U-SELLER'), [grant(first)])).code).toBe('PermissionMissing');
    const key = await api.withKey(['delivery-director']);
    expect(problemOf(await decide(key, [grant(first)]))).toMatchObject({ status: 403, code: 'PersonRequired' });
  });

  test('the whole request is refused where it is none', async () => {
    for (const body of [{}, { decisions: [] }, { decisions: Array(MOST_DECISIONS + 1).fill(null) }, { decisions: [], more: 1 }])
      expect(problemOf(await legal('POST', URL, { body }))).toMatchObject({ status: 400, code: 'ValidationFailed' });
    expect(decisionItem.safeParse({ approvalId: uuidv7(), verdict: 'grant', shownHash: 'x' }).success).toBe(true);
  });

  test('again under the same key it is the same answer, another content is refused, and under another key each is known', async () => {
    const asked = await askForSows(engine, 3, NOW);
    const decisions = asked.map((each) => grant(each));
    const first = await decide(legal, decisions, 'twice');
    const again = await decide(legal, decisions, 'twice');
    expect([again.body, again.headers['idempotent-replayed']]).toEqual([first.body, 'true']);
    expect(problemOf(await decide(legal, decisions.slice(1), 'twice'))).toMatchObject({ status: 409, code: 'IdempotencyKeyReused' });
    expect(outcomes(resultsOf(await decide(legal, decisions, 'other')))).toEqual(asked.map(() => 'already-applied'));
    expect(await decisionsOn(asked)).toHaveLength(3);
  });

  test('what broke off in the middle gives the same decisions when it comes again, whatever had been taken by then', async () => {
    const asked = await askForSows(engine, 6, NOW);
    const decisions = asked.map((each) => grant(each, { reason: 'agreed' }));
    let taken = 0;
    const decideApart: DecideApart = async (asked) => {
      const receipt = await api.deps.decideApart(asked);
      taken += 1;
      if (taken > 3) throw new Error('the process dies here, after the commit');
      return receipt;
    };
    const dying = await testApi({ engine, deps: { decideApart, clock: { now: () => Promise.resolve(NOW) } } });
    const half = resultsOf(await decide(await dying.as('U-LEGAL'), decisions, 'crash'));
    await dying.close();
    expect(half.filter(({ outcome }) => outcome === 'accepted')).toHaveLength(3);
    expect(half.filter(({ outcome }) => outcome === 'unknown').map(({ problem }) => problem?.code)).toEqual(Array(3).fill('InternalError'));
    // As a process leaves it that is killed before it has stored the answer.
    const running = { state: 'running', locked_until: '2020-01-01T00:00:00Z' };
    await engine.db.updateTable('idempotency_key').set(running).where('key', '=', 'crash').execute();
    expect(await decisionsOn(asked)).toHaveLength(6);
    const whole = resultsOf(await decide(legal, decisions, 'crash'));
    expect(whole.map(({ decisionId, outcome }) => [decisionId, outcome])).toEqual(half.map(({ decisionId }) => [decisionId, 'accepted']));
    expect((await decisionsOn(asked)).map(({ decision_id }) => decision_id).sort()).toEqual(
      half.map(({ decisionId }) => decisionId).sort(),
    );
    const words = await engine.db.selectFrom('free_text').select('id').where('body', '=', 'agreed').execute();
    expect(words).toHaveLength(6);
  });

  test('where the database goes away, what became of an item is unknown, and the same request later gives the one outcome', async () => {
    const asked = await askForSows(engine, 3, NOW);
    const decisions = [...asked.map((each) => grant(each)), null];
    const decideApart: DecideApart = async (given) => {
      if (given.approvalId !== asked[0]?.approvalId) await api.deps.decideApart(given);
      throw Object.assign(new Error('terminating connection'), { code: '57P01', severity: 'FATAL' });
    };
    const failing = await testApi({ engine, deps: { decideApart, clock: { now: () => Promise.resolve(NOW) } } });
    const unanswered = resultsOf(await decide(await failing.as('U-LEGAL'), decisions, 'outage'));
    expect(unanswered.map(({ outcome }) => outcome)).toEqual(['unknown', 'unknown', 'unknown', 'refused']);
    expect(unanswered[0]).toMatchObject({ problem: { status: 503, retryable: true } });
    expect(await decisionsOn(asked)).toHaveLength(2);
    const answered = await until('the one outcome', async () => {
      const results = resultsOf(await decide(legal, decisions, 'outage'));
      return results.some(({ outcome }) => outcome === 'unknown') ? null : results;
    });
    expect(outcomes(answered)).toEqual(['accepted', 'accepted', 'accepted', 'ValidationFailed']);
    expect(await decisionsOn(asked)).toHaveLength(3);
    expect(await engine.db.selectFrom('idempotency_key').select('state').where('key', '=', 'outage').execute()).toEqual([
      { state: 'answered' },
    ]);
    await failing.close();
  });

  test('runs hear of what was decided without them: the next tier is asked there too, and what is decided ends', async () => {
    const asked = await askForSows(engine, 4, NOW);
    const finance = await api.as('U-FC-US');
    const grants = asked.map((each) => grant(each));
    expect(outcomes(resultsOf(await decide(legal, grants)))).toEqual(asked.map(() => 'accepted'));
    const [first, second, ...others] = asked as [AskedRun, AskedRun, ...AskedRun[]];
    // The last word on one comes through its run before that was told of the first.
    const alone = { verdict: 'grant', shownHash: first.shownHash };
    expect((await finance('POST', `/v1/approvals/${first.approvalId}/decisions`, { body: alone })).status).toBe(200);
    expect(await first.handle.result()).toMatchObject({ state: 'approved' });
    // And on one its withdrawal comes too late.
    expect(outcomes(resultsOf(await decide(finance, [grant(second)])))).toEqual(['accepted']);
    await second.handle.signal(withdrawSignal, { reasonId: null, at: NOW });
    expect(await second.handle.result()).toMatchObject({ state: 'approved' });
    expect(outcomes(resultsOf(await decide(finance, others.map((each) => grant(each)))))).toEqual(['accepted', 'accepted']); // prettier-ignore
    const told = () =>
      engine.db
        .selectFrom('inbox_event')
        .select(['subject', 'state'])
        .where(
          'subject',
          'in',
          asked.map(({ handle }) => handle.workflowId),
        ) // prettier-ignore
        .execute();
    expect((await told()).map(({ state }) => state)).toEqual(Array(7).fill('received'));
    const { config, temporal } = api;
    const dispatcher = startDispatcher({ config, db: engine.db, temporal, clock: api.deps.clock, log: api.deps.log, pollMs: 50 });
    try {
      for (const { handle } of others) expect(await handle.result()).toMatchObject({ state: 'approved' });
      await until('everybody is told', async () => (await told()).every(({ state }) => state === 'delivered') || null);
    } finally {
      await dispatcher.stop();
    }
    expect(await decisionsOn(asked)).toHaveLength(8);
    const facts = engine.db
      .selectFrom('outbox')
      .select(['kind', 'data'])
      .where('kind', 'in', ['approval.reminded', 'approval.decided', 'approval.withdrawn']);
    const ids = asked.map(({ approvalId }) => approvalId);
    const of = (await facts.execute()).filter(({ data }) => ids.includes((data as { approvalId: string }).approvalId));
    expect(of.map(({ kind }) => kind)).toEqual(asked.map(() => 'approval.decided'));
  });

  test('where its run is lost, the decision stands, and the event that tells of it waits for a person', async () => {
    const [asked] = (await askForSows(engine, 1, NOW)) as [AskedRun];
    await asked.handle.terminate('by an operator');
    expect(outcomes(resultsOf(await decide(legal, [grant(asked)])))).toEqual(['accepted']);
    const { config, temporal } = api;
    const dispatcher = startDispatcher({ config, db: engine.db, temporal, clock: api.deps.clock, log: api.deps.log, pollMs: 50 });
    try {
      const tried = await until('it was tried to tell', async () => {
        const events = engine.db.selectFrom('inbox_event').select(['state', 'errors']).where('subject', '=', asked.handle.workflowId);
        const [event] = await events.where('attempts', '>', 0).execute();
        return Array.isArray(event?.errors) && event.errors.length > 0 ? event : null;
      });
      expect(tried).toMatchObject({ state: 'received' });
      expect(JSON.stringify(tried.errors)).toContain('the run that a decision is for is terminated');
    } finally {
      await dispatcher.stop();
    }
  });

  test('as lines the results come in their order as soon as they are known, and at last the counts', async () => {
    const asked = await askForSows(engine, 40, NOW);
    const { token } = (await api.anyone('POST', '/v1/dev/token', { body: { userId: 'U-LEGAL' } })).body as { token: string };
    await api.app.listen({ port: 0, host: '127.0.0.1' });
    const address = api.app.server.address() as { port: number };
    const send = () =>
      fetch(`http://127.0.0.1:${address.port}${URL}`, {
        method: 'POST',
        headers: { ...LINES, authorization: `Bearer ${token}`, 'content-type': 'application/json', 'idempotency-key': 'lines' },
        body: JSON.stringify({ decisions: asked.map((each) => grant(each)) }),
      });
    const response = await send();
    expect([response.status, response.headers.get('content-type')]).toEqual([200, 'application/x-ndjson']);
    const pieces: string[] = [];
    for await (const piece of response.body as unknown as AsyncIterable<Uint8Array>) pieces.push(Buffer.from(piece).toString());
    expect(pieces.length).toBeGreaterThan(2);
    const parsed = (text: string) => text.trim().split('\n').map((line) => JSON.parse(line) as Record<string, unknown>); // prettier-ignore
    const lines = parsed(pieces.join(''));
    expect(lines.slice(0, -1).map(({ index, outcome }) => [index, outcome])).toEqual(asked.map((_, index) => [index, 'accepted']));
    expect(lines.at(-1)).toMatchObject({ counts: { accepted: 40, refused: 0 } });
    const again = await send();
    expect(again.headers.get('idempotent-replayed')).toBe('true');
    expect(parsed(await again.text())).toEqual(lines);
    // Who leaves in the middle has decided all the same.
    const others = await askForSows(engine, 40, NOW);
    const leaving = new AbortController();
    const left = fetch(`http://127.0.0.1:${address.port}${URL}`, {
      method: 'POST',
      signal: leaving.signal,
      headers: { ...LINES, authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify({ decisions: others.map((each) => grant(each)) }),
    }).then((answer) => answer.body?.getReader().read());
    await left;
    leaving.abort();
    for (let looked = 0; looked < 100 && (await decisionsOn(others)).length < 40; looked += 1) await delay(100);
    expect(await decisionsOn(others)).toHaveLength(40);
    expect(api.logged.filter((line) => line.includes('"level":"error"'))).toEqual([]);
    api.app.server.closeAllConnections();
  });

  test('a refusal of the whole is a problem, also to who asks for lines', async () => {
    const refused = await legal('POST', URL, { body: { decisions: [] }, headers: LINES });
    expect(problemOf(refused).code).toBe('ValidationFailed');
    const reused = await legal('POST', URL, { body: { decisions: [null] }, headers: LINES, key: 'twice' });
    expect(problemOf(reused).code).toBe('IdempotencyKeyReused');
  });
});
