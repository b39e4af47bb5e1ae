import { type Transaction } from 'kysely';
import { uuidv7 } from 'uuidv7';
import { type PolicyActivities } from '../../contracts/activities';
import { ENGINE_ACTOR } from '../../contracts/names';
import { type PolicyKind } from '../../contracts/policies';
import { canonicalJson } from '../../domain/canonical-json';
import { type PolicyChangeView } from '../../contracts/workflow-state';
import { sha256 } from '../../db/hash';
import { entityOf } from '../../db/parties';
import { lockPolicy, policyVersions } from '../../db/policies';
import { type DB } from '../../db/types';
import { localDateOf } from '../../domain/calendar/zone';
import { type Instant, type LocalDate } from '../../domain/deal/terms';
import { plannedVersion, withoutVersion } from '../../domain/policy/change';
import { isViolation, type Violation } from '../../domain/violation';
import { refuseUnapproved } from '../approval/belt';
import { endOfRequest } from '../approval/outcome';
import { type ActivityDeps } from '../deps';
import { lifecycleEffect } from '../lifecycle';
import { refuseCombinations, refuseUnfit } from './fit';
import { bound, decidedIn, type PolicyChangeRow } from './subject';
import { policyView } from './view';

/**
 * How a change ends. Granted, the version is in force from its day, or from the day of the grant where that is later: never
 * back in time. A granted change that does not fit any more what is in force by then ends as outdated.
 */
export function settlePolicyChange(deps: ActivityDeps): PolicyActivities['settlePolicyChange'] {
  return ({ kind, changeId, outcome, at }) => {
    const effect = { key: `settle-policy-change/${changeId}`, identity: { kind, outcome }, at, actor: ENGINE_ACTOR };
    return lifecycleEffect<PolicyChangeView>(deps, effect, async (trx, workflowId) => {
      await lockPolicy(trx, kind as PolicyKind);
      const row = await trx.selectFrom('policy_change').selectAll().where('id', '=', changeId).forUpdate().executeTakeFirstOrThrow();
      const refused =
        outcome === 'approved' ? await refuseUnapproved(trx, 'policy', changeId, (shown) => ({ ...shown, ...bound(row) })) : null;
      if (refused) return refused;
      const applied = outcome === 'approved' ? await apply(trx, row, at) : null;
      const state = outcome !== 'approved' ? endOfRequest(outcome) : isViolation(applied) ? 'outdated' : 'applied';
      const settled = await trx
        .updateTable('policy_change')
        .set({ state, settled_at: at, outcome: isViolation(applied) ? `${applied.violation}: ${applied.detail}` : null })
        .where('id', '=', changeId)
        .returningAll()
        .executeTakeFirstOrThrow();
      return {
        answer: await policyView(trx, workflowId, settled, at),
        audit: {
          stream: `policy/${kind}`,
          ...(row.entity_id === null ? {} : { entityId: row.entity_id }),
          action: `policy.change-${state}`,
          subject: changeId,
          details: { action: row.action, entity: row.entity_id, outcome: settled.outcome, ...(isViolation(applied) ? {} : applied) },
        },
      };
    });
  };
}

interface Applied {
  readonly versionId: string;
  readonly version?: number;
  readonly from: LocalDate;
}

async function apply(trx: Transaction<DB>, row: PolicyChangeRow, at: Instant): Promise<Applied | Violation> {
  const { timeZone } = await entityOf(trx, await decidedIn(trx, row.entity_id, row.requested_by));
  const today = localDateOf(at, timeZone);
  return row.action === 'withdraw' ? takeBack(trx, row, today, at) : introduce(trx, row, today, at);
}

async function introduce(trx: Transaction<DB>, row: PolicyChangeRow, today: LocalDate, at: Instant): Promise<Applied | Violation> {
  const kind = row.kind as PolicyKind;
  const effectiveFrom = row.effective_from > today ? row.effective_from : today;
  const content = row.content as Record<string, unknown>;
  const asked = { entityId: row.entity_id, effectiveFrom, basedOn: row.based_on_id, content };
  const planned = plannedVersion(await policyVersions(trx, kind), asked, today);
  if (isViolation(planned)) return planned;
  const unfit = refuseUnfit(kind, row.entity_id, content, planned);
  if (unfit) return unfit;
  const text = canonicalJson(planned.body);
  const versionId = uuidv7();
  await trx
    .insertInto('policy_version')
    .values({
      id: versionId,
      kind,
      version: planned.version,
      valid_from: effectiveFrom,
      body: text,
      body_hash: sha256(text),
      entity_id: row.entity_id,
      refines_id: row.entity_id === null ? null : row.based_on_id,
      change_id: row.id,
      granted_at: at,
    })
    .execute();
  return { versionId, version: planned.version, from: effectiveFrom };
}

async function takeBack(trx: Transaction<DB>, row: PolicyChangeRow, today: LocalDate, at: Instant): Promise<Applied | Violation> {
  const kind = row.kind as PolicyKind;
  const without = withoutVersion(await policyVersions(trx, kind), row.based_on_id, today);
  if (isViolation(without)) return without;
  const unfit = refuseCombinations(kind, without.versions, today);
  if (unfit) return unfit;
  await trx
    .insertInto('policy_withdrawal')
    .values({ version_id: row.based_on_id, change_id: row.id, withdrawn_from: today, withdrawn_at: at })
    .execute();
  return { versionId: row.based_on_id, from: today };
}
