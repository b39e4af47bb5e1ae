import { sql, type Kysely } from 'kysely';
import { type Scope } from '../../domain/access';
import { decimal } from '../../domain/decimal';
import { type DB } from '../types';
import { amount, amountOrNull } from './amount';
import { lineInScope } from './deal-scope';

export interface DrawdownView {
  readonly period: string;
  readonly used: string;
  readonly rolledIn: string;
  readonly fromRollover: string;
  readonly fromIncluded: string;
  readonly overageHours: string;
  readonly rolledOut: string;
  readonly expired: string;
}

export interface SettlementView {
  readonly period: string;
  readonly eventId: string;
  readonly tickets: number;
  readonly overageTickets: number;
  readonly currency: string;
  readonly overage: string;
  /** Null where a report of the quarter is missing. */
  readonly trueUp: string | null;
  readonly serviceCredit: string;
}

export interface BillableTimeView {
  readonly contractLineId: string;
  readonly lineId: string;
  readonly hours: string;
  /** Null for hours that have no rate. */
  readonly amount: string | null;
  readonly currency: string;
}

/** Hours drawn from a retainer in each month that has begun (R-036, S-17); none of other lines. */
export async function readDrawdown(db: Kysely<DB>, contractLineId: string): Promise<DrawdownView[]> {
  const rows = await db.selectFrom('retainer_month').selectAll().where('contract_line_id', '=', contractLineId).orderBy('period').execute();
  return rows.map((row) => ({
    period: row.period,
    used: decimal(row.used_hours),
    rolledIn: decimal(row.rolled_in_hours),
    fromRollover: decimal(row.from_rollover_hours),
    fromIncluded: decimal(row.from_included_hours),
    overageHours: decimal(row.overage_hours),
    rolledOut: decimal(row.rolled_out_hours),
    expired: decimal(row.expired_hours),
  }));
}

/** What each reported month of a managed service settles (R-037, S-18); nothing of other lines. */
export async function readSettlements(db: Kysely<DB>, contractLineId: string): Promise<SettlementView[]> {
  const rows = await db
    .selectFrom('managed_service_month')
    .selectAll()
    .where('contract_line_id', '=', contractLineId)
    .orderBy('period')
    .execute();
  return rows.map((row) => ({
    period: row.period,
    eventId: row.event_id,
    tickets: row.tickets,
    overageTickets: row.overage_tickets,
    currency: row.currency,
    overage: amount(row.overage_minor, row.currency),
    trueUp: amountOrNull(row.true_up_minor, row.currency),
    serviceCredit: amount(row.service_credit_minor, row.currency),
  }));
}

/** Billable time of a deal's lines in scope: hours, and what those that runs have priced come to (S-07). */
export async function readBillableTime(db: Kysely<DB>, scope: Scope, dealId: string): Promise<BillableTimeView[]> {
  const rows = await db
    .selectFrom('billable_time as billable')
    .innerJoin('deal', 'deal.id', 'billable.deal_id')
    .selectAll('billable')
    .where('billable.deal_id', '=', dealId)
    .where(lineInScope(scope, sql`billable.entity_id`, sql`deal.lead_entity_id`))
    .orderBy('billable.line_id')
    .execute();
  return rows.map((row) => ({
    contractLineId: row.contract_line_id ?? '',
    lineId: row.line_id ?? '',
    hours: decimal(row.hours ?? '0'),
    amount: amountOrNull(row.amount_minor === null ? null : Number(row.amount_minor), row.currency ?? ''),
    currency: row.currency ?? '',
  }));
}
