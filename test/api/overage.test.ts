import { problemOf, testApi, type TestApi } from '../support/api';
import { bringToDelivery, linesOf, milestones, retainer, startDeal, testDeal, type TestDeal } from '../support/lifecycles';
import { reportTime } from '../support/time';
import { startTestEngine, type TestEngine } from '../support/worker';

describe('overage that finance waives over HTTP', () => {
  const now = '2026-02-20T12:00:00.000Z';
  let engine: TestEngine;
  let api: TestApi;
  let deal: TestDeal;
  let url: Record<'fixedFee' | 'retainer', string>;
  beforeAll(async () => {
    engine = await startTestEngine();
    api = await testApi({ engine, deps: { updateTimeoutMs: 10_000, clock: { now: () => Promise.resolve(now) } } });
    deal = await startDeal(engine, testDeal({ lines: [milestones(), retainer({ startDate: '2026-03-01', endDate: '2026-04-30' })] }));
    await bringToDelivery(engine, deal);
    deal.now = now;
    await reportTime(engine, deal, 'C', [
      { entryId: 'A', workDate: '2026-03-03', hours: '14', approvedAt: now },
      { entryId: 'B', workDate: '2026-03-04', hours: '10', approvedAt: now },
    ]);
    const [first, second] = (await linesOf(engine, deal)).map(({ id }) => `/v1/contract-lines/${id}`);
    url = { fixedFee: first ?? '', retainer: second ?? '' };
  });
  afterAll(async () => {
    await api.close();
    await engine.stop();
  });
  const wanted = { kind: 'overage', period: '2026-03', hours: '1.50', reasonCode: 'goodwill' };

  test.each([
    ['retainer', 'more than is open', { ...wanted, hours: '4.25' }, 409, 'WaiverExceedsOverage'],
    ['retainer', 'of nothing', { ...wanted, hours: '0' }, 409, 'WaiverExceedsOverage'],
    ['retainer', 'of a month without overage', { ...wanted, period: '2026-04' }, 409, 'OverageNotOpen'],
    ['retainer', 'of a month that the line has not', { ...wanted, period: '2026-09' }, 409, 'OverageNotOpen'],
    ['retainer', 'without a known reason', { ...wanted, reasonCode: 'because' }, 400, 'ValidationFailed'],
    ['retainer', 'of no number', { ...wanted, hours: '1e1' }, 400, 'ValidationFailed'],
    ['fixedFee', 'of milestones', wanted, 409, 'LineWithoutOverage'],
  ] as const)('on the %s line, %s, is refused', async (line, _what, body, status, code) => {
    const finance = await api.as('U-FC-US');
    const answer = await finance('POST', `${url[line]}/waivers`, { body });
    expect({ status: answer.status, code: problemOf(answer).code }).toEqual({ status, code });
  });

  test('nobody but a controller may, and no controller of another entity sees the line', async () => {
    for (const [userId, status, code] of [
      ['U-PM-US', 403, 'PermissionMissing'],
      ['U-CFO', 403, 'PermissionMissing'],
      ['U-FC-DE', 404, 'LineUnknown'],
    ] as const) {
      const answer = await (await api.as(userId))('POST', `${url.retainer}/waivers`, { body: wanted });
      expect({ status: answer.status, code: problemOf(answer).code }).toEqual({ status, code });
    }
  });

  test('is on record with who and why, and the same request again is the same decision', async () => {
    const finance = await api.as('U-FC-US');
    const waive = () => finance('POST', `${url.retainer}/waivers`, { body: wanted, key: 'waive-once' });
    const decided = { kind: 'overage', period: '2026-03', hours: '1.5', reasonCode: 'goodwill', decidedBy: 'U-FC-US', decidedAt: now };
    expect(await waive()).toMatchObject({ status: 200, body: { waivers: [decided] } });
    expect((await waive()).status).toBe(200);
    expect((await finance('GET', url.retainer)).body).toMatchObject({ waivers: [decided] });
    const left = await finance('POST', `${url.retainer}/waivers`, { body: { ...wanted, hours: '2.75' } });
    expect(problemOf(left).code).toBe('WaiverExceedsOverage');
    const entries = await engine.db.selectFrom('audit_entry').select('content').where('stream', '=', `deal/${deal.dealId}`).execute();
    expect(entries.filter(({ content }) => content.includes('"overage.waived"'))).toHaveLength(1);
  });
});
