import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createGateway } from '../../api/gateway/gateway';
import { type LifecycleCounts } from '../../bench/lifecycle/counts';
import { oneLifecycle, type OneLifecycle } from '../../bench/lifecycle/product';
import { askOnlyForTheDeal } from '../../bench/lifecycle/standard-policy';
import { MOMENT, standardDeal } from '../../bench/lifecycle/standard-deal';
import { businessClock } from '../../runtime/business-clock';
import { readConfig } from '../../runtime/config';
import { createLogger } from '../../runtime/logger';
import { moveClock } from '../../simulation/driver';
import { type Dispatcher, startDispatcher } from '../../workers/dispatcher';
import { startTestEngine, type TestEngine } from '../support/worker';

type Bounds = Partial<LifecycleCounts>;
const { held, heldWithEveryControl, goals } = JSON.parse(
  readFileSync(join(__dirname, '..', '..', 'bench', 'lifecycle-bounds.json'), 'utf8'),
) as Record<'held' | 'heldWithEveryControl' | 'goals', Bounds>;

let engine: TestEngine;
let dispatcher: Dispatcher;
let standard: OneLifecycle;
let withEveryControl: OneLifecycle;

beforeAll(async () => {
  engine = await startTestEngine({ capture: false });
  const { db, databaseUrl, client, namespace, taskQueue } = engine;
  await moveClock(db, MOMENT);
  const given = readConfig({ SIMULATION: 'true', LOG_LEVEL: 'silent', TASK_QUEUE: taskQueue });
  const config = { ...given, database: { ...given.database, url: databaseUrl }, temporal: { ...given.temporal, namespace } };
  const clock = businessClock(db, config);
  dispatcher = startDispatcher({ config, db, temporal: client, clock, log: createLogger(config.log) });
  const gateway = createGateway(client, { taskQueue, namespace, uiUrl: undefined, timeoutMs: 30_000 });
  withEveryControl = await oneLifecycle({ db, client, gateway }, 1, 'CONTROLLED');
  await askOnlyForTheDeal(db);
  standard = await oneLifecycle({ db, client, gateway }, 1);
}, 480_000);
afterAll(async () => {
  await dispatcher.stop();
  await engine.stop();
});

describe('a standard lifecycle (DESIGN 12; raising a bound needs an ADR)', () => {
  test.each(Object.entries(held))('has at most as many %s as the committed bound, %d', (kind, bound) => {
    expect(standard.counts[kind as keyof LifecycleCounts]).toBeLessThanOrEqual(bound);
  });

  test('has one effect row for each activity execution', () => {
    expect(standard.effects).toBe(standard.counts.localActivities + standard.counts.remoteActivities);
  });

  test('keeps what nobody was asked for as approved at once, with the policy that says so', async () => {
    const approvals = await engine.db
      .selectFrom('approval')
      .innerJoin('deal', 'deal.id', 'approval.deal_id')
      .select(['approval.subject_kind', 'approval.state', 'approval.rule_ids', 'approval.policy_version_id'])
      .select((eb) =>
        eb
          .selectFrom('approval_decision')
          .select(({ fn }) => fn.countAll<number>().as('count'))
          .whereRef('approval_id', '=', 'approval.id')
          .as('decisions'),
      )
      .where('deal.contract_number', '=', standardDeal('ALONE-1').contractNumber)
      .orderBy('approval.subject_kind')
      .execute();
    const policy = approvals[0]?.policy_version_id;
    expect(approvals.map(({ decisions, ...row }) => ({ ...row, decisions: Number(decisions) }))).toEqual([
      { subject_kind: 'deal', state: 'approved', rule_ids: ['STANDARD-DEAL'], policy_version_id: policy, decisions: 1 },
      ...['invoice', 'kickoff', 'project-close', 'sow'].map((kind) => ({
        subject_kind: kind,
        state: 'approved',
        rule_ids: [],
        policy_version_id: policy,
        decisions: 0,
      })),
    ]);
  });

  test('is held to nothing looser than its goal', () => {
    expect(Object.entries(goals).filter(([kind, goal]) => (held[kind as keyof LifecycleCounts] ?? Infinity) > goal)).toEqual([]);
  });

  test('has no more events where a policy asks for every control than the committed bounds', () => {
    const beyond = Object.entries(heldWithEveryControl).filter(
      ([kind, bound]) => withEveryControl.counts[kind as keyof LifecycleCounts] > bound,
    );
    expect(beyond).toEqual([]);
    expect(withEveryControl.counts.children).toBeGreaterThan(standard.counts.children);
  });
});
