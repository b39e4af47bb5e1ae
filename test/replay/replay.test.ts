import { DefaultLogger, makeTelemetryFilterString, Runtime } from '@temporalio/worker';
import { workflowBundle } from '../../workers/bundle';
import { corpus, gate, passReplayGate, replayCorpus } from '../../workers/replay-gate';
import * as lifecycles from '../../workflows/index';
import { plantedBundle } from '../support/planted';

const typeOf = (name: string): string => name.split('-')[0] ?? '';

/** What is meant to fail does not fill the report. */
beforeAll(() => {
  const logging = { filter: makeTelemetryFilterString({ core: 'ERROR' }) };
  Runtime.install({ logger: new DefaultLogger('ERROR'), telemetryOptions: { logging } });
});

test('every history that the corpus keeps replays on the current code, at least one of each workflow type', async () => {
  const { replayed, failures } = await replayCorpus(await workflowBundle());
  expect(failures.map(({ name, error }) => `${name}: ${error.message}`)).toEqual([]);
  expect(replayed).toBe(corpus().length);
  expect(new Set(corpus().map((history) => typeOf(history.workflowId)))).toEqual(new Set(Object.keys(lifecycles)));
});

test.each([
  {
    what: 'a project that is told before the deal closes',
    file: 'deal-to-cash/workflow.ts',
    before: `  await deal.step('startClosing', {}, 'all lines finished');
  changes.end();
  await deal.signalProject('finished');
`,
    after: `  await deal.signalProject('finished');
  await deal.step('startClosing', {}, 'all lines finished');
  changes.end();
`,
    type: 'dealToCash',
  },
  {
    what: 'one effect in the place of another',
    file: 'approval/workflow.ts',
    before: "'remindApprovers', { approvalId, turn, at: clock.now() }",
    after: "'withdrawApproval', { approvalId, reasonId: null, at: clock.now() }",
    type: 'approval',
  },
])('a planted change of order is refused by the gate: $what', async ({ file, before, after, type }) => {
  const bundle = await plantedBundle(file, before, after);
  const { failures } = await replayCorpus(
    bundle,
    corpus().filter((history) => typeOf(history.workflowId) === type),
  );
  expect(failures.length).toBeGreaterThan(0);
  expect(failures.every(({ error }) => error.name === 'DeterminismViolationError')).toBe(true);
});

describe('a build is released', () => {
  const quiet = { error: () => undefined };

  test('when the committed histories replay, once in a process', async () => {
    const bundle = await workflowBundle();
    expect(await passReplayGate(bundle, quiet)).toBe(corpus().length);
    expect(await passReplayGate({ ...bundle, codePath: '/not/read/again' }, quiet)).toBe(corpus().length);
  });

  test('never on an empty corpus, which would let everything through', async () => {
    await expect(gate(await workflowBundle(), [], quiet)).rejects.toThrow(/no history of .*dealToCash.*is not released/);
  });

  test.each(Object.keys(lifecycles))('never while the corpus lacks a history of %s', async (type) => {
    const others = corpus().filter((history) => typeOf(history.workflowId) !== type);
    await expect(gate(await workflowBundle(), others, quiet)).rejects.toThrow(`no history of ${type}: build`);
  });

  test('never where a history does not replay; the log names it', async () => {
    const bundle = await plantedBundle('intake/workflow.ts', "'first event'", "'another summary'");
    const reordered = await plantedBundle(
      'approval/workflow.ts',
      "'remindApprovers', { approvalId, turn, at: clock.now() }",
      "'withdrawApproval', { approvalId, reason: 'late', at: clock.now() }",
    );
    const told: unknown[] = [];
    const log = { error: (fields: unknown) => void told.push(fields) };
    expect(await gate(bundle, corpus(), log)).toBe(corpus().length);
    await expect(gate(reordered, corpus(), log)).rejects.toThrow(/do not replay: build .* is not released/);
    expect(told).toContainEqual(expect.objectContaining({ history: expect.stringMatching(/^approval-/) as string }));
  });
});
