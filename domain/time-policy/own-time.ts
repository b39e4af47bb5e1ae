import { conflictOfDuties, type DutyRule } from '../approval/duties';

/** Somebody with the roles held, wherever they are held. */
export interface RoleHolder {
  readonly userId: string;
  readonly roles: readonly string[];
}

/** An approved entry of somebody who is a user, and who approved it. */
export interface ApprovedTime {
  readonly entryId: string;
  readonly worker: RoleHolder;
  readonly approver: RoleHolder;
}

const PROJECT_MANAGER = 'project-manager';

/**
 * True where the rules of duties forbid that this person approved this time: nobody approves their own, and that of a project manager
 * is approved one level up, so by somebody who holds a role that the project manager does not. Another project manager approves as if it were
 * their own.
 */
export function isOwnTimeApproved(rules: readonly DutyRule[], { entryId, worker, approver }: ApprovedTime): boolean {
  const isPeer = worker.roles.includes(PROJECT_MANAGER) && approver.roles.every((role) => worker.roles.includes(role));
  const entered = { duty: 'time.enter', subjectId: entryId, by: worker.userId, onBehalfOf: null };
  const approved = { duty: 'time.approve', subjectId: entryId, by: approver.userId, onBehalfOf: isPeer ? worker.userId : null };
  return conflictOfDuties(rules, [entered], approved) !== null;
}
