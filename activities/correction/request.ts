import { type Transaction } from 'kysely';
import { uuidv7 } from 'uuidv7';
import { type CorrectionActivities } from '../../contracts/activities';
import { type ApprovalView, type CorrectionInput, type CorrectionReceipt } from '../../contracts/workflow-state';
import { dutiesOnItems } from '../../db/involved';
import { entityOf, ratesFor } from '../../db/parties';
import { approvalRules } from '../../db/policies';
import { type DB } from '../../db/types';
import { conflictOfDuties, type DutyRule } from '../../domain/approval/duties';
import { type CorrectionRequest } from '../../domain/billing/correction/choice';
import { correctionOf, type Correction } from '../../domain/billing/correction/correction';
import { localDateOf } from '../../domain/calendar/zone';
import { convertSum } from '../../domain/fx';
import { correctionWorkflowId } from '../../domain/ids';
import { isViolation, type Violation } from '../../domain/violation';
import { askApproval } from '../approval/ask';
import { type ActivityDeps } from '../deps';
import { type InvoiceRow } from '../invoice/view';
import { contentOf, termsOf } from './standing';
import { correctionEffect } from './view';

/** A correction is checked against what stands on the invoice and kept for its approval. */
export function requestCorrection(deps: ActivityDeps): CorrectionActivities['requestCorrection'] {
  return ({ invoiceId, correction }) => {
    const { correctionId, request, disputeId, reasonCode, reasonId, by, at, ifMatch } = correction;
    const identity = { invoiceId, request, disputeId, reasonCode, reasonId, by };
    const effect = { key: `correction/${correctionId}`, identity, at, actor: by, ifMatch };
    return correctionEffect<CorrectionReceipt & { asked: ApprovalView }>(deps, invoiceId, effect, async (trx, invoice) => {
      const refused = (await refuseUncorrectable(trx, invoice, request)) ?? (await refuseDisputed(trx, invoiceId, disputeId));
      if (refused) return refused;
      const proposed = await proposalOf(trx, invoice, request);
      if (isViolation(proposed)) return proposed;
      const value = await tierValue(trx, invoice, proposed, at);
      if (isViolation(value)) return value;
      const involved = await refuseInvolved(trx, value.duties, invoice, correctionId, by);
      if (involved) return involved;
      const approvalId = uuidv7();
      await trx
        .insertInto('invoice_correction')
        .values({ ...rowOf(invoice, correction), approval_id: approvalId, ...value.row })
        .execute();
      const askedWith = { update: 'requestCorrection', workflowId: correctionWorkflowId(invoiceId), input: correction } as const;
      const ask = { approvalId, subjectKind: 'correction', subjectId: correctionId, dealId: invoice.deal_id, at, askedWith } as const;
      const asked = await askApproval(trx, ask);
      if (isViolation(asked)) return asked;
      return {
        action: 'correction.requested',
        subject: invoiceId,
        details: {
          correctionId,
          kind: request.kind,
          disputeId,
          reasonCode,
          credit: totalOf(proposed.credit),
          rebill: totalOf(proposed.rebill),
          approval: asked.terms,
        },
        texts: { reason: reasonId },
        answer: (view) => ({ correctionId, approvalId, view, asked: asked.view }),
      };
    });
  };
}

/** The documents that a correction would make of the invoice as it stands now. */
export async function proposalOf(trx: Transaction<DB>, invoice: InvoiceRow, request: CorrectionRequest): Promise<Correction | Violation> {
  const terms = await termsOf(trx, invoice);
  if (isViolation(terms)) return terms;
  return correctionOf(await contentOf(trx, invoice, request.kind), request, terms);
}

export function totalOf(part: Correction['credit']): number {
  return part?.document.totalMinor ?? 0;
}

function rowOf(invoice: InvoiceRow, { correctionId, request, disputeId, reasonCode, reasonId, by, at }: CorrectionInput) {
  return {
    id: correctionId,
    invoice_id: invoice.id,
    root_id: invoice.root_id ?? invoice.id,
    deal_id: invoice.deal_id,
    contract_line_id: invoice.contract_line_id,
    entity_id: invoice.entity_id,
    kind: request.kind,
    state: 'requested',
    dispute_id: disputeId,
    reason_code: reasonCode,
    reason_id: reasonId,
    request: JSON.stringify(request),
    requested_by: by,
    requested_at: at,
  };
}

/** Only what was issued and still stands is corrected, one correction after the other, while the project is not closed. */
async function refuseUncorrectable(trx: Transaction<DB>, invoice: InvoiceRow, { kind }: CorrectionRequest): Promise<Violation | null> {
  const { reference, state, document_kind: documentKind } = invoice;
  if (documentKind === 'credit-note') return { violation: 'InvoiceNotCorrectable', detail: `${reference} is a credit note` };
  if (!['issued', 'settled', 'credited'].includes(state)) return { violation: 'InvoiceNotCorrectable', detail: `${reference} is ${state}` };
  if (state === 'credited' && kind !== 'release')
    return { violation: 'InvoiceCredited', detail: `nothing of ${reference} stands any more` };
  const project = await trx.selectFrom('project').select('state').where('deal_id', '=', invoice.deal_id).executeTakeFirst();
  if (project !== undefined && ['closed', 'cancelled'].includes(project.state))
    return { violation: 'ProjectClosed', detail: `the project is ${project.state}` };
  const open = await trx
    .selectFrom('invoice_correction')
    .select('id')
    .where('invoice_id', '=', invoice.id)
    .where('state', 'in', ['requested', 'approved'])
    .executeTakeFirst();
  return open === undefined ? null : { violation: 'CorrectionOpen', detail: `correction ${open.id} of ${reference} is being decided` };
}

async function refuseDisputed(trx: Transaction<DB>, invoiceId: string, disputeId: string | null): Promise<Violation | null> {
  if (disputeId === null) return null;
  const dispute = await trx
    .selectFrom('invoice_dispute')
    .select('outcome')
    .where('id', '=', disputeId)
    .where('invoice_id', '=', invoiceId)
    .executeTakeFirst();
  if (dispute === undefined) return { violation: 'DisputeUnknown', detail: disputeId, path: '/disputeId' };
  return dispute.outcome === 'upheld' || dispute.outcome === 'upheld-in-part'
    ? null
    : { violation: 'DisputeNotUpheld', detail: `it is ${dispute.outcome ?? 'not resolved'}`, path: '/disputeId' };
}

/** Who entered or approved time or expenses of the invoice does not ask for its credit either (R-216, RULES: segregation of duties). */
async function refuseInvolved(
  trx: Transaction<DB>,
  rules: readonly DutyRule[],
  invoice: InvoiceRow,
  correctionId: string,
  by: string,
): Promise<Violation | null> {
  const next = { duty: 'invoice.credit', subjectId: correctionId, by, onBehalfOf: null };
  return conflictOfDuties(rules, await dutiesOnItems(trx, invoice.id), next);
}

/** What decides the tiers: what the customer owes less, in the group currency, with other corrections of the line of the last 12 months. */
async function tierValue(trx: Transaction<DB>, invoice: InvoiceRow, { credit, rebill }: Correction, at: string) {
  const { timeZone } = await entityOf(trx, invoice.entity_id);
  const today = localDateOf(at, timeZone);
  const rules = await approvalRules(trx, 'correction', today);
  if (isViolation(rules)) return rules;
  const less = { minor: Math.abs(totalOf(credit) + totalOf(rebill)), currency: invoice.currency };
  const rates = await ratesFor(trx, [rules.groupCurrency, invoice.currency], today);
  const own = convertSum([less], rules.groupCurrency, rates, today, 'half-up');
  if (isViolation(own)) return own;
  const earlier = await earlierOnLine(trx, invoice.contract_line_id, at);
  return {
    duties: rules.duties,
    row: { value_minor: own.minor + earlier, earlier_minor: earlier, value_currency: own.currency },
  };
}

/** Amounts add up over twelve months, so that splitting does not lower the tier (RULES Approvals); ended ones do not count. */
async function earlierOnLine(trx: Transaction<DB>, contractLineId: string, at: string): Promise<number> {
  const since = new Date(at);
  since.setUTCFullYear(since.getUTCFullYear() - 1);
  const rows = await trx
    .selectFrom('invoice_correction')
    .select(['value_minor', 'earlier_minor'])
    .where('contract_line_id', '=', contractLineId)
    .where('state', 'in', ['requested', 'approved', 'issued'])
    .where('requested_at', '>', since.toISOString())
    .execute();
  return rows.reduce((total, row) => total + row.value_minor - row.earlier_minor, 0);
}
