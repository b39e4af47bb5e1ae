import { delegationTerms } from '../../db/delegations';
import { DEFAULT_TERMS } from '../../domain/approval/giving';
import { problemOf, type Send, type TestApi } from '../support/api';
import { apiStage, type ApiStage, codeOf, minutesAfter } from '../support/api-stage';
import { approve, pendingApproval } from '../support/lifecycles';
import { auditOf } from '../support/texts';
import { type TestEngine } from '../support/worker';

interface Delegation {
  readonly id: string;
  readonly state: string;
  readonly countsNow: boolean;
  readonly from: string;
  readonly until: string;
  readonly reason: string | null;
}

const START = '2026-01-23T14:05:20.000Z';
const WEEK = '2026-01-30T14:05:20.000Z';

describe('delegations over HTTP, with running workflows', () => {
  let stage: ApiStage;
  let engine: TestEngine;
  let api: TestApi;
  beforeAll(async () => {
    stage = await apiStage(START);
    ({ engine, api } = stage);
  }, 120_000);
  afterAll(() => stage.stop());
  beforeEach(() => {
    stage.now = START;
  });

  const later = minutesAfter;
  const give = async (by: string, body: object, key?: string) =>
    (await api.as(by))('POST', '/v1/delegations', {
      body: { until: WEEK, ceiling: null, reason: 'travel', ...body },
      ...(key === undefined ? {} : { key }),
    });
  const given = async (by: string, body: object): Promise<Delegation> => {
    const answer = await give(by, body);
    if (answer.status !== 201) throw new Error(answer.text);
    return answer.body as Delegation;
  };
  const read = async (as: string, id: string) => (await api.as(as))('GET', `/v1/delegations/${id}`);
  const decide = async (as: string, id: string, body: object = { verdict: 'grant' }) =>
    (await api.as(as))('POST', `/v1/delegations/${id}/decision`, { body });
  const end = async (as: string, id: string) => (await api.as(as))('DELETE', `/v1/delegations/${id}`);
  const counts = async () => (await engine.db.selectFrom('delegation').select('id').where('requested_at', 'is not', null).execute()).length;

  const mine = async (userId: string): Promise<string[] | string> => {
    const answer = await (await api.as(userId))('GET', '/v1/approvals?mine=true&limit=200');
    return answer.status === 200 ? (answer.body as { data: { id: string }[] }).data.map(({ id }) => id) : problemOf(answer).code;
  };
  const grant = async (send: Send, id: string, role: string) => {
    const { shownHash } = (await (await api.as('U-PMO'))('GET', `/v1/approvals/${id}`)).body as { shownHash: string };
    return send('POST', `/v1/approvals/${id}/decisions`, { body: { verdict: 'grant', shownHash, role } });
  };

  test('are refused with code and place, and nothing is left behind', async () => {
    const before = await counts();
    const finance = { delegate: 'U-AR', role: 'finance-controller' };
    const cases: readonly (readonly [string, object, number, string, string | undefined])[] = [
      ['U-SELLER', { delegate: 'U-AR', role: 'account-executive' }, 403, 'PermissionMissing', undefined],
      ['U-FC-US', { ...finance, delegate: 'U-FC-US' }, 422, 'DelegationToOneself', '/delegate'],
      ['U-FC-US', { ...finance, delegate: 'U-NOBODY' }, 422, 'DelegateUnknown', '/delegate'],
      ['U-FC-US', { ...finance, role: 'cfo' }, 403, 'RoleNotHeld', '/role'],
      ['U-FC-US', { ...finance, role: 'accounts-receivable' }, 422, 'RoleDecidesNothing', '/role'],
      ['U-FC-US', { ...finance, from: later(START, -1) }, 422, 'DelegationInPast', '/from'],
      ['U-FC-US', { ...finance, until: START }, 422, 'DelegationUpsideDown', '/until'],
      ['U-FC-US', { ...finance, until: '2027-01-25T00:00:00Z' }, 422, 'DelegationTooLong', '/until'],
      ['U-FC-US', { ...finance, ceiling: { amount: '1000', currency: 'EUR' } }, 422, 'DelegationCurrencyWrong', '/ceiling/currency'],
      ['U-FC-US', { ...finance, ceiling: { amount: '2000000.01', currency: 'USD' } }, 422, 'DelegationCeilingTooHigh', '/ceiling/amount'],
      ['U-FC-US', { ...finance, ceiling: { amount: '0', currency: 'USD' } }, 422, 'AmountInvalid', '/ceiling/amount'],
      ['U-FC-US', { ...finance, ceiling: { amount: '1.001', currency: 'USD' } }, 422, 'AmountInvalid', '/ceiling/amount'],
      ['U-FC-US', { ...finance, reason: ' ' }, 400, 'ValidationFailed', '/reason'],
      ['U-FC-US', { ...finance, until: 'tomorrow' }, 400, 'ValidationFailed', '/until'],
      ['U-FC-US', { ...finance, delegator: 'U-CFO' }, 400, 'ValidationFailed', '/delegator'],
    ];
    for (const [by, body, status, code, pointer] of cases) {
      const problem = problemOf(await give(by, body));
      expect([problem.status, problem.code, problem.errors?.[0]?.pointer]).toEqual([status, code, pointer]);
    }
    expect(await counts()).toBe(before);
    expect(codeOf(await (await api.withKey(['master-data-integration']))('POST', '/v1/delegations', { body: finance }))).toBe(
      'PermissionMissing',
    );
    expect(codeOf(await read('U-PMO', 'D-NOBODY'))).toBe('DelegationUnknown');
    expect(codeOf(await end('U-FC-DE', 'DEL-01'))).toBe('DelegationOfMasterData');
  });

  test('without a bound count once a second person has granted them; then the delegate is asked and decides in the name of the other', async () => {
    const { id } = await stage.askedTerms();
    const sent = { delegate: 'U-AR', role: 'legal-counsel' };
    const first = await give('U-LEGAL', sent, 'the key');
    const { id: delegation, state } = first.body as Delegation;
    expect([first.status, first.headers.location, state]).toEqual([201, `/v1/delegations/${delegation}`, 'requested']);
    expect((await give('U-LEGAL', sent, 'the key')).body).toEqual(first.body);
    expect(codeOf(await give('U-LEGAL', { ...sent, delegate: 'U-AP' }, 'the key'))).toBe('IdempotencyKeyReused');
    expect(await mine('U-AR')).not.toContain(id);

    expect(codeOf(await decide('U-LEGAL', delegation))).toBe('PermissionMissing');
    expect(codeOf(await decide('U-HEAD-JP', delegation))).toBe('DelegationUnknown');
    expect(codeOf(await decide('U-HEAD-DE', delegation, { verdict: 'refuse' }))).toBe('ReasonMissing');
    const granted = await decide('U-HEAD-DE', delegation);
    expect(granted).toMatchObject({ status: 200, body: { state: 'active', countsNow: true, decidedBy: 'U-HEAD-DE', reason: 'travel' } });
    expect((await decide('U-HEAD-DE', delegation)).body).toEqual(granted.body);
    expect(codeOf(await decide('U-HEAD-DE', delegation, { verdict: 'refuse', reason: 'no' }))).toBe('DelegationSettled');
    expect(codeOf(await decide('U-CFO', delegation))).toBe('DelegationSettled');

    expect(await mine('U-AR')).toContain(id);
    const decided = await grant(await api.as('U-AR'), id, 'legal-counsel');
    expect(decided.body).toMatchObject({ outcome: 'accepted', approval: { decisions: [{ decidedBy: 'U-AR', onBehalfOf: 'U-LEGAL' }] } });
    const { entries } = await auditOf(engine.db, 'delegations');
    const about = entries.filter(({ subject }) => subject === `delegation/${delegation}`);
    expect(about.map(({ action, actor, entityId }) => [action, actor, entityId])).toEqual([
      ['delegation.requested', 'U-LEGAL', 'LE-DE'],
      ['delegation.granted', 'U-HEAD-DE', 'LE-DE'],
    ]);
    expect(about[0]?.texts).toMatchObject({ reason: { text: 'travel' } });
  });

  test('neither of the two decides; refused ones never count', async () => {
    const { id } = await given('U-FC-US', { delegate: 'U-CFO', role: 'finance-controller' });
    expect(codeOf(await decide('U-CFO', id))).toBe('DelegationOwnDecision');
    expect(await decide('U-CEO', id, { verdict: 'refuse', reason: 'not the CFO' })).toMatchObject({
      status: 200,
      body: { state: 'refused', countsNow: false, decisionReason: 'not the CFO' },
    });
    expect(codeOf(await end('U-FC-US', id))).toBe('DelegationSettled');
    const raw = engine.db.updateTable('delegation').set({ state: 'active' }).where('id', '=', id).execute();
    await expect(raw).rejects.toThrow(/never changed otherwise/);
  });

  test('of two people for each other make a loop, as long as their times meet', async () => {
    const small = { role: 'legal-counsel', ceiling: { amount: '100', currency: 'USD' } };
    const there = await given('U-LEGAL2', { ...small, delegate: 'U-LEGAL' });
    expect(there).toMatchObject({ state: 'active', countsNow: true });
    const back = { ...small, delegate: 'U-LEGAL2', from: later(WEEK, -1), until: later(WEEK, 60) };
    expect(codeOf(await give('U-LEGAL', back))).toBe('DelegationLoop');
    expect(codeOf(await give('U-LEGAL', { ...back, from: WEEK }))).toBe(201);
    // Two that meet at the same moment are looked at one after the other.
    const [from, until] = ['2026-05-01T00:00:00Z', '2026-05-08T00:00:00Z'];
    const both = await Promise.all([
      give('U-LEGAL2', { ...small, delegate: 'U-LEGAL', from, until }),
      give('U-LEGAL', { ...small, delegate: 'U-LEGAL2', from, until }),
    ]);
    expect(both.map(codeOf).sort()).toEqual([201, 'DelegationLoop'].sort());
    await end('U-LEGAL2', there.id);
  });

  test('are passed on as far as the policy allows', async () => {
    const role = 'procurement-lead';
    const small = { role, ceiling: { amount: '100', currency: 'USD' } };
    expect(codeOf(await give('U-PMO', { ...small, delegate: 'U-AR' }))).toBe('RoleNotHeld');
    await given('U-PROC', { ...small, delegate: 'U-PMO' });
    const second = await given('U-PMO', { ...small, delegate: 'U-AR' });
    expect(second).toMatchObject({ state: 'active', countsNow: true });
    expect(codeOf(await give('U-AR', { ...small, delegate: 'U-AP' }))).toBe('DelegationTooDeep');
  });

  test('do not reach above their ceiling, nor beyond their last moment, and what is pending then is for the delegator', async () => {
    const { deal } = await stage.askedTerms();
    await approve(engine, deal, 'sow');
    const { id } = await pendingApproval(engine, deal, 'deal');
    const role = 'delivery-director';
    const low = await given('U-DELDIR', { delegate: 'U-SALESDIR', role, ceiling: { amount: '100', currency: 'USD' } });
    const salesDirector = await api.as('U-SALESDIR');
    expect(codeOf(await grant(salesDirector, id, role))).toBe('DelegationCeilingExceeded');
    expect(await mine('U-SALESDIR')).not.toContain(id);
    expect((await end('U-SALESDIR', low.id)).body).toMatchObject({ state: 'withdrawn', closedBy: 'U-SALESDIR' });

    const wide = await given('U-DELDIR', { delegate: 'U-SALESDIR', role });
    expect(codeOf(await decide('U-CFO', wide.id))).toBe(200);
    stage.now = later(WEEK, -1);
    expect(await mine('U-SALESDIR')).toContain(id);
    stage.now = WEEK;
    expect(await mine('U-SALESDIR')).not.toContain(id);
    expect(await mine('U-DELDIR')).toContain(id);
    expect(codeOf(await grant(salesDirector, id, role))).toBe('RoleNotAsked');
    expect((await read('U-DELDIR', wide.id)).body).toMatchObject({ state: 'ended', countsNow: false, closedAt: null });
    expect(codeOf(await end('U-DELDIR', wide.id))).toBe('DelegationSettled');
    expect(codeOf(await grant(await api.as('U-DELDIR'), id, role))).toBe(200);
  });

  test('end early by either of the two or by whoever decides on them, once', async () => {
    const bound = { role: 'legal-counsel', ceiling: { amount: '100', currency: 'USD' } };
    const { id } = await given('U-LEGAL', { ...bound, delegate: 'U-PMO' });
    stage.now = later(START, 60);
    expect(codeOf(await end('U-LEGAL2', id))).toBe('PermissionMissing');
    const ended = await end('U-HEAD-DE', id);
    expect(ended.body).toMatchObject({ state: 'ended', until: stage.now, closedBy: 'U-HEAD-DE', countsNow: false });
    stage.now = later(START, 90);
    expect((await end('U-LEGAL', id)).body).toEqual(ended.body);
    const { entries } = await auditOf(engine.db, 'delegations', { after: 0, limit: 200 });
    const actions = entries.filter(({ subject }) => subject === `delegation/${id}`).map(({ action }) => action);
    expect(actions).toEqual(['delegation.given', 'delegation.ended']);
  });

  test('are listed page by page, and the reason is for the two and for whoever decides', async () => {
    const { id } = await given('U-FC-DE', { delegate: 'U-PMO', role: 'finance-controller', reason: 'a private matter' });
    const [other, stranger] = [await api.as('U-FC-JP'), await api.as('U-NOBODY')];
    expect(codeOf(await other('GET', `/v1/delegations/${id}`))).toBe('DelegationUnknown');
    expect(codeOf(await stranger('GET', '/v1/delegations'))).toBe('UserUnknown');
    expect((await read('U-SALESDIR', id)).body).toMatchObject({ state: 'requested', reason: null });
    expect((await read('U-CFO', id)).body).toMatchObject({ reason: 'a private matter' });
    expect((await read('U-FC-DE', id)).body).toMatchObject({ reason: 'a private matter' });
    const cfo = await api.as('U-CFO');
    const all: string[] = [];
    for (let cursor = ''; ;) {
      const page = (await cfo('GET', `/v1/delegations?limit=2${cursor}`)).body as { data: Delegation[]; nextCursor: string | null };
      all.push(...page.data.map((each) => each.id));
      if (page.nextCursor === null) break;
      cursor = `&cursor=${page.nextCursor}`;
    }
    const rows = await engine.db.selectFrom('delegation').select('id').execute();
    expect([...all].sort()).toEqual(rows.map((row) => row.id).sort());
    const open = (await cfo('GET', '/v1/delegations?state=requested&delegator=U-FC-DE')).body as { data: Delegation[] };
    expect(open.data.map((each) => each.id)).toEqual([id]);
    stage.now = later(WEEK, 1);
    expect((await read('U-CFO', id)).body).toMatchObject({ state: 'lapsed' });
    expect(codeOf(await decide('U-CFO', id))).toBe('DelegationSettled');
  });

  test('count while somebody is away, and not a moment longer', async () => {
    const tell = async (as: string, userId: string, body: object) => (await api.as(as))('PUT', `/v1/people/${userId}/absences`, { body });
    const { id } = await stage.askedTerms();
    const role = 'legal-counsel';
    const standIn = { role, delegate: 'U-SALESDIR', whenAway: true };
    const delegation = await given('U-LEGAL2', standIn);
    await decide('U-CEO', delegation.id);
    const deputy = await api.as('U-SALESDIR');
    expect(await mine('U-SALESDIR')).not.toContain(id);
    expect(codeOf(await grant(deputy, id, role))).toBe('RoleNotAsked');

    const away = [{ from: later(START, 60), until: later(START, 120) }];
    expect(codeOf(await tell('U-SELLER', 'U-LEGAL2', { absences: away }))).toBe('PersonUnknown');
    expect(codeOf(await tell('U-HEAD-DE', 'U-LEGAL2', { absences: away }))).toBe('PersonUnknown');
    expect(codeOf(await tell('U-LEGAL2', 'U-NOBODY', { absences: away }))).toBe('PersonUnknown');
    expect((await tell('U-LEGAL2', 'U-LEGAL2', { absences: away })).body).toEqual({ userId: 'U-LEGAL2', absences: away, awayNow: false });
    expect(await mine('U-SALESDIR')).not.toContain(id);
    stage.now = later(START, 60);
    expect((await read('U-LEGAL2', delegation.id)).body).toMatchObject({ countsNow: true });
    expect([await mine('U-SALESDIR'), await mine('U-LEGAL2')]).toEqual([expect.arrayContaining([id]), expect.arrayContaining([id])]);
    stage.now = later(START, 120);
    expect(await mine('U-SALESDIR')).not.toContain(id);
    expect(await mine('U-LEGAL2')).toContain(id);
    expect(codeOf(await grant(deputy, id, role))).toBe('RoleNotAsked');

    // Back again for longer, by the leave system; then the stand-in decides.
    const leave = await api.withKey(['master-data-integration']);
    const calendar = ['BEGIN:VCALENDAR', 'VERSION:2.0', 'BEGIN:VEVENT', 'DTSTART;VALUE=DATE:20260123', 'SUMMARY:surgery', 'END:VEVENT', 'END:VCALENDAR', ''].join('\r\n'); // prettier-ignore
    const file = (raw: string | Buffer) =>
      leave('PUT', '/v1/people/U-LEGAL2/absences', { raw, headers: { 'content-type': 'text/calendar; charset=utf-8' } });
    const day = { from: '2026-01-23T05:00:00.000Z', until: '2026-01-24T05:00:00.000Z' };
    expect((await file(calendar)).body).toEqual({ userId: 'U-LEGAL2', absences: [day], awayNow: true });
    expect((await file(calendar)).status).toBe(200);
    expect(await grant(deputy, id, role)).toMatchObject({ status: 200, body: { approval: { decisions: [{ onBehalfOf: 'U-LEGAL2' }] } } });
    const { entries } = await auditOf(engine.db, 'absences');
    expect(entries.map(({ actor, details }) => [actor.replace(/:.*/, ''), details])).toEqual([
      ['U-LEGAL2', { count: 1 }],
      ['api-key', { count: 1 }],
    ]);
    const known = await engine.db.selectFrom('absence').selectAll().execute();
    expect(JSON.stringify(known)).not.toContain('surgery');
    expect(known.map(({ replaced_at: until }) => until).sort()).toEqual([later(START, 120), null]);

    const wrong = problemOf(await file(calendar.replace('20260123', '20260199')));
    expect(wrong).toMatchObject({
      status: 422,
      code: 'CalendarInvalid',
      errors: [{ pointer: '/lines/4/DTSTART', code: 'MomentMalformed' }],
    });
    expect(codeOf(await file(Buffer.from([0xff, 0xfe])))).toBe('EncodingUnexpected');
    expect(codeOf(await tell('U-LEGAL2', 'U-LEGAL2', {}))).toBe('ValidationFailed');
    expect(codeOf(await tell('U-LEGAL2', 'U-LEGAL2', { absences: [], calendar }))).toBe('ValidationFailed');
    expect((await (await api.as('U-CEO'))('GET', '/v1/people/U-LEGAL2/absences')).body).toMatchObject({ absences: [day] });
  });

  test('that count while somebody is away are not set going by whoever would decide then', async () => {
    const { id } = await given('U-PM-US', { role: 'project-manager', delegate: 'U-CEO', whenAway: true });
    expect((await read('U-CEO', id)).body).toMatchObject({ state: 'active', countsNow: false });
    const body = { absences: [{ from: START, until: WEEK }] };
    const tell = async (as: string) => codeOf(await (await api.as(as))('PUT', '/v1/people/U-PM-US/absences', { body }));
    expect(await tell('U-CEO')).toBe('AbsenceOfStoodInFor');
    expect(await tell('U-RM-AM')).toBe(200);
    expect((await read('U-CEO', id)).body).toMatchObject({ countsNow: true });
  });

  test('go by what the approval policy says of them, and by the defaults where it says nothing', async () => {
    expect(await delegationTerms(engine.db, START)).toEqual({
      maxDepth: 2,
      groupCurrency: 'USD',
      longestDays: DEFAULT_TERMS.longestDays,
      secondPerson: { aboveAmount: { minor: 10_000_000, currency: 'USD' }, aboveDays: 30 },
    });
    expect(await delegationTerms(engine.db, '2001-01-01T00:00:00.000Z')).toMatchObject({ violation: 'PolicyNotInForce' });
  });
});
