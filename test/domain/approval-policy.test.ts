import fc from 'fast-check';
import { requiredTiers, type PolicyFacts, type PolicyRule } from '../../domain/approval/policy';
import { PLAIN_SEAT, type Seat } from '../../domain/approval/groups';
import { type Ballots, hasTooFewVoters, outcomeOf, type StepRule, votesNeeded } from '../../domain/approval/quorum';
import { expiryOf, slaMoments } from '../../domain/approval/sla';
import { workingMinutesBetween } from '../../domain/calendar/working-time';
import { at, step } from './approval-builders';
import { accepted, jsonOf, newYork, refusal, usd } from './deal-builders';

const { matrix } = jsonOf<{ matrix: PolicyRule[] }>('approval-policy.json');

describe('a policy that is not understood', () => {
  const rule = (when: object, quorum = '1'): PolicyRule[] => [
    { id: 'X', subject: 'deal', when, approvers: [{ tier: 1, role: 'cfo', quorum }] },
  ];
  const facts: PolicyFacts = { amount: usd('1.00'), marginPercent: '50', discountPercent: '0', paymentTermsDays: 30 };
  test.each([
    [rule({ moonAbove: '1' }), 'PolicyConditionUnknown'],
    [rule({ amountAbove: 'much' }), 'PolicyLimitMalformed'],
    [rule({ beyondBudget: 'true' }), 'PolicyLimitMalformed'],
    [rule({}, '0'), 'PolicyQuorumMalformed'],
    [rule({}, '1.5'), 'PolicyQuorumMalformed'],
    [rule({}, 'half'), 'PolicyQuorumMalformed'],
    [[...rule({}), ...rule({}, '0.5')], 'PolicyQuorumMixed'],
  ])('%j is refused as %s', (rules, code) => {
    expect(refusal(requiredTiers(rules, 'deal', facts))).toBe(code);
  });
});

describe('the tiers that the reference policy asks', () => {
  const good: PolicyFacts = { amount: usd('100000.00'), marginPercent: '50', discountPercent: '0', paymentTermsDays: 30 };
  const asked = (subject: string, changes: Partial<PolicyFacts>): string[] =>
    accepted(requiredTiers(matrix, subject, { ...good, ...changes })).flatMap(({ tier: number, steps }) =>
      steps.map(({ role, quorum }) => `${number} ${role}${quorum === '1' ? '' : ` ${quorum}`}`),
    );
  test.each([
    ['deal', { amount: usd('250000.00') }, ['1 delivery-director']],
    ['deal', { amount: usd('250000.01') }, ['1 delivery-director', '2 finance-controller']],
    ['deal', { amount: usd('2000000.00') }, ['1 delivery-director', '2 finance-controller']],
    ['deal', { amount: usd('2000000.01') }, ['1 delivery-director', '2 finance-controller', '3 cfo']],
    ['deal', { amount: usd('5000000.00') }, ['1 delivery-director', '2 finance-controller', '3 cfo']],
    ['deal', { amount: usd('5000000.01') }, ['1 delivery-director', '2 finance-controller', '3 cfo', '4 deal-committee 0.7']],
    ['deal', { marginPercent: '40' }, ['1 delivery-director']],
    ['deal', { marginPercent: '39.999999' }, ['1 delivery-director', '2 pmo-lead']],
    ['deal', { marginPercent: '24.9' }, ['1 delivery-director', '2 pmo-lead', '3 ceo']],
    ['deal', { discountPercent: '5' }, ['1 delivery-director']],
    ['deal', { discountPercent: '15.5' }, ['1 delivery-director', '1 sales-director', '3 cfo']],
    ['deal', { paymentTermsDays: 45 }, ['1 delivery-director', '2 finance-controller']],
    ['deal', { amount: usd('3000000.00'), paymentTermsDays: 61 }, ['1 delivery-director', '2 finance-controller', '3 cfo']],
    ['sow', { amount: null }, ['1 legal-counsel', '1 finance-controller']],
    ['invoice', {}, ['1 finance-controller']],
    ['requisition', { amount: usd('25000.00') }, ['1 procurement-lead']],
    ['requisition', { amount: usd('25000.00'), beyondBudget: true }, ['1 procurement-lead', '2 pmo-lead', '2 delivery-director']],
    ['write-off', { amount: usd('0.00') }, []],
    ['change-order', { amount: usd('100000.00') }, ['1 project-manager', '2 delivery-director']],
    ['unheard-of', {}, []],
  ] as const)('%s with %j: %j', (subject, changes, tiers) => {
    expect(asked(subject, changes)).toEqual(tiers);
  });

  test('what is not known counts as beyond the limit', () => {
    const tiers = asked('deal', { amount: null, marginPercent: null, discountPercent: null });
    expect(tiers).toEqual([
      '1 delivery-director',
      '1 sales-director',
      '2 finance-controller',
      '2 pmo-lead',
      '3 cfo',
      '3 ceo',
      '4 deal-committee 0.7',
    ]);
  });

  test('a role that several rules ask in one tier is asked once, by the larger quorum, and names its rules', () => {
    const tiers = accepted(requiredTiers(matrix, 'deal', { ...good, amount: usd('3000000.00'), paymentTermsDays: 90 }));
    expect(tiers[1]?.steps).toEqual([step('finance-controller', { ruleIds: ['AP-DEAL-3', 'AP-TERMS-1'] })]);
    const two: PolicyRule[] = ['1', '2'].map((quorum) => ({
      id: `Q${quorum}`,
      subject: 'deal',
      when: {},
      approvers: [{ tier: 1, role: 'cfo', quorum }],
    }));
    expect(accepted(requiredTiers(two, 'deal', good))[0]?.steps[0]).toMatchObject({ quorum: '2', ruleIds: ['Q1', 'Q2'] });
  });
});

const asked = (rule: Partial<StepRule>): StepRule => ({ quorum: '1', veto: false, minimumVoters: 1, groups: [], ...rule });
const plain = (people: number): Seat[] => Array.from({ length: people }, () => PLAIN_SEAT);
const counted = (voters: number, grants: number, refusals: number): Ballots => ({
  voters,
  weight: voters,
  grants: plain(grants),
  refusals: plain(refusals),
  waiting: plain(voters - grants - refusals),
});

describe('a quorum', () => {
  test.each([
    ['0.7', 5, 4],
    ['0.75', 4, 3],
    ['0.5', 4, 2],
    ['0.5', 5, 3],
    ['0.1', 30, 3],
    ['1.0', 5, 5],
    ['0.2', 0, 1],
    ['1', 9, 1],
    ['2', 1, 2],
  ])('of %s among %i voters needs %i', (quorum, voters, need) => {
    expect(votesNeeded(quorum, voters)).toBe(need);
  });

  test.each([
    ['1', false, 3, 0, 1, 'refused'],
    ['1', false, 3, 1, 0, 'granted'],
    ['2', false, 5, 1, 1, 'open'],
    ['2', false, 5, 1, 3, 'open'],
    ['2', false, 5, 1, 4, 'refused'],
    ['2', true, 5, 1, 1, 'refused'],
    ['0.7', false, 5, 3, 1, 'open'],
    ['0.7', false, 5, 4, 0, 'granted'],
    ['0.7', false, 5, 3, 2, 'refused'],
    ['0.7', false, 1, 0, 1, 'refused'],
    ['0.7', false, 5, 0, 0, 'open'],
  ] as const)('of %s (veto %p) among %i with %i for and %i against is %s', (quorum, veto, voters, grants, refusals, outcome) => {
    expect(outcomeOf(asked({ quorum, veto }), counted(voters, grants, refusals))).toBe(outcome);
  });

  test('never asks more than all and never stays open when everybody has voted', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 100 }), fc.integer({ min: 1, max: 60 }), fc.nat(60), (percent, voters, grants) => {
        const quorum = (percent / 100).toFixed(2);
        fc.pre(grants <= voters);
        expect(votesNeeded(quorum, voters)).toBeLessThanOrEqual(voters);
        expect(votesNeeded(quorum, voters)).toBe(Math.max(1, Number((BigInt(percent) * BigInt(voters) + 99n) / 100n)));
        expect(outcomeOf(asked({ quorum }), counted(voters, grants, voters - grants))).not.toBe('open');
      }),
    );
  });

  test('with fewer voters than its minimum, or than it counts, has to escalate', () => {
    expect(hasTooFewVoters(asked({ quorum: '0.7', minimumVoters: 3 }), plain(2))).toBe(true);
    expect(hasTooFewVoters(asked({ quorum: '2' }), plain(1))).toBe(true);
    expect(hasTooFewVoters(asked({ quorum: '1' }), plain(0))).toBe(true);
    expect(hasTooFewVoters(asked({ quorum: '1' }), plain(1))).toBe(false);
  });
});

describe('the time to answer', () => {
  const terms = { workingMinutes: 960, remindAtPercent: [90, 50] };
  test('runs in the working time of whoever must act', () => {
    expect(slaMoments(terms, newYork, '2026-01-23T19:00:00Z')).toEqual({
      reminders: ['2026-01-26T18:30:00.000Z', '2026-01-27T16:24:00.000Z'],
      due: '2026-01-27T18:00:00.000Z',
    });
  });

  const paused = (from: string, until: string | null) => slaMoments(terms, newYork, '2026-01-23T19:00:00Z', [{ from, until }]);
  test('stands still while the requester owes an answer: what was used stays used, and what was due stays where it was', () => {
    expect(paused('2026-01-26T19:00:00Z', '2026-02-02T14:00:00Z')).toEqual({
      reminders: ['2026-01-26T18:30:00.000Z', '2026-02-02T19:54:00.000Z'],
      due: '2026-02-02T21:30:00.000Z',
    });
    expect(paused('2026-01-26T19:00:00Z', null)).toEqual({ reminders: ['2026-01-26T18:30:00.000Z'], due: null });
    expect(paused('2026-01-27T18:00:00Z', null)).toMatchObject({ due: '2026-01-27T18:00:00.000Z' });
    expect(paused('2026-01-28T12:00:00Z', '2026-02-02T14:00:00Z')).toMatchObject({ due: '2026-01-27T18:00:00.000Z' });
  });

  test('stands still in each of several rounds, outside working time for nothing, over a weekend and a clock change', () => {
    const rounds = [
      { from: '2026-03-05T16:00:00Z', until: '2026-03-05T17:00:00Z' },
      { from: '2026-03-07T12:00:00Z', until: '2026-03-08T12:00:00Z' },
      { from: '2026-03-09T13:30:00Z', until: '2026-03-09T15:00:00Z' },
    ];
    const plain = slaMoments(terms, newYork, '2026-03-05T15:00:00Z');
    const talked = slaMoments(terms, newYork, '2026-03-05T15:00:00Z', rounds);
    const minutes = (moments: typeof plain) => workingMinutesBetween(newYork, '2026-03-05T15:00:00Z', accepted(moments).due ?? '');
    expect(Number(minutes(talked)) - Number(minutes(plain))).toBe(150);
  });

  test('of an undecided request ends with a working day of its entity, whatever is paused', () => {
    expect(expiryOf(1, newYork, '2026-01-23T19:00:00Z')).toBe('2026-01-27T05:00:00.000Z');
    expect(expiryOf(5, newYork, '2026-03-04T19:00:00Z')).toBe('2026-03-12T04:00:00.000Z');
    expect(refusal(expiryOf(5, { ...newYork, workingWeekdays: [] }, at))).toBe('CalendarWithoutWorkingDay');
  });

  test('needs a calendar with working time', () => {
    const never = { ...newYork, workingWeekdays: [] };
    expect(refusal(slaMoments(terms, never, at))).toBe('CalendarWithoutWorkingDay');
    expect(refusal(slaMoments(terms, never, at, [{ from: at, until: at }]))).toBe('CalendarWithoutWorkingDay');
  });
});
