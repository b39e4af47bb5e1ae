import { problemOf, type Send, testApi, type TestApi } from '../support/api';

describe('control data that is asked for wrongly', () => {
  let api: TestApi;
  let group: Send;
  let states: Send;
  beforeAll(async () => {
    api = await testApi();
    group = await api.withKey(['auditor']);
    states = await api.withKey(['finance-controller'], { kind: 'entities', entityIds: ['LE-US'] });
  });
  afterAll(() => api.close());

  test.each([
    'from=yesterday',
    'from=2026-02-30',
    'from=2026-03-01T00:00:00',
    'until=1899-12-31',
    'from=2026-04-01&until=2026-03-01',
    'from=2026-04-01T10:00:00Z&until=2026-04-01T09:00:00Z',
    'from=2025-01-01&until=2026-06-01',
    'lifecycle=everything',
    'role=cfo',
  ])('%s is refused', async (query) => {
    expect(problemOf(await group('GET', `/v1/process/sla?${query}`))).toMatchObject({ status: 400, code: 'ValidationFailed' });
  });

  test.each(['open-work', 'handoffs', 'sla', 'breaches', 'approvals', 'rework'])(
    '%s: entities, and people who own no process',
    async (what) => {
      expect(problemOf(await group('GET', `/v1/process/${what}?entityId=LE-NO`))).toMatchObject({ status: 404, code: 'EntityUnknown' });
      expect(problemOf(await states('GET', `/v1/process/${what}?entityId=LE-JP`))).toMatchObject({ status: 404, code: 'EntityUnknown' });
      const seller = await api.withKey(['account-executive']);
      expect(problemOf(await seller('GET', `/v1/process/${what}`))).toMatchObject({ status: 403, code: 'PermissionMissing' });
    },
  );
});
