import { createActivities } from '../../activities/index';
import { type UsageReport } from '../../contracts/workflow-state';
import { inRun } from '../support/activity-run';
import { problemOf, testApi, type Send, type TestApi } from '../support/api';
import { retainer, service } from '../support/lifecycles';
import { uniqueName } from '../support/temporal';
import { bringTime, deliver, deliveredLine, insertTestRate, takeRun } from '../support/time-and-materials';

const PLACE = { sellingEntityId: 'LE-DE', billToId: 'BA-DE', startDate: '2026-02-01', endDate: '2026-04-30' } as const;

const IN_EUROS = {
  currency: 'EUR',
  monthlyFee: { minor: 500_000, currency: 'EUR' },
  overageRatePerHour: { minor: 30_000, currency: 'EUR' },
};

describe('what months used, over HTTP', () => {
  let api: TestApi;
  let activities: ReturnType<typeof createActivities>;
  let auditor: Send;
  beforeAll(async () => {
    api = await testApi({ deps: { updateTimeoutMs: 20 } });
    activities = createActivities({ db: api.db });
    auditor = await api.withKey(['auditor']);
    await insertTestRate(api.db);
  });
  afterAll(() => api.close());

  test('a retainer is drawn by month of work, stated anew with every hour that comes, late ones in the month of their work', async () => {
    const terms = retainer({
      ...PLACE,
      ...IN_EUROS,
      lineId: uniqueName('R'),
      includedHoursPerMonth: '10',
      rollover: { maxHours: '4', months: 1 },
    });
    const line = await deliver(api.db, activities, terms);
    const drawn = async () => {
      const { body } = await auditor('GET', `/v1/contract-lines/${line.contractLineId}/drawdown`);
      const { months } = body as { months: { period: string; used: string; rolledIn: string; overageHours: string; rolledOut: string }[] };
      return months.map(({ period, used, rolledIn, overageHours, rolledOut }) => [period, used, rolledIn, overageHours, rolledOut]);
    };
    expect(await drawn()).toEqual([]);
    await bringTime(api.db, activities, line, [{ entryId: 'A', workDate: '2026-02-03', hours: '7' }], '2026-02-10T09:00:00.000Z');
    expect(await drawn()).toEqual([['2026-02', '7', '0', '0', '3']]);
    await bringTime(api.db, activities, line, [{ entryId: 'B', workDate: '2026-03-03', hours: '14.5' }], '2026-03-10T09:00:00.000Z');
    expect(await drawn()).toEqual([
      ['2026-02', '7', '0', '0', '3'],
      ['2026-03', '14.5', '3', '1.5', '0'],
    ]);
    const late = { entryId: 'C', workDate: '2026-02-05', hours: '2', approvedAt: '2026-03-20T09:00:00.000Z' };
    const once = await Promise.all([1, 2].map(() => bringTime(api.db, activities, line, [late], '2026-03-20T09:00:00.000Z')));
    expect(once).toHaveLength(2);
    expect(await drawn()).toEqual([
      ['2026-02', '9', '0', '0', '1'],
      ['2026-03', '14.5', '1', '3.5', '0'],
    ]);
    const stranger = await (await api.withKey(['auditor'], { kind: 'entities', entityIds: ['LE-JP'] }))('GET', `/v1/contract-lines/${line.contractLineId}/drawdown`); // prettier-ignore
    expect([stranger.status, problemOf(stranger).code]).toEqual([404, 'LineUnknown']);
  });

  test('a managed service settles by the report that governs, and has no true-up before its quarter is reported', async () => {
    const terms = service({ ...PLACE, lineId: uniqueName('S'), includedTicketsPerMonth: 100, minimumCommitment: { period: 'contract-quarter', amount: { minor: 3_200_000, currency: 'EUR' } } }); // prettier-ignore
    const { contractLineId } = await deliver(api.db, activities, terms);
    const at = '2026-05-02T09:00:00.000Z';
    const report = (servicePeriod: string, tickets: number, over: Partial<UsageReport> = {}) =>
      inRun(contractLineId, () =>
        activities.recordUsage({
          contractLineId,
          report: { eventId: uniqueName('u'), servicePeriod, tickets, p1Tickets: 0, p1WithinTarget: 0, supersedes: null, reportedAt: at, by: 'U-PM-EU', at, ...over }, // prettier-ignore
        }),
      );
    const settled = async () => {
      const { body } = await auditor('GET', `/v1/contract-lines/${contractLineId}/settlements`);
      const { months } = body as { months: { period: string; tickets: number; overage: string; trueUp: string | null }[] };
      return months.map(({ period, tickets, overage, trueUp }) => [period, tickets, overage, trueUp]);
    };
    await report('2026-04', 103, { eventId: 'april' });
    expect(await settled()).toEqual([['2026-04', 103, '120.00', null]]);
    await report('2026-02', 90);
    await report('2026-03', 101);
    await report('2026-04', 110, { supersedes: 'april', reportedAt: '2026-05-03T09:00:00.000Z' });
    // 32,000.00 less three fees of 10,000.00, 40.00 and 400.00 of overage.
    expect(await settled()).toEqual([
      ['2026-02', 90, '0.00', '0.00'],
      ['2026-03', 101, '40.00', '0.00'],
      ['2026-04', 110, '400.00', '1560.00'],
    ]);
    const worker = await api.withKey(['account-executive']);
    expect((await worker('GET', `/v1/contract-lines/${contractLineId}/settlements`)).status).toBe(403);
  });

  test('billable time is counted in hours, and in money once a run has priced it', async () => {
    const line = await deliveredLine(api.db, activities);
    const worked = [
      { entryId: 'A', workDate: '2026-02-03', hours: '8' },
      { entryId: 'B', workDate: '2026-02-04', hours: '2', billable: false },
      { entryId: 'C', workDate: '2026-02-08', hours: '4' },
      { entryId: 'D', workDate: '2026-02-09', hours: '1', rework: true },
    ];
    await bringTime(api.db, activities, line, worked, '2026-02-16T09:00:00.000Z');
    const told = async (send = auditor) => (await send('GET', `/v1/deals/${line.dealId}/billable-time`)).body;
    const { contractLineId, lineId } = line;
    expect(await told()).toEqual({ lines: [{ contractLineId, lineId, hours: '8', amount: '0.00', currency: 'EUR' }] });
    await takeRun(api.db, activities, line, '2026-02', '2026-03-05T23:00:00.000Z');
    expect(await told()).toMatchObject({ lines: [{ hours: '8', amount: '800.00' }] });
    expect(await told(await api.withKey(['auditor'], { kind: 'entities', entityIds: ['LE-SG'] }))).toMatchObject({ code: 'DealUnknown' });
  });
});
