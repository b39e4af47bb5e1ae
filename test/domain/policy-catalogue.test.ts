import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { policySchemas, type PolicyKind } from '../../contracts/policies';
import { checkPolicy, policyCatalogue, policyKinds } from '../../contracts/policy-catalogue';
import { isViolation, type InvalidInput } from '../../domain/violation';

const ROOT = resolve(__dirname, '..', '..');
type Body = Record<string, unknown>;
const shipped = (kind: PolicyKind): Body =>
  JSON.parse(
    readFileSync(resolve(ROOT, kind === 'approval' ? 'examples/reference-deal/approval-policy.json' : `policies/${kind}.json`), 'utf8'),
  ) as Body;

/** A copy of a shipped policy with one place changed. */
function changed(kind: PolicyKind, pointer: string, value: unknown): Body {
  const body = shipped(kind);
  const keys = pointer.split('/').slice(1);
  const last = keys.pop() ?? '';
  const holder = keys.reduce<Body>((at, key) => at[key] as Body, body);
  holder[last] = value;
  return body;
}

describe('the catalogue of policies', () => {
  test('has every kind that is read, with a schema, a title and what it decides', () => {
    expect([...policyKinds].sort()).toEqual(Object.keys(policySchemas).sort());
    for (const kind of policyKinds) {
      expect(policyCatalogue[kind].title).toMatch(/^\w/);
      expect(policyCatalogue[kind].decides).toMatch(/\.$/);
    }
  });

  test.each(policyKinds)('takes %s as it is shipped', (kind) => {
    expect(checkPolicy(kind, shipped(kind))).toEqual(shipped(kind));
  });

  test.each(policyKinds)('names only places of %s that entities may vary and that it has', (kind) => {
    const fields = Object.keys(policySchemas[kind].shape);
    for (const pointer of policyCatalogue[kind].local) expect(fields).toContain(pointer.split('/')[1]);
  });

  const rule = { id: 'X', subject: 'deal', when: {}, approvers: [{ tier: 1, role: 'cfo', quorum: '1' }] };
  const rate = { country: 'AT', kind: 'VAT', ratePercent: '20', validFrom: '2030-01-01', validTo: null, source: 'law' };
  const cases: readonly (readonly [PolicyKind, string, unknown, string, string, RegExp])[] = [
    ['billing', '/cutOffDay', '6', '/cutOffDay', 'WrongType', /expected/],
    ['billing', '/cutOffDay', 29, '/cutOffDay', 'TooLarge', /28/],
    ['billing', '/cutOffDay', undefined, '/cutOffDay', 'Required', /expected/],
    ['billing', '/cutofDay', 6, '/cutofDay', 'UnknownField', /cutofDay/],
    ['billing', '/purchaseOrder/lapsed', 'shrugs', '/purchaseOrder/lapsed', 'UnknownValue', /blocks/],
    ['billing', '/validFrom', '2026-02-30', '/validFrom', 'WrongFormat', /date/],
    ['closing', '/closeDay', 7, '', 'Invalid', /soft-closed before/],
    ['collections', '/tolerance/percent', '-1', '/tolerance/percent', 'Invalid', /exact decimal/],
    ['collections', '/tolerance/overrides', { XXQ: '1' }, '/tolerance/overrides/XXQ', 'WrongKey', /./],
    ['collections', '/ladders', { vip: [] }, '/ladders', 'Invalid', /default/],
    ['collections', '/ladders/default/1/level', 0, '/ladders/default', 'Invalid', /rise/],
    ['approval', '/matrix/0/when/amountUpTo', 250000, '/matrix/0/when/amountUpTo', 'WrongType', /string/],
    ['approval', '/matrix/0/when/moonAbove', '1', '/matrix/0/when/moonAbove', 'UnknownField', /moonAbove/],
    ['approval', '/matrix/1/when/amountUpTo', '1000', '/matrix/1/when', 'Invalid', /never hold/],
    ['approval', '/matrix/1/id', 'AP-DEAL-1', '/matrix/1/id', 'Invalid', /stands twice/],
    ['approval', '/matrix/0/approvers', [], '/matrix/0/approvers', 'TooSmall', /1/],
    ['approval', '/matrix/0/approvers/0/quorum', 'half', '/matrix/0/approvers/0/quorum', 'WrongFormat', /count/],
    ['approval', '/matrix/2/approvers/0/quorum', '0.5', '/matrix/2/approvers/0/quorum', 'Invalid', /other kind of quorum/],
    ['approval', '/sla/workingMinutes/deal', 0, '/sla/workingMinutes/deal', 'TooSmall', /1/],
    ['approval', '/delegation/maxDepth', 6, '/delegation/maxDepth', 'TooLarge', /5/],
    ['approval', '/groupCurrency', 'XXQ', '/groupCurrency', 'Invalid', /ISO 4217/],
    ['approval', '/matrix', [rule, { ...rule, id: 'Y', subject: 'committee', approvers: [{ tier: 1, role: 'cfo', quorum: '0.5' }] }], '/matrix/1/approvers/0/quorum', 'Invalid', /quorum/], // prettier-ignore
    ['approval', '/matrix', [{ ...rule, approvers: [...rule.approvers, ...rule.approvers] }], '/matrix/0/approvers/1/role', 'Invalid', /twice/], // prettier-ignore
    ['approval', '/matrix/0/approvers/0/role', 'king', '/matrix/0/approvers/0/role', 'Invalid', /role/],
    ['approval', '/matrix', [{ ...rule, subject: 'policy', when: { amountUpTo: '1' } }], '/matrix', 'Invalid', /every change of a policy/],
    ['control-points', '/matrix', [rule], '/matrix', 'Invalid', /every change of a policy/],
    ['access-scopes', '/roles/cfo', 'moon', '/roles/cfo', 'UnknownValue', /group/],
    ['tax-rates', '/rates', [rate, { ...rate, validFrom: '2031-01-01' }], '/rates/1/validFrom', 'Invalid', /same days/],
    ['tax-rates', '/rates', [{ ...rate, validTo: '2029-01-01' }], '/rates/0', 'Invalid', /before/],
  ];
  test.each(cases)('refuses %s with %s as %j at %s: %s', (kind, pointer, value, at, code, reason) => {
    const refused = checkPolicy(kind, changed(kind, pointer, value)) as InvalidInput;
    expect(isViolation(refused)).toBe(true);
    expect(refused.violation).toBe('PolicyInvalid');
    expect(refused.errors.map(({ path, violation }) => [path, violation])).toEqual([[at, code]]);
    expect(refused.errors[0]?.detail).toMatch(reason);
  });

  test('names everything that is wrong at once, and refuses what is no policy at all', () => {
    const refused = checkPolicy('billing', { ...shipped('billing'), cutOffDay: 0, purchaseOrder: null }) as InvalidInput;
    expect(refused.errors.map(({ path }) => path)).toEqual(['/cutOffDay', '/purchaseOrder']);
    for (const nothing of [null, [], 'text', 1]) expect(checkPolicy('closing', nothing)).toMatchObject({ violation: 'PolicyInvalid' });
  });
});
