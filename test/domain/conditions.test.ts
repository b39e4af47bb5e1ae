import { conditionMoments } from '../../domain/approval/condition-clock';
import { answerTo, decide } from '../../domain/approval/decision';
import { setsAside } from '../../domain/approval/break-glass';
import { type Condition, escalateCondition, settleCondition } from '../../domain/approval/conditions';
import { recuse } from '../../domain/approval/recusal';
import { hasVoted, type Approval } from '../../domain/approval/state';
import { storedApproval } from '../../domain/approval/stored';
import { stepOfCondition, waiversOf } from '../../domain/approval/waiving';
import { type WorkingCalendar } from '../../domain/calendar/working-day';
import { at, may, opened, play, says, step, tier } from './approval-builders';
import { accepted, refusal } from './deal-builders';

const owners = { legal: ['lea'] };
const condition = (conditionId: string, over: object = {}) => ({ conditionId, role: 'legal', textId: 'T', due: null, ...over });
const start = opened([tier(1, step('director')), tier(2, step('cfo'))]);
const set = (by: string, onBehalfOf?: string) =>
  play(start, [
    says(by, { conditions: [condition('C1')] }),
    { ...may('director', onBehalfOf === undefined ? {} : { onBehalfOf }), owners },
  ]);
const first = (approval: Approval): Condition => approval.conditions[0]!;

describe('in whose right a condition is waived (R-362, R-363)', () => {
  const voters = ['dora', 'dan'];
  const rungs = [['pete'], ['hedda']];
  const known = { voters, rungs, barred: [] };
  const waivers = (approval: Approval, over: object = {}) => waiversOf(approval, first(approval), { ...known, ...over });
  const without = accepted(recuse(set('dora'), 'dan', { ...may('cfo', { voters: { cfo: ['dan', 'carl'] } }), owners }, at));

  test.each<[string, readonly string[], readonly string[]]>([
    ['of whoever set it', waivers(set('dora')), ['dora']],
    ['of whom it was set for, and not of the delegate', waivers(set('sub', 'dora')), ['dora']],
    ['of others of the role, where the setter has left it', waivers(set('dora'), { voters: ['dan'] }), ['dan']],
    ['of others, where duties bar the setter now', waivers(set('dora'), { barred: ['dora'] }), ['dan']],
    [
      'of the first rung that has somebody, where the role has nobody left',
      waivers(set('dora'), { voters: [], barred: ['pete'] }),
      ['hedda'],
    ],
    ['of nobody who asked for it', waivers(set('dora'), { voters: ['seller'], rungs: [['seller'], ['hedda']] }), ['hedda']],
    ['of nobody who stood back since', waivers(without, { voters: ['dan'] }), ['pete']],
    ['of nobody, where nobody is left', waivers(set('dora'), { voters: [], rungs: [] }), []],
  ])('%s', (_, found, expected) => {
    expect(found).toEqual(expected);
  });

  test('by an exception from the duties as long as it counts, once it was used for the grant', () => {
    const conflict = { ruleId: 'SOD-1' } as never;
    const used = { by: 'dora', ruleIds: ['SOD-1'], state: 'used', lapsesAt: at } as const;
    const before = new Date(Date.parse(at) - 1).toISOString();
    expect([setsAside(used, [conflict], before, 'used'), setsAside(used, [conflict], at, 'used'), setsAside(used, [conflict], before)]).toEqual([true, false, false]); // prettier-ignore
    expect(setsAside(used, [conflict, { ruleId: 'SOD-2' } as never], before, 'used')).toBe(false);
  });

  test('what is refused is refused whoever may not, and not once it is settled', () => {
    const no = { violation: 'ConditionSetterRequired', detail: 'set for dora' };
    const waive = (approval: Approval, noWaiver: typeof no | null) =>
      settleCondition(approval, 'C1', { as: 'waived', by: 'dora', textId: 'E' }, { owners: [], noWaiver }, at);
    expect(refusal(waive(set('dora'), no))).toBe('ConditionSetterRequired');
    const done = accepted(waive(set('dora'), null));
    expect(waive(done, no)).toBe(done);
  });

  test('the step with whose vote it was set is known later', () => {
    const done = play(set('dora'), [says('carl'), may('cfo')]);
    expect(done.kind).toBe('conditions');
    expect(stepOfCondition(done, first(done))?.role).toBe('director');
  });
});

describe('what was granted is not put under conditions afterwards (R-365)', () => {
  const facts = { ...may('director'), owners };
  const pair = opened([tier(1, step('director', { quorum: '2' }))]);
  const plain = play(pair, [says('dora'), facts]);
  const under = play(pair, [says('dora', { conditions: [condition('C1')] }), facts]);
  const again = (over: object) => says('dora', { decisionId: 'again', ...over });

  test('the same grant once more changes nothing', () => {
    expect([answerTo(plain, again({})), answerTo(under, again({}))]).toEqual(['already-applied', 'already-applied']);
    expect(answerTo(under, says('dora', { conditions: [condition('C1')] }))).toBe('already-received');
  });

  test.each<[string, Approval, object, string]>([
    ['a second grant with conditions', plain, again({ conditions: [condition('C2')] }), 'GrantedOtherwise'],
    ['one with other conditions', under, again({ conditions: [condition('C2')] }), 'GrantedOtherwise'],
    ['conditions under the id of the grant', plain, says('dora', { conditions: [condition('C1')] }), 'DecisionIdReused'],
    ['other conditions under it', under, says('dora', { conditions: [condition('C1', { textId: 'U' })] }), 'DecisionIdReused'],
    ['another day under it', under, says('dora', { conditions: [condition('C1', { due: '2026-02-01T00:00:00Z' })] }), 'DecisionIdReused'],
    ['none under it', under, says('dora'), 'DecisionIdReused'],
  ])('%s is refused', (_, approval, decision, code) => {
    expect(refusal(decide(approval, decision as ReturnType<typeof says>, facts, at))).toBe(code);
  });
});

describe('the clock of a condition (R-364)', () => {
  const calendar: WorkingCalendar = {
    ...{
      calendarId: 'C',
      timeZone: 'UTC',
      workingWeekdays: ['MO', 'TU', 'WE', 'TH', 'FR'],
      dayStart: '09:00',
      dayEnd: '17:00',
      hoursPerDay: '8',
      holidays: [],
    },
  };
  const terms = { workingMinutes: 480, remindAtPercent: [50, 100], escalateTo: ['role', 'entity-head'] };
  const clock = (over: object = {}, settled: number | null = 0) =>
    accepted(conditionMoments({ due: null, setAt: '2026-01-26T15:00:00.000Z', escalatedTo: [], ...over }, terms, calendar, settled));

  test('runs in working time of its owner, by the policy where nobody said a day', () => {
    expect(clock()).toEqual({
      reminders: ['2026-01-27T11:00:00.000Z'],
      due: '2026-01-27T15:00:00.000Z',
      escalation: { at: '2026-01-27T15:00:00.000Z', to: 'role' },
      delayedAt: null,
    });
  });

  test('a day that was said is kept, and reminders come at shares of the working time until then', () => {
    // Six hours on Monday, none at the weekend before.
    const given = clock({ setAt: '2026-01-24T10:00:00.000Z', due: '2026-01-26T15:00:00.000Z' });
    expect(given).toMatchObject({ reminders: ['2026-01-26T12:00:00.000Z'], due: '2026-01-26T15:00:00.000Z' });
    expect(clock({ setAt: '2026-01-24T10:00:00.000Z', due: '2026-01-24T11:00:00.000Z' })).toMatchObject({ reminders: [] });
  });

  test('each rung comes after one more deadline, the exception one after the last, and one more each time it was handled', () => {
    expect(clock({ escalatedTo: ['role'] }).escalation).toEqual({ at: '2026-01-28T15:00:00.000Z', to: 'entity-head' });
    const all = { escalatedTo: ['role', 'entity-head', 'cfo'] };
    expect([clock(all), clock(all, 1), clock(all, null)].map(({ escalation, delayedAt }) => [escalation, delayedAt])).toEqual([
      [null, '2026-01-29T15:00:00.000Z'],
      [null, '2026-01-30T15:00:00.000Z'],
      [null, null],
    ]);
  });

  test('is kept with the condition when it is set, where nobody said a day', () => {
    const due = '2026-02-02T15:00:00.000Z';
    const said = says('dora', { conditions: [condition('C1'), condition('C2', { due: '2026-01-30T09:00:00.000Z' })] });
    const given = play(start, [said, { ...may('director'), owners, dues: { legal: due } }]);
    expect(given.conditions.map((each) => each.due)).toEqual([due, '2026-01-30T09:00:00.000Z']);
    expect(answerTo(given, said)).toBe('already-received');
  });

  test('a role is added once, and to what is open alone', () => {
    const given = escalateCondition(set('dora'), 'C1', 'pmo-lead');
    expect(first(given).escalatedTo).toEqual(['pmo-lead']);
    expect([escalateCondition(given, 'C1', 'pmo-lead'), escalateCondition(given, 'C9', 'pmo-lead')]).toEqual([given, given]);
  });

  test('one that was set before there was a clock has been given to nobody', () => {
    const stored = JSON.parse(JSON.stringify(set('dora'))) as { conditions: Record<string, unknown>[] };
    delete stored.conditions[0]!['escalatedTo'];
    expect(storedApproval(stored)).toEqual(set('dora'));
  });
});

test('nobody is asked for a vote that somebody has given for them', () => {
  const voted = play(start, [says('sub'), may('director', { onBehalfOf: 'dora' })]).tiers[0]!.steps[0]!;
  expect(['sub', 'dora', 'dan'].map((userId) => hasVoted(voted, userId))).toEqual([true, true, false]);
});
