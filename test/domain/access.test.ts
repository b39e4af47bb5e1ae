import fc from 'fast-check';
import {
  covers,
  knownRoles,
  mayReadField,
  permissionsOf,
  scopeFor,
  scopeOfRole,
  type Permission,
  type RoleAssignment,
} from '../../domain/access';
import { jsonOf } from './deal-builders';

const { users, committees } = jsonOf<{ users: { roles: string[] }[]; committees: { role: string }[] }>('users.json');
const held = (role: string, ...entityIds: string[]): RoleAssignment => ({
  role,
  scope: entityIds.length === 0 ? { kind: 'group' } : { kind: 'entities', entityIds },
});

describe('a role that nobody defined', () => {
  test.each(['', 'king', 'constructor', 'toString', '__proto__'])('%p grants nothing, anywhere', (role) => {
    expect(permissionsOf([role])).toEqual([]);
    expect(scopeFor('deal.read', [held(role)])).toBeNull();
    expect(scopeOfRole(role, 'DE')).toEqual({ kind: 'entities', entityIds: ['DE'] });
  });
});

describe('rights that a role does not have', () => {
  test.each<[string, Permission]>([
    ['account-executive', 'approval.decide'],
    ['account-executive', 'margin.read'],
    ['account-executive', 'cost.read'],
    ['legal-counsel', 'margin.read'],
    ['project-manager', 'margin.read'],
    ['project-manager', 'payment.read'],
    ['accounts-receivable', 'approval.decide'],
    ['accounts-payable', 'deal.read'],
    ['resource-manager', 'cost.read'],
    ['finance-controller', 'pay.read'],
    ['operator', 'invoice.read'],
    ['operator', 'approval.decide'],
    ['operator', 'cost.read'],
    ['auditor', 'personal-data.read'],
    ['auditor', 'inbox.replay'],
    ['crm-integration', 'deal.read'],
    ['bank-integration', 'payment.read'],
    ['time-integration', 'usage.report'],
    ['service-desk-integration', 'time.report'],
    ['master-data-integration', 'deal.read'],
  ])('%s lacks %s', (role, permission) => {
    expect(permissionsOf([role])).not.toContain(permission);
  });

  test('integrations can report and never decide or read figures', () => {
    const roles = knownRoles().filter((role) => role.endsWith('-integration'));
    expect(roles).toHaveLength(6);
    const figures: Permission[] = [
      'approval.decide',
      'invoice.read',
      'cost.read',
      'margin.read',
      'pay.read',
      'deal.cancel',
      'personal-data.read',
    ];
    expect(permissionsOf(roles).filter((permission) => figures.includes(permission))).toEqual([]);
  });
});

describe('rights that a role has', () => {
  test.each<[string, Permission[]]>([
    ['crm-integration', ['crm.report']],
    ['bank-integration', ['bank-statement.import']],
    ['time-integration', ['estimate.report', 'expense.report', 'time.report']],
    ['service-desk-integration', ['usage.report']],
    [
      'operator',
      [
        'api-key.write',
        'audit.read',
        'deal.cancel',
        'exception.resolve',
        'inbox.read',
        'inbox.replay',
        'notification.read',
        'notification.replay',
        'policy.read',
        'run.read',
        'webhook-endpoint.write',
      ],
    ],
  ])('%s: %j', (role, permissions) => {
    expect(permissionsOf([role])).toEqual(permissions);
  });

  test('every role of the reference users and committees is known', () => {
    const roles = [...new Set([...users.flatMap((user) => user.roles), ...committees.map((committee) => committee.role)])];
    expect(roles.filter((role) => !knownRoles().includes(role))).toEqual([]);
  });

  test('roles add up, each permission once', () => {
    const permissions = permissionsOf(['cfo', 'entity-head', 'cfo']);
    expect(new Set(permissions).size).toBe(permissions.length);
    expect(permissions).toEqual(expect.arrayContaining(permissionsOf(['entity-head'])));
  });
});

describe('the scope of a permission', () => {
  test.each<[string, Permission, RoleAssignment[], ReturnType<typeof scopeFor>]>([
    ['nowhere without a role', 'deal.read', [], null],
    ['nowhere without the right role', 'cost.read', [held('legal-counsel')], null],
    ['nowhere with an empty list', 'deal.read', [{ role: 'cfo', scope: { kind: 'entities', entityIds: [] } }], null],
    ['where the role is held', 'deal.read', [held('finance-controller', 'DE')], { kind: 'entities', entityIds: ['DE'] }],
    [
      'the union of what grants it',
      'deal.read',
      [held('finance-controller', 'US', 'DE'), held('project-manager', 'DE', 'JP')],
      { kind: 'entities', entityIds: ['DE', 'JP', 'US'] },
    ],
    [
      'not where another role is held',
      'margin.read',
      [held('finance-controller', 'DE'), held('project-manager', 'JP')],
      { kind: 'entities', entityIds: ['DE'] },
    ],
    ['the group once it is held there', 'deal.read', [held('finance-controller', 'DE'), held('cfo')], { kind: 'group' }],
  ])('%s', (_, permission, assignments, scope) => {
    expect(scopeFor(permission, assignments)).toEqual(scope);
  });

  test.each([
    [null, ['DE'], false],
    [{ kind: 'group' as const }, [], true],
    [{ kind: 'entities' as const, entityIds: ['DE'] }, ['US'], false],
    [{ kind: 'entities' as const, entityIds: ['DE'] }, [], false],
    [{ kind: 'entities' as const, entityIds: ['DE'] }, ['US', 'DE'], true],
  ])('%j over %j: %p', (scope, entityIds, reached) => {
    expect(covers(scope, entityIds)).toBe(reached);
  });

  test('one more assignment never takes a right away', () => {
    const assignment = fc.record({
      role: fc.constantFrom(...knownRoles()),
      scope: fc.oneof(
        fc.constant({ kind: 'group' as const }),
        fc.array(fc.constantFrom('DE', 'US', 'SG'), { maxLength: 3 }).map((entityIds) => ({ kind: 'entities' as const, entityIds })),
      ),
    });
    fc.assert(
      fc.property(
        fc.array(assignment, { maxLength: 5 }),
        assignment,
        fc.constantFrom(...permissionsOf(knownRoles())),
        fc.constantFrom('DE', 'US', 'SG'),
        (list, more, permission, entity) => {
          if (covers(scopeFor(permission, list), [entity])) expect(covers(scopeFor(permission, [...list, more]), [entity])).toBe(true);
        },
      ),
    );
  });

  test('shared functions work for the whole group, others at home', () => {
    expect(scopeOfRole('delivery-director', 'DE')).toEqual({ kind: 'group' });
    expect(scopeOfRole('finance-controller', 'DE')).toEqual({ kind: 'entities', entityIds: ['DE'] });
  });
});

describe('fields with a right of their own', () => {
  test.each([
    ['marginPercent', held('finance-controller', 'DE'), ['US'], false],
    ['marginPercent', held('finance-controller', 'DE'), ['DE'], true],
    ['costRate', held('legal-counsel'), ['DE'], false],
    ['pay', held('cfo'), ['DE'], false],
    ['name', held('crm-integration'), ['DE'], true],
    ['constructor', held('crm-integration'), ['DE'], true],
  ])('%s with %j on %j: %p', (field, assignment, entityIds, allowed) => {
    expect(mayReadField(field, [assignment], entityIds)).toBe(allowed);
  });
});
