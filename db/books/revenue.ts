import { sql, type Kysely, type Transaction } from 'kysely';
import { ACCOUNTS } from '../../domain/accounting/accounts';
import { lastOfMonth } from '../../domain/calendar/dates';
import { type Instant, type Month } from '../../domain/deal/terms';
import { type RevenueFacts, type RevenueMonth } from '../../domain/engagement/model';
import { engagementModel } from '../../domain/engagement/registry';
import { money } from '../../domain/money';
import { isViolation, type Violation } from '../../domain/violation';
import { milestonesOf, timeFacts, usageFacts, type LineRow } from '../lines';
import { waivedOverage } from '../overage';
import { type DB } from '../types';
import { effortOf } from './effort';

/** Revenue by month as the facts give it, and the months that wait for an estimate. */
export interface Recognised {
  readonly months: readonly RevenueMonth[];
  readonly withoutEstimate: readonly Month[];
}

/** Revenue of a line up to a month, of what was approved and reported before a moment (S-45). */
export async function recogniseLine(db: Kysely<DB>, line: LineRow, asOf: Month, before: Instant): Promise<Recognised | Violation> {
  const model = engagementModel(line.terms.engagementModel);
  if (isViolation(model)) return model;
  const effort = ['cost-to-cost', 'hours-percent-complete'].includes(line.terms.revenueMethod)
    ? await effortOf(db, line, { asOf, approvedBefore: before })
    : { facts: [], withoutEstimate: [] };
  if (isViolation(effort)) return effort;
  const documents = await documentsOf(db, line, asOf);
  const milestones = await milestonesOf(db, line.id);
  const earlier = (moment: Instant | null): boolean => moment !== null && Date.parse(moment) < Date.parse(before);
  const facts: RevenueFacts = {
    effort: effort.facts,
    milestones: milestones.map((each) => ({ milestoneId: each.milestone_id, acceptedOn: each.accepted_on })),
    usage: (await usageFacts(db, line.id)).filter((report) => earlier(report.reportedAt)),
    time: line.terms.engagementModel === 'retainer' ? (await timeFacts(db, line.id)).filter((each) => earlier(each.approvedAt)) : [],
    waivedOverage: await waivedOverage(db, line.id),
    ...documents,
  };
  const months = model.recognise(line.terms, facts, asOf);
  return isViolation(months) ? months : { months, withoutEstimate: effort.withoutEstimate };
}

/** Minor units of revenue posted for a line, by the month they concern; what corrections changed was posted with them. */
export async function postedRevenue(trx: Transaction<DB>, contractLineId: string, book: string): Promise<Map<Month, number>> {
  const rows = await trx
    .selectFrom('revenue_by_line_month')
    .select((eb) => ['month', eb.fn.sum<number>('revenue_minor').as('minor')])
    .where('contract_line_id', '=', contractLineId)
    .where('book', '=', book)
    .where('is_correction', '=', false)
    .groupBy('month')
    .execute();
  return new Map(rows.map((row) => [row.month ?? '', Number(row.minor)]));
}

/** Balances of a line at the end of a month, debit less credit. */
export async function positionOf(trx: Transaction<DB>, contractLineId: string, book: string, period: Month) {
  const { rows } = await sql<{ account: string; minor: string }>`
    select account_code as account, sum(balance_minor)::bigint::text as minor from ledger
     where contract_line_id = ${contractLineId} and book = ${book} and posted_in <= ${period}
       and account_code in (${ACCOUNTS.contractBalance.code}, ${ACCOUNTS.contractAsset.code}, ${ACCOUNTS.contractLiability.code})
     group by account_code`.execute(trx);
  const of = (code: string): number => Number(rows.find(({ account }) => account === code)?.minor ?? 0);
  return {
    contractBalance: of(ACCOUNTS.contractBalance.code),
    contractAsset: of(ACCOUNTS.contractAsset.code),
    contractLiability: of(ACCOUNTS.contractLiability.code),
  };
}

/**
 * Net of issued documents by the month of their issue; and by the period they bill, the drafts too: what a run took is earned, also while its
 * document waits for approval (RULES Revenue: late approval moves the invoice). The documents of a correction change revenue by themselves.
 */
async function documentsOf(db: Kysely<DB>, line: LineRow, asOf: Month): Promise<Required<Pick<RevenueFacts, 'billed' | 'billedByPeriod'>>> {
  const rows = await db
    .selectFrom('invoice')
    .select(['period', 'issue_date', 'net_minor'])
    .where('contract_line_id', '=', line.id)
    .where('state', '<>', 'void')
    .where('corrects_id', 'is', null)
    .execute();
  return {
    billed: rows.flatMap((row) =>
      row.issue_date === null || row.issue_date > lastOfMonth(asOf)
        ? []
        : [{ period: row.issue_date.slice(0, 7), amount: money(row.net_minor, line.currency) }],
    ),
    billedByPeriod: rows
      .filter((row) => row.period <= asOf)
      .map((row) => ({ period: row.period, amount: money(row.net_minor, line.currency) })),
  };
}
