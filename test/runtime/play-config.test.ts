import { playConfig } from '../../scripts/play-config';

const outside = { DATABASE_URL: 'postgres://user:password@db:5432/throughline', TEMPORAL_ADDRESS: 'temporal:7233' };

test('a play on own servers makes its build current: a namespace without a current version runs nothing', async () => {
  const { embedded, simulation, worker } = await playConfig('data', outside);
  expect({ embedded, simulation, release: worker.release }).toEqual({ embedded: false, simulation: true, release: true });
});

test('whoever releases by other means can say so', async () => {
  expect((await playConfig('data', { ...outside, WORKER_RELEASE: 'false' })).worker.release).toBe(false);
});
