import { type Selectable, type Transaction } from 'kysely';
import { type InvoiceView } from '../../contracts/workflow-state';
import { billToOf, entityOf } from '../../db/parties';
import { type DB } from '../../db/types';
import { type Wait } from '../../db/waits';
import { type Instant } from '../../domain/deal/terms';
import { type Violation } from '../../domain/violation';
import { isViolation } from '../../domain/violation';
import { ENGINE_ACTOR } from '../../contracts/names';
import { projectIdOf } from '../deal/progress';
import { type ActivityDeps } from '../deps';
import { lifecycleEffect, park, type LifecycleEffect } from '../lifecycle';

export type InvoiceRow = Selectable<DB['invoice']>;

/** What an effect on an invoice changed, what its run waits for then, and when it acts next by itself. */
export interface InvoiceChange {
  readonly invoice: InvoiceRow;
  readonly waits: readonly Wait[];
  readonly issueAt?: Instant | null;
  readonly nextStepAt?: Instant | null;
  readonly action: string;
  readonly details?: Record<string, unknown>;
  readonly texts?: Record<string, string | null>;
}

/** One effect on a locked invoice that answers where it stands afterwards. */
export function invoiceEffect<More extends object = object>(
  deps: ActivityDeps,
  invoiceId: string,
  effect: Omit<LifecycleEffect, 'actor'> & { actor?: string },
  change: (trx: Transaction<DB>, invoice: InvoiceRow) => Promise<(InvoiceChange & { readonly more?: More }) | Violation>,
): Promise<InvoiceView & More> {
  return lifecycleEffect<InvoiceView & More>(deps, { actor: ENGINE_ACTOR, ...effect }, async (trx, workflowId) => {
    const locked = await lockInvoice(trx, invoiceId);
    const changed = await change(trx, locked);
    if (isViolation(changed)) return changed;
    const { invoice, waits, action, details, texts } = changed;
    const { customerId } = await billToOf(trx, invoice.bill_to_id);
    const view: InvoiceView = {
      invoiceId,
      contractLineId: invoice.contract_line_id,
      dealId: invoice.deal_id,
      projectId: await projectIdOf(trx, invoice.deal_id),
      entityId: invoice.entity_id,
      customerId,
      reference: invoice.reference,
      state: invoice.state as InvoiceView['state'],
      stage: `invoice-${invoice.state}`,
      ...(await park(trx, workflowId, waits, effect.at)),
      issueAt: changed.issueAt ?? null,
      nextStepAt: changed.nextStepAt ?? null,
    };
    const said = { ...(details ? { details } : {}), ...(texts ? { texts } : {}) };
    const answer = { ...view, ...changed.more } as InvoiceView & More;
    return { answer, audit: { stream: `deal/${invoice.deal_id}`, entityId: invoice.entity_id, action, subject: invoiceId, ...said } };
  });
}

/** The line first, then its invoice: as where a line bills, so that neither waits for the other. */
export async function lockInvoice(trx: Transaction<DB>, invoiceId: string): Promise<InvoiceRow> {
  const { contract_line_id: lineId } = await trx
    .selectFrom('invoice')
    .select('contract_line_id')
    .where('id', '=', invoiceId)
    .executeTakeFirstOrThrow();
  await trx.selectFrom('contract_line').select('id').where('id', '=', lineId).forNoKeyUpdate().execute();
  return trx.selectFrom('invoice').selectAll().where('id', '=', invoiceId).forUpdate().executeTakeFirstOrThrow();
}

export async function updateInvoice(trx: Transaction<DB>, invoice: InvoiceRow, values: Partial<InvoiceRow>): Promise<InvoiceRow> {
  return trx
    .updateTable('invoice')
    .set({ ...values, revision: invoice.revision + 1 })
    .where('id', '=', invoice.id)
    .returningAll()
    .executeTakeFirstOrThrow();
}

export function invoiceWait(invoice: InvoiceRow, wait: Pick<Wait, 'kind' | 'role' | 'asks'> & Partial<Wait>): Wait {
  return { subject: invoice.reference, entityId: invoice.entity_id, dealId: invoice.deal_id, due: null, wakesAt: null, ...wait };
}

export async function calendarOfInvoice(trx: Transaction<DB>, invoice: InvoiceRow) {
  return (await entityOf(trx, invoice.entity_id)).calendar;
}
