import fc from 'fast-check';
import { inOrder, isAway, refuseOwnKey } from '../../domain/approval/absence';
import { isActive } from '../../domain/approval/delegation';
import { type AskedDelegation, type DelegationTerms, type Given, giveDelegation, type GivingFacts } from '../../domain/approval/giving';
import { decideDelegation, endDelegation, type StandingDelegation } from '../../domain/approval/settling';
import { isViolation } from '../../domain/violation';
import { usd } from './deal-builders';

const day = (number: number) => new Date(Date.UTC(2026, 2, number)).toISOString();
const now = day(10);
const terms: DelegationTerms = {
  maxDepth: 2,
  groupCurrency: 'USD',
  longestDays: 60,
  secondPerson: { aboveAmount: usd('1000.00'), aboveDays: 14 },
};
const asked = (over: Partial<AskedDelegation> = {}): AskedDelegation => ({
  delegator: 'dora',
  delegate: 'ann',
  role: 'finance-controller',
  ceiling: usd('1000.00'),
  from: now,
  until: day(20),
  ...over,
});
const given = (delegator: string, delegate: string, from = day(1), until = day(30)): Given => ({ delegator, delegate, from, until });
const facts = (over: Partial<GivingFacts> = {}): GivingFacts => ({
  delegateIsActive: true,
  holders: [{ userId: 'dora', limit: usd('5000.00') }],
  counting: [],
  requested: [],
  ...over,
});
const outcome = (result: unknown) => (isViolation(result) ? result.violation : result);

describe('giving a delegation (R-260 to R-263)', () => {
  test.each<[string, Partial<AskedDelegation>, Partial<GivingFacts>, string]>([
    ['to oneself', { delegate: 'dora' }, {}, 'DelegationToOneself'],
    ['to nobody, or somebody who has left', {}, { delegateIsActive: false }, 'DelegateUnknown'],
    ['of a role in which nothing is decided', { role: 'operator' }, {}, 'RoleDecidesNothing'],
    ['of a role that nobody defined', { role: 'toString' }, {}, 'RoleDecidesNothing'],
    ['of a role of somebody else', { delegator: 'eve' }, {}, 'RoleNotHeld'],
    ['of a role that was delegated for another time', { delegator: 'eve' }, { counting: [given('dora', 'eve', day(21))] }, 'RoleNotHeld'],
    ['of a role whose delegation is not granted yet', { delegator: 'eve' }, { requested: [given('dora', 'eve')] }, 'RoleNotHeld'],
    ['for no time', { until: now }, {}, 'DelegationUpsideDown'],
    ['backwards', { until: day(9) }, {}, 'DelegationUpsideDown'],
    ['from a moment ago', { from: '2026-03-09T23:59:59.999Z' }, {}, 'DelegationInPast'],
    ['longer than the policy allows', { until: '2026-05-09T00:00:00.001Z' }, {}, 'DelegationTooLong'],
    ['in another currency', { ceiling: { minor: 1, currency: 'EUR' } }, {}, 'DelegationCurrencyWrong'],
    ['above the own limit', { ceiling: usd('5000.01') }, {}, 'DelegationCeilingTooHigh'],
    ['that leads straight back', {}, { counting: [given('ann', 'dora')] }, 'DelegationLoop'],
    ['that leads back over others', {}, { counting: [given('ann', 'bob'), given('bob', 'dora')] }, 'DelegationLoop'],
    ['that would lead back if it were granted', {}, { requested: [given('ann', 'dora')] }, 'DelegationLoop'],
    ['that leads back for an hour', {}, { counting: [given('ann', 'dora', '2026-03-19T23:00:00.000Z')] }, 'DelegationLoop'],
    ['of the third hand', { delegator: 'eve' }, { counting: [given('dora', 'bob'), given('bob', 'eve')] }, 'DelegationTooDeep'],
    ['at once', {}, {}, 'active'],
    ['of the second hand', { delegator: 'eve' }, { counting: [given('dora', 'eve', day(15), day(16))] }, 'active'],
    ['where others delegate to each other at another time', {}, { counting: [given('ann', 'dora', day(20))] }, 'active'],
    [
      'where a chain back is never whole',
      {},
      { counting: [given('ann', 'bob', day(1), day(15)), given('bob', 'dora', day(15))] },
      'active',
    ],
    ['up to the bounds, without a second person', { until: day(24) }, {}, 'active'],
    ['above the amount, with a second person', { ceiling: usd('1000.01') }, {}, 'requested'],
    ['above the time, with a second person', { until: '2026-03-24T00:00:00.001Z' }, {}, 'requested'],
    ['as far as a limit above the amount, with a second person', { ceiling: null }, {}, 'requested'],
    ['as far as a limit below the amount', { ceiling: null }, { holders: [{ userId: 'dora', limit: usd('900.00') }] }, 'active'],
    ['without any bound, with a second person', { ceiling: null }, { holders: [{ userId: 'dora', limit: null }] }, 'requested'],
  ])('%s', (_what, over, known, expected) => {
    expect(outcome(giveDelegation(asked(over), facts(known), terms, now))).toBe(expected);
  });

  test('nothing where the policy allows none', () => {
    expect(outcome(giveDelegation(asked(), facts(), { ...terms, maxDepth: 0 }, now))).toBe('DelegationTooDeep');
  });

  /** Days one by one, chains hop by hop: what the rule finds by moments and shortest chains. */
  function model(
    wanted: { delegator: string; delegate: string; from: number; until: number },
    others: readonly Hop[],
    depth: number,
  ): string {
    const days = Array.from({ length: wanted.until - wanted.from }, (_, index) => wanted.from + index);
    const hops = (userId: string, on: number, left: number, towards: string): boolean =>
      userId === towards ||
      (left > 0 &&
        others.some(
          (each) => each.delegator === userId && each.from <= on && on < each.until && hops(each.delegate, on, left - 1, towards),
        ));
    const reaches = (most: number) => days.some((on) => hops('h', on, most, wanted.delegator));
    if (!reaches(6)) return 'RoleNotHeld';
    if (!reaches(depth - 1)) return 'DelegationTooDeep';
    return days.some((on) => hops(wanted.delegate, on, 6, wanted.delegator)) ? 'DelegationLoop' : 'active';
  }
  interface Hop {
    readonly delegator: string;
    readonly delegate: string;
    readonly from: number;
    readonly until: number;
  }
  const hop = fc
    .record({
      pair: fc.shuffledSubarray(['h', 'a', 'b', 'c', 'd'], { minLength: 2, maxLength: 2 }),
      from: fc.integer({ min: 10, max: 18 }),
      days: fc.integer({ min: 1, max: 6 }),
    })
    .map(({ pair: [delegator = '', delegate = ''], from, days }) => ({ delegator, delegate, from, until: from + days }));

  test('is as deep and as free of loops as a model that follows every chain on every day', () => {
    const seen = new Map<string, number>();
    fc.assert(
      fc.property(hop, fc.array(hop, { maxLength: 9 }), fc.integer({ min: 1, max: 3 }), (wanted, others, maxDepth) => {
        const counting = others.map((each) => given(each.delegator, each.delegate, day(each.from), day(each.until)));
        const known = facts({ counting, holders: [{ userId: 'h', limit: usd('5000.00') }] });
        const want = asked({ delegator: wanted.delegator, delegate: wanted.delegate, from: day(wanted.from), until: day(wanted.until) });
        const result = outcome(giveDelegation(want, known, { ...terms, maxDepth }, now));
        seen.set(String(result), (seen.get(String(result)) ?? 0) + 1);
        expect(result).toBe(model(wanted, others, maxDepth));
      }),
      { numRuns: 3000 },
    );
    expect([...seen.keys()].sort()).toEqual(['DelegationLoop', 'DelegationTooDeep', 'RoleNotHeld', 'active']);
  });
});

describe('settling a delegation (R-264, R-265)', () => {
  const standing = (over: Partial<StandingDelegation> = {}): StandingDelegation => ({
    ...asked(),
    state: 'requested',
    requestedAt: day(9),
    ...over,
  });
  const decide = (over: Partial<StandingDelegation>, by = 'eve', verdict: 'grant' | 'refuse' = 'grant', known = facts(), at = now) =>
    decideDelegation(standing(over), { by, verdict }, known, terms, at);

  test.each<[string, unknown, unknown]>([
    ['the delegator decides', decide({}, 'dora'), 'DelegationOwnDecision'],
    ['the delegate decides', decide({}, 'ann', 'refuse'), 'DelegationOwnDecision'],
    ['it is decided', decide({ state: 'active' }), 'DelegationSettled'],
    ['its time is over', decide({ until: now, from: day(1) }), 'DelegationSettled'],
    ['it would make a loop by now', decide({}, 'eve', 'grant', facts({ counting: [given('ann', 'dora')] })), 'DelegationLoop'],
    ['the delegator has lost the role', decide({}, 'eve', 'grant', facts({ holders: [] })), 'RoleNotHeld'],
    ['it is refused, which needs none of that', decide({}, 'eve', 'refuse', facts({ holders: [] })), { state: 'refused', from: now }],
    ['it is granted for later', decide({ from: day(15) }), { state: 'active', from: day(15) }],
    ['it is granted late, and counts from then on', decide({ from: day(9) }), { state: 'active', from: now }],
  ])('where %s', (_what, result, expected) => {
    expect(outcome(result)).toEqual(expected);
  });

  test.each<[string, Partial<StandingDelegation>, unknown]>([
    ['of master data', { state: 'active', requestedAt: null }, 'DelegationOfMasterData'],
    ['that was refused', { state: 'refused' }, 'DelegationSettled'],
    ['that is over', { state: 'active', from: day(1), until: now }, 'DelegationSettled'],
    ['that waits for its grant', { from: day(1) }, { state: 'withdrawn', until: day(20) }],
    ['that begins this moment', { state: 'active' }, { state: 'withdrawn', until: day(20) }],
    ['that counts', { state: 'active', from: day(1) }, { state: 'ended', until: now }],
  ])('ending one %s', (_what, over, expected) => {
    expect(outcome(endDelegation(standing(over), now))).toEqual(expected);
  });
});

describe('absences (R-266, R-267)', () => {
  const away = [
    { from: day(11), until: day(13) },
    { from: day(14), until: day(15) },
  ];
  const standIn = { ...asked({ from: day(12), until: day(20) }), delegationId: 'd', onlyDuring: away };
  test.each([
    [day(11), false],
    [day(12), true],
    ['2026-03-12T23:59:59.999Z', true],
    [day(13), false],
    [day(14), true],
    [day(15), false],
  ])('a stand-in counts at %s: %s', (at, counts) => {
    expect(isActive(standIn, at)).toBe(counts);
    expect(isActive({ ...standIn, onlyDuring: [] }, at)).toBe(false);
  });

  test('are put in order, together where they touch, and cover the same moments', () => {
    const period = fc
      .tuple(fc.integer({ min: 1, max: 20 }), fc.integer({ min: 1, max: 6 }))
      .map(([from, days]) => ({ from: day(from), until: day(from + days) }));
    fc.assert(
      fc.property(fc.array(period, { maxLength: 8 }), (told) => {
        const ordered = inOrder(told);
        for (let number = 1; number < 28; number += 1) expect(isAway(ordered, day(number))).toBe(isAway(told, day(number)));
        ordered.forEach(({ from, until }, index) =>
          expect([from < until, index === 0 || (ordered[index - 1]?.until ?? '') < from]).toEqual([true, true]),
        );
        expect(inOrder([...told].reverse())).toEqual(ordered);
      }),
    );
  });

  test('are not told by whoever would decide then', () => {
    const standIns = [
      { delegator: 'dora', delegate: 'ann', whenAway: true },
      { delegator: 'ann', delegate: 'bob', whenAway: false },
      { delegator: 'dora', delegate: 'eve', whenAway: false },
    ];
    const refused = (by: string) => outcome(refuseOwnKey(by, 'dora', standIns));
    expect(['ann', 'bob', 'eve', 'dora'].map(refused)).toEqual(['AbsenceOfStoodInFor', 'AbsenceOfStoodInFor', null, null]);
  });
});
