import { createMetrics } from '../../runtime/metrics';

it('reads a gauge when somebody asks, and forgets labels that are gone', async () => {
  const metrics = createMetrics();
  let readings = [{ labels: { source: 'crm' }, value: 3 }];
  metrics.gauge('throughline_inbox_waiting', 'Events not handed over', ['source'], () => Promise.resolve(readings));
  expect(await metrics.registry.metrics()).toContain('throughline_inbox_waiting{source="crm"} 3');
  readings = [];
  expect(await metrics.registry.metrics()).not.toContain('source="crm"');
});

it('still gives the other metrics, and says which is missing, while the database is down', async () => {
  const metrics = createMetrics();
  metrics.gauge('throughline_inbox_waiting', 'Events not handed over', ['source'], () => Promise.reject(new Error('down')));
  metrics.httpSeconds.observe({ method: 'GET', route: '/v1/deals/:id', status: '200' }, 0.02);
  await metrics.registry.metrics();
  const text = await metrics.registry.metrics();
  expect(text).toContain('throughline_metric_unreadable{metric="throughline_inbox_waiting"} 1');
  expect(text).toContain('throughline_http_request_seconds_count{method="GET",route="/v1/deals/:id",status="200"} 1');
});

it('keeps two apps in one process apart', () => {
  expect(() => [createMetrics(), createMetrics()]).not.toThrow();
});
