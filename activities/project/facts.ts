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
  const found = await gathered(trx, projectId);
  const onAccount = found.onAccount.map(({ billToId, ...amount }) => ({ billToId, amount }));
  const facts: CloseFacts = {
    openLines: found.lines.filter((line) => line.state === 'planned' || line.state === 'active').map((line) => line.lineId),
    milestones: found.milestones.map(({ milestoneId, state }) => ({
      milestoneId,
      state: state === 'accepted' || state === 'cancelled' ? state : 'open',
    })),
    planItems: found.planItems,
    invoices: found.invoices.map(({ reference, state, ...open }) => ({ reference, state, open })),
    onAccount,
    onAccountDecisions: Object.fromEntries(onAccount.map((each) => [each.billToId, 'the approval to close'])),
    unapprovedTimeEntryIds: found.unapprovedTime,
    approvedTimeEntries: found.approvedTime,
    openApprovals: found.openApprovals,
    openHolds: [...new Set([...found.openHolds, ...found.undecided])],
    revenue: await revenueOfLines(
      trx,
      found.lines.map((line) => line.id),
    ),
    customerSignOff: found.signOff,
  };
  return { checklist: closeChecklist(facts), onAccount };
}

/** What the checklist of a project is judged by, as one statement gives it. */
interface Gathered {
  readonly lines: readonly { readonly id: string; readonly lineId: string; readonly state: string }[];
  readonly milestones: readonly { readonly milestoneId: string; readonly state: string }[];
  readonly planItems: CloseFacts['planItems'];
  readonly invoices: readonly (Pick<CloseFacts['invoices'][number], 'reference' | 'state'> & Money)[];
  readonly onAccount: readonly ({ readonly billToId: string } & Money)[];
  readonly unapprovedTime: readonly string[];
  readonly approvedTime: number;
  readonly openApprovals: readonly string[];
  readonly openHolds: readonly string[];
  /** Disputes without an answer, corrections that are not issued yet, and invoices of which a credit keeps something back. */
  readonly undecided: readonly string[];
  readonly signOff: CloseFacts['customerSignOff'];
}

async function gathered(trx: Transaction<DB>, projectId: string): Promise<Gathered> {
  const { rows } = await sql<Gathered>`
    with project as (
      select id, deal_id from project where id = ${projectId}
    ), line as (
      select line.id, line_id, line.state, bill_to_id from contract_line as line join project on project.deal_id = line.deal_id
    ), document as (
      select invoice.id, reference, invoice.state, open_minor, currency from invoice join project on project.deal_id = invoice.deal_id
    ), account as (
      select bill_to_id, currency, sum(on_account_minor)::bigint as minor from payment
       where bill_to_id in (select bill_to_id from line) and reversed_on is null
       group by bill_to_id, currency having sum(on_account_minor) <> 0
    ), undecided as (
      select dispute.id::text as id from invoice_dispute as dispute join document on document.id = dispute.invoice_id where outcome is null
      union
      select correction.id::text from invoice_correction as correction join document on document.id = correction.invoice_id
       where correction.state in ('requested', 'approved')
      union
      select document.reference from credited_thing as thing join document on document.id = thing.invoice_id where thing.fate = 'hold'
    )
    select
      (select coalesce(json_agg(json_build_object('id', id, 'lineId', line_id, 'state', state) order by line_id), '[]') from line) as "lines",
      (select coalesce(json_agg(json_build_object('milestoneId', milestone_id, 'state', state) order by milestone_id), '[]')
         from milestone where contract_line_id in (select id from line)) as "milestones",
      (select coalesce(json_agg(json_build_object('reference', reference, 'state', state) order by reference), '[]')
         from billing_plan_item where contract_line_id in (select id from line)) as "planItems",
      (select coalesce(json_agg(json_build_object('reference', reference, 'state', state, 'minor', open_minor, 'currency', currency)
                       order by reference), '[]') from document) as "invoices",
      (select coalesce(json_agg(json_build_object('billToId', bill_to_id, 'minor', minor, 'currency', currency)
                       order by bill_to_id, currency), '[]') from account) as "onAccount",
      (select coalesce(json_agg(entry_id order by entry_id), '[]')
         from time_entry where contract_line_id in (select id from line) and status = 'submitted') as "unapprovedTime",
      (select count(*) from time_entry where contract_line_id in (select id from line) and status = 'approved') as "approvedTime",
      (select coalesce(json_agg(subject_id order by subject_id), '[]') from approval
        where deal_id = project.deal_id and state in ('pending', 'conditions') and subject_kind <> 'project-close') as "openApprovals",
      (select coalesce(json_agg(hold.id order by hold.id), '[]')
         from collection_hold as hold join document on document.id = hold.invoice_id
        where lifted_at is null and document.state = 'issued') as "openHolds",
      (select coalesce(json_agg(id order by id), '[]') from undecided) as "undecided",
      (select json_build_object('documentReference', document_reference, 'signedOn', signed_on)
         from project_sign_off where project_id = project.id) as "signOff"
    from project`.execute(trx);
  const [found] = rows;
  if (found === undefined) throw new Error(`no project ${projectId}`);
  return found;
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
