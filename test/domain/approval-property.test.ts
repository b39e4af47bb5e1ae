import fc from 'fast-check';
import { decide, type DecisionFacts } from '../../domain/approval/decision';
import { resolveActingFor, type Delegation } from '../../domain/approval/delegation';
import { seatsOf, votersOf, type Directory } from '../../domain/approval/holders';
import { type RequiredTier } from '../../domain/approval/policy';
import { recuse } from '../../domain/approval/recusal';
import { type Approval, type ApprovalStep } from '../../domain/approval/state';
import { isViolation } from '../../domain/violation';
import { at, opened, says, step } from './approval-builders';
import { ApprovalModel, type ModelStep, type ModelWorld } from './approval-model';

const PEOPLE = ['ann', 'bob', 'cem', 'dee', 'eve', 'seller'];
const SUBSTITUTES = ['sam', 'sue', 'sid'];
const REQUESTER = 'seller';
const HEAD = 'hugo';

type Move = readonly ['yes' | 'no', string, number] | readonly ['leaves', string];
interface Played {
  readonly world: ModelWorld;
  readonly moves: readonly Move[];
}

/** The world of the model as the product knows it: who holds what, who gave what to whom, what the policy asks. */
function productOf({ tiers, gives }: ModelWorld) {
  const steps = tiers.flat();
  const held = (role: string, people: readonly string[]) => people.map((userId) => ({ userId, role, entityId: 'E' }));
  const ordinary = steps.filter(({ committee }) => !committee);
  const directory: Directory = {
    assignments: [
      ...held('entity-head', [HEAD]),
      ...ordinary.flatMap(({ role, holders }) => held(role, holders)),
      ...ordinary.flatMap(({ role, weightOf }) => Object.entries(weightOf).flatMap(([who, weight]) => held(`${role}/${weight}`, [who]))),
      ...steps.flatMap(({ role, groups }) => groups.flatMap(({ name, people }) => held(`${role}/${name}`, people))),
    ],
    committees: steps
      .filter(({ committee }) => committee)
      .map(({ role, holders, weightOf }) => ({ role, members: holders, weights: weightOf })),
    limits: {},
  };
  const delegations = gives.map(({ role, from, to }): Delegation => ({
    ...{ delegationId: `${role}:${from}>${to}`, delegator: from, delegate: to, role, ceiling: null, onlyDuring: null },
    ...{ from: '2026-01-01T00:00:00Z', until: '2026-12-31T00:00:00Z' },
  }));
  const required = tiers.map((each, index): RequiredTier => ({
    tier: index + 1,
    steps: each.map(({ role, count, percent, veto, minimum, committee, weightOf, groups }) =>
      step(role, {
        ...{ quorum: count === null ? ((percent as number) / 100).toFixed(2) : String(count), veto, minimumVoters: minimum, committee },
        weights: committee ? null : Object.fromEntries(Object.values(weightOf).map((weight) => [`${role}/${weight}`, weight])),
        groups: groups.map(({ name, grants }) => ({ name, roles: [`${role}/${name}`], grants })),
      }),
    ),
  }));
  return { directory, delegations, required };
}

/** What is known when somebody speaks, looked up as the activity looks it up. */
function factsFor(
  approval: Approval,
  by: string,
  { directory, delegations }: ReturnType<typeof productOf>,
  maxDepth: number,
): DecisionFacts {
  const ahead = approval.kind === 'pending' ? approval.tiers.filter(({ tier }) => tier >= approval.openTier) : [];
  const acting = (each: ApprovalStep) => {
    const holders = votersOf(approval, each, directory, 'E').map((userId) => ({ userId, limit: null }));
    return resolveActingFor(by, each.role, delegations, holders, at, null, { maxDepth, barred: [REQUESTER, ...each.recused] });
  };
  const open = ahead[0]?.steps ?? [];
  const own = open.flatMap((each) => {
    const found = acting(each);
    return isViolation(found) ? [] : [{ role: each.role, onBehalfOf: found.onBehalfOf, limit: null }];
  });
  const steps = ahead.flatMap((tier) => tier.steps);
  const voters = Object.fromEntries(steps.map((each) => [each.role, votersOf(approval, each, directory, 'E')]));
  return {
    authorities: own,
    voters,
    seats: Object.fromEntries(steps.map((each) => [each.role, seatsOf(each, voters[each.role] ?? [], directory)])),
    barredByRecusal: open
      .filter((each) => each.recused.length > 0 && isViolation(acting(each)) && !isViolation(acting({ ...each, recused: [] })))
      .map(({ role }) => role),
    owners: {},
    dues: {},
    dutyConflict: null,
  };
}

/** The same moves to both; after each they must say the same and stand at the same place. */
function compare({ world, moves }: Played): { readonly ends: Approval['kind']; readonly said: readonly string[] } {
  const product = productOf(world);
  const model = new ApprovalModel(world);
  const said: string[] = [];
  let approval = opened(product.required);
  moves.forEach((move, index) => {
    const by = move[1];
    const facts = factsFor(approval, by, product, world.longestChain);
    const role = move[0] === 'leaves' ? '' : roleMeant(world, model.tier, move[2]);
    const expected = move[0] === 'leaves' ? model.leave(by) : model.vote(by, role, move[0] === 'yes');
    const verdict = move[0] === 'no' ? ({ verdict: 'refuse', reasonId: 'T' } as const) : {};
    const next =
      move[0] === 'leaves'
        ? recuse(approval, by, facts, at)
        : decide(approval, says(by, { role, decisionId: `${index}`, ...verdict }), facts, at);
    const answer = isViolation(next) ? next.violation : null;
    if (!isViolation(next)) approval = next;
    said.push(answer ?? 'taken');
    const found = { move, role, answer, ...placeOf(approval) };
    const wanted = { move, role, answer: expected, ...placeInModel(model) };
    // To expect something costs more than to play it.
    if (JSON.stringify(found) !== JSON.stringify(wanted)) expect(found).toEqual(wanted);
  });
  return { ends: approval.kind, said };
}

function placeOf(approval: Approval) {
  const steps = approval.tiers.flatMap((tier) => tier.steps);
  return {
    state: approval.kind,
    tier: approval.kind === 'pending' ? approval.openTier : null,
    done: steps.filter(({ outcome }) => outcome !== 'open').map(({ role }) => role).sort(), // prettier-ignore
    withHead: steps.filter(({ escalatedTo }) => escalatedTo.includes('entity-head')).map(({ role }) => role).sort(), // prettier-ignore
    out: [...new Set(steps.flatMap(({ recused }) => recused))].sort(),
  };
}

function placeInModel(model: ApprovalModel) {
  return {
    state: model.state,
    tier: model.state === 'pending' ? model.tier + 1 : null,
    done: [...model.done].sort(),
    withHead: [...model.withHead].sort(),
    out: [...model.gone].sort(),
  };
}

/** Mostly a role that is asked now; now and then any. */
function roleMeant({ tiers }: ModelWorld, open: number, choice: number): string {
  const asked = choice < 8 ? (tiers[open] ?? tiers[0] ?? []) : tiers.flat();
  return asked[choice % asked.length]?.role ?? '';
}

const someOf = (people: readonly string[], least = 0) => fc.subarray([...people], { minLength: least });
const quorum = fc.oneof(
  fc.record({ count: fc.constantFrom(1, 1, 2, 3, 5), percent: fc.constant(null) }),
  fc.record({ count: fc.constant(null), percent: fc.constantFrom(20, 50, 67, 70, 75, 100) }),
);
const modelStep = (role: string): fc.Arbitrary<ModelStep> =>
  fc
    .record({
      asked: quorum,
      holders: someOf(PEOPLE, 2),
      veto: fc.boolean(),
      minimum: fc.constantFrom(1, 1, 1, 2, 4),
      committee: fc.boolean(),
      weightOf: fc.oneof(fc.constant({}), fc.dictionary(fc.constantFrom(...PEOPLE), fc.integer({ min: 2, max: 4 }))),
      groups: fc.oneof(
        { weight: 2, arbitrary: fc.constant<{ people: string[]; grants: number }[]>([]) },
        { weight: 1, arbitrary: fc.array(fc.record({ people: someOf([...PEOPLE, HEAD], 1), grants: fc.constantFrom<number>(1, 1, 2) }), { minLength: 1, maxLength: 3 }) }, // prettier-ignore
      ),
    })
    .map(({ asked, groups, weightOf, holders, committee, ...rest }) => ({
      ...{ role, ...asked, ...rest, holders, committee },
      weightOf: committee ? Object.fromEntries(Object.entries(weightOf).filter(([who]) => holders.includes(who))) : weightOf,
      groups: groups.map((each, index) => ({ name: `g${index}`, ...each })),
    }));
const tiers = fc
  .array(fc.integer({ min: 1, max: 2 }), { minLength: 1, maxLength: 3 })
  .chain((sizes) =>
    fc.tuple(...sizes.map((size, index) => fc.tuple(...Array.from({ length: size }, (_, place) => modelStep(`role-${index}${place}`))))),
  );
/** Of each role at most one chain, from a holder or from the requester over one or two substitutes. */
const chains = (roles: readonly string[]) =>
  fc.tuple(
    ...roles.map((role) =>
      fc
        .record({ first: fc.constantFrom(...PEOPLE), by: fc.shuffledSubarray(SUBSTITUTES, { maxLength: 3 }) })
        .map(({ first, by }) => by.map((to, index) => ({ role, from: by[index - 1] ?? first, to }))),
    ),
  );
const move: fc.Arbitrary<Move> = fc.oneof(
  { weight: 12, arbitrary: fc.tuple(fc.nat(11).map((n) => (n === 0 ? ('no' as const) : ('yes' as const))), fc.constantFrom(...PEOPLE, ...SUBSTITUTES, HEAD), fc.nat(9)) }, // prettier-ignore
  { weight: 1, arbitrary: fc.tuple(fc.constant('leaves' as const), fc.constantFrom(...PEOPLE, HEAD)) },
);
const played: fc.Arbitrary<Played> = tiers.chain((all) =>
  fc.record({
    world: chains(all.flat().map(({ role }) => role)).chain((given) =>
      fc.record({
        tiers: fc.constant(all),
        requester: fc.constant(REQUESTER),
        head: fc.constant(HEAD),
        gives: fc.constant(given.flat()),
        longestChain: fc.constantFrom(0, 1, 2, 3),
      }),
    ),
    moves: fc.array(move, { minLength: 8, maxLength: 30 }),
  }),
);

test('tiers, quorums, weights, vetoes, groups, delegations and recusals lead where an independent model says, in 2,500 approvals', () => {
  const ends: Record<string, number> = {};
  const said: Record<string, number> = {};
  fc.assert(
    fc.property(played, (each) => {
      const found = compare(each);
      ends[found.ends] = (ends[found.ends] ?? 0) + 1;
      for (const answer of found.said) said[answer] = (said[answer] ?? 0) + 1;
    }),
    { numRuns: 2500 },
  );
  // A property that never gets anywhere proves nothing.
  for (const end of ['pending', 'approved', 'refused']) expect({ end, often: (ends[end] ?? 0) > 100 }).toEqual({ end, often: true });
  const codes = [
    'taken',
    'AlreadyDecided',
    'AlreadyVoted',
    'ApproverIsRequester',
    'RoleNotAsked',
    'SamePersonTwice',
    'TierNotOpen',
    'VoterRecused',
  ];
  expect(Object.keys(said).sort()).toEqual([...codes].sort());
});
