import { decide } from '../../domain/approval/decision';
import { type Approval, openApproval, withdraw } from '../../domain/approval/state';
import { type DecisionLink, isRepeated, refuseLink } from '../../domain/decision-link';
import { isViolation } from '../../domain/violation';
import { step } from './approval-builders';

const NOW = '2026-03-02T10:00:00.000Z';

function approval(): Approval {
  const tiers = [1, 2].map((tier) => ({ tier, steps: [step('finance-controller')] }));
  const subject = { kind: 'invoice', id: 'I1' };
  return openApproval({ approvalId: 'A1', subject, requestedBy: 'U-SELLER', shownHash: 'shown', amount: null, tiers }, NOW);
}

function voted(verdict: 'grant' | 'refuse', decisionId = 'link-1'): Approval {
  const decision = { decisionId, by: 'U-FC', role: null, verdict, reasonId: 'T1', shownHash: 'shown', conditions: [] };
  const authorities = [{ role: 'finance-controller', onBehalfOf: null, limit: null }];
  const people = { authorities, voters: { 'finance-controller': ['U-FC'] }, seats: {}, barredByRecusal: [], owners: {}, dues: {} };
  const decided = decide(approval(), decision, { ...people, dutyConflict: null }, NOW);
  if (isViolation(decided)) throw new Error(decided.detail);
  return decided;
}

const link = (over: Partial<DecisionLink> = {}): DecisionLink => ({
  ...{ userId: 'U-FC', approvalId: 'A1', tier: 1, role: 'finance-controller', shownHash: 'shown', verdicts: ['grant', 'refuse'] as const },
  ...{ decisionId: 'link-1', expiresAt: '2026-03-05T10:00:00.000Z', postedAt: null },
  ...over,
});

describe('a link that was sent to a person', () => {
  test('asks for a decision until it expires, not at that moment any more', () => {
    expect(refuseLink(link(), approval(), NOW)).toBeNull();
    expect(refuseLink(link(), approval(), '2026-03-05T09:59:59.999Z')).toBeNull();
    expect(refuseLink(link(), approval(), '2026-03-05T10:00:00.000Z')).toMatchObject({ violation: 'LinkExpired' });
  });

  test.each([
    ['another tier than is open', link({ tier: 2 }), approval(), 'LinkOutdated'],
    ['a tier that is over', link({ decisionId: 'link-2' }), voted('grant'), 'LinkOutdated'],
    ['other content than stands there', link({ shownHash: 'older' }), approval(), 'LinkOutdated'],
    ['what was withdrawn', link(), withdraw(approval(), 'U-SELLER', null, NOW) as Approval, 'ApprovalGone'],
    ['what others have decided', link({ decisionId: 'link-2' }), voted('refuse', 'other'), 'AlreadyDecided'],
    ['what was decided by it', link({ postedAt: NOW }), voted('grant'), 'LinkUsed'],
    ['what was decided by another link, though it has expired', link({ expiresAt: NOW }), voted('refuse'), 'LinkUsed'],
  ])('asks nothing about %s', (_, sent, stands, violation) => {
    expect(refuseLink(sent, stands, NOW)).toMatchObject({ violation });
  });

  test('knows its own decision again, and no other', () => {
    const posted = link({ postedAt: NOW });
    expect(isRepeated(posted, voted('grant'), 'grant')).toBe(true);
    expect(isRepeated(posted, voted('grant'), 'refuse')).toBe(false);
    expect(isRepeated(link(), voted('grant'), 'grant')).toBe(false);
    expect(isRepeated(posted, voted('grant', 'by the console'), 'grant')).toBe(false);
    expect(isRepeated(posted, approval(), 'grant')).toBe(false);
  });
});
