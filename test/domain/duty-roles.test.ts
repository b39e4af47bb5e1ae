import { forbiddenRoles } from '../../domain/approval/duty-roles';
import { type DutyRule } from '../../domain/approval/duties';
import { type PolicyRule } from '../../domain/approval/policy';

const rule = (id: string, ...duties: string[]): DutyRule => ({ id, text: id, duties });
const asks = (subject: string, ...roles: string[]): PolicyRule => ({
  id: subject,
  subject,
  when: {},
  approvers: roles.map((role) => ({ tier: 1, role, quorum: '1' })),
});

describe('roles that allow both sides', () => {
  const pairs = (rules: readonly DutyRule[], matrix: readonly PolicyRule[], escalateTo: readonly string[] = []) =>
    forbiddenRoles(rules, { matrix, escalateTo }).map(({ rule: of, first, last }) => `${of.id} ${first.role} + ${last.role}`);

  test.each<[string, DutyRule, PolicyRule[], string[]]>([
    [
      'a right and a decision',
      rule('CASH', 'cash.apply', 'write-off.approve'),
      [asks('correction', 'cfo')],
      ['CASH accounts-receivable + cfo', 'CASH bank-integration + cfo'],
    ],
    [
      'each of several, and one role by itself',
      rule('TIME', 'time.enter', 'time.approve', 'invoice.credit'),
      [asks('correction', 'project-manager')],
      [
        'TIME project-manager + project-manager',
        'TIME time-integration + project-manager',
        'TIME project-manager + project-manager',
        'TIME time-integration + project-manager',
      ],
    ],
    [
      'a committee, which decides on deals',
      rule('MARGIN', 'deal.sell', 'deal.approve-margin'),
      [asks('committee', 'board')],
      ['MARGIN account-executive + board', 'MARGIN sales-director + board'],
    ],
    [
      'every decision, also on time, once by role',
      rule('USERS', 'user.administer', '*.approve'),
      [asks('invoice', 'cfo', 'ceo'), asks('kickoff', 'cfo')],
      [
        'USERS finance-controller + ceo',
        'USERS finance-controller + cfo',
        'USERS finance-controller + project-manager',
        'USERS finance-controller + time-integration',
        'USERS master-data-integration + ceo',
        'USERS master-data-integration + cfo',
        'USERS master-data-integration + project-manager',
        'USERS master-data-integration + time-integration',
      ],
    ],
    ['nothing where nobody is asked', rule('CASH', 'cash.apply', 'write-off.approve'), [asks('invoice', 'cfo')], []],
    ['nothing of one subject', rule('OWN', '*.request', '*.approve'), [asks('invoice', 'cfo')], []],
    ['nothing of duties that no role performs', rule('X', 'a.b', 'c.d'), [asks('invoice', 'cfo')], []],
    ['nothing of a rule without duties', rule('X'), [asks('invoice', 'cfo')], []],
  ])('%s', (_, of, matrix, expected) => {
    expect(pairs([of], matrix)).toEqual(expected);
  });

  test('who is asked after the deadline decides too', () => {
    expect(pairs([rule('CASH', 'cash.apply', 'write-off.approve')], [asks('correction')], ['entity-head'])).toEqual([
      'CASH accounts-receivable + entity-head',
      'CASH bank-integration + entity-head',
    ]);
  });

  test('a right counts only where the role itself is held, that on master data only for the group; a decision wherever the role comes from', () => {
    const [found] = forbiddenRoles([rule('USERS', 'user.administer', '*.approve')], { matrix: [asks('invoice', 'cfo')], escalateTo: [] });
    expect(found).toMatchObject({ first: { ownOnly: true, groupOnly: true }, last: { ownOnly: false, groupOnly: false } });
  });
});
