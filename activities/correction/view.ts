import { type Selectable, type Transaction } from 'kysely';
import { WAITS_FOR_RUN } from '../../contracts/names';
import { type CorrectionView } from '../../contracts/workflow-state';
import { billToOf } from '../../db/parties';
import { type DB } from '../../db/types';
import { type Wait } from '../../db/waits';
import { approvalWorkflowId } from '../../domain/ids';
import { isViolation, type Violation } from '../../domain/violation';
import { projectIdOf } from '../deal/progress';
import { type ActivityDeps } from '../deps';
import { invoiceWait, lockInvoice, type InvoiceRow } from '../invoice/view';
import { lifecycleEffect, park, type LifecycleEffect } from '../lifecycle';

export type CorrectionRow = Selectable<DB['invoice_correction']>;

/** What an effect says of itself, beside where disputes and correction stand after it. */
export interface CorrectionFact<Answer> {
  readonly action: string;
  readonly subject: string;
  readonly answer: (view: CorrectionView) => Answer;
  readonly details?: Record<string, unknown>;
  readonly texts?: Record<string, string | null>;
}

/** One effect on the disputes and the correction of a locked invoice. */
export function correctionEffect<Answer>(
  deps: ActivityDeps,
  invoiceId: string,
  effect: LifecycleEffect,
  change: (trx: Transaction<DB>, invoice: InvoiceRow) => Promise<CorrectionFact<Answer> | Violation>,
): Promise<Answer> {
  return lifecycleEffect<Answer>(deps, effect, async (trx, workflowId) => {
    const locked = await lockInvoice(trx, invoiceId);
    const fact = await change(trx, locked);
    if (isViolation(fact)) return fact;
    const { answer, ...said } = fact;
    const view = await viewOf(trx, workflowId, locked, effect.at);
    return { answer: answer(view), audit: { stream: `deal/${locked.deal_id}`, entityId: locked.entity_id, ...said } };
  });
}

export async function correctionRow(trx: Transaction<DB>, correctionId: string): Promise<CorrectionRow> {
  return trx.selectFrom('invoice_correction').selectAll().where('id', '=', correctionId).forUpdate().executeTakeFirstOrThrow();
}

async function viewOf(trx: Transaction<DB>, workflowId: string, invoice: InvoiceRow, at: string): Promise<CorrectionView> {
  const disputes = await trx
    .selectFrom('invoice_dispute')
    .selectAll()
    .where('invoice_id', '=', invoice.id)
    .where('outcome', 'is', null)
    .orderBy('id')
    .execute();
  const open = await trx
    .selectFrom('invoice_correction')
    .selectAll()
    .where('invoice_id', '=', invoice.id)
    .where('state', 'in', ['requested', 'approved'])
    .executeTakeFirst();
  const waits = [
    ...disputes.map((each) =>
      invoiceWait(invoice, {
        kind: 'dispute',
        subject: each.id,
        role: each.owner_role,
        asks: `find out about the dispute of ${invoice.reference}: reject or uphold it`,
        reasonId: each.reason_id,
      }),
    ),
    ...(open === undefined ? [] : [waitFor(invoice, open)]),
  ];
  const { customerId } = await billToOf(trx, invoice.bill_to_id);
  return {
    invoiceId: invoice.id,
    dealId: invoice.deal_id,
    projectId: await projectIdOf(trx, invoice.deal_id),
    contractLineId: invoice.contract_line_id,
    entityId: invoice.entity_id,
    customerId,
    stage: open === undefined ? (disputes.length > 0 ? 'disputed' : 'resolved') : `correction-${open.state}`,
    ...(await park(trx, workflowId, waits, at)),
    openDisputes: disputes.length,
    open:
      open === undefined
        ? null
        : {
            correctionId: open.id,
            approvalId: open.approval_id,
            state: open.state === 'approved' ? 'approved' : 'requested',
            issueAt: open.issue_at,
          },
  };
}

function waitFor(invoice: InvoiceRow, { state, approval_id: approvalId, issue_at: issueAt, issue_date: issueDate }: CorrectionRow): Wait {
  return state === 'requested'
    ? invoiceWait(invoice, {
        kind: 'approval',
        subject: approvalWorkflowId(approvalId),
        role: WAITS_FOR_RUN,
        asks: `approve the correction of ${invoice.reference}`,
      })
    : invoiceWait(invoice, {
        kind: 'issue-date',
        role: WAITS_FOR_RUN,
        asks: `issue the correction on ${issueDate}`,
        due: issueAt,
        wakesAt: issueAt,
      });
}
