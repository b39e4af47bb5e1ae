import { type Selectable, type Transaction } from 'kysely';
import { hashOf } from '../../db/hash';
import { policyVersions } from '../../db/policies';
import { type PolicyKind } from '../../contracts/policies';
import { type DB } from '../../db/types';
import { type PolicyFacts } from '../../domain/approval/policy';
import { plannedVersion, withoutVersion } from '../../domain/policy/change';
import { type Difference } from '../../domain/difference';
import { isViolation, type Violation } from '../../domain/violation';

export type PolicyChangeRow = Selectable<DB['policy_change']>;

/** Of long lists approvers are shown so many; the hash is over all of it. */
const MOST_SHOWN = 200;

/** What approvers of a change are shown: what it says otherwise than what is in force, place by place. */
export async function policySubject(
  trx: Transaction<DB>,
  changeId: string,
): Promise<{ requestedBy: string; entityId: string; shown: Record<string, unknown>; policy: PolicyFacts } | Violation> {
  const row = await trx.selectFrom('policy_change').selectAll().where('id', '=', changeId).executeTakeFirstOrThrow();
  const found = await differencesOf(trx, row);
  if (isViolation(found)) return found;
  return {
    requestedBy: row.requested_by,
    entityId: await decidedIn(trx, row.entity_id, row.requested_by),
    shown: { ...bound(row), differences: found.slice(0, MOST_SHOWN), count: found.length },
    policy: { amount: null, marginPercent: null, discountPercent: null, paymentTermsDays: null },
  };
}

/** What an approval of a change is given for, as the row of the change has it. */
export function bound(row: PolicyChangeRow): Record<string, unknown> {
  return {
    kind: row.kind,
    action: row.action,
    entity: row.entity_id,
    basedOn: row.based_on_id,
    effectiveFrom: row.effective_from,
    contentHash: row.content === null ? null : hashOf(row.content),
    reasonId: row.reason_id,
  };
}

/** A change of an entity's own is decided there, one of the group at the entity of whoever asks. */
export async function decidedIn(trx: Transaction<DB>, entityId: string | null, requestedBy: string): Promise<string> {
  if (entityId !== null) return entityId;
  return (await trx.selectFrom('app_user').select('entity_id').where('id', '=', requestedBy).executeTakeFirstOrThrow()).entity_id;
}

async function differencesOf(trx: Transaction<DB>, row: PolicyChangeRow): Promise<readonly Difference[] | Violation> {
  const versions = await policyVersions(trx, row.kind as PolicyKind);
  const { entity_id: entityId, effective_from: effectiveFrom, based_on_id: basedOn } = row;
  const change =
    row.action === 'withdraw'
      ? withoutVersion(versions, basedOn, effectiveFrom)
      : plannedVersion(versions, { entityId, effectiveFrom, basedOn, content: row.content as Record<string, unknown> }, effectiveFrom);
  return isViolation(change) ? change : change.differences;
}
