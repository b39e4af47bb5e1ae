import { knownRoles, permissionsOf, type Permission } from '../access';
import { isOfOneSubject, dutiesOfDecision, prefixIn, type DutyRule } from './duties';
import { decidedWith, type PolicyRule } from './policy';

/** A role that lets somebody perform a duty. */
export interface AllowedDuty {
  readonly duty: string;
  readonly role: string;
  /** A delegation hands on the right to decide, and no other. */
  readonly ownOnly: boolean;
  /** The right is one of those that count only where the role is held for the whole group. */
  readonly groupOnly: boolean;
}

/** Two roles that no one person should hold in one place, by a rule of duties. */
export interface ForbiddenRoles {
  readonly rule: DutyRule;
  readonly first: AllowedDuty;
  readonly last: AllowedDuty;
}

/** Who is asked by the policies in force. */
export interface AskedRoles {
  readonly matrix: readonly PolicyRule[];
  /** Further roles that a decision which takes too long is brought to. */
  readonly escalateTo: readonly string[];
}

/** With which right people perform the duties that are no decisions. */
const RIGHT_OF_DUTY: Readonly<Record<string, { readonly permission: Permission; readonly groupOnly: boolean }>> = {
  'deal.sell': { permission: 'deal.complete-handoff', groupOnly: false },
  'time.enter': { permission: 'time.report', groupOnly: false },
  'time.approve': { permission: 'time.report', groupOnly: false },
  'cash.apply': { permission: 'bank-statement.import', groupOnly: true },
  'rate-card.edit': { permission: 'master-data.write', groupOnly: true },
  'vendor.onboard': { permission: 'master-data.write', groupOnly: true },
  'user.administer': { permission: 'master-data.write', groupOnly: true },
};

/**
 * Which roles together allow both sides of a rule of duties, also one role by itself: who does by the rights of the role, who decides
 * by the matrix and its escalation. A rule about one subject (nobody decides on their own request) forbids no roles beforehand. In the order
 * of the rules, then by role.
 */
export function forbiddenRoles(rules: readonly DutyRule[], asked: AskedRoles): ForbiddenRoles[] {
  const allowed = [...doing(), ...deciding(asked)];
  return rules.flatMap((rule) => {
    const last = rule.duties.at(-1) ?? '';
    const apart = rule.duties.slice(0, -1).filter((other) => !isOfOneSubject(other, last));
    return apart.flatMap((other) =>
      byRole(allowed, other).flatMap((first) => byRole(allowed, last).map((second) => ({ rule, first, last: second }))),
    );
  });
}

function doing(): AllowedDuty[] {
  return Object.entries(RIGHT_OF_DUTY).flatMap(([duty, { permission, groupOnly }]) =>
    knownRoles()
      .filter((role) => permissionsOf([role]).includes(permission))
      .map((role) => ({ duty, role, ownOnly: true, groupOnly })),
  );
}

function deciding({ matrix, escalateTo }: AskedRoles): AllowedDuty[] {
  return matrix.flatMap(({ subject, approvers }) =>
    dutiesOfDecision(decidedWith(subject)).flatMap((duty) =>
      [...approvers.map(({ role }) => role), ...escalateTo].map((role) => ({ duty, role, ownOnly: false, groupOnly: false })),
    ),
  );
}

/** The roles that allow what a rule names, each once, under the name that the rule gives it. */
function byRole(allowed: readonly AllowedDuty[], named: string): AllowedDuty[] {
  const found = allowed.filter(({ duty }) => prefixIn(named, duty) !== null);
  const roles = [...new Set(found.map(({ role }) => role))].sort();
  return roles.map((role) => {
    const ways = found.filter((each) => each.role === role);
    return {
      duty: named,
      role,
      ownOnly: ways.every(({ ownOnly }) => ownOnly),
      groupOnly: ways.every(({ groupOnly }) => groupOnly),
    };
  });
}
