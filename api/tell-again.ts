import { type UpdateDefinition } from '@temporalio/common';
import { type AskedWith } from '../contracts/asked-with';
import { proposeTermsUpdate, requestCancellationUpdate, requestChangeUpdate } from '../workflows/deal-to-cash/messages';
import { requestCorrectionUpdate } from '../workflows/invoice-correction/messages';
import { requestPolicyChangeUpdate } from '../workflows/policy-change/messages';
import { correctionRunStart } from './correction-run';
import { type RouteDeps, type Starter } from './deps';
import { type RunStart } from './gateway/starts';
import { policyRunStart } from './policy-run';

const UPDATES: Readonly<Record<AskedWith['update'], UpdateDefinition<unknown, [unknown]>>> = {
  proposeTerms: proposeTermsUpdate,
  requestCancellation: requestCancellationUpdate,
  requestChange: requestChangeUpdate,
  requestCorrection: requestCorrectionUpdate,
  requestPolicyChange: requestPolicyChangeUpdate,
};

type Teller = Starter & Pick<RouteDeps, 'db' | 'clock' | 'gateway'>;

/**
 * Sends the run of whoever asked for a pending approval the request once more, and starts the run where none is open and the request may
 * begin one. A request may be on record while its run has not heard of it, where its answer was lost with the run's task: told
 * again, the run takes the answer that is kept and has the approval decided. Nothing where the approval is not pending,
 * unless it was decided without its run, or where a run asked
 * in the course of its story, which goes on by itself. Each request tells it under an id of its own, so that a failure which a run has kept under
 * one is not all that the next is answered.
 */
export async function tellAgain(
  deps: Teller,
  approvalId: string,
  { evaluation, alsoDecided = false }: { readonly evaluation: string; readonly alsoDecided?: boolean },
): Promise<void> {
  const row = await deps.db
    .selectFrom('approval')
    .select(['asked_with', 'subject_kind', 'subject_id'])
    .where('id', '=', approvalId)
    .$if(!alsoDecided, (query) => query.where('state', '=', 'pending'))
    .executeTakeFirst();
  if (row === undefined || row.asked_with === null) return;
  const { update, workflowId, input } = row.asked_with as AskedWith;
  const start = await startOf(deps, row.subject_kind, row.subject_id);
  await deps.gateway.update({
    definition: UPDATES[update],
    workflowId,
    input,
    updateId: `${approvalId}/again/${evaluation}`,
    ...(start ? { start } : {}),
  });
}

async function startOf(deps: Teller, subjectKind: string, subjectId: string): Promise<RunStart | null> {
  const { db } = deps;
  const at = await deps.clock.now();
  if (subjectKind === 'policy') {
    const changes = db.selectFrom('policy_change').select(['kind', 'entity_id']).where('id', '=', subjectId);
    const { kind, entity_id: entityId } = await changes.executeTakeFirstOrThrow();
    return policyRunStart(deps, kind, entityId, at);
  }
  if (subjectKind !== 'correction') return null;
  const invoice = await db
    .selectFrom('invoice_correction')
    .innerJoin('invoice', 'invoice.id', 'invoice_correction.invoice_id')
    .select(['invoice.id', 'invoice.deal_id', 'invoice.contract_line_id', 'invoice.entity_id'])
    .where('invoice_correction.id', '=', subjectId)
    .executeTakeFirstOrThrow();
  return correctionRunStart(deps, invoice, at);
}
