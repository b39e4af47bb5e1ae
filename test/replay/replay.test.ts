import { workflowBundle } from '../../workers/bundle';
import { corpus, gate, type NamedHistory, passReplayGate, replayCorpus } from '../../workers/replay-gate';
import * as lifecycles from '../../workflows/index';
import { plantedBundle } from '../support/planted';
import { quietRuntime } from '../support/temporal';

const typeOf = (name: string): string => name.split('-')[0] ?? '';

const histories = corpus();

/** Every history of one type, and one of each other, which the gate asks for. */
function mostly(type: string): NamedHistory[] {
  const seen = new Set<string>();
  return histories.filter(({ workflowId }) => {
    const own = typeOf(workflowId);
    const isFirst = !seen.has(own);
    seen.add(own);
    return own === type || isFirst;
  });
}

beforeAll(() => quietRuntime());

test('every history that the corpus keeps replays on the current code, which is released once in a process; there is one of each workflow type', async () => {
  const bundle = await workflowBundle();
  const failures: string[] = [];
  const log = { error: (fields: Record<string, unknown>) => void failures.push(`${String(fields.history)}: ${String(fields.err)}`) };
  const replayed = await passReplayGate(bundle, log).catch((error: unknown) => error);
  expect(failures).toEqual([]);
  expect(replayed).toBe(histories.length);
  expect(await passReplayGate({ ...bundle, codePath: '/not/read/again' }, log)).toBe(histories.length);
  expect(new Set(histories.map((history) => typeOf(history.workflowId)))).toEqual(new Set(Object.keys(lifecycles)));
});

const reminder = {
  what: 'one effect in the place of another',
  before: "'remindApprovers', { approvalId, look: story.look(), at: clock.now(), quiet }",
  after: "'withdrawApproval', { approvalId, reasonId: null, at: clock.now() }",
  type: 'approval',
};

test.each([
  {
    what: 'a project that is told before the deal closes',
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
  reminder,
])('a planted change of order is refused by the gate: $what', async ({ before, after, type }) => {
  const bundle = await plantedBundle(before, after);
  const { failures } = await replayCorpus(
    bundle,
    histories.filter((history) => typeOf(history.workflowId) === type),
  );
  expect(failures.length).toBeGreaterThan(0);
  expect(failures.every(({ error }) => error.name === 'DeterminismViolationError')).toBe(true);
});

describe('a build is released', () => {
  const quiet = { error: () => undefined };

  test('never on an empty corpus, which would let everything through', async () => {
    await expect(gate(await workflowBundle(), [], quiet)).rejects.toThrow(/no history of .*dealToCash.*is not released/);
  });

  test.each(Object.keys(lifecycles))('never while the corpus lacks a history of %s', async (type) => {
    const others = histories.filter((history) => typeOf(history.workflowId) !== type);
    await expect(gate(await workflowBundle(), others, quiet)).rejects.toThrow(`no history of ${type}: build`);
  });

  test('never where a history does not replay; the log names it', async () => {
    const bundle = await plantedBundle("'first event'", "'another summary'");
    const reordered = await plantedBundle(reminder.before, reminder.after);
    const told: unknown[] = [];
    const log = { error: (fields: unknown) => void told.push(fields) };
    expect(await gate(bundle, mostly('intake'), log)).toBe(mostly('intake').length);
    await expect(gate(reordered, mostly('approval'), log)).rejects.toThrow(/do not replay: build .* is not released/);
    expect(told).toContainEqual(expect.objectContaining({ history: expect.stringMatching(/^approval-/) as string }));
  });
});
