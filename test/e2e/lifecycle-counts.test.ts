import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createGateway } from '../../api/gateway/gateway';
import { type LifecycleCounts } from '../../bench/lifecycle/counts';
import { oneLifecycle, type OneLifecycle } from '../../bench/lifecycle/product';
import { MOMENT } from '../../bench/lifecycle/standard-deal';
import { businessClock } from '../../runtime/business-clock';
import { readConfig } from '../../runtime/config';
import { createLogger } from '../../runtime/logger';
import { moveClock } from '../../simulation/driver';
import { type Dispatcher, startDispatcher } from '../../workers/dispatcher';
import { seedReferenceDeal } from '../support/reference-deal';
import { startTestEngine, type TestEngine } from '../support/worker';

type Bounds = Partial<LifecycleCounts>;
const { held, goals } = JSON.parse(readFileSync(join(__dirname, '..', '..', 'bench', 'lifecycle-bounds.json'), 'utf8')) as {
  readonly held: Bounds;
  readonly goals: Bounds;
};

let engine: TestEngine;
let dispatcher: Dispatcher;
let one: OneLifecycle;

beforeAll(async () => {
  engine = await startTestEngine({ capture: false });
  const { db, databaseUrl, client, namespace, taskQueue } = engine;
  await seedReferenceDeal(db);
  await moveClock(db, MOMENT);
  const given = readConfig({ SIMULATION: 'true', LOG_LEVEL: 'silent', TASK_QUEUE: taskQueue });
  const config = { ...given, database: { ...given.database, url: databaseUrl }, temporal: { ...given.temporal, namespace } };
  const clock = businessClock(db, config);
  dispatcher = startDispatcher({ config, db, temporal: client, clock, log: createLogger(config.log) });
  const gateway = createGateway(client, { taskQueue, namespace, uiUrl: undefined, timeoutMs: 30_000 });
  one = await oneLifecycle({ db, client, gateway }, 1);
}, 360_000);
afterAll(async () => {
  await dispatcher.stop();
  await engine.stop();
});

describe('a standard lifecycle (DESIGN 12; raising a bound needs an ADR)', () => {
  test.each(Object.entries(held))('has at most as many %s as the committed bound, %d', (kind, bound) => {
    expect(one.counts[kind as keyof LifecycleCounts]).toBeLessThanOrEqual(bound);
  });

  test('has one effect row for each activity execution', () => {
    expect(one.effects).toBe(one.counts.localActivities + one.counts.remoteActivities);
  });

  test('is held to nothing looser than its goal once it has reached it', () => {
    const looser = Object.entries(goals).filter(([kind, goal]) => {
      const count = one.counts[kind as keyof LifecycleCounts];
      return count <= goal && (held[kind as keyof LifecycleCounts] ?? Infinity) > goal;
    });
    expect(looser).toEqual([]);
  });
});
