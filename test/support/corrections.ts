import { randomUUID } from 'node:crypto';
import { type UpdateDefinition, WithStartWorkflowOperation } from '@temporalio/client';
import { type Kysely } from 'kysely';
import { type createActivities } from '../../activities/index';
import { type CorrectionInput } from '../../contracts/workflow-state';
import { type DB } from '../../db/types';
import { type CorrectionRequest } from '../../domain/billing/correction/choice';
import { correctionWorkflowId } from '../../domain/ids';
import { raiseDisputeUpdate, resolveDisputeUpdate } from '../../workflows/invoice-correction/messages';
import { invoiceCorrection } from '../../workflows/invoice-correction/workflow';
import { inRun } from './activity-run';
import { approvedCorrection, approvedInvoice } from './approved';
import { bankEvent } from './cash';
import { until } from './lifecycles';
import { reasonOf } from './texts';
import { type TestEngine } from './worker';

type Activities = ReturnType<typeof createActivities>;

/** Everything that stands, billed once more. */
export const REBILL: CorrectionRequest = { kind: 'full', otherwise: 'rebill', choices: [] };

/** A correction as accounts receivable ask for it. */
export function correctionInput(request: CorrectionRequest, at: string, over: Partial<CorrectionInput> = {}): CorrectionInput {
  return { correctionId: randomUUID(), request, disputeId: null, reasonCode: 'HOURS', reasonId: null, by: 'U-AR', at, ...over };
}

/** The draft of a document is issued, approved as it stands. */
export async function issued(db: Kysely<DB>, activities: Activities, invoiceId: string, at: string) {
  const approvalId = await approvedInvoice(db, invoiceId);
  await inRun(`invoice/${invoiceId}`, () => activities.issueInvoice({ invoiceId, approvalId, at }));
  return documentOf(db, invoiceId);
}

/** A correction is asked for, approved as it was shown, and issued at the same moment; gives its id and its rebill. */
export async function correct(
  db: Kysely<DB>,
  activities: Activities,
  invoiceId: string,
  correction: CorrectionInput,
): Promise<{ readonly correctionId: string; readonly rebillId: string | null }> {
  const { correctionId, at } = correction;
  const run = `correction/${invoiceId}`;
  await inRun(run, () => activities.requestCorrection({ invoiceId, correction }));
  await approvedCorrection(db, correctionId);
  await inRun(run, () => activities.settleCorrection({ invoiceId, correctionId, outcome: 'approved', at }));
  const { rebillId } = await inRun(run, () => activities.issueCorrection({ invoiceId, correctionId, at }));
  return { correctionId, rebillId };
}

export async function documentOf(db: Kysely<DB>, invoiceId: string) {
  return db.selectFrom('invoice').selectAll().where('id', '=', invoiceId).executeTakeFirstOrThrow();
}

/** The customer pays on a day, or a payment comes back. */
export async function paid(
  db: Kysely<DB>,
  activities: Activities,
  payments: Parameters<typeof bankEvent>[1],
  entityId = 'LE-DE',
  debtor = 'BA-DE',
): Promise<void> {
  const { inboxEventId, at } = await bankEvent(db, payments, entityId, debtor);
  await inRun('intake/test', () => activities.applyIntake({ inboxEventId, at }));
}

interface Corrected {
  readonly id: string;
  readonly deal_id: string;
  readonly contract_line_id: string;
}

/** A message about the disputes or the correction of an invoice, as the API sends it; begins their run where none is open. */
export function tellCorrection<Ret, Input extends { readonly at: string }>(
  engine: TestEngine,
  { id: invoiceId, deal_id: dealId, contract_line_id: contractLineId }: Corrected,
  definition: UpdateDefinition<Ret, [Input]>,
  input: Input,
): Promise<Ret> {
  const args: Parameters<typeof invoiceCorrection> = [{ invoiceId, dealId, contractLineId, clock: { simulated: true, moment: input.at } }];
  return engine.client.workflow.executeUpdateWithStart(definition, {
    args: [input],
    startWorkflowOperation: new WithStartWorkflowOperation(invoiceCorrection, {
      workflowId: correctionWorkflowId(invoiceId),
      taskQueue: engine.taskQueue,
      workflowIdConflictPolicy: 'USE_EXISTING',
      args,
    }),
  });
}

/** The customer disputes an invoice for its whole amount. */
export async function dispute(engine: TestEngine, invoice: Corrected, at: string): Promise<string> {
  const disputeId = randomUUID();
  const reasonId = await reasonOf(engine.db, 'not agreed', 'U-AR');
  const said = { reasonCode: 'HOURS', reasonId, ownerRole: 'project-manager', raisedAt: at, by: 'U-AR', at };
  await tellCorrection(engine, invoice, raiseDisputeUpdate, { disputeId, reference: null, amountMinor: null, ...said });
  return disputeId;
}

/** A dispute is found to be right. */
export async function uphold(engine: TestEngine, invoice: Corrected, disputeId: string, at: string): Promise<void> {
  const resolution = {
    resolutionId: randomUUID(),
    disputeId,
    outcome: 'upheld',
    notBillable: [],
    reasonId: null,
    by: 'U-DELDIR',
    at,
  } as const;
  await tellCorrection(engine, invoice, resolveDisputeUpdate, resolution);
}

/** The document that was billed in place of an invoice. */
export const rebillOf = (engine: TestEngine, invoiceId: string) =>
  until('the rebill', () =>
    engine.db
      .selectFrom('invoice')
      .selectAll()
      .where('corrects_id', '=', invoiceId)
      .where('document_kind', '=', 'invoice')
      .executeTakeFirst(),
  );
