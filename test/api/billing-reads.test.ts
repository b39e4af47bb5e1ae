import { createActivities } from '../../activities/index';
import { type Scope } from '../../domain/access';
import { problemOf, testApi, type TestApi } from '../support/api';
import { bringTime, deliveredLine, insertTestRate, takeRun, WORKER, type DeliveredLine } from '../support/time-and-materials';

const CUT_OFF = '2026-03-05T23:00:00.000Z';
const entities = (...entityIds: string[]): Scope => ({ kind: 'entities', entityIds });

/** A line of LE-DE in a deal that LE-DE leads: eight hours fit below its limit, the next do not. */
describe('runs and policy findings over HTTP', () => {
  let api: TestApi;
  let line: DeliveredLine;
  beforeAll(async () => {
    api = await testApi({ deps: { updateTimeoutMs: 20 } });
    const activities = createActivities({ db: api.db });
    await insertTestRate(api.db);
    line = await deliveredLine(api.db, activities, { notToExceed: { minor: 80_000, currency: 'EUR' } });
    const worked = [
      { entryId: 'A', workDate: '2026-02-03', hours: '8' },
      { entryId: 'B', workDate: '2026-02-04', hours: '11' },
      { entryId: 'C', workDate: '2026-02-08', hours: '1' },
      { entryId: 'D', workDate: '2026-02-09', hours: '1', approvedAt: null },
    ];
    await bringTime(api.db, activities, line, worked, '2026-02-16T09:00:00.000Z');
    await takeRun(api.db, activities, line, '2026-02', CUT_OFF);
    const rejected = [{ entryId: 'D', workDate: '2026-02-09', hours: '1', approvedAt: null, status: 'rejected' }];
    await bringTime(api.db, activities, line, rejected, '2026-03-10T09:00:00.000Z');
  });
  afterAll(() => api.close());

  test('a run says its limit, what it billed and what it left, and the line what is parked now', async () => {
    const auditor = await api.withKey(['auditor']);
    const answer = await auditor('GET', `/v1/contract-lines/${line.contractLineId}/runs`);
    expect(answer).toMatchObject({
      status: 200,
      body: {
        runs: [
          {
            period: '2026-02',
            currency: 'EUR',
            limit: '800.00',
            billedFees: '800.00',
            billedToDate: '800.00',
            releasedFromParked: '0.00',
            newlyParked: '1100.00',
            parkedAfter: '1100.00',
            softLimitReachedBy: `${line.lineId}/A`,
            runAt: CUT_OFF,
          },
        ],
        parked: { entries: 1, amount: '1100.00', currency: 'EUR' },
      },
    });
  });

  const findings = async (query = '', scope?: Scope) =>
    (await (await api.withKey(['auditor'], scope))('GET', `/v1/deals/${line.dealId}/policy-findings${query}`)).body as {
      data: { code: string; reference: string; blocking: boolean; closedAt: string | null; lineId: string | null; personId: string }[];
      hasMore: boolean;
      nextCursor: string | null;
    };
  const shown = async (query = '', scope?: Scope) =>
    (await findings(query, scope)).data.map(({ code, reference }) => `${code} ${reference.replace(`${line.lineId}/`, '')}`);

  test('findings come by kind, code and reference, open and closed apart, page by page', async () => {
    const all = [`DAY_OVER_LIMIT ${WORKER}/2026-02-04`, 'NOT_APPROVED D', 'REST_DAY_UNAPPROVED C'];
    expect(await shown()).toEqual(all);
    expect([await shown('?state=open'), await shown('?state=closed')]).toEqual([[all[0], all[2]], [all[1]]]);
    expect([await shown('?code=NOT_APPROVED'), await shown('?kind=expense')]).toEqual([[all[1]], []]);
    const first = await findings('?limit=2');
    expect([first.data.length, first.hasMore]).toEqual([2, true]);
    expect(await shown(`?limit=2&cursor=${first.nextCursor ?? ''}`)).toEqual([all[2]]);
    const [day, , rest] = (await findings()).data;
    expect(day).toMatchObject({ blocking: false, closedAt: null, lineId: null, personId: WORKER });
    expect(rest).toMatchObject({ blocking: true, lineId: line.lineId });
  });

  test('are for readers of the entities concerned; the work of a person is for the readers of whoever employs them too', async () => {
    await api.db
      .updateTable('deal')
      .set({ entity_ids: ['LE-DE', 'LE-SG'] })
      .where('id', '=', line.dealId)
      .execute();
    expect(await shown('', entities('LE-DE'))).toHaveLength(3);
    expect(await shown('', entities('LE-SG'))).toEqual([]);
    const stranger = await (await api.withKey(['auditor'], entities('LE-JP')))('GET', `/v1/deals/${line.dealId}/policy-findings`);
    expect([stranger.status, problemOf(stranger).code]).toEqual([404, 'DealUnknown']);
    const runs = await (await api.withKey(['auditor'], entities('LE-SG')))('GET', `/v1/contract-lines/${line.contractLineId}/runs`);
    expect([runs.status, problemOf(runs).code]).toEqual([404, 'LineUnknown']);
    const seller = await (await api.withKey(['account-executive']))('GET', `/v1/contract-lines/${line.contractLineId}/runs`);
    expect(seller.status).toBe(403);
  });
});
