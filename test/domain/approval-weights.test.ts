import { checkPolicy } from '../../contracts/policy-catalogue';
import { decide, type DecisionFacts } from '../../domain/approval/decision';
import { type Seat } from '../../domain/approval/groups';
import { seatsOf, type Directory } from '../../domain/approval/holders';
import { requiredTiers, type PolicyRule, type RequiredStep } from '../../domain/approval/policy';
import { votesNeeded } from '../../domain/approval/quorum';
import { recuse } from '../../domain/approval/recusal';
import { newStep, openSteps, type Approval } from '../../domain/approval/state';
import { at, may, no, opened, says, step, tier } from './approval-builders';
import { isViolation } from '../../domain/violation';
import { accepted, jsonOf, refusal } from './deal-builders';

const FINANCE = { name: 'finance', roles: ['finance-controller', 'cfo'], grants: 1 };
const DELIVERY = { name: 'delivery', roles: ['delivery-director', 'pmo-lead'], grants: 1 };
const seat = (weight: number, ...groups: string[]): Seat => ({ weight, groups });

/** Five seats: the CFO and a controller, a director and a PMO lead, and one who is both. */
const plain = { ann: seat(1), bob: seat(1), cem: seat(1), dee: seat(1), eve: seat(1) };
const heavy = { ...plain, ann: seat(3) };
const grouped = { ann: seat(1, 'finance'), bob: seat(1, 'finance'), cem: seat(1, 'delivery'), dee: seat(1, 'delivery'), eve: seat(1, 'finance', 'delivery') }; // prettier-ignore

/** `+ann` grants, `-ann` refuses, `~ann` stands back, `!ann` leaves the firm. */
function played(rule: Partial<RequiredStep>, seats: Readonly<Record<string, Seat>>, said: string): string {
  let approval: Approval = opened([tier(1, step('board', { committee: true, ...rule }))]);
  let there = Object.keys(seats);
  for (const word of said.split(' ').filter((each) => each !== '')) {
    const [what, by] = [word[0], word.slice(1)];
    if (what === '!') there = there.filter((each) => each !== by);
    if (what === '!') continue;
    const facts: DecisionFacts = may('board', { voters: { board: there }, seats: { board: seats } });
    approval = accepted(what === '~' ? recuse(approval, by, facts, at) : decide(approval, what === '+' ? says(by) : no(by), facts, at));
  }
  const open = openSteps(approval)[0];
  return open === undefined ? approval.kind : open.escalatedTo.length > 0 ? 'open, asks the head too' : 'open';
}

describe('a committee decides', () => {
  test.each<[string, Partial<RequiredStep>, Readonly<Record<string, Seat>>, string, string]>([
    ['three of five at 0.6', { quorum: '0.6' }, plain, '+ann +bob +cem', 'approved'],
    ['two of five at 0.6 wait', { quorum: '0.6' }, plain, '+ann +bob', 'open'],
    ['whoever granted and left still counts: a refusal grants nothing', { quorum: '0.5' }, plain, '!dee !eve +ann !ann -bob', 'open'],
    ['nor with weights', { quorum: '0.6' }, heavy, '!eve +ann !ann -bob', 'open'],
    ['a seat of weight 3 and one more make 4 of 7', { quorum: '0.5' }, heavy, '+ann +bob', 'approved'],
    ['three light seats make 3 of 7, and wait', { quorum: '0.5' }, heavy, '+bob +cem +dee', 'open'],
    ['four light seats without the heavy one', { quorum: '0.5' }, heavy, '+bob +cem +dee +eve', 'approved'],
    ['against the heavy seat and one more nobody reaches 0.6', { quorum: '0.6' }, heavy, '-ann', 'refused'],
    ['a count of 3 is one heavy seat', { quorum: '3' }, heavy, '+ann', 'approved'],
    ['a count of 3 is three light ones', { quorum: '3' }, heavy, '+bob +cem', 'open'],
    ['a veto ends it, however light', { quorum: '0.5', veto: true }, heavy, '+ann -eve', 'refused'],
    ['the heavy seat stands back: 3 of 4', { quorum: '0.6' }, heavy, '~ann +bob +cem +dee', 'approved'],
    ['too light for a count of 6 without it: the head is asked', { quorum: '6' }, heavy, '~ann', 'open, asks the head too'],
    ['the quorum without delivery waits', { quorum: '2', groups: [FINANCE, DELIVERY] }, grouped, '+ann +bob', 'open'],
    ['and with delivery is there', { quorum: '2', groups: [FINANCE, DELIVERY] }, grouped, '+ann +cem', 'approved'],
    ['who is both counts for one of them', { quorum: '1', groups: [FINANCE, DELIVERY] }, grouped, '+eve', 'open'],
    ['the one that is needed', { quorum: '2', groups: [FINANCE, DELIVERY] }, grouped, '+eve +ann', 'approved'],
    ['delivery can be had no more', { quorum: '2', groups: [DELIVERY] }, grouped, '+ann -cem -dee -eve', 'refused'],
    ['delivery can still be had', { quorum: '2', groups: [DELIVERY] }, grouped, '+ann -cem -dee', 'open'],
    [
      'all of delivery stand back: the head is asked',
      { quorum: '2', groups: [DELIVERY] },
      grouped,
      '~cem ~dee ~eve',
      'open, asks the head too',
    ],
    ['a refusal of finance takes no delivery away', { quorum: '2', groups: [DELIVERY] }, { ...plain, ann: seat(1, 'finance') }, '-ann', 'open, asks the head too'], // prettier-ignore
    [
      'fewer than the minimum of voters grant nothing',
      { quorum: '0.6', minimumVoters: 4 },
      plain,
      '+ann +bob ~cem ~dee',
      'open, asks the head too',
    ],
  ])('%s', (_, rule, seats, said, outcome) => {
    expect(played(rule, seats, said)).toBe(outcome);
  });
});

describe('what a vote weighs and counts for', () => {
  const directory: Directory = {
    assignments: [
      { userId: 'ann', role: 'cfo', entityId: null },
      { userId: 'bob', role: 'pmo-lead', entityId: 'LE-DE' },
      { userId: 'bob', role: 'cfo', entityId: 'LE-JP' },
    ],
    committees: [{ role: 'board', members: ['ann', 'bob', 'cem'], weights: { cem: 4 } }],
    limits: {},
  };
  const seats = (rule: Partial<RequiredStep>) => seatsOf(newStep(step('board', rule)), ['ann', 'bob', 'cem'], directory);
  test('the weight of the roles that a person holds, else of their seat, else one; every group of those roles', () => {
    expect(seats({})).toEqual({ ann: seat(1), bob: seat(1), cem: seat(4) });
    expect(seats({ weights: { cfo: 2, 'pmo-lead': 3 }, groups: [FINANCE, DELIVERY] })).toEqual({
      ann: seat(2, 'finance'),
      bob: seat(3, 'finance', 'delivery'),
      cem: seat(4),
    });
  });

  test('of a role without weights and groups nothing is looked up', () => {
    expect(seatsOf(newStep(step('cfo')), ['ann'], directory)).toEqual({});
  });

  test('a share is one of all votes there are', () => {
    expect([votesNeeded('0.5', 7), votesNeeded('0.7', 10), votesNeeded('3', 7)]).toEqual([4, 7, 3]);
  });
});

describe('a policy with weights and groups', () => {
  const policy = jsonOf<{ matrix: PolicyRule[] }>('approval-policy.json');
  const rule = (id: string, asked: object): object => ({
    ...{ id, subject: 'deal', when: {} },
    approvers: [{ tier: 9, role: 'deal-committee', quorum: '0.5', ...asked }],
  });
  const wrong = (...rules: object[]) => {
    const checked = checkPolicy('approval', { ...policy, matrix: [...policy.matrix, ...rules] });
    const errors = isViolation(checked) ? checked.errors : [];
    return errors.map(({ path = '', detail }) => `${path.replace(/^\/matrix\/\d+/, '')}: ${detail}`);
  };
  const weights = { cfo: 2 };

  test('is taken', () => {
    expect(wrong(rule('A', { weights, groups: [FINANCE, DELIVERY] }), rule('B', { weights, groups: [FINANCE] }))).toEqual([]);
  });

  test.each<[string, object[], string]>([
    ['weights of a role that nobody can hold', [rule('A', { weights: { king: 2 } })], 'must be a role that somebody can hold'],
    ['a weight of nothing', [rule('A', { weights: { cfo: 0 } })], 'expected number to be >=1'],
    ['no weights at all', [rule('A', { weights: {} })], 'names no role'],
    ['weights where any vote decides', [rule('A', { quorum: '1', weights })], 'any vote decides'],
    [
      'a group of a role that nobody can hold',
      [rule('A', { groups: [{ ...FINANCE, roles: ['king'] }] })],
      'must be a role that somebody can hold',
    ],
    ['two groups of one name', [rule('A', { groups: [FINANCE, { ...DELIVERY, name: 'finance' }] })], 'two groups have one name'],
    ['groups that need more people than the quorum', [rule('A', { quorum: '1', groups: [FINANCE, DELIVERY] })], 'raise it to 2'],
    ['two sets of weights for one step', [rule('A', { weights }), rule('B', {})], 'with other weights'],
    ['one name for two groups in two rules', [rule('A', { groups: [FINANCE] }), rule('B', { groups: [{ ...FINANCE, roles: ['ceo'] }] })], 'with a group of the same name and other roles'], // prettier-ignore
  ])('is refused: %s', (_, rules, why) => {
    const found = wrong(...rules);
    expect(found).toHaveLength(1);
    expect(found[0]).toContain(why);
  });

  test('rules that hold together ask for every group, each at its larger minimum; two sets of weights are refused', () => {
    const facts = { amount: null, marginPercent: null, discountPercent: null, paymentTermsDays: null };
    const asked = [rule('A', { groups: [FINANCE] }), rule('B', { groups: [{ ...FINANCE, grants: 2 }, DELIVERY] })] as PolicyRule[];
    expect(accepted(requiredTiers(asked, 'deal', facts))[0]?.steps[0]?.groups).toEqual([{ ...FINANCE, grants: 2 }, DELIVERY]);
    expect(refusal(requiredTiers([rule('A', { weights }), rule('B', {})] as PolicyRule[], 'deal', facts))).toBe('PolicyWeightsMixed');
  });
});
