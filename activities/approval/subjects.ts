import { type Selectable, type Transaction } from 'kysely';
import { ENGINE_ACTOR } from '../../contracts/names';
import { type ApprovalSubject } from '../../contracts/workflow-state';
import { dealOf } from '../../db/deals';
import { plannedBudgets } from '../../db/delivery-plan';
import { sha256 } from '../../db/hash';
import { entityOf, ratesFor } from '../../db/parties';
import { type DB } from '../../db/types';
import { localDateOf } from '../../domain/calendar/zone';
import { dealAmount } from '../../domain/deal/amount';
import { canonicalTerms } from '../../domain/deal/contract-version';
import { highestDiscountPercent } from '../../domain/deal/margin';
import { type Instant } from '../../domain/deal/terms';
import { type PolicyFacts } from '../../domain/approval/policy';
import { convertSum } from '../../domain/fx';
import { formatMoney, type Money } from '../../domain/money';
import { isExceptionPath, type ExceptionPath } from '../../domain/exception/paths';
import { isViolation, type Violation } from '../../domain/violation';
import { policySubject } from '../policy-change/subject';
import { changeOrderSubject } from '../change/subject';
import { outcomeSubject } from '../exception/subject';
import { correctionSubject } from '../correction/subject';
import { projectFacts } from '../project/facts';
import { dealMargin } from './margin';

/** What is decided on: who asks, for which entity, what approvers are shown, and the facts by which the policy chooses its tiers. */
export interface SubjectFacts {
  readonly requestedBy: string;
  readonly entityId: string;
  /** Shown to every approver; the approval binds to its hash. Margin stands apart because it is a right of its own. */
  readonly shown: Record<string, unknown>;
  readonly policy: PolicyFacts;
}

interface SubjectRequest {
  readonly subjectId: string;
  readonly dealId: string;
  readonly at: Instant;
  readonly groupCurrency: string;
}

type Read = (trx: Transaction<DB>, request: SubjectRequest) => Promise<SubjectFacts | Violation>;

const NOTHING_TO_MEASURE: PolicyFacts = { amount: null, marginPercent: null, discountPercent: null, paymentTermsDays: null };

/** One reader per kind of subject; a new kind is a row here and rules in a policy. */
const READERS: Readonly<Record<Exclude<ApprovalSubject, 'policy' | ExceptionPath>, Read>> = {
  sow: readSow,
  deal: readDeal,
  kickoff: readKickoff,
  invoice: readInvoice,
  'project-close': readProjectClose,
  cancellation: readCancellation,
  'change-order': changeOrderSubject,
  correction: correctionSubject,
};

/** Everything but a policy, and the outcome of an exception, is about a deal. */
export function subjectFacts(
  trx: Transaction<DB>,
  kind: ApprovalSubject,
  { dealId, ...request }: Omit<SubjectRequest, 'dealId'> & { readonly dealId: string | null },
): Promise<SubjectFacts | Violation> {
  if (kind === 'policy') return policySubject(trx, request.subjectId);
  if (isExceptionPath(kind)) return outcomeSubject(trx, request);
  if (dealId === null) throw new Error(`${kind} belongs to a deal`);
  return READERS[kind](trx, { dealId, ...request });
}

async function readSow(trx: Transaction<DB>, { subjectId, dealId }: SubjectRequest): Promise<SubjectFacts> {
  const deal = await dealOf(trx, dealId);
  const proposal = await trx.selectFrom('sow_proposal').selectAll().where('id', '=', subjectId).executeTakeFirstOrThrow();
  return {
    requestedBy: proposal.proposed_by,
    entityId: deal.lead_entity_id,
    shown: {
      documentId: proposal.document_id,
      documentHash: proposal.document_hash,
      version: proposal.version,
      termsHash: proposal.terms_hash,
      terms: proposal.terms,
      discrepancies: proposal.discrepancies,
    },
    policy: NOTHING_TO_MEASURE,
  };
}

async function readDeal(trx: Transaction<DB>, { dealId, groupCurrency }: SubjectRequest): Promise<SubjectFacts | Violation> {
  const deal = await dealOf(trx, dealId);
  const terms = deal.governing ?? deal.terms;
  const { timeZone } = await entityOf(trx, deal.lead_entity_id);
  const requestedOn = localDateOf(deal.closed_won_at, timeZone);
  const rates = await ratesFor(trx, [groupCurrency, ...terms.lines.map((line) => line.currency)], requestedOn);
  const amount = dealAmount(terms, rates, groupCurrency, requestedOn);
  if (isViolation(amount)) return amount;
  const margin = await dealMargin(trx, deal, terms, groupCurrency, requestedOn);
  if (isViolation(margin)) return margin;
  const discountPercent = highestDiscountPercent(terms);
  const subcontractorBudgets = await plannedBudgets(trx, dealId);
  return {
    requestedBy: deal.seller_id ?? ENGINE_ACTOR,
    entityId: deal.lead_entity_id,
    shown: {
      contractNumber: terms.contractNumber,
      termsHash: sha256(canonicalTerms(terms)),
      amount: amount && text(amount),
      discountPercent,
      paymentTermsDays: terms.paymentTermsDays,
      lines: terms.lines.map((line) => ({ lineId: line.lineId, engagementModel: line.engagementModel, currency: line.currency })),
      margin: { blendedPercent: margin.blendedPercent, lines: margin.lines },
      ...(subcontractorBudgets.length === 0 ? {} : { cost: { subcontractorBudgets } }),
    },
    policy: {
      amount,
      // Without any estimate the margin is unknown, and unknown counts as too low.
      marginPercent: margin.blendedPercent,
      discountPercent,
      paymentTermsDays: terms.paymentTermsDays,
    },
  };
}

async function readKickoff(trx: Transaction<DB>, { subjectId, dealId }: SubjectRequest): Promise<SubjectFacts> {
  const deal = await dealOf(trx, dealId);
  const lines = await trx
    .selectFrom('contract_line')
    .select(['line_id as lineId', 'engagement_model as engagementModel', 'start_date as startDate', 'end_date as endDate'])
    .where('deal_id', '=', dealId)
    .orderBy('line_id')
    .execute();
  const items = await trx
    .selectFrom('billing_plan_item as item')
    .innerJoin('contract_line as line', 'line.id', 'item.contract_line_id')
    .select((eb) => eb.fn.countAll<number>().as('count'))
    .where('line.deal_id', '=', dealId)
    .executeTakeFirstOrThrow();
  return {
    requestedBy: deal.delivery_lead_id ?? ENGINE_ACTOR,
    entityId: deal.lead_entity_id,
    shown: { gate: subjectId, projectCode: deal.project_code, lines, billingPlanItems: Number(items.count) },
    policy: NOTHING_TO_MEASURE,
  };
}

async function readInvoice(trx: Transaction<DB>, { subjectId, groupCurrency, at }: SubjectRequest): Promise<SubjectFacts | Violation> {
  const invoice = await trx.selectFrom('invoice').selectAll().where('id', '=', subjectId).executeTakeFirstOrThrow();
  const { timeZone } = await entityOf(trx, invoice.entity_id);
  const today = localDateOf(at, timeZone);
  const total = { minor: invoice.total_minor, currency: invoice.currency };
  const amount = convertSum([total], groupCurrency, await ratesFor(trx, [groupCurrency, invoice.currency], today), today, 'half-up');
  if (isViolation(amount)) return amount;
  return {
    requestedBy: ENGINE_ACTOR,
    entityId: invoice.entity_id,
    shown: await invoiceShown(trx, invoice),
    policy: { ...NOTHING_TO_MEASURE, amount },
  };
}

/** What approvers of a document are shown: all of it, from its own rows. */
export async function invoiceShown(trx: Transaction<DB>, invoice: Selectable<DB['invoice']>): Promise<Record<string, unknown>> {
  const lines = await trx
    .selectFrom('invoice_line')
    .select(['description', 'quantity', 'unit', 'unit_price as unitPrice', 'amount_minor as amountMinor'])
    .where('invoice_id', '=', invoice.id)
    .orderBy('position')
    .execute();
  const { currency } = invoice;
  return {
    reference: invoice.reference,
    documentKind: invoice.document_kind,
    billTo: invoice.bill_to_id,
    purchaseOrder: invoice.purchase_order,
    plannedIssueDate: invoice.planned_issue_date,
    total: text({ minor: invoice.total_minor, currency }),
    net: text({ minor: invoice.net_minor, currency }),
    tax: text({ minor: invoice.tax_minor, currency }),
    contentHash: invoice.content_hash,
    lines,
  };
}

async function readProjectClose(trx: Transaction<DB>, { subjectId, dealId }: SubjectRequest): Promise<SubjectFacts> {
  const deal = await dealOf(trx, dealId);
  const projectId = subjectId.split('/')[0] ?? subjectId;
  const signOff = await trx.selectFrom('project_sign_off').selectAll().where('project_id', '=', projectId).executeTakeFirst();
  const { checklist, onAccount } = await projectFacts(trx, projectId);
  return {
    requestedBy: signOff?.recorded_by ?? ENGINE_ACTOR,
    entityId: deal.lead_entity_id,
    shown: {
      projectCode: deal.project_code,
      checklist,
      onAccount: onAccount.map((each) => ({ billTo: each.billToId, ...text(each.amount) })),
    },
    policy: NOTHING_TO_MEASURE,
  };
}

async function readCancellation(trx: Transaction<DB>, { subjectId, dealId }: SubjectRequest): Promise<SubjectFacts> {
  const deal = await dealOf(trx, dealId);
  const request = await trx.selectFrom('cancellation_request').selectAll().where('id', '=', subjectId).executeTakeFirstOrThrow();
  return {
    requestedBy: request.requested_by,
    entityId: deal.lead_entity_id,
    shown: { reasonId: request.reason_id, effectiveOn: request.effective_on, state: deal.state },
    policy: NOTHING_TO_MEASURE,
  };
}

function text(money: Money): { amount: string; currency: string } {
  return { amount: formatMoney(money), currency: money.currency };
}
