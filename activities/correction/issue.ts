import { type Transaction } from 'kysely';
import { type CorrectionActivities } from '../../contracts/activities';
import { ENGINE_ACTOR } from '../../contracts/names';
import { type CorrectionView, type IssuedCorrection } from '../../contracts/workflow-state';
import { lineOf } from '../../db/lines';
import { BOOK, dimensionsOf, postEntry } from '../../db/journal';
import { type DB } from '../../db/types';
import { revenueCorrected } from '../../domain/accounting/entries';
import { dueDate } from '../../domain/billing/dates';
import { type CorrectionRequest } from '../../domain/billing/correction/choice';
import { revenueChange, type Correction } from '../../domain/billing/correction/correction';
import { firstWorkingDayOnOrAfter } from '../../domain/calendar/working-day';
import { atTime, localDateOf } from '../../domain/calendar/zone';
import { type LocalDate } from '../../domain/deal/terms';
import { isViolation, type Violation } from '../../domain/violation';
import { refuseUnapproved } from '../approval/belt';
import { endOfRequest } from '../approval/outcome';
import { type ActivityDeps } from '../deps';
import { calendarOfInvoice, updateInvoice, type InvoiceRow } from '../invoice/view';
import { takeCashAlong } from './cash';
import { liftDispute } from './dispute';
import { issueDocument, storeDocument, storeItems } from './documents';
import { proposalOf, totalOf } from './request';
import { correctionShown } from './subject';
import { markThings, takeCollectionAlong } from './things';
import { correctionEffect, correctionRow, type CorrectionFact, type CorrectionRow } from './view';

/** An approved correction is issued on the first working day from its approval on. */
export function settleCorrection(deps: ActivityDeps): CorrectionActivities['settleCorrection'] {
  return ({ invoiceId, correctionId, outcome, at }) => {
    const effect = { key: `settle-correction/${correctionId}`, identity: { invoiceId, outcome }, at, actor: ENGINE_ACTOR };
    return correctionEffect<CorrectionView>(deps, invoiceId, effect, async (trx, invoice) => {
      const row = await correctionRow(trx, correctionId);
      if (outcome !== 'approved') return { ...(await ended(trx, row, endOfRequest(outcome), at)), answer: (view) => view };
      const calendar = await calendarOfInvoice(trx, invoice);
      const issueDate = firstWorkingDayOnOrAfter(calendar, localDateOf(at, calendar.timeZone));
      if (isViolation(issueDate)) return issueDate;
      const issueAt = atTime(issueDate, calendar.dayStart, calendar.timeZone);
      await trx
        .updateTable('invoice_correction')
        .set({ state: 'approved', issue_at: issueAt, issue_date: issueDate })
        .where('id', '=', correctionId)
        .execute();
      return { action: 'correction.approved', subject: invoiceId, details: { correctionId, issueDate }, answer: (view) => view };
    });
  };
}

/**
 * Issues a correction in one transaction: credit note and rebill of nothing but what was approved, with numbers, documents
 * and postings; each thing says what becomes of it, cash and holds go along, revenue follows. One that does not fit any more what was shown
 * ends as outdated.
 */
export function issueCorrection(deps: ActivityDeps): CorrectionActivities['issueCorrection'] {
  return ({ invoiceId, correctionId, at }) => {
    const effect = { key: `issue-correction/${correctionId}`, identity: { invoiceId }, at, actor: ENGINE_ACTOR };
    return correctionEffect<IssuedCorrection>(deps, invoiceId, effect, async (trx, invoice) => {
      const row = await correctionRow(trx, correctionId);
      const correction = await proposalOf(trx, invoice, row.request as CorrectionRequest);
      const refused = isViolation(correction)
        ? correction
        : await refuseUnapproved(trx, 'correction', correctionId, () => correctionShown(row, invoice.reference, correction));
      if (refused?.violation === 'ApprovalMissing') return refused;
      if (isViolation(correction) || refused !== null)
        return { ...(await ended(trx, row, 'outdated', at)), answer: (view) => ({ view, rebillId: null }) };
      return issue(trx, invoice, row, correction, at);
    });
  };
}

async function issue(
  trx: Transaction<DB>,
  invoice: InvoiceRow,
  row: CorrectionRow,
  correction: Correction,
  at: string,
): Promise<CorrectionFact<IssuedCorrection> | Violation> {
  const { id: correctionId } = row;
  const today = localDateOf(at, (await calendarOfInvoice(trx, invoice)).timeZone);
  const on = row.issue_date !== null && row.issue_date > today ? row.issue_date : today;
  const { contract, terms } = await lineOf(trx, invoice.contract_line_id);
  const stored = { correctionId, on, at };
  const credit = correction.credit && (await storeDocument(trx, invoice, correction.credit, stored));
  await markThings(trx, invoice, row, correction, credit?.id ?? null);
  const rebill = correction.rebill && (await storeDocument(trx, invoice, correction.rebill, stored));
  if (rebill && correction.rebill) await storeItems(trx, rebill.id, correction.rebill.about);
  const after = (date: LocalDate): LocalDate => dueDate(date, contract.paymentTermsDays);
  const credited = credit && (await issueDocument(trx, credit, { on, at, dueOn: after }));
  if (isViolation(credited)) return credited;
  // What a credit replaces keeps its due date; what it kept back begins anew.
  const dueOn = row.kind === 'release' ? after : (): LocalDate => invoice.due_date ?? on;
  const billed = rebill && (await issueDocument(trx, rebill, { on, at, dueOn }));
  if (isViolation(billed)) return billed;
  if (credited) await takeOff(trx, invoice, row, correction, { credited, billed, at });
  await postRevenue(trx, invoice, correction, row, { on: credited?.issue_date ?? billed?.issue_date ?? on, method: terms.revenueMethod });
  await trx.updateTable('invoice_correction').set({ state: 'issued', ended_at: at }).where('id', '=', correctionId).execute();
  const numbers = { credit: credited?.number ?? null, rebill: billed?.number ?? null };
  return {
    action: 'correction.issued',
    subject: invoice.id,
    details: { correctionId, kind: row.kind, ...numbers, creditTotal: totalOf(correction.credit), rebillTotal: totalOf(correction.rebill) },
    answer: (view) => ({ view, rebillId: billed?.id ?? null }),
  };
}

/** The invoice owes less, or nothing any more; what was paid on it, its dunning and its holds go along with what is billed once more. */
async function takeOff(
  trx: Transaction<DB>,
  invoice: InvoiceRow,
  row: CorrectionRow,
  correction: Correction,
  { credited, billed, at }: { readonly credited: InvoiceRow; readonly billed: InvoiceRow | null; readonly at: string },
): Promise<void> {
  const on = credited.issue_date ?? credited.planned_issue_date;
  const isGone = correction.keptMinor === 0;
  const [toId, dueMinor] = isGone ? [billed?.id ?? null, billed?.total_minor ?? 0] : [invoice.id, correction.keptMinor];
  const paid = await takeCashAlong(trx, { from: invoice, toId, dueMinor, correctionId: row.id, on });
  if (isGone) await updateInvoice(trx, invoice, { state: 'credited', credited_on: on, open_minor: 0, settled_at: null });
  else await updateInvoice(trx, invoice, { open_minor: dueMinor - paid });
  if (isGone && billed) await updateInvoice(trx, billed, { open_minor: dueMinor - paid });
  if (row.dispute_id !== null) await liftDispute(trx, row.dispute_id, at);
  if (isGone) await takeCollectionAlong(trx, invoice.id, billed?.id ?? null, at);
}

async function postRevenue(
  trx: Transaction<DB>,
  invoice: InvoiceRow,
  correction: Correction,
  { id: correctionId, kind }: CorrectionRow,
  { on, method }: { readonly on: LocalDate; readonly method: string },
): Promise<void> {
  const amountMinor = revenueChange(correction, kind as CorrectionRequest['kind'], method === 'as-invoiced');
  if (amountMinor === 0) return;
  const { entity_id: entityId, currency } = invoice;
  const dimensions = await dimensionsOf(trx, invoice.contract_line_id);
  await postEntry(trx, revenueCorrected({ book: BOOK, entityId, date: on, currency, correctionId, amountMinor, dimensions }));
}

async function ended(trx: Transaction<DB>, row: CorrectionRow, state: 'refused' | 'withdrawn' | 'outdated', at: string) {
  await trx.updateTable('invoice_correction').set({ state, ended_at: at }).where('id', '=', row.id).execute();
  return { action: `correction.${state}`, subject: row.invoice_id, details: { correctionId: row.id } };
}
