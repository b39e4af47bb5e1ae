import { answerTo } from './approval/decision';
import { type Approval, votesAreOver, type Verdict } from './approval/state';
import { type Instant } from './deal/terms';
import { type Violation } from './violation';

/** A link as it was sent to a person: on which approval, in which tier, and on what was shown. Its moments are of the technical clock. */
export interface DecisionLink {
  readonly userId: string;
  readonly approvalId: string;
  readonly tier: number;
  /** The role that is asked; null = whichever open step the person may decide. */
  readonly role: string | null;
  readonly shownHash: string;
  readonly verdicts: readonly Verdict[];
  /** What is decided by this link, or by another one of the same person, approval and tier. */
  readonly decisionId: string;
  readonly expiresAt: Instant;
  /** When a decision came by this link first; null where none has. */
  readonly postedAt: Instant | null;
}

/**
 * Why a link does not ask for a decision now, null where it does: `LinkUsed` (409), `LinkExpired`, `LinkOutdated` where the
 * approval is in another tier or shows something else, and what answers any decision on an approval that has ended.
 */
export function refuseLink(link: DecisionLink, approval: Approval, now: Instant): Violation | null {
  const vote = voteBy(link, approval);
  if (vote !== undefined) {
    const how = link.postedAt === null ? 'by another link' : 'by this link';
    return { violation: 'LinkUsed', detail: `decided ${how}: ${vote.verdict}` };
  }
  if (Date.parse(link.expiresAt) <= Date.parse(now)) return { violation: 'LinkExpired', detail: link.expiresAt };
  if (approval.kind !== 'pending') return votesAreOver(approval);
  if (approval.openTier !== link.tier) return { violation: 'LinkOutdated', detail: `tier ${approval.openTier} is asked now` };
  if (approval.shownHash !== link.shownHash) return { violation: 'LinkOutdated', detail: 'the content has changed since it was shown' };
  return null;
}

/** True where this link has brought this very decision before: it is answered, and counts once. */
export function isRepeated(link: DecisionLink, approval: Approval, verdict: Verdict): boolean {
  const { userId: by, ...said } = link;
  return link.postedAt !== null && answerTo(approval, { ...said, by, verdict, conditions: [] }) === 'already-received';
}

function voteBy({ decisionId }: DecisionLink, approval: Approval) {
  return approval.tiers.flatMap(({ steps }) => steps.flatMap(({ votes }) => votes)).find((vote) => vote.decisionId === decisionId);
}
