import { uuidv7 } from 'uuidv7';
import { type Scope } from '../../domain/access';
import { type Send, testApi, type TestApi } from '../support/api';
import { insertFacts } from '../support/api-facts';
import { plantApproval, plantWait } from '../support/process-work';

/** Friday, 09:00 in New York. */
const NOW = '2026-04-10T13:00:00.000Z';
const MARCH = 'from=2026-03-01&until=2026-04-01';
const entity = (entityId: string): Scope => ({ kind: 'entities', entityIds: [entityId] });
const spread = (p50: number, p90: number, longest: number) => ({ p50, p90, longest });
const once = (elapsed: number, working: number) => ({
  elapsedMinutes: spread(elapsed, elapsed, elapsed),
  workingMinutes: spread(working, working, working),
});

let api: TestApi;
let group: Send;
let states: Send;
beforeAll(async () => {
  api = await testApi({ deps: { clock: { now: () => Promise.resolve(NOW) } } });
  group = await api.withKey(['auditor']);
  states = await api.withKey(['entity-head'], entity('LE-US'));
});
afterAll(() => api.close());

async function answerOf(send: Send, url: string): Promise<Record<string, unknown>> {
  const { status, body } = await send('GET', url);
  expect(status).toBe(200);
  return body as Record<string, unknown>;
}

describe('deadlines', () => {
  beforeAll(async () => {
    const handoff = async (entityId: string, due: string, closedAt: string | null, over: object = {}) =>
      plantWait(api.db, { kind: 'handoff', entity_id: entityId, since: '2026-02-02T15:00:00.000Z', due, closed_at: closedAt, ...over });
    await handoff('LE-US', '2026-03-09T14:00:00.000Z', '2026-03-09T14:00:00.000Z');
    const stuck = await handoff('LE-US', '2026-03-10T14:00:00.000Z', '2026-03-10T14:01:00.000Z');
    const trouble = { workflow_id: `deal/${stuck}`, kind: 'stuck/create-baseline', detail: 'no rate', owner_role: 'operator' };
    await api.db
      .insertInto('process_exception')
      .values({ id: uuidv7(), ...trouble, opened_at: '2026-03-10T13:00:00.000Z', closed_at: '2026-03-10T14:00:30.000Z' })
      .execute();
    const open = await handoff('LE-US', '2026-03-27T20:00:00.000Z', null);
    // Over before it was asked for, so it explains nothing.
    await api.db
      .insertInto('process_exception')
      .values({
        ...trouble,
        id: uuidv7(),
        workflow_id: `deal/${open}`,
        opened_at: '2026-02-01T15:00:00.000Z',
        closed_at: '2026-02-02T15:00:00.000Z',
      })
      .execute();
    await handoff('LE-US', '2026-04-20T20:00:00.000Z', null);
    await handoff('LE-US', '2026-03-02T15:00:00.000Z', '2026-02-20T15:00:00.000Z');
    await handoff('LE-US', '2026-02-27T15:00:00.000Z', '2026-03-05T15:00:00.000Z');
    await handoff('LE-JP', '2026-03-19T07:00:00.000Z', '2026-03-23T00:30:00.000Z');
    const passed = { due: '2026-03-09T14:00:00.000Z', closed_at: '2026-03-12T14:00:00.000Z', since: '2026-03-02T15:00:00.000Z' };
    for (const [kind, role] of [
      ['payment', 'customer'],
      ['issue-date', 'run'],
      ['promise', 'finance-controller'],
    ] as const)
      // prettier-ignore
      await plantWait(api.db, { ...passed, kind, role, entity_id: 'LE-US' });
    const asked = { subjectKind: 'invoice', entityId: 'LE-US', openedAt: '2026-03-04T14:00:00.000Z' };
    const step = { openedAt: asked.openedAt, due: '2026-03-05T14:00:00.000Z' };
    const inTime = '2026-03-04T15:00:00.000Z';
    const tooLate = '2026-03-06T15:30:00.000Z';
    // One of two refuses, and the other need not decide any more.
    await plantApproval(api.db, {
      ...asked,
      state: 'refused',
      decidedAt: inTime,
      steps: [
        { role: 'finance-controller', state: 'refused', ...step, closedAt: inTime },
        { role: 'legal-counsel', state: 'waiting', ...step, closedAt: inTime },
      ],
    });
    await plantApproval(api.db, {
      ...asked,
      state: 'withdrawn',
      decidedAt: tooLate,
      steps: [{ role: 'finance-controller', state: 'waiting', ...step, closedAt: tooLate, voters: 0 }],
    });
  });

  test('are kept up to their very moment; late ones count when they passed, kept ones when it was done; running ones not yet', async () => {
    const { lifecycles, rows } = await answerOf(states, `/v1/process/sla?${MARCH}`);
    expect(rows).toEqual([
      { lifecycle: 'approval', task: 'decision/invoice', role: 'finance-controller', kept: 1, late: 1, void: 0, attainmentPercent: '50' },
      { lifecycle: 'approval', task: 'decision/invoice', role: 'legal-counsel', kept: 0, late: 0, void: 1, attainmentPercent: null },
      { lifecycle: 'deal', task: 'handoff', role: 'account-executive', kept: 1, late: 2, void: 0, attainmentPercent: '33.33' },
    ]);
    expect(lifecycles).toEqual([
      { lifecycle: 'approval', kept: 1, late: 1, void: 1, attainmentPercent: '50' },
      { lifecycle: 'deal', kept: 1, late: 2, void: 0, attainmentPercent: '33.33' },
    ]);
  });

  test('of the whole group include those of the others; of an empty month there are none', async () => {
    const { lifecycles } = await answerOf(group, `/v1/process/sla?${MARCH}&lifecycle=deal`);
    expect(lifecycles).toMatchObject([{ kept: 1, late: 3, attainmentPercent: '25' }]);
    expect(await answerOf(group, '/v1/process/sla?from=2025-01-01&until=2025-02-01')).toMatchObject({ lifecycles: [], rows: [] });
    expect(await answerOf(group, '/v1/process/sla?from=2026-02-01&until=2026-03-01')).toMatchObject({
      lifecycles: [{ lifecycle: 'deal', kept: 1, late: 1 }],
    });
    expect(await answerOf(group, '/v1/process/sla?from=2026-04-01&until=2026-05-01')).toMatchObject({ lifecycles: [] });
  });

  test('that passed have a cause and say how long they were missed, up to now where it is still not done', async () => {
    const { rows } = await answerOf(states, `/v1/process/breaches?${MARCH}`);
    expect(rows).toEqual([
      { lifecycle: 'approval', task: 'decision/invoice', role: 'finance-controller', cause: 'nobody-to-decide', breaches: 1, stillOpen: 0, lateness: once(1_530, 600) }, // prettier-ignore
      // 13 days and 17 hours; 90 minutes of that Friday and nine working days of 510.
      { lifecycle: 'deal', task: 'handoff', role: 'account-executive', cause: 'held', breaches: 1, stillOpen: 1, lateness: once(19_740, 4_680) }, // prettier-ignore
      { lifecycle: 'deal', task: 'handoff', role: 'account-executive', cause: 'stuck', breaches: 1, stillOpen: 0, lateness: once(1, 1) },
    ]);
    const { rows: japanese } = await answerOf(group, `/v1/process/breaches?${MARCH}&entityId=LE-JP`);
    expect(japanese).toMatchObject([{ cause: 'held', breaches: 1, lateness: once(5_370, 120) }]);
    expect((await answerOf(group, '/v1/process/breaches?from=2025-01-01&until=2025-02-01')).rows).toEqual([]);
  });
});

describe('approvals and rework', () => {
  const MAY = 'from=2026-05-01&until=2026-06-01';
  beforeAll(async () => {
    const ended = async (
      entityId: string,
      state: 'approved' | 'refused' | 'withdrawn',
      openedAt: string,
      decidedAt: string,
      isAsked = true,
    ) =>
      plantApproval(api.db, {
        subjectKind: 'change-order',
        entityId,
        state,
        openedAt,
        decidedAt,
        steps: isAsked ? [{ role: 'cfo', state: state === 'approved' ? 'granted' : 'refused', openedAt, closedAt: decidedAt }] : [],
      });
    await ended('LE-US', 'approved', '2026-03-06T21:00:00.000Z', '2026-03-09T14:00:00.000Z');
    await ended('LE-US', 'refused', '2026-03-10T14:00:00.000Z', '2026-03-10T14:30:59.000Z');
    await ended('LE-DE', 'approved', '2026-03-27T14:00:00.000Z', '2026-03-30T09:00:00.000Z');
    await ended('LE-US', 'withdrawn', '2026-03-02T14:00:00.000Z', '2026-03-20T14:00:00.000Z');
    await ended('LE-US', 'approved', '2026-03-11T14:00:00.000Z', '2026-03-11T14:00:00.000Z', false);
    await ended('LE-US', 'approved', '2026-02-27T14:00:00.000Z', '2026-02-27T15:00:00.000Z');
    const facts = await insertFacts(api.db, 'LE-US', 'BA-US');
    const { id: milestoneId } = await api.db
      .selectFrom('milestone')
      .select('id')
      .where('contract_line_id', '=', facts.contractLineId)
      .executeTakeFirstOrThrow();
    const answers = ['rejected', 'rejected', 'accepted'].map((response, index) => ({
      milestone_id: milestoneId,
      attempt: index + 1,
      response,
      responded_at: `2026-03-1${index}T14:00:00.000Z`,
      recorded_by: 'U-PM-US',
    }));
    await api.db.insertInto('milestone_response').values(answers).execute();
    const correction = {
      invoice_id: facts.invoiceId,
      root_id: facts.invoiceId,
      deal_id: facts.dealId,
      contract_line_id: facts.contractLineId,
    };
    const asked = { entity_id: 'LE-US', reason_code: 'price', request: '{}', requested_by: 'U-AR', requested_at: NOW, ended_at: NOW };
    const value = { value_minor: 100, earlier_minor: 0, value_currency: 'USD', issue_at: NOW, issue_date: '2026-04-10' };
    for (const [kind, state] of [
      ['release', 'issued'],
      ['partial', 'refused'],
      ['partial', 'issued'],
    ] as const)
      // prettier-ignore
      await api.db
        .insertInto('invoice_correction')
        .values({ id: uuidv7(), ...correction, ...asked, ...value, kind, state, approval_id: uuidv7() })
        .execute();
  });

  test('cycle time runs from asking to the last decision; who was never asked, and what was withdrawn, does not make it shorter or longer', async () => {
    const { rows } = await answerOf(group, `/v1/process/approvals?${MARCH}`);
    expect(rows).toContainEqual({
      subjectKind: 'change-order',
      approved: 2,
      refused: 1,
      withdrawn: 1,
      // 30; 3,900 over the weekend on which New York skipped an hour; 4,020 over that of Berlin.
      cycleTime: { elapsedMinutes: spread(3_900, 4_020, 4_020), workingMinutes: spread(150, 270, 270) },
    });
    const { rows: own } = await answerOf(states, `/v1/process/approvals?${MARCH}`);
    expect(own).toContainEqual({
      subjectKind: 'change-order',
      approved: 1,
      refused: 1,
      withdrawn: 1,
      cycleTime: { elapsedMinutes: spread(30, 3_900, 3_900), workingMinutes: spread(30, 150, 150) },
    });
    expect((await answerOf(group, `/v1/process/approvals?${MAY}`)).rows).toEqual([]);
  });

  test('rework is the share of what was done in the period that was refused, rejected, or corrected by now', async () => {
    expect((await answerOf(group, `/v1/process/rework?${MARCH}`)).rows).toEqual([
      { lifecycle: 'approval', task: 'decision/change-order', done: 3, reworked: 1, reworkPercent: '33.33' },
      { lifecycle: 'approval', task: 'decision/invoice', done: 1, reworked: 1, reworkPercent: '100' },
      { lifecycle: 'contract-line', task: 'delivery', done: 3, reworked: 2, reworkPercent: '66.67' },
      { lifecycle: 'invoice', task: 'issue', done: 1, reworked: 1, reworkPercent: '100' },
    ]);
    const german = await api.withKey(['finance-controller'], entity('LE-DE'));
    expect((await answerOf(german, `/v1/process/rework?${MARCH}`)).rows).toEqual([
      { lifecycle: 'approval', task: 'decision/change-order', done: 1, reworked: 0, reworkPercent: '0' },
    ]);
    expect((await answerOf(group, `/v1/process/rework?${MAY}`)).rows).toEqual([]);
  });

  test('an invoice without a document of its own counts from the beginning of its day in its entity', async () => {
    const issued = async (query: string) =>
      ((await answerOf(states, `/v1/process/rework?lifecycle=invoice&${query}`)).rows as unknown[]).length;
    expect(await issued('from=2026-03-02&until=2026-03-03')).toBe(1);
    expect(await issued('from=2026-03-02T05:00:00Z&until=2026-03-02T05:00:01Z')).toBe(1);
    expect(await issued('from=2026-03-02T00:00:00Z&until=2026-03-02T05:00:00Z')).toBe(0);
  });
});
