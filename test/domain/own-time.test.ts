import { isOwnTimeApproved } from '../../domain/time-policy/own-time';

describe('own time', () => {
  const rules = [{ id: 'OWN-TIME', text: '', duties: ['*.enter', '*.approve'] }];
  const manager = (userId: string, ...further: string[]) => ({ userId, roles: ['project-manager', ...further] });
  test.each([
    ['is not approved by its worker', { userId: 'a', roles: ['consultant'] }, { userId: 'a', roles: ['consultant'] }, true],
    ['of anybody else is approved by whoever does', { userId: 'a', roles: [] }, { userId: 'b', roles: [] }, false],
    ['of a project manager is not approved by another one', manager('a'), manager('b'), true],
    ['nor by somebody without a role', manager('a'), { userId: 'b', roles: [] }, true],
    ['but by somebody above', manager('a'), manager('b', 'delivery-director'), false],
    ['and not by somebody whose roles the project manager holds all', manager('a', 'cfo'), { userId: 'b', roles: ['cfo'] }, true],
  ])('%s', (_, worker, approver, expected) => {
    expect(isOwnTimeApproved(rules, { entryId: 'E', worker, approver })).toBe(expected);
    expect(isOwnTimeApproved([], { entryId: 'E', worker, approver })).toBe(false);
  });
});
