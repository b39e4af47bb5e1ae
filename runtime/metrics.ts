import { collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';

export interface Metrics {
  readonly registry: Registry;
  /** Seconds per request, by method, route pattern (never the path, which holds ids) and status. */
  readonly httpSeconds: Histogram<'method' | 'route' | 'status'>;
  /** A figure that is read when somebody asks for the metrics, by label value; for example the age of the inbox. */
  gauge<L extends string>(name: string, help: string, labels: readonly L[], read: () => Promise<readonly Reading<L>[]>): void;
}

export interface Reading<L extends string> {
  readonly labels: Record<L, string>;
  readonly value: number;
}

/** A registry of its own, so that a test or a second app in the process does not clash. */
export function createMetrics(): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const httpSeconds = new Histogram({
    name: 'throughline_http_request_seconds',
    help: 'Time from request to response',
    labelNames: ['method', 'route', 'status'] as const,
    buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5],
    registers: [registry],
  });
  const failures = new Gauge({
    name: 'throughline_metric_unreadable',
    help: '1 when a gauge could not be read at the last scrape',
    labelNames: ['metric'] as const,
    registers: [registry],
  });
  return {
    registry,
    httpSeconds,
    gauge: (name, help, labels, read) => {
      const gauge: Gauge = new Gauge({
        name,
        help,
        labelNames: [...labels],
        registers: [registry],
        collect: async () => {
          gauge.reset();
          // A database that is down must not take away the other metrics.
          const readings = await read().catch(() => undefined);
          failures.set({ metric: name }, readings === undefined ? 1 : 0);
          for (const reading of readings ?? []) gauge.set(reading.labels, reading.value);
        },
      });
    },
  };
}
