import { LIMIT_HOLDER_ROLE } from '../../domain/approval/settle-step';
import { resolveActingFor, type Delegation } from '../../domain/approval/delegation';
import { conflictOfDuties, dutiesOfDecision, dutyRulesOf, type DutyRule, type PerformedDuty } from '../../domain/approval/duties';
import { holdersOf, limitHolders, votersOf, type Directory } from '../../domain/approval/holders';
import { escalate, type Approval, type ApprovalStep } from '../../domain/approval/state';
import { type Money } from '../../domain/money';
import { at, may, opened, play, says, step, tier } from './approval-builders';
import { accepted, jsonOf, refusal, usd } from './deal-builders';

const { segregationOfDuties } = jsonOf<{ segregationOfDuties: DutyRule[] }>('approval-policy.json');

describe('who holds a role', () => {
  const directory: Directory = {
    assignments: [
      { userId: 'us-fc', role: 'finance-controller', entityId: 'US' },
      { userId: 'de-fc', role: 'finance-controller', entityId: 'DE' },
      { userId: 'dir', role: 'director', entityId: 'DE' },
      { userId: 'head', role: 'entity-head', entityId: 'US' },
      { userId: 'cfo', role: 'cfo', entityId: null },
    ],
    committees: [{ role: 'board', members: ['cfo', 'dir', 'us-fc'], weights: {} }],
    limits: { 'us-fc': usd('2000.00'), cfo: usd('20000.00'), head: null },
  };
  test.each([
    ['gardener', 'US', [], []],
    ['finance-controller', 'US', [], ['us-fc']],
    ['finance-controller', 'DE', [], ['de-fc']],
    ['finance-controller', 'JP', [], ['us-fc', 'de-fc']],
    ['finance-controller', 'US', ['us-fc'], ['de-fc']],
    ['director', 'US', [], ['dir']],
    ['cfo', 'US', [], ['cfo']],
    ['board', 'US', ['dir'], ['cfo', 'us-fc']],
  ])('%s for %s without %j: %j', (role, entityId, excluded, holders) => {
    expect(holdersOf(directory, role, entityId, excluded)).toEqual(holders);
  });

  test('a limit that is not recorded covers nothing', () => {
    expect(limitHolders(directory, usd('2000.00'), [])).toEqual(['us-fc', 'cfo']);
    expect(limitHolders(directory, usd('2000.01'), ['cfo'])).toEqual([]);
  });

  test('voters are the holders without the requester and, but for a committee, without whoever decided another step', () => {
    const required = [
      tier(1, step('director')),
      tier(2, step('finance-controller')),
      tier(3, step('board', { committee: true, quorum: '0.7' })),
    ];
    const start = opened(required);
    const voters = (approval: Approval, number: number) =>
      votersOf(approval, approval.tiers[number]?.steps[0] as ApprovalStep, directory, 'US');
    expect([0, 1, 2].map((number) => voters(start, number))).toEqual([['dir'], ['us-fc'], ['cfo', 'dir', 'us-fc']]);
    const next = play(start, [says('dir'), may('director', { onBehalfOf: 'us-fc' })]);
    expect([voters(next, 1), voters(next, 2)]).toEqual([['de-fc'], ['cfo', 'dir', 'us-fc']]);
    const asked = accepted(escalate(accepted(escalate(next, 'finance-controller', 'role')), 'finance-controller', 'entity-head'));
    expect(voters(asked, 1)).toEqual(['de-fc', 'head']);
    const limited = opened([tier(1, step(LIMIT_HOLDER_ROLE))], usd('5000.00'));
    expect(voters(limited, 0)).toEqual(['cfo']);
  });
});

describe('acting for another', () => {
  const delegation = (delegator: string, delegate: string, changes: Partial<Delegation> = {}): Delegation => ({
    delegationId: `${delegator}>${delegate}`,
    onlyDuring: null,
    delegator,
    delegate,
    role: 'director',
    ceiling: usd('1000.00'),
    from: '2026-01-26T00:00:00Z',
    until: '2026-01-29T00:00:00Z',
    ...changes,
  });
  const holders = [{ userId: 'dora', limit: usd('5000.00') }];
  const options = { maxDepth: 2, barred: ['seller'] };
  const resolve = (user: string, list: readonly Delegation[], amount: Money | null = usd('1000.00'), moment = at) =>
    resolveActingFor(user, 'director', list, holders, moment, amount, options);
  const chain = [delegation('dora', 'a'), delegation('a', 'b', { ceiling: usd('2000.00') }), delegation('b', 'c')];
  test.each([
    ['without a delegation', 'a', [], undefined, undefined, 'RoleNotAsked'],
    ['in another role', 'a', [delegation('dora', 'a', { role: 'cfo' })], undefined, undefined, 'RoleNotAsked'],
    ['a moment too early', 'a', chain, undefined, '2026-01-25T23:59:59.999Z', 'RoleNotAsked'],
    ['from the end on', 'a', chain, undefined, '2026-01-29T00:00:00.000Z', 'RoleNotAsked'],
    ['of somebody who does not hold the role', 'z', [delegation('y', 'z')], undefined, undefined, 'RoleNotAsked'],
    ['deeper than allowed', 'c', chain, undefined, undefined, 'RoleNotAsked'],
    ['through the requester', 'b', [delegation('dora', 'seller'), delegation('seller', 'b')], undefined, undefined, 'RoleNotAsked'],
    ['above the ceiling', 'a', chain, usd('1000.01'), undefined, 'DelegationCeilingExceeded'],
    ['above the smallest ceiling on the way', 'b', chain, usd('1500.00'), undefined, 'DelegationCeilingExceeded'],
  ])('%s is refused', (_, user, list, amount, moment, code) => {
    expect(refusal(resolve(user, list, amount, moment))).toBe(code);
  });

  test.each([
    ['the holder in person', 'dora', { onBehalfOf: null, path: [], limit: usd('5000.00') }],
    ['a delegate', 'a', { onBehalfOf: 'dora', path: ['dora>a'], limit: usd('1000.00') }],
    ['a delegate of the delegate', 'b', { onBehalfOf: 'dora', path: ['dora>a', 'a>b'], limit: usd('1000.00') }],
  ])('%s acts', (_, user, expected) => {
    expect(resolve(user, chain)).toEqual({ userId: user, ...expected });
  });

  test('from the first moment, without an amount above any ceiling, and past a narrower way', () => {
    expect(resolve('a', chain, null, '2026-01-26T00:00:00.000Z')).toMatchObject({ onBehalfOf: 'dora' });
    const wide = delegation('dora', 'a', { delegationId: 'wide', ceiling: null });
    expect(resolve('a', [...chain, wide], usd('4000.00'))).toMatchObject({ path: ['wide'], limit: usd('5000.00') });
  });

  test('a ceiling above the delegator gives no more than the delegator has, a delegator without a limit gives none', () => {
    expect(resolve('a', [delegation('dora', 'a', { ceiling: usd('9000.00') })])).toMatchObject({ limit: usd('5000.00') });
    const unlimited = resolveActingFor('a', 'director', chain, [{ userId: 'dora', limit: null }], at, null, options);
    expect(unlimited).toMatchObject({ limit: null });
  });

  test('a loop ends', () => {
    const loop = [delegation('dora', 'a'), delegation('a', 'dora'), delegation('a', 'b'), delegation('b', 'a')];
    const deep = resolveActingFor('b', 'director', loop, holders, at, null, { maxDepth: 50, barred: [] });
    expect(deep).toMatchObject({ path: ['dora>a', 'a>b'] });
  });
});

describe('duties that do not go together', () => {
  const done = (duty: string, by: string, changes: Partial<PerformedDuty> = {}): PerformedDuty => ({
    duty,
    by,
    subjectId: 'S',
    onBehalfOf: null,
    ...changes,
  });
  test.each([
    ['the seller approves the margin', done('deal.sell', 'u'), done('deal.approve-margin', 'u'), 'SOD-1'],
    ['the seller through a delegate', done('deal.sell', 'u'), done('deal.approve-margin', 'v', { onBehalfOf: 'u' }), 'SOD-1'],
    ['the approver sells afterwards', done('deal.approve-margin', 'u'), done('deal.sell', 'u'), 'SOD-1'],
    ['the seller of another subject of the deal', done('deal.sell', 'u', { subjectId: 'T' }), done('deal.approve-margin', 'u'), 'SOD-1'],
    ['whoever approved time credits', done('time.approve', 'u'), done('invoice.credit', 'u'), 'SOD-2'],
    ['their own request', done('invoice.request', 'u'), done('invoice.approve', 'u'), 'SOD-5'],
    ['a request made for them', done('invoice.request', 'v', { onBehalfOf: 'u' }), done('invoice.approve', 'u'), 'SOD-5'],
  ])('%s', (_, history, next, id) => {
    const found = conflictOfDuties(segregationOfDuties, [history], next);
    expect(found?.violation).toBe('DutiesConflict');
    expect(found?.detail).toMatch(id);
  });

  test.each([
    ['another person', done('deal.sell', 'u'), done('deal.approve-margin', 'v')],
    ['another request', done('invoice.request', 'u', { subjectId: 'T' }), done('invoice.approve', 'u')],
    ['another kind of subject', done('invoice.request', 'u'), done('deal.approve', 'u')],
    ['entering and approving time of others', done('time.enter', 'u', { subjectId: 'T' }), done('time.approve', 'u')],
    ['a similar duty', done('deal.sell-more', 'u'), done('deal.approve-margin', 'u')],
  ])('%s is fine', (_, history, next) => {
    expect(conflictOfDuties(segregationOfDuties, [history], next)).toBeNull();
  });

  test('a rule without duties refuses nobody, and a deal decision approves its margin', () => {
    expect(conflictOfDuties([{ id: 'X', text: '', duties: [] }], [done('a', 'u')], done('b', 'u'))).toBeNull();
    expect(dutiesOfDecision('deal')).toEqual(['deal.approve', 'deal.approve-margin']);
    expect(dutiesOfDecision('invoice')).toEqual(['invoice.approve', 'bill-run.approve']);
  });

  test('the standard adds the pairs that the firm does not word itself', () => {
    const rule = (id: string, ...duties: string[]): DutyRule => ({ id, text: id, duties });
    const standard = [rule('S', 'x', 'y'), rule('B', 'other', 'thing'), rule('T', 'y', 'x')];
    expect(dutyRulesOf([rule('A', 'x', 'y'), rule('B', 'p', 'q')], standard).map(({ id }) => id)).toEqual(['A', 'B', 'T']);
  });

  test('`*` on one side stands for every decision, on both for one and the same subject', () => {
    const users = [{ id: 'USERS', text: '', duties: ['user.administer', '*.approve'] }];
    expect(conflictOfDuties(users, [done('user.administer', 'u', { subjectId: 'users' })], done('invoice.approve', 'u'))).not.toBeNull();
    expect(conflictOfDuties(users, [done('user.administer', 'u')], done('deal.approve-margin', 'u'))).toBeNull();
    expect(conflictOfDuties(users, [done('deal.approve', 'u')], done('invoice.approve', 'u'))).toBeNull();
  });
});
