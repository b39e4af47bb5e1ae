import { permissionsOf } from '../access';
import { type Condition } from './conditions';
import { type Directory, holdersAsked, holdersOf } from './holders';
import { type Approval, isRecused } from './state';

/** Who could fulfil a condition that is set for a role: its holders, where it lets them read approvals. */
export function ownersOf(people: Directory, role: string, entityId: string): string[] {
  return readsApprovals(role) ? holdersOf(people, role, entityId, []) : [];
}

/** Who may see to a condition now: the holders of its role, and of those that it was given to since, but not the requester for these. */
export function ownersOfCondition(people: Directory, approval: Approval, { role, escalatedTo }: Condition, entityId: string): string[] {
  const further = escalatedTo.flatMap((to) =>
    readsApprovals(to === 'role' ? role : to) ? holdersAsked(people, { role, to }, entityId, [approval.requestedBy]) : [],
  );
  return [...new Set([...ownersOf(people, role, entityId), ...further])].filter((userId) => !isRecused(approval, userId));
}

function readsApprovals(role: string): boolean {
  return permissionsOf([role]).includes('approval.read');
}
