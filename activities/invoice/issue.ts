import { type Transaction } from 'kysely';
import { type InvoiceActivities } from '../../contracts/activities';
import { WAITS_FOR_RUN } from '../../contracts/names';
import { type ApprovalView } from '../../contracts/workflow-state';
import { BOOK, dimensionsOf, postEntry } from '../../db/journal';
import { lineOf } from '../../db/lines';
import { documentFacts } from '../../db/document-facts';
import { keepDocument } from '../../db/invoice-documents';
import { dateOfNextNumber, nextNumber } from '../../db/number-series';
import { type DB } from '../../db/types';
import { creditNoteIssued, invoiceIssued } from '../../domain/accounting/entries';
import { dueDate, issueDateAfterApproval } from '../../domain/billing/dates';
import { atTime, localDateOf } from '../../domain/calendar/zone';
import { approvalWorkflowId } from '../../domain/ids';
import { isViolation, type Violation } from '../../domain/violation';
import { composeDocument } from '../../documents/compose';
import { askApproval } from '../approval/ask';
import { refuseUnapproved, type Shown } from '../approval/belt';
import { endOfRequest } from '../approval/outcome';
import { invoiceShown } from '../approval/subjects';
import { type ActivityDeps } from '../deps';
import { voidRun } from '../line/period-run';
import { receivableState } from './collect';
import { fateOfDraft } from './stopped';
import { sentBackForTax } from './retax';
import { calendarOfInvoice, invoiceEffect, invoiceWait, updateInvoice, type InvoiceChange, type InvoiceRow } from './view';

/** Asks for approval of a draft; one that nobody is asked about is approved at once. */
export function openInvoice(deps: ActivityDeps): InvoiceActivities['openInvoice'] {
  return ({ invoiceId, turn, at }) => {
    const effect = { key: `open-invoice/${invoiceId}/${turn}`, identity: { invoiceId }, at };
    return invoiceEffect<{ asked: ApprovalView }>(deps, invoiceId, effect, async (trx, invoice) => {
      const asked = await askApproval(trx, { subjectKind: 'invoice', subjectId: invoiceId, dealId: invoice.deal_id, at });
      if (isViolation(asked)) return asked;
      const { view, terms } = asked;
      if (view.state !== 'pending') {
        const approved = await approveDraft(trx, invoice, view.approvalId, at);
        if (isViolation(approved)) return approved;
        return { ...approved, details: { ...approved.details, approval: terms }, more: { asked: view } };
      }
      const subject = approvalWorkflowId(view.approvalId);
      const wait = invoiceWait(invoice, { kind: 'approval', subject, role: WAITS_FOR_RUN, asks: 'approve the draft' });
      return { invoice, waits: [wait], action: 'invoice.approval-asked', details: { approval: terms }, more: { asked: view } };
    });
  };
}

export function approveInvoice(deps: ActivityDeps): InvoiceActivities['approveInvoice'] {
  return ({ invoiceId, approvalId, at }) => {
    const effect = { key: `approve-invoice/${invoiceId}/${approvalId}`, identity: { invoiceId, approvalId }, at };
    return invoiceEffect(deps, invoiceId, effect, (trx, invoice) => approveDraft(trx, invoice, approvalId, at));
  };
}

/** An approved draft is issued at the start of its issue day; an approval that came late moves the day, and maybe the tax. */
async function approveDraft(trx: Transaction<DB>, invoice: InvoiceRow, approvalId: string, at: string): Promise<InvoiceChange | Violation> {
  if (await fateOfDraft(trx, invoice)) return endDraft(trx, invoice, at, 'line-stopped');
  const calendar = await calendarOfInvoice(trx, invoice);
  const issueDate = issueDateAfterApproval(calendar, invoice.planned_issue_date, at, calendar.timeZone);
  if (isViolation(issueDate)) return issueDate;
  const sentBack = await sentBackForTax(trx, invoice, issueDate);
  if (sentBack) return sentBack;
  const issueAt = atTime(issueDate, calendar.dayStart, calendar.timeZone);
  const approved = await updateInvoice(trx, invoice, { state: 'approved', planned_issue_date: issueDate });
  const asks = `issue on ${issueDate}`;
  const wait = invoiceWait(approved, { kind: 'issue-date', role: WAITS_FOR_RUN, asks, due: issueAt, wakesAt: issueAt });
  return { invoice: approved, waits: [wait], issueAt, action: 'invoice.approved', details: { approvalId, issueDate } };
}

/** A refused draft is void; its item is held until finance releases it, and then billed anew. */
export function voidInvoice(deps: ActivityDeps): InvoiceActivities['voidInvoice'] {
  return ({ invoiceId, outcome, reasonId, at }) =>
    invoiceEffect(deps, invoiceId, { key: `void-invoice/${invoiceId}`, identity: { invoiceId }, at }, (trx, invoice) =>
      endDraft(trx, invoice, at, endOfRequest(outcome), reasonId),
    );
}

/**
 * The draft is void. Its item is held for finance; where a cancellation stopped the line it is void too or billed anew for its days (I-13).
 */
export async function endDraft(
  trx: Transaction<DB>,
  invoice: InvoiceRow,
  at: string,
  outcome: 'refused' | 'withdrawn' | 'line-stopped' | 'skipped',
  reasonId: string | null = null,
): Promise<InvoiceChange> {
  const held = outcome === 'line-stopped' ? null : outcome;
  const item =
    (await fateOfDraft(trx, invoice)) === 'void'
      ? { state: 'void' }
      : { state: 'planned', settled_at: null, held_reason: held, held_reason_id: reasonId };
  await trx.deleteFrom('invoiced_item').where('invoice_id', '=', invoice.id).execute();
  await voidRun(trx, invoice.id, at);
  await trx.updateTable('billing_plan_item').set(item).where('id', '=', invoice.billing_plan_item_id).execute();
  const voided = await updateInvoice(trx, invoice, { state: 'void', reference: `${invoice.reference}~${invoice.id.slice(-8)}` });
  return { invoice: voided, waits: [], action: 'invoice.void', details: { outcome, item: item.state }, texts: { reason: reasonId } };
}

/** What approvers would be shown of the document now; its day has moved where the approval came late, which changes nothing else. */
async function shownWhenApproved(trx: Transaction<DB>, invoice: InvoiceRow, shown: Shown): Promise<Shown> {
  return { ...(await invoiceShown(trx, invoice)), plannedIssueDate: shown.plannedIssueDate };
}

/** Number, dates, document, receivable and journal entry in one transaction, of nothing but what was approved (R-044, R-046, R-052, R-055, R-063, D15). */
export function issueInvoice(deps: ActivityDeps): InvoiceActivities['issueInvoice'] {
  return ({ invoiceId, approvalId, at }) => {
    const effect = { key: `issue-invoice/${invoiceId}/${approvalId}`, identity: { invoiceId }, at };
    return invoiceEffect(deps, invoiceId, effect, async (trx, invoice) => {
      if (invoice.state === 'void') return { invoice, waits: [], action: 'invoice.skipped' };
      if (await fateOfDraft(trx, invoice)) return endDraft(trx, invoice, at, 'line-stopped');
      const refused = await refuseUnapproved(trx, 'invoice', invoiceId, (shown) => shownWhenApproved(trx, invoice, shown));
      if (refused) return refused;
      const calendar = await calendarOfInvoice(trx, invoice);
      const line = await lineOf(trx, invoice.contract_line_id);
      const today = localDateOf(at, calendar.timeZone);
      const wanted = invoice.planned_issue_date < today ? today : invoice.planned_issue_date;
      const isCredit = invoice.document_kind === 'credit-note';
      const series = isCredit ? 'CN' : 'INV';
      const dimensions = await dimensionsOf(trx, line.id);
      // Before the counter is locked, so that others wait for it as briefly as before.
      const facts = await documentFacts(trx, invoice, wanted);
      const sentBack = await sentBackForTax(trx, invoice, await dateOfNextNumber(trx, invoice.entity_id, series, wanted));
      if (sentBack) return sentBack;
      const { number, date } = await nextNumber(trx, invoice.entity_id, series, wanted);
      const due = dueDate(date, line.contract.paymentTermsDays);
      const printed = composeDocument(facts, { number, issueDate: date, dueDate: due, issuedAt: at });
      if (isViolation(printed)) return printed;
      const documentHash = await keepDocument(trx, invoiceId, printed, at);
      const issued = {
        book: BOOK,
        entityId: invoice.entity_id,
        date,
        currency: invoice.currency,
        invoiceId,
        reference: invoice.reference,
        netMinor: invoice.net_minor,
        taxMinor: invoice.tax_minor,
        dimensions,
      };
      await postEntry(trx, isCredit ? creditNoteIssued(issued) : invoiceIssued(issued));
      const values = { number, issue_date: date, due_date: due };
      const document = await updateInvoice(
        trx,
        invoice,
        isCredit ? { ...values, state: 'settled', settled_at: at } : { ...values, state: 'issued' },
      );
      const next = await receivableState(trx, document, at);
      return {
        invoice: document,
        ...next,
        action: isCredit ? 'credit-note.issued' : 'invoice.issued',
        details: { number, issueDate: date, dueDate: due, documentHash },
      };
    });
  };
}
