import { decide } from '../../domain/approval/decision';
import { answer, ask, openQuestions, pausesOf } from '../../domain/approval/questions';
import { recuse } from '../../domain/approval/recusal';
import { LIMIT_HOLDER_ROLE } from '../../domain/approval/settle-step';
import { openConditions, settleCondition } from '../../domain/approval/conditions';
import { expire, openSteps, withdraw, type Approval } from '../../domain/approval/state';
import { storedApproval } from '../../domain/approval/stored';
import { type Violation } from '../../domain/violation';
import { at, board, may, no, onBoard, opened, play, says, step, tier } from './approval-builders';
import { accepted, refusal, usd } from './deal-builders';

const later = (minutes: number): string => new Date(Date.parse(at) + minutes * 60_000).toISOString();
const committee = (rule: object = {}) => opened([tier(4, step('board', { quorum: '0.7', committee: true, ...rule }))]);
const out = (approval: Approval, by: string, facts = onBoard) => recuse(approval, by, facts, at);

describe('somebody stands back (R-280)', () => {
  test('the voters get fewer, and the need is computed anew', () => {
    const three = play(committee({ minimumVoters: 4 }), ...['ann', 'bob', 'cem'].map((by) => [says(by), onBoard] as const));
    expect(three.kind).toBe('pending');
    expect(accepted(out(three, 'dee')).kind).toBe('approved');
  });

  test('below the minimum of voters nothing is granted: the head of the entity is asked too', () => {
    const three = play(committee({ minimumVoters: 5 }), ...['ann', 'bob', 'cem'].map((by) => [says(by), onBoard] as const));
    const four = accepted(out(three, 'dee'));
    expect(openSteps(four)[0]).toMatchObject({ recused: ['dee'], escalatedTo: ['entity-head'] });
    const withHead = may('board', { voters: { board: [...board, 'head'] } });
    expect(play(four, [says('head'), withHead]).kind).toBe('approved');
  });

  test('it is out of all that is not decided: later tiers, and the tier that asks for a limit', () => {
    const facts = may('director', { voters: { director: ['dora', 'ann'], board }, limit: usd('1.00') });
    const start = opened(
      [tier(1, step('director')), tier(2, step('board', { quorum: '1.0', minimumVoters: 5, committee: true }))],
      usd('9.00'),
    );
    const without = accepted(out(start, 'ann', facts));
    expect(without.tiers[1]?.steps[0]).toMatchObject({ recused: ['ann'], escalatedTo: ['entity-head'] });
    const withHead = { ...onBoard, voters: { board: ['bob', 'cem', 'dee', 'eve', 'head'] } };
    const last = play(without, [says('dora'), facts], ...withHead.voters.board.map((by) => [says(by), withHead] as const));
    expect(openSteps(last)).toMatchObject([{ role: LIMIT_HOLDER_ROLE, recused: ['ann'] }]);
    expect(refusal(decide(last, says('ann'), may(LIMIT_HOLDER_ROLE), at))).toBe('VoterRecused');
  });

  test('the same once more changes nothing', () => {
    const once = accepted(out(committee(), 'dee'));
    expect(out(once, 'dee')).toBe(once);
  });

  const voted = play(committee(), [says('ann'), onBoard], [says('sub'), may('board', { voters: { board }, onBehalfOf: 'bob' })]);
  const without = accepted(out(committee(), 'dee'));
  test.each<[string, () => unknown, string]>([
    ['by a stranger', () => out(voted, 'zoe', { ...onBoard, authorities: [] }), 'RoleNotAsked'],
    ['by the requester', () => out(voted, 'seller'), 'ApproverIsRequester'],
    ['after the own vote', () => out(voted, 'ann'), 'AlreadyVoted'],
    ['after the vote of a delegate', () => out(voted, 'bob'), 'AlreadyVoted'],
    ['after a vote for another', () => out(voted, 'sub'), 'AlreadyVoted'],
    ['when all is decided', () => out(play(opened([tier(1, step('board'))]), [says('ann'), onBoard]), 'bob'), 'AlreadyDecided'],
    ['when it was taken back', () => out(accepted(withdraw(voted, 'seller', null, at)), 'cem'), 'ApprovalGone'],
    ['a vote afterwards', () => decide(without, says('dee'), onBoard, at), 'VoterRecused'],
    ['a vote for whoever stood back', () => decide(without, says('sub'), may('board', { onBehalfOf: 'dee' }), at), 'VoterRecused'],
    [
      'a vote through somebody who stood back',
      () => decide(without, says('sub'), { ...onBoard, authorities: [], barredByRecusal: ['board'] }, at),
      'VoterRecused',
    ],
  ])('refused: %s', (_, say, code) => {
    expect(refusal(say() as Violation)).toBe(code);
  });
});

describe('asking the requester (R-281)', () => {
  const asks = (approval: Approval, by: string, questionId = `${by}?`, moment = at, facts = onBoard) =>
    ask(approval, { questionId, by, role: null, textId: 'T' }, { ...facts, requesterAnswers: true }, moment);
  const answers = (approval: Approval, questionId: string, by = 'seller', moment = at) =>
    answer(approval, { questionId, by, textId: 'T' }, moment);

  test('clocks stand still from the first question to the last answer, in as many rounds as it takes', () => {
    let talk = accepted(asks(committee(), 'ann', 'Q1', later(1)));
    talk = accepted(asks(talk, 'bob', 'Q2', later(2)));
    talk = accepted(answers(talk, 'Q1', 'seller', later(3)));
    expect(openQuestions(talk).map(({ questionId }) => questionId)).toEqual(['Q2']);
    expect(pausesOf(talk, 4)).toEqual([{ from: later(1), until: null }]);
    talk = accepted(answers(talk, 'Q2', 'seller', later(4)));
    talk = accepted(asks(talk, 'ann', 'Q3', later(9)));
    talk = accepted(answers(talk, 'Q3', 'seller', later(10)));
    expect(pausesOf(talk, 4)).toEqual([
      { from: later(1), until: later(4) },
      { from: later(9), until: later(10) },
    ]);
    expect(asks(talk, 'ann', 'Q3', later(11))).toBe(talk);
  });

  test('others may decide meanwhile, and what was asked in a tier that is decided is owed no more', () => {
    const start = opened([tier(1, step('board')), tier(2, step('cfo'))]);
    const asked = accepted(asks(start, 'ann', 'Q1'));
    const decided = play(asked, [says('bob'), onBoard]);
    expect(decided).toMatchObject({ kind: 'pending', openTier: 2 });
    expect([openQuestions(decided), pausesOf(decided, 2)]).toEqual([[], []]);
    expect(refusal(answers(decided, 'Q1'))).toBe('QuestionSettled');
  });

  const asked = accepted(asks(committee(), 'ann', 'Q1'));
  const voted = play(committee(), [says('ann'), onBoard]);
  const full = Array.from({ length: 20 }, (_, index) => `Q${index}`).reduce((talk, id) => accepted(asks(talk, 'ann', id)), committee());
  test.each<[string, () => unknown, string]>([
    ['a question of the requester', () => asks(voted, 'seller'), 'ApproverIsRequester'],
    ['a question of a stranger', () => asks(voted, 'zoe', 'Q', at, { ...onBoard, authorities: [] }), 'RoleNotAsked'],
    ['a question of whoever has voted', () => asks(voted, 'ann'), 'AlreadyVoted'],
    ['a question of whoever stood back', () => asks(accepted(out(voted, 'bob')), 'bob'), 'VoterRecused'],
    ['a question that nobody can answer', () => ask(voted, { questionId: 'Q', by: 'bob', role: null, textId: 'T' }, { ...onBoard, requesterAnswers: false }, at), 'NobodyToAnswer'], // prettier-ignore
    ['one too many', () => asks(full, 'bob', 'more'), 'TooManyQuestions'],
    ['a question about what has ended', () => asks(accepted(expire(voted, at)), 'bob'), 'ApprovalGone'],
    ['an answer of somebody else', () => answers(asked, 'Q1', 'bob'), 'RequesterRequired'],
    ['an answer to nothing', () => answers(asked, 'Q7'), 'QuestionUnknown'],
    ['a second answer', () => answers(accepted(answers(asked, 'Q1')), 'Q1'), 'QuestionSettled'],
    ['an answer about what has ended', () => answers(accepted(withdraw(asked, 'seller', null, at)), 'Q1'), 'ApprovalGone'],
  ])('refused: %s', (_, say, code) => {
    expect(refusal(say() as Violation)).toBe(code);
  });
});

describe('a grant under conditions (R-282)', () => {
  const condition = (conditionId: string, over: object = {}) => ({ conditionId, role: 'legal', textId: 'T', due: null, ...over });
  const owners = { legal: ['lea'], pm: ['pia'] };
  const facts = { ...may('director'), owners };
  const start = opened([tier(1, step('director'))]);
  const given = play(start, [says('dora', { conditions: [condition('C1'), condition('C2', { role: 'pm' })] }), facts]);
  const ends = (approval: Approval, conditionId: string, as: 'fulfilled' | 'waived', by: string, moment = at) => {
    const role = approval.conditions.find((each) => each.conditionId === conditionId)?.role ?? '';
    const noWaiver = by === 'dora' ? null : { violation: 'ConditionSetterRequired', detail: 'set for dora' };
    return settleCondition(approval, conditionId, { as, by, textId: 'E' }, { owners: owners[role as 'legal'] ?? [], noWaiver }, moment);
  };

  test('is approved when all are settled, at that moment, and not before', () => {
    expect(given).toMatchObject({ kind: 'conditions', grantedAt: at });
    const half = accepted(ends(given, 'C1', 'fulfilled', 'lea', later(5)));
    expect(half.kind).toBe('conditions');
    const done = accepted(ends(half, 'C2', 'waived', 'dora', later(9)));
    expect(done).toMatchObject({ kind: 'approved', at: later(9) });
    expect(done.conditions.map(({ settled }) => settled)).toMatchObject([
      { as: 'fulfilled', by: 'lea', at: later(5) },
      { as: 'waived', by: 'dora', at: later(9) },
    ]);
    expect(refusal(ends(done, 'C2', 'fulfilled', 'pia'))).toBe('ConditionSettled');
    expect(ends(done, 'C2', 'waived', 'dora')).toBe(done);
  });

  test('what is fulfilled while others still vote is fulfilled', () => {
    const pair = opened([tier(1, step('director'), step('legal'))]);
    const first = play(pair, [says('dora', { conditions: [condition('C1')] }), facts]);
    const early = accepted(ends(first, 'C1', 'fulfilled', 'lea'));
    expect(early.kind).toBe('pending');
    expect(play(early, [says('lars', { role: 'legal' }), may('legal')]).kind).toBe('approved');
    expect(play(first, [no('lars'), may('legal')])).toMatchObject({ kind: 'refused' });
  });

  test('the requester may take all of it back; its time does not expire', () => {
    expect(expire(given, later(99))).toBe(given);
    expect(accepted(withdraw(given, 'seller', null, at))).toMatchObject({ kind: 'withdrawn' });
    expect(openConditions(accepted(withdraw(given, 'seller', null, at)))).toEqual([]);
  });

  const under = (...conditions: ReturnType<typeof condition>[]) => decide(start, says('dora', { conditions }), facts, at);
  test.each<[string, () => unknown, string]>([
    ['a role that nobody holds', () => under(condition('C1', { role: 'ghost' })), 'ConditionOwnerUnable'],
    ['a day that is past', () => under(condition('C1', { due: at })), 'ConditionDueInPast'],
    ['a day in years', () => under(condition('C1', { due: later(367 * 24 * 60) })), 'ConditionDueTooFar'],
    ['fulfilled by another role', () => ends(given, 'C1', 'fulfilled', 'pia'), 'ConditionOwnerRequired'],
    ['waived by its owner', () => ends(given, 'C1', 'waived', 'lea'), 'ConditionSetterRequired'],
    ['one that is none', () => ends(given, 'C9', 'waived', 'dora'), 'ConditionUnknown'],
    ['settled twice', () => ends(accepted(ends(given, 'C1', 'fulfilled', 'lea')), 'C1', 'waived', 'dora'), 'ConditionSettled'],
    ['after it was taken back', () => ends(accepted(withdraw(given, 'seller', null, at)), 'C1', 'fulfilled', 'lea'), 'ApprovalGone'],
    ['a vote when every vote is given', () => decide(given, says('dan'), facts, at), 'AlreadyDecided'],
    ['standing back when every vote is given', () => recuse(given, 'x', facts, at), 'AlreadyDecided'],
  ])('refused: %s', (_, say, code) => {
    expect(refusal(say() as Violation)).toBe(code);
  });
});

describe('a request that expires (R-283)', () => {
  const start: Approval = { ...committee(), expiresAt: later(10) };
  test('takes nothing from that moment on, whether or not it has ended by then', () => {
    expect(play(start, [says('ann'), onBoard]).kind).toBe('pending');
    expect(accepted(decide(start, says('ann'), onBoard, later(9.99)))).toMatchObject({ kind: 'pending' });
    const late = later(10);
    expect(refusal(decide(start, says('ann'), onBoard, late))).toBe('ApprovalGone');
    expect(refusal(recuse(start, 'ann', onBoard, late))).toBe('ApprovalGone');
    expect(refusal(ask(start, { questionId: 'Q', by: 'ann', role: null, textId: 'T' }, { ...onBoard, requesterAnswers: true }, late))).toBe('ApprovalGone'); // prettier-ignore
    expect(accepted(expire(start, late))).toMatchObject({ kind: 'expired', at: late });
  });
});

test('an approval that was stored before there was any of this has none of it', () => {
  const later = ['questions', 'conditions', 'expiresAt'];
  const now = play(committee(), [says('ann'), onBoard]);
  const old = Object.fromEntries(Object.entries(now).filter(([name]) => !later.includes(name))) as unknown as Approval;
  const steps = old.tiers[0]!.steps.map(({ weights: _w, groups: _g, votes, ...rest }) => ({
    ...rest,
    votes: votes.map(({ weight: _weight, groups: _groups, ...vote }) => vote),
  }));
  const stored = storedApproval(JSON.parse(JSON.stringify({ ...old, tiers: [{ tier: 4, steps }] })));
  expect(stored).toEqual(play(committee(), [says('ann'), onBoard]));
});
