import fc from 'fast-check';
import { answerTo, decide, refusalWithoutFacts, type Decision, type DecisionFacts } from '../../domain/approval/decision';
import { LIMIT_HOLDER_ROLE } from '../../domain/approval/settle-step';
import { escalate, expire, isApprovedFor, openSteps, withdraw, type Approval } from '../../domain/approval/state';
import { isViolation } from '../../domain/violation';
import { at, board, may, no, onBoard, opened, play, says, step, tier } from './approval-builders';
import { accepted, refusal, usd } from './deal-builders';

describe('decisions that are refused', () => {
  const twoTiers = opened([tier(1, step('director')), tier(2, step('controller'))]);
  const pair = opened([tier(1, step('legal'), step('finance'))]);
  const first = play(twoTiers, [says('dora'), may('director')]);
  const approved = play(first, [says('fred'), may('controller')]);
  const refused = play(twoTiers, [no('dora'), may('director')]);
  const half = play(pair, [says('lea', { role: 'legal' }), may('legal')]);
  const cases: [string, Approval, Decision, DecisionFacts, string][] = [
    ['on an approved request', approved, says('late'), may('director'), 'AlreadyDecided'],
    ['on a refused request', refused, says('late'), may('director'), 'AlreadyDecided'],
    ['on a withdrawn request', accepted(withdraw(twoTiers, 'seller', 'changed', at)), says('dora'), may('director'), 'ApprovalGone'],
    ['on an expired request', accepted(expire(twoTiers, at)), says('dora'), may('director'), 'ApprovalGone'],
    ['by the requester', twoTiers, says('seller'), may('director'), 'ApproverIsRequester'],
    ['on behalf of the requester', twoTiers, says('dora'), may('director', { onBehalfOf: 'seller' }), 'ApproverIsRequester'],
    ['for another version', twoTiers, says('dora', { shownHash: 'h0' }), may('director'), 'VersionOutdated'],
    ['against, without a reason', twoTiers, says('dora', { verdict: 'refuse', reasonId: null }), may('director'), 'ReasonMissing'],
    ['by somebody without the role', twoTiers, says('mia'), may('gardener'), 'RoleNotAsked'],
    ['in a role that is not asked', twoTiers, says('mia', { role: 'gardener' }), may('gardener'), 'RoleNotAsked'],
    ['for a role the person does not hold', twoTiers, says('mia', { role: 'director' }), may('controller'), 'RoleNotAsked'],
    ['in a tier that is not open yet', twoTiers, says('fred', { role: 'controller' }), may('controller'), 'TierNotOpen'],
    ['in a tier that is done', first, says('dan', { role: 'director' }), may('director'), 'AlreadyDecided'],
    ['in a step that is done', half, says('lars', { role: 'legal' }), may('legal'), 'AlreadyDecided'],
    ['twice in one role', half, says('lea', { decisionId: 'other', role: 'legal' }), may('legal'), 'AlreadyVoted'],
    ['twice in a tier of two people', half, says('lea', { decisionId: 'other' }), may('finance'), 'SamePersonTwice'],
    ['in two roles of one tier', half, says('lea', { decisionId: 'other', role: 'finance' }), may('finance'), 'SamePersonTwice'],
    [
      'for a colleague in the second role of a tier',
      half,
      says('sub', { role: 'finance' }),
      may('finance', { onBehalfOf: 'lea' }),
      'SamePersonTwice',
    ],
    ['by whoever approved the lower tier', first, says('dora', { decisionId: 'other' }), may('controller'), 'SamePersonTwice'],
    ['with an id that another decision has', half, says('lars', { decisionId: 'lea-1' }), may('finance'), 'DecisionIdReused'],
    ['with an id of the opposite verdict', half, { ...no('lea'), decisionId: 'lea-1' }, may('finance'), 'DecisionIdReused'],
    [
      'against segregation of duties',
      twoTiers,
      says('dora'),
      may('director', { dutyConflict: { violation: 'DutiesConflict', detail: 'SOD-1' } }),
      'DutiesConflict',
    ],
  ];
  test.each(cases)('%s', (_, approval, decision, facts, code) => {
    expect(refusal(decide(approval, decision, facts, at))).toBe(code);
  });

  test('a delegate and the holder vote once together', () => {
    const committee = opened([tier(1, step('board', { quorum: '0.7', committee: true }))]);
    const voted = play(committee, [says('sub'), may('board', { voters: { board }, onBehalfOf: 'ann' })]);
    expect(refusal(decide(voted, says('ann'), onBoard, at))).toBe('AlreadyVoted');
  });

  test('what the workflow can refuse alone needs no facts', () => {
    expect(refusalWithoutFacts(twoTiers, says('dora'))).toBeNull();
    expect(refusal(refusalWithoutFacts(twoTiers, says('seller')))).toBe('ApproverIsRequester');
    expect(refusal(refusalWithoutFacts(approved, says('late')))).toBe('AlreadyDecided');
  });
});

describe('an approval that is decided', () => {
  test('is approved at once where nobody is asked', () => {
    expect(opened([])).toMatchObject({ kind: 'approved', at });
  });

  test('opens tier after tier, keeps every vote, and binds to what was shown', () => {
    const start = opened([tier(1, step('director')), tier(2, step('controller'))]);
    expect(openSteps(start).map(({ role }) => role)).toEqual(['director']);
    const first = play(start, [says('dora'), may('director')]);
    expect(openSteps(first).map(({ role }) => role)).toEqual(['controller']);
    const done = play(first, [says('fred'), may('controller', { onBehalfOf: 'fay' })]);
    expect(done).toMatchObject({ kind: 'approved', at });
    expect(openSteps(done)).toEqual([]);
    expect(done.tiers[1]?.steps[0]?.votes).toMatchObject([{ by: 'fred', onBehalfOf: 'fay', at, decisionId: 'fred-1' }]);
    expect([isApprovedFor(done, 'h1'), isApprovedFor(done, 'h2'), isApprovedFor(first, 'h1')]).toEqual([true, false, false]);
  });

  test('two people of one tier decide in any order', () => {
    const start = opened([tier(1, step('legal'), step('finance'))]);
    const moves = [[says('lea'), may('legal')] as const, [says('fin'), may('finance')] as const];
    expect(play(start, ...moves).kind).toBe('approved');
    expect(play(start, ...[...moves].reverse()).kind).toBe('approved');
  });

  test('one refusal of a tier of one voter ends everything', () => {
    const start = opened([tier(1, step('legal'), step('finance')), tier(2, step('cfo'))]);
    expect(play(start, [no('lea'), may('legal')])).toMatchObject({ kind: 'refused', by: 'lea', role: 'legal', reasonId: 'T-1', at });
  });

  test('the same decision again is the same answer, also after the end', () => {
    const start = opened([tier(1, step('director'))]);
    const done = play(start, [says('dora'), may('director')]);
    expect(decide(done, says('dora'), may('director'), at)).toBe(done);
    expect(answerTo(done, says('dora'))).toBe('already-received');
    expect(answerTo(done, says('dora', { decisionId: 'again' }))).toBe('already-applied');
    expect(answerTo(done, no('dora'))).toBeNull();
  });

  test('a committee of five at 0.7 passes with the fourth vote, also of those who decided before', () => {
    const start = opened([tier(1, step('director')), tier(4, step('board', { quorum: '0.7', committee: true }))]);
    const first = play(start, [says('ann', { decisionId: 'earlier' }), may('director')]);
    const three = play(first, ...['ann', 'bob', 'cem'].map((by) => [says(by), onBoard] as const));
    expect(three.kind).toBe('pending');
    expect(play(three, [says('eve'), onBoard]).kind).toBe('approved');
    expect(play(three, [no('dee'), onBoard]).kind).toBe('pending');
    expect(play(three, [no('dee'), onBoard], [no('eve'), onBoard])).toMatchObject({ kind: 'refused', by: 'eve' });
  });

  test('an escalated step takes the decision of the role it went to', () => {
    const start = opened([tier(1, step('director'))]);
    expect(refusal(decide(start, says('head'), may('entity-head'), at))).toBe('RoleNotAsked');
    const asked = accepted(escalate(start, 'director', 'entity-head'));
    expect(escalate(asked, 'director', 'entity-head')).toBe(asked);
    expect(play(asked, [says('head'), may('entity-head')]).kind).toBe('approved');
    expect(refusal(escalate(start, 'gardener', 'entity-head'))).toBe('StepNotOpen');
  });

  test('the last word needs a limit that covers the amount: otherwise one more tier asks a holder of such a limit', () => {
    const start = opened([tier(1, step('director'))], usd('500000.00'));
    expect(play(start, [says('dora'), may('director', { limit: usd('500000.00') })]).kind).toBe('approved');
    const short = play(start, [says('dora'), may('director', { limit: usd('499999.99') })]);
    expect(openSteps(short).map(({ role }) => role)).toEqual([LIMIT_HOLDER_ROLE]);
    expect(play(short, [says('cfo'), may(LIMIT_HOLDER_ROLE, { limit: usd('20000000.00') })]).kind).toBe('approved');
    expect(play(start, [says('dora'), may('director')]).kind).toBe('pending');
  });

  test('a limit in an earlier tier covers too', () => {
    const start = opened([tier(1, step('director')), tier(2, step('controller'))], usd('500000.00'));
    const facts = may('director', { limit: usd('3000000.00') });
    expect(play(start, [says('dora'), facts], [says('fred'), may('controller', { limit: usd('1.00') })]).kind).toBe('approved');
  });

  test('what has ended stays as it is, whatever is said', () => {
    const words = fc.record({
      by: fc.constantFrom('seller', 'ann', 'bob', 'cem', 'dee', 'eve'),
      against: fc.boolean(),
      id: fc.nat(40),
      old: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(words, { maxLength: 25 }), (list) => {
        let approval = opened([tier(1, step('board', { quorum: '0.7', committee: true }))]);
        for (const { by, against, id, old } of list) {
          const decision = {
            ...says(by),
            ...(against ? { verdict: 'refuse' as const, reasonId: 'T-2' } : {}),
            decisionId: `${id}`,
            shownHash: old ? 'h0' : 'h1',
          };
          const next = decide(approval, decision, onBoard, at);
          if (approval.kind !== 'pending') expect(isViolation(next) || next === approval).toBe(true);
          if (!isViolation(next)) approval = next;
        }
        const votes = approval.tiers[0]?.steps[0]?.votes ?? [];
        expect(new Set(votes.map((vote) => vote.by)).size).toBe(votes.length);
        expect(votes.some((vote) => vote.by === 'seller')).toBe(false);
        const grants = votes.filter((vote) => vote.verdict === 'grant').length;
        expect(approval.kind).toBe(grants >= 4 ? 'approved' : votes.length - grants >= 2 ? 'refused' : 'pending');
      }),
    );
  });
});
