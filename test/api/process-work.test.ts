import { sql } from 'kysely';
import { uuidv7 } from 'uuidv7';
import { type Scope } from '../../domain/access';
import { type Send, testApi, type TestApi } from '../support/api';
import { type Facts, insertFacts } from '../support/api-facts';
import { plantApproval, plantDeal, plantWait } from '../support/process-work';
import { reasonOf } from '../support/texts';

/** Friday, 09:00 in New York, 15:00 in Berlin, 22:00 in Tokyo. */
const NOW = '2026-04-10T13:00:00.000Z';
const MARCH = 'from=2026-03-01&until=2026-04-01';
const entity = (entityId: string): Scope => ({ kind: 'entities', entityIds: [entityId] });

let api: TestApi;
let group: Send;
let states: Send;
beforeAll(async () => {
  api = await testApi({ deps: { clock: { now: () => Promise.resolve(NOW) } } });
  group = await api.withKey(['auditor']);
  states = await api.withKey(['finance-controller'], entity('LE-US'));
});
afterAll(() => api.close());

async function rowsOf(send: Send, url: string): Promise<Record<string, unknown>[]> {
  const { status, body } = await send('GET', url);
  expect(status).toBe(200);
  return (body as { rows: Record<string, unknown>[] }).rows;
}

const spread = (p50: number, p90: number, longest: number) => ({ p50, p90, longest });

describe('open work', () => {
  let facts: Facts;
  beforeAll(async () => {
    facts = await insertFacts(api.db, 'LE-US', 'BA-US');
    const young = await plantDeal(api.db, 'LE-US');
    const old = await plantDeal(api.db, 'LE-US');
    const japanese = await plantDeal(api.db, 'LE-JP');
    const late = { since: '2026-04-09T21:00:00.000Z', due: '2026-04-10T12:00:00.000Z' };
    await plantWait(api.db, { workflow_id: `deal/${young}`, deal_id: young, entity_id: 'LE-US', ...late });
    // Without an entity of its own it belongs to the one that leads the deal.
    await plantWait(api.db, { workflow_id: `deal/${old}`, deal_id: old, since: '2026-03-06T21:00:00.000Z', due: NOW });
    await plantWait(api.db, { workflow_id: `deal/${japanese}`, deal_id: japanese, since: '2026-04-10T06:00:00.000Z' });
    await plantWait(api.db, { workflow_id: `deal/${young}`, deal_id: young, kind: 'gone', since: late.since, closed_at: NOW });
    const line = { workflow_id: `line/${facts.contractLineId}`, kind: 'readiness', role: 'finance-controller', entity_id: 'LE-US' };
    await plantWait(api.db, { ...line, since: '2026-04-09T13:00:00.000Z' });
    await plantWait(api.db, { ...line, since: '2026-04-09T13:00:01.000Z' });
    const invoice = { workflow_id: `invoice/${facts.invoiceId}`, kind: 'payment', role: 'customer', entity_id: 'LE-US' };
    await plantWait(api.db, { ...invoice, since: '2026-03-11T13:00:00.000Z', due: '2026-04-02T04:00:00.000Z' });
    const hold = { ...invoice, kind: 'promise', role: 'finance-controller' };
    await plantWait(api.db, { ...hold, since: '2026-04-03T13:00:00.000Z', due: '2026-04-09T04:00:00.000Z' });
    const run = { kind: 'contract-lines', role: 'run', entity_id: 'LE-US', since: '2026-04-07T13:00:00.000Z' };
    await plantWait(api.db, { workflow_id: `project/${facts.projectId}`, ...run, due: '2026-04-08T13:00:00.000Z' });
    const decision = { kind: 'decision', subject: 'kickoff/X', role: 'finance-controller', entity_id: 'LE-US' };
    await plantWait(api.db, { workflow_id: `approval/${facts.approvalId}`, ...decision, since: '2026-04-10T12:59:59.000Z' });
    await plantWait(api.db, { workflow_id: 'intake/bank', kind: 'stuck', role: 'operator', since: '2026-04-10T12:00:00.000Z' });
  });

  const shortly = (rows: readonly Record<string, unknown>[]) =>
    rows.map(({ lifecycle, stage, task, role, open, overdue }) => [lifecycle, stage, task, role, open, overdue].join(' '));

  test('is counted by lifecycle, stage, task and role; overdue is what has a deadline that passed, up to the minute', async () => {
    expect(shortly(await rowsOf(group, '/v1/process/open-work'))).toEqual([
      'approval tier-1 decision/kickoff finance-controller 1 0',
      'contract-line active readiness finance-controller 2 0',
      'deal terms sow-terms account-executive 3 1',
      'intake running stuck operator 1 0',
      'invoice issued payment customer 1 1',
      'invoice issued promise finance-controller 1 0',
      'project active contract-lines run 1 0',
    ]);
  });

  test('has its age on the clock and in the working time of the entity, over weekends and the day on which clocks go forward', async () => {
    const [deals] = await rowsOf(group, '/v1/process/open-work?lifecycle=deal');
    expect(deals).toMatchObject({
      byAge: { upToADay: 2, upToThreeDays: 0, upToAWeek: 0, upToThirtyDays: 0, older: 1 },
      // 34 days and 16 hours; 90 minutes of that Friday and 24 working days of 510 minutes.
      oldest: { since: '2026-03-06T21:00:00.000Z', elapsedMinutes: 49_920, workingMinutes: 12_330 },
    });
    const [line] = await rowsOf(group, '/v1/process/open-work?lifecycle=contract-line');
    expect(line).toMatchObject({ byAge: { upToADay: 1, upToThreeDays: 1 }, oldest: { elapsedMinutes: 1_440, workingMinutes: 510 } });
    const [intake] = await rowsOf(group, '/v1/process/open-work?lifecycle=intake');
    expect(intake).toMatchObject({ oldest: { elapsedMinutes: 60, workingMinutes: null } });
    const [invoice] = await rowsOf(group, '/v1/process/open-work?lifecycle=invoice');
    expect(invoice).toMatchObject({ byAge: { upToThirtyDays: 0, older: 1 }, oldest: { elapsedMinutes: 43_200 } });
  });

  test('of another entity, and of none, is not counted', async () => {
    const own = await rowsOf(states, '/v1/process/open-work');
    expect(own.find((row) => row.lifecycle === 'deal')).toMatchObject({ open: 2, overdue: 1 });
    expect(own.map((row) => row.lifecycle)).not.toContain('intake');
    const japanese = await api.withKey(['finance-controller'], entity('LE-JP'));
    expect(await rowsOf(japanese, '/v1/process/open-work')).toMatchObject([
      { lifecycle: 'deal', open: 1, oldest: { elapsedMinutes: 420, workingMinutes: 150 } },
    ]);
    expect(shortly(await rowsOf(group, '/v1/process/open-work?entityId=LE-JP'))).toEqual(['deal terms sow-terms account-executive 1 0']);
    expect(await rowsOf(await api.withKey(['auditor'], entity('LE-SG')), '/v1/process/open-work')).toEqual([]);
  });
});

describe('handoffs', () => {
  beforeAll(async () => {
    const asked = async (entityId: string, since: string, closedAt: string, over: Parameters<typeof plantWait>[1] | object = {}) =>
      plantWait(api.db, { entity_id: entityId, since, closed_at: closedAt, ...over });
    await asked('LE-US', '2026-03-06T21:00:00.000Z', '2026-03-09T14:00:00.000Z');
    await asked('LE-US', '2026-03-10T14:00:00.000Z', '2026-03-10T14:45:30.000Z');
    await asked('LE-DE', '2026-03-27T14:00:00.000Z', '2026-03-30T09:00:00.000Z');
    await asked('LE-JP', '2026-03-19T07:00:00.000Z', '2026-03-23T00:30:00.000Z');
    await asked('LE-US', '2026-03-10T14:00:00.000Z', '2026-03-10T15:00:00.000Z', { role: 'run', kind: 'issue-date' });
    await asked('LE-US', '2026-03-10T14:00:00.000Z', '2026-03-20T15:00:00.000Z', { role: 'customer', kind: 'payment' });
    // Half past eleven in the evening of the last of March, and half an hour into April.
    const gate = { role: 'resource-manager', kind: 'gate' };
    await asked('LE-US', '2026-04-01T03:00:00.000Z', '2026-04-01T03:30:00.000Z', gate);
    await asked('LE-JP', '2026-03-31T15:00:00.000Z', '2026-03-31T15:30:00.000Z', gate);
    const [first, second, third] = ['2026-02-03T15:00:00.000Z', '2026-02-03T16:00:00.000Z', '2026-02-04T16:00:00.000Z'];
    await plantApproval(api.db, {
      subjectKind: 'deal',
      entityId: 'LE-US',
      state: 'approved',
      openedAt: first,
      decidedAt: third,
      steps: [
        { role: 'legal-counsel', state: 'granted', openedAt: first, closedAt: second },
        { role: 'cfo', state: 'granted', openedAt: second, closedAt: third },
      ],
    });
    const run = { workflow_id: 'line/L', kind: 'delivery', subject: 'M1', role: 'project-manager' };
    await asked('LE-US', first, second, run);
    await asked('LE-US', second, third, { ...run, subject: 'M2' });
    await asked('LE-US', second, third, { ...run, kind: 'acceptance', role: 'customer' });
  });

  test('take as long as from asking to done, on the clock and in working time, each once; nothing is made up between two values', async () => {
    expect(await rowsOf(group, `/v1/process/handoffs?${MARCH}&lifecycle=deal`)).toEqual([
      { lifecycle: 'deal', task: 'gate', fromRole: null, role: 'resource-manager', handoffs: 1, delay: { elapsedMinutes: spread(30, 30, 30), workingMinutes: spread(0, 0, 0) } }, // prettier-ignore
      {
        lifecycle: 'deal',
        task: 'sow-terms',
        fromRole: null,
        role: 'account-executive',
        handoffs: 4,
        // 45; 3,900 with an hour that New York skipped; 4,020 with one that Berlin skipped; 5,370 over a holiday of Tokyo.
        delay: { elapsedMinutes: spread(3_900, 5_370, 5_370), workingMinutes: spread(120, 270, 270) },
      },
    ]);
    expect(await rowsOf(states, `/v1/process/handoffs?${MARCH}`)).toMatchObject([
      { task: 'gate', handoffs: 1 },
      { task: 'sow-terms', handoffs: 2, delay: { elapsedMinutes: spread(45, 3_900, 3_900), workingMinutes: spread(45, 150, 150) } },
    ]);
  });

  test('name who had the work before in the same run, and are none where it stays in one hand', async () => {
    const rows = await rowsOf(group, '/v1/process/handoffs?from=2026-02-01&until=2026-03-01');
    expect(rows.map(({ task, fromRole, role, handoffs }) => [task, fromRole, role, handoffs])).toEqual([
      ['decision/deal', 'legal-counsel', 'cfo', 1],
      ['decision/deal', null, 'legal-counsel', 1],
      ['acceptance', 'project-manager', 'customer', 1],
      ['delivery', null, 'project-manager', 1],
    ]);
  });

  test('the view says the same elapsed minutes as the API', async () => {
    const { rows } = await sql<{ spread: number[] }>`
      select percentile_disc(array[0.5, 0.9, 1]) within group (order by elapsed_minutes) as spread from process_handoff
       where task = 'sow-terms' and closed_at >= '2026-03-01' and closed_at < '2026-04-01'`.execute(api.db);
    expect(rows[0]?.spread).toEqual([3_900, 5_370, 5_370]);
  });

  test('days are days of the entity whose work it is; instants are the same for all; the end is not in the period', async () => {
    const count = async (query: string) =>
      (await rowsOf(group, `/v1/process/handoffs?${query}`)).flatMap((row) => (row.task === 'gate' ? [row.handoffs] : []));
    expect(await count('from=2026-04-01&until=2026-04-02')).toEqual([1]);
    expect(await count('from=2026-03-31&until=2026-04-02')).toEqual([2]);
    expect(await count('from=2026-03-31T15:30:00Z&until=2026-04-01T03:30:00Z')).toEqual([1]);
    expect(await count('from=2026-03-31T15:30:00Z&until=2026-04-01T03:30:00.001Z')).toEqual([2]);
    expect(await count('from=2026-04-01T05:30:00.001%2B02:00&until=2026-04-05')).toEqual([]);
    expect(await count('from=2026-04-01&until=2026-04-01')).toEqual([]);
  });

  test('without a period it is the thirty days up to now', async () => {
    const { body } = await group('GET', '/v1/process/handoffs');
    expect(body).toMatchObject({ asOf: NOW, from: '2026-03-11T13:00:00.000Z', until: NOW });
    expect((body as { rows: { task: string; handoffs: number }[] }).rows.map(({ task, handoffs }) => [task, handoffs])).toEqual([
      ['gate', 2],
      ['sow-terms', 2],
    ]);
  });
});

describe('of each kind of run', () => {
  test('the work has a lifecycle and a stage', async () => {
    const since = '2026-04-10T12:00:00.000Z';
    const asked = async (run: string, kind: string, over: object = {}) =>
      plantWait(api.db, { workflow_id: run, kind, entity_id: 'LE-SG', since, ...over });
    const id = '018f0000-0000-7000-8000-000000000000';
    await asked(`deal/${id}`, 'handoff');
    await asked(`deal/${await plantDeal(api.db, 'LE-SG', 'mobilising')}`, 'mobilisation');
    await asked(`deal/${id}`, 'cancellation', { role: 'run' });
    await asked(`deal/${id}`, 'customer-approval', { role: 'project-manager', subject: await approvedOrder() });
    await asked(`deal/${id}`, 'change-order', { role: 'run', subject: `approval/${id}` });
    await asked(`correction/${id}`, 'dispute');
    await asked(`correction/${id}`, 'approval', { role: 'run' });
    await asked(`correction/${id}`, 'issue-date', { role: 'run', due: since });
    await asked(`correction/${id}`, 'stuck', { role: 'operator' });
    await asked('policy/billing/LE-SG', 'approval', { role: 'run' });
    await asked('period/LE-SG', 'revenue-gap', { role: 'finance-controller' });
    const rows = await rowsOf(group, '/v1/process/open-work?entityId=LE-SG');
    expect(rows.map(({ lifecycle, stage, task, overdue }) => [lifecycle, stage, task, overdue].join(' '))).toEqual([
      'cancellation requested cancellation 0',
      'change-order approved customer-approval 0',
      'change-order requested change-order 0',
      'correction approved issue-date 0',
      'correction disputed dispute 0',
      'correction requested approval 0',
      'correction running stuck 0',
      'deal mobilising mobilisation 0',
      'deal running handoff 0',
      'period-close running revenue-gap 0',
      'policy-change requested approval 0',
    ]);
  });

  async function approvedOrder(): Promise<string> {
    const { dealId } = await insertFacts(api.db, 'LE-US', 'BA-US');
    const id = uuidv7();
    const order = { id, deal_id: dealId, number: 'CO-1', title: 'More', contract_version: 1, entity_id: 'LE-US', state: 'approved' };
    const asked = { approval_id: uuidv7(), reason_id: await reasonOf(api.db, 'more'), requested_by: 'U-PM-US', requested_at: NOW };
    const content = { terms_hash: 'x', tasks: '[]', line_values: '[]', value_minor: 0, value_currency: 'USD' };
    await api.db
      .insertInto('change_order')
      .values({ ...order, ...asked, ...content })
      .execute();
    return id;
  }
});
