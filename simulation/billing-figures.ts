import { sql, type Kysely } from 'kysely';
import { type DB } from '../db/types';
import { decimal } from '../domain/decimal';
import { projectWorkflowId } from '../domain/ids';
import { formatMoney, money } from '../domain/money';
import { referencesByCode } from '../domain/time-policy/review';

export interface LimitRunFigure {
  readonly lineId: string;
  readonly period: string;
  readonly limit: string;
  readonly billedFees: string;
  readonly billedToDate: string;
  readonly releasedFromParked: string;
  readonly newlyParked: string;
  readonly parkedAfter: string;
}

/** What was worked and may be billed, what runs did with it, and what policy says, in the shapes of part 3 of the reference deal. */
export interface BillingFigures {
  readonly billable: { readonly totals: Readonly<Record<string, { readonly hours: string; readonly amount: string | null }>> };
  readonly notToExceed: {
    readonly runs: readonly LimitRunFigure[];
    readonly softLimits: readonly { readonly lineId: string; readonly period: string; readonly entryId: string }[];
  };
  readonly policyBreaches: {
    readonly time: Readonly<Record<string, readonly string[]>>;
    readonly expenses: Readonly<Record<string, readonly string[]>>;
  };
}

export async function billingFigures(db: Kysely<DB>, dealId: string): Promise<BillingFigures> {
  return {
    billable: { totals: await billableTotals(db, dealId) },
    notToExceed: await limitRuns(db, dealId),
    policyBreaches: { time: await breaches(db, dealId, 'time'), expenses: await breaches(db, dealId, 'expense') },
  };
}

/** Approved, billable time without a blocking breach, by line; hours of a retainer have no rate (S-07). */
async function billableTotals(db: Kysely<DB>, dealId: string): Promise<BillingFigures['billable']['totals']> {
  const { rows } = await sql<{ lineId: string; isPriced: boolean; currency: string; hours: string; minor: number }>`
    select line.line_id as "lineId", line.engagement_model = 'time-and-materials' as "isPriced", line.currency,
           coalesce(sum(entry.hours), 0)::text as hours, coalesce(sum(price.amount_minor), 0)::bigint as minor
      from contract_line as line
      left join time_entry as entry on entry.contract_line_id = line.id and entry.status = 'approved' and entry.billable
           and not (entry.rework and line.engagement_model = 'time-and-materials')
           and not exists (select from policy_finding as finding where finding.deal_id = line.deal_id and finding.kind = 'time'
                              and finding.reference = entry.entry_id and finding.blocking and finding.closed_at is null)
      left join time_price as price on price.entry_id = entry.entry_id
     where line.deal_id = ${dealId} and line.engagement_model in ('time-and-materials', 'retainer')
     group by line.id order by line.line_id`.execute(db);
  return Object.fromEntries(
    rows.map(({ lineId, isPriced, currency, hours, minor }) => [
      lineId,
      { hours: decimal(hours), amount: isPriced ? formatMoney(money(Number(minor), currency)) : null },
    ]),
  );
}

/** Runs of lines with a limit that billed fees or left some parked, and where the soft limit was reached (S-15, S-16). */
async function limitRuns(db: Kysely<DB>, dealId: string): Promise<BillingFigures['notToExceed']> {
  const rows = await db
    .selectFrom('period_run as run')
    .innerJoin('contract_line as line', 'line.id', 'run.contract_line_id')
    .selectAll('run')
    .select('line.line_id')
    .where('line.deal_id', '=', dealId)
    .where('run.void_at', 'is', null)
    .orderBy('line.line_id')
    .orderBy('run.period')
    .execute();
  return {
    runs: rows
      .filter((run) => run.limit_minor !== null && (run.billed_fees_minor > 0 || run.parked_after_minor > 0))
      .map((run) => {
        const written = (minor: number | null): string => formatMoney(money(minor ?? 0, run.currency));
        return {
          lineId: run.line_id,
          period: run.period,
          limit: written(run.limit_minor),
          billedFees: written(run.billed_fees_minor),
          billedToDate: written(run.billed_to_date_minor),
          releasedFromParked: written(run.released_minor),
          newlyParked: written(run.newly_parked_minor),
          parkedAfter: written(run.parked_after_minor),
        };
      }),
    softLimits: rows.flatMap((run) =>
      run.soft_limit_entry_id === null ? [] : [{ lineId: run.line_id, period: run.period, entryId: run.soft_limit_entry_id }],
    ),
  };
}

/**
 * Findings by code with their references (S-22): those that hold, and those that held when the project began to close, because what is
 * rejected then was in breach all the time of its delivery.
 */
async function breaches(db: Kysely<DB>, dealId: string, kind: 'time' | 'expense'): Promise<Record<string, string[]>> {
  const project = await db.selectFrom('project').select('id').where('deal_id', '=', dealId).executeTakeFirst();
  const { since } = await db
    .selectFrom('open_wait')
    .select((eb) => eb.fn.min<string | null>('since').as('since'))
    .where('workflow_id', '=', projectWorkflowId(project?.id ?? ''))
    .where('kind', '=', 'close-checklist')
    .executeTakeFirstOrThrow();
  const found = await db
    .selectFrom('policy_finding')
    .select(['code', 'reference'])
    .where('deal_id', '=', dealId)
    .where('kind', '=', kind)
    .where((eb) => eb.or([eb('closed_at', 'is', null), ...(since === null ? [] : [eb('closed_at', '>=', since)])]))
    .execute();
  return referencesByCode(found);
}
