import { askBreakGlass, decideBreakGlass, setsAside, type BreakGlass } from '../../domain/approval/break-glass';
import { type DutyConflict } from '../../domain/approval/duties';
import { expire, openApproval, withdraw } from '../../domain/approval/state';
import { isViolation } from '../../domain/violation';
import { at, step } from './approval-builders';

const conflict = (ruleId: string): DutyConflict => ({ ruleId, refusal: { violation: 'DutiesConflict', detail: ruleId } });
const approval = openApproval(
  {
    approvalId: 'A',
    subject: { kind: 'correction', id: 'C' },
    requestedBy: 'U-AR',
    shownHash: 'hash',
    amount: null,
    tiers: [{ tier: 1, steps: [step('finance-controller')] }],
  },
  at,
);
const facts = { approval, isAsked: true, conflicts: [conflict('SOD-2'), conflict('SOD-5'), conflict('SOD-2')], hours: 24 };
const ended = (next: ReturnType<typeof withdraw>) => {
  if (isViolation(next)) throw new Error(next.violation);
  return { ...facts, approval: next };
};
const moment = (hours: number): string => new Date(Date.parse(at) + hours * 3_600_000).toISOString();
const asked: BreakGlass = { by: 'U-FC', ruleIds: ['SOD-2', 'SOD-5'], state: 'requested', lapsesAt: moment(24) };
const granted: BreakGlass = { ...asked, state: 'granted' };

test('is asked for over all the rules that bar somebody now, and waits for the hours of the policy (R-352)', () => {
  expect(askBreakGlass('U-FC', facts, at)).toEqual(asked);
  expect(askBreakGlass('U-FC', { ...facts, hours: 2 }, at)).toMatchObject({ lapsesAt: moment(2) });
});

test.each([
  ['whose own request it is', 'U-AR', facts, 'ApproverIsRequester'],
  ['whom no step asks in person', 'U-FC', { ...facts, isAsked: false }, 'RoleNotAsked'],
  ['whom no rule bars', 'U-FC', { ...facts, conflicts: [] }, 'BreakGlassNeedless'],
  ['who comes after a withdrawal', 'U-FC', ended(withdraw(approval, 'U-AR', null, at)), 'ApprovalGone'],
  ['who comes after the end', 'U-FC', ended(expire(approval, at)), 'ApprovalGone'],
] as const)('is refused to somebody %s', (_name, by, given, code) => {
  expect(askBreakGlass(by, given, at)).toMatchObject({ violation: code });
});

const nobodyBarred = { ...facts, conflicts: [] };
test.each([
  ['by another: granted anew for its hours', 'U-CFO', 'grant', asked, nobodyBarred, { state: 'granted', lapsesAt: moment(25) }],
  ['by another: refused', 'U-CFO', 'refuse', asked, facts, { state: 'refused' }],
  ['by who asked', 'U-FC', 'grant', asked, nobodyBarred, { violation: 'BreakGlassOwnDecision' }],
  ['by who requested the approval', 'U-AR', 'grant', asked, nobodyBarred, { violation: 'BreakGlassOwnDecision' }],
  ['by somebody whom a rule bars as well', 'U-CFO', 'grant', asked, facts, { violation: 'DutiesConflict' }],
  ['when it is granted', 'U-CFO', 'refuse', granted, nobodyBarred, { violation: 'BreakGlassSettled' }],
  ['when its time is over', 'U-CFO', 'grant', { ...asked, lapsesAt: moment(1) }, nobodyBarred, { violation: 'BreakGlassSettled' }],
  [
    'when the approval has ended',
    'U-CFO',
    'grant',
    asked,
    { ...ended(expire(approval, at)), conflicts: [] },
    { violation: 'ApprovalGone' },
  ],
] as const)('is decided %s (R-353)', (_name, by, verdict, given, known, outcome) => {
  expect(decideBreakGlass(given, { by, verdict }, known, moment(1))).toMatchObject(outcome);
});

test.each([
  ['granted, within its time', granted, ['SOD-2'], 23, true],
  ['not granted', asked, ['SOD-2'], 1, false],
  ['used', { ...granted, state: 'used' }, ['SOD-2'], 1, false],
  ['when its last moment has come', granted, ['SOD-2'], 24, false],
  ['against a rule that did not bar then', granted, ['SOD-2', 'SOD-7'], 1, false],
] as const)('sets rules aside: %s (R-354)', (_name, given, rules, hours, holds) => {
  expect(setsAside(given, rules.map(conflict), moment(hours))).toBe(holds);
});
