import { sql, type Transaction } from 'kysely';
import { lineOf, timeFacts, usageFacts } from '../../db/lines';
import { waivedOverage } from '../../db/overage';
import { type DB } from '../../db/types';
import { monthOf } from '../../domain/calendar/dates';
import { closeChecklist, type ChecklistItem, type CloseFacts } from '../../domain/close/checklist';
import { engagementModel } from '../../domain/engagement/registry';
import { zeroMoney, type Money } from '../../domain/money';
import { isViolation } from '../../domain/violation';

/** The proofs of the close checklist, read from the facts. Money on account is shown to whoever approves the close: that is its decision. */
export async function projectFacts(
  trx: Transaction<DB>,
  projectId: string,
): Promise<{ checklist: ChecklistItem[]; onAccount: { billToId: string; amount: Money }[] }> {
  const project = await trx.selectFrom('project').selectAll().where('id', '=', projectId).executeTakeFirstOrThrow();
  const lines = await trx
    .selectFrom('contract_line')
    .select(['id', 'line_id', 'state', 'bill_to_id'])
    .where('deal_id', '=', project.deal_id)
    .execute();
  const lineIds = lines.map((line) => line.id);
  const milestones = await trx.selectFrom('milestone').select(['milestone_id', 'state']).where('contract_line_id', 'in', lineIds).execute();
  const items = await trx.selectFrom('billing_plan_item').select(['reference', 'state']).where('contract_line_id', 'in', lineIds).execute();
  const invoices = await trx
    .selectFrom('invoice')
    .select(['id', 'reference', 'state', 'open_minor', 'currency'])
    .where('deal_id', '=', project.deal_id)
    .execute();
  const onAccount = await moneyOnAccount(trx, [...new Set(lines.map((line) => line.bill_to_id))]);
  const unapproved = await trx
    .selectFrom('time_entry')
    .select('entry_id')
    .where('contract_line_id', 'in', lineIds)
    .where('status', '=', 'submitted')
    .execute();
  const approved = await trx
    .selectFrom('time_entry')
    .select((eb) => eb.fn.countAll<number>().as('count'))
    .where('contract_line_id', 'in', lineIds)
    .where('status', '=', 'approved')
    .executeTakeFirstOrThrow();
  const approvals = await trx
    .selectFrom('approval')
    .select('subject_id')
    .where('deal_id', '=', project.deal_id)
    .where('state', '=', 'pending')
    .where('subject_kind', '<>', 'project-close')
    .execute();
  const holds = await trx
    .selectFrom('collection_hold')
    .innerJoin('invoice', 'invoice.id', 'collection_hold.invoice_id')
    .select('collection_hold.id')
    .where('invoice.deal_id', '=', project.deal_id)
    .where('lifted_at', 'is', null)
    .where('invoice.state', '=', 'issued')
    .execute();
  const undecided = await undecidedCredits(trx, project.deal_id);
  const signOff = await trx.selectFrom('project_sign_off').selectAll().where('project_id', '=', projectId).executeTakeFirst();
  const facts: CloseFacts = {
    openLines: lines.filter((line) => line.state === 'planned' || line.state === 'active').map((line) => line.line_id),
    milestones: milestones.map((each) => ({
      milestoneId: each.milestone_id,
      state: each.state === 'accepted' || each.state === 'cancelled' ? each.state : 'open',
    })),
    planItems: items.map((each) => ({ reference: each.reference, state: each.state as CloseFacts['planItems'][number]['state'] })),
    invoices: invoices.map((each) => ({
      reference: each.reference,
      state: each.state as CloseFacts['invoices'][number]['state'],
      open: { minor: each.open_minor, currency: each.currency },
    })),
    onAccount,
    onAccountDecisions: Object.fromEntries(onAccount.map((each) => [each.billToId, 'the approval to close'])),
    unapprovedTimeEntryIds: unapproved.map((each) => each.entry_id),
    approvedTimeEntries: Number(approved.count),
    openApprovals: approvals.map((each) => each.subject_id),
    openHolds: [...new Set([...holds.map((each) => each.id), ...undecided])],
    revenue: await revenueOfLines(trx, lineIds),
    customerSignOff: signOff ? { documentReference: signOff.document_reference, signedOn: signOff.signed_on } : null,
  };
  return { checklist: closeChecklist(facts), onAccount };
}

/** Disputes without an answer, corrections that are not issued yet, and invoices of which a credit keeps something back. */
async function undecidedCredits(trx: Transaction<DB>, dealId: string): Promise<string[]> {
  const { rows } = await sql<{ id: string }>`
    select dispute.id from invoice_dispute as dispute join invoice on invoice.id = dispute.invoice_id
     where invoice.deal_id = ${dealId} and dispute.outcome is null
    union
    select id from invoice_correction where deal_id = ${dealId} and state in ('requested', 'approved')
    union
    select invoice.reference from credited_thing as thing join invoice on invoice.id = thing.invoice_id
     where invoice.deal_id = ${dealId} and thing.fate = 'hold'
     order by 1`.execute(trx);
  return rows.map((row) => row.id);
}

/** Lines whose revenue follows time and usage alone: recognised in full at their end, it must equal what was billed. */
async function revenueOfLines(trx: Transaction<DB>, lineIds: readonly string[]): Promise<CloseFacts['revenue']> {
  const compared: CloseFacts['revenue'][number][] = [];
  for (const id of lineIds) {
    const recognised = await recognisedToEnd(trx, id);
    if (recognised === null) continue;
    const line = await trx.selectFrom('contract_line').select('line_id').where('id', '=', id).executeTakeFirstOrThrow();
    const billed = await trx
      .selectFrom('invoice')
      .select((eb) => eb.fn.sum<number | null>('net_minor').as('net'))
      .where('contract_line_id', '=', id)
      .where('state', 'in', ['issued', 'settled', 'credited'])
      .executeTakeFirstOrThrow();
    const corrected = await correctedRevenue(trx, id);
    const net = { minor: recognised.minor + corrected, currency: recognised.currency };
    compared.push({ lineId: line.line_id, recognised: net, billed: { minor: Number(billed.net ?? 0), currency: recognised.currency } });
  }
  return compared;
}

/** What corrections changed of the revenue of a line. */
async function correctedRevenue(trx: Transaction<DB>, contractLineId: string): Promise<number> {
  const { minor } = await trx
    .selectFrom('revenue_by_line_month')
    .select((eb) => eb.fn.sum<number | null>('revenue_minor').as('minor'))
    .where('contract_line_id', '=', contractLineId)
    .where('is_correction', '=', true)
    .executeTakeFirstOrThrow();
  return Number(minor ?? 0);
}

/** Revenue of a line to its last day, where its method says it from time and usage alone; else null. */
export async function recognisedToEnd(trx: Transaction<DB>, contractLineId: string): Promise<Money | null> {
  const line = await lineOf(trx, contractLineId);
  const model = engagementModel(line.engagement_model);
  if (isViolation(model) || line.terms.revenueMethod !== 'straight-line-daily') return null;
  const months = model.recognise(
    line.terms,
    {
      effort: [],
      milestones: [],
      usage: await usageFacts(trx, contractLineId),
      time: await timeFacts(trx, contractLineId),
      waivedOverage: await waivedOverage(trx, contractLineId),
      billed: [],
    },
    monthOf(line.terms.endDate),
  );
  return isViolation(months) ? null : (months.at(-1)?.revenueToDate ?? zeroMoney(line.currency));
}

async function moneyOnAccount(trx: Transaction<DB>, billToIds: readonly string[]): Promise<{ billToId: string; amount: Money }[]> {
  if (billToIds.length === 0) return [];
  const rows = await trx
    .selectFrom('payment')
    .select((eb) => ['bill_to_id', 'currency', eb.fn.sum<number>('on_account_minor').as('minor')])
    .where('bill_to_id', 'in', billToIds)
    .where('reversed_on', 'is', null)
    .groupBy(['bill_to_id', 'currency'])
    .orderBy('bill_to_id')
    .execute();
  return rows
    .filter((row) => Number(row.minor) !== 0)
    .map((row) => ({ billToId: row.bill_to_id, amount: { minor: Number(row.minor), currency: row.currency } }));
}
