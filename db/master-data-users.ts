import { sql, type Transaction } from 'kysely';
import { type MasterData } from '../contracts/master-data';
import { type Instant } from '../domain/deal/terms';
import { minorOf } from './master-data-amount';
import { type DB } from './types';
import { upsert } from './upsert';

/** In `line_manager`: managers of lines of every deal. */
const EVERY_DEAL = '';

/**
 * Users with limits in the group currency, the roles they hold (for the group or for their entity, as the access scopes say), seats in
 * committees, process owners, line managers and delegations. Roles, seats and line managers of the deal are those of the files and no others; a person
 * whom the files no longer name is inactive, and a delegation of files that they no longer name has ended at `at` or, not begun yet, is gone.
 * What people gave over the API stays.
 */
export async function loadUsers(
  trx: Transaction<DB>,
  data: MasterData,
  roleScopes: Readonly<Record<string, 'group' | 'entity'>>,
  at: Instant,
): Promise<Record<string, number>> {
  const { users, processOwners, delegations } = data['users.json'];
  const { group } = data['legal-entities.json'];
  await upsert(
    trx,
    'app_user',
    ['id'],
    users.map((user) => ({
      id: user.id,
      name: user.name,
      email: user.email,
      entity_id: user.entity,
      calendar_id: user.calendarId,
      approval_limit_minor: minorOf(user.approvalLimit, group.groupCurrency),
      approval_limit_currency: user.approvalLimit === null ? null : group.groupCurrency,
      person_id: user.personId,
      active: true,
      left_at: null,
    })),
  );
  await trx
    .updateTable('app_user')
    .set({ active: false, left_at: at })
    .where('active', '=', true)
    .where('id', 'not in', idsOf(users))
    .execute();
  await loadRoles(trx, data, roleScopes, group.id);
  await loadSeats(trx, data);
  await upsert(
    trx,
    'process_owner',
    ['process'],
    processOwners.map(({ process, owner }) => ({ process, user_id: owner })),
  );
  await upsert(
    trx,
    'delegation',
    ['id'],
    delegations.map((each) => ({
      id: each.id,
      delegator_id: each.delegator,
      delegate_id: each.delegate,
      role: each.role,
      ceiling_minor: minorOf(each.ceiling, group.groupCurrency),
      ceiling_currency: each.ceiling === null ? null : group.groupCurrency,
      valid_from: each.from,
      valid_until: each.until,
      reason: each.reason,
    })),
  );
  await endDelegations(trx, idsOf(delegations), at);
  return { users: users.length, delegations: delegations.length };
}

async function endDelegations(trx: Transaction<DB>, named: readonly string[], at: Instant): Promise<void> {
  const others = sql<boolean>`requested_at is null and not id = any(${[...named]}::text[])`;
  await trx.deleteFrom('delegation').where(others).where('valid_from', '>=', at).execute();
  await trx.updateTable('delegation').set({ valid_until: at }).where(others).where('valid_until', '>', at).execute();
}

function idsOf(items: readonly { readonly id: string }[]): string[] {
  return items.map(({ id }) => id);
}

async function loadRoles(
  trx: Transaction<DB>,
  data: MasterData,
  roleScopes: Readonly<Record<string, 'group' | 'entity'>>,
  groupId: string,
): Promise<void> {
  const { users } = data['users.json'];
  const held = users.flatMap((user) => [...new Set(user.roles)].map((role) => ({ user, role })));
  await trx.deleteFrom('role_assignment').execute();
  await upsert(
    trx,
    'role_assignment',
    ['user_id', 'role', 'scope_kind', 'scope_id'],
    held.map(({ user, role }) => {
      const isGroupWide = roleScopes[role] === 'group';
      return { user_id: user.id, role, scope_kind: isGroupWide ? 'group' : 'entity', scope_id: isGroupWide ? groupId : user.entity };
    }),
  );
}

async function loadSeats(trx: Transaction<DB>, data: MasterData): Promise<void> {
  const { committees, projectManagersByLine } = data['users.json'];
  await trx.deleteFrom('committee_member').execute();
  await upsert(
    trx,
    'committee_member',
    ['role', 'user_id'],
    committees.flatMap(({ role, members, weights = {} }) =>
      members.map((member) => ({ role, user_id: member, weight: weights[member] ?? 1 })),
    ),
  );
  await loadLineManagers(trx, projectManagersByLine, data['deal-closed.cloudevents.json']?.data.contractId ?? EVERY_DEAL);
}

/**
 * Managers run the lines of the deal that stands in the same folder, and of no other deal; without a deal, those of every deal. Managers
 * of other deals stay.
 */
async function loadLineManagers(trx: Transaction<DB>, managers: Readonly<Record<string, string>>, dealAlias: string): Promise<void> {
  await trx.deleteFrom('line_manager').where('deal_alias', 'in', [EVERY_DEAL, dealAlias]).execute();
  await upsert(
    trx,
    'line_manager',
    ['deal_alias', 'line_id'],
    Object.entries(managers).map(([line, manager]) => ({ deal_alias: dealAlias, line_id: line, user_id: manager })),
  );
}
