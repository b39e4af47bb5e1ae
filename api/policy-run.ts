import { sql } from 'kysely';
import { type ClockState, type PolicyChangeInput } from '../contracts/workflow-state';
import { policyWorkflowId } from '../domain/ids';
import { requestPolicyChangeUpdate } from '../workflows/policy-change/messages';
import { type RouteDeps } from './deps';
import { type RunStart } from './gateway/starts';

/** What begins the run of a policy where none is open. */
export function policyRunStart(deps: RouteDeps, kind: string, entityId: string | null, moment: string): RunStart {
  const clock: ClockState = deps.config.simulation ? { simulated: true, moment } : { simulated: false };
  return { policy: { kind, entityId, clock } };
}

/** Which open change is meant: the one with the id, or the one that is open of a policy and place. */
type Meant = { readonly changeId: string } | { readonly kind: string; readonly entityId: string | null };

/**
 * Tells the run of a policy once more of a change that is on record and not settled, and starts one where none runs. A request may be
 * kept while its answer is lost with the run's task: told again, the run takes the answer that is kept, and the change goes to those who
 * decide. Nothing where no such change is open.
 */
export async function tellAgain(deps: RouteDeps, meant: Meant): Promise<void> {
  const rows = deps.db.selectFrom('policy_change').selectAll().where('state', '=', 'requested');
  const one =
    'changeId' in meant
      ? rows.where('id', '=', meant.changeId)
      : rows.where('kind', '=', meant.kind).where('entity_id', sql`is not distinct from`, meant.entityId);
  const row = await one.executeTakeFirst();
  if (row === undefined) return;
  const { id: changeId, kind, entity_id: entityId, reason_id: reasonId, based_on_id: basedOn, requested_by: by, requested_at: at } = row;
  const said = { changeId, reasonId, by, at };
  const input: PolicyChangeInput =
    row.action === 'withdraw'
      ? { ...said, action: 'withdraw', versionId: basedOn }
      : { ...said, action: 'introduce', basedOn, effectiveFrom: row.effective_from, content: row.content as Record<string, unknown> };
  const start = policyRunStart(deps, kind, entityId, await deps.clock.now());
  const workflowId = policyWorkflowId(kind, entityId);
  await deps.gateway.update({ definition: requestPolicyChangeUpdate, workflowId, input, updateId: `${changeId}/again`, start });
}
