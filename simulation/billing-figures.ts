import { type Kysely } from 'kysely';
import { wholeGroup } from '../db/entity-scope';
import { creditedBefore } from '../db/reads/period-runs';
import { readBillableTime, readDrawdown, readSettlements } from '../db/reads/service-months';
import { type DB } from '../db/types';
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

/** What was worked and may be billed, what runs and months came to, what policy says, and where deal and statement of work differ, in the shapes of part 3 of the reference deal. */
export interface BillingFigures {
  readonly billable: { readonly totals: Readonly<Record<string, { readonly hours: string; readonly amount: string | null }>> };
  readonly notToExceed: {
    readonly runs: readonly LimitRunFigure[];
    readonly softLimits: readonly { readonly lineId: string; readonly period: string; readonly entryId: string }[];
  };
  readonly retainer: readonly { readonly period: string; readonly used: string; readonly overageHours: string; readonly rolledOut: string }[]; // prettier-ignore
  readonly managedService: readonly {
    readonly period: string;
    readonly tickets: number;
    readonly overage: string;
    readonly trueUp: string | null;
    readonly serviceCredit: string;
  }[];
  readonly contract: {
    readonly discrepancies: readonly { readonly path: string; readonly deal: string; readonly sow: string; readonly clause: string }[];
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
    retainer: await retainerMonths(db, dealId),
    managedService: await managedServiceMonths(db, dealId),
    contract: { discrepancies: await discrepancies(db, dealId) },
    policyBreaches: { time: await breaches(db, dealId, 'time'), expenses: await breaches(db, dealId, 'expense') },
  };
}

/** By line; hours of a retainer have no rate (S-07). */
async function billableTotals(db: Kysely<DB>, dealId: string): Promise<BillingFigures['billable']['totals']> {
  const lines = await readBillableTime(db, wholeGroup, dealId);
  return Object.fromEntries(lines.map(({ lineId, hours, amount }) => [lineId, { hours, amount }]));
}

/** Months of the lines of one engagement model, by line, then month. */
async function monthsOf<T>(db: Kysely<DB>, dealId: string, model: string, read: (contractLineId: string) => Promise<T[]>): Promise<T[]> {
  const lines = await db
    .selectFrom('contract_line')
    .select('id')
    .where('deal_id', '=', dealId)
    .where('engagement_model', '=', model)
    .orderBy('line_id')
    .execute();
  return (await Promise.all(lines.map(({ id }) => read(id)))).flat();
}

async function retainerMonths(db: Kysely<DB>, dealId: string): Promise<BillingFigures['retainer']> {
  const months = await monthsOf(db, dealId, 'retainer', (id) => readDrawdown(db, id));
  return months.map(({ period, used, overageHours, rolledOut }) => ({ period, used, overageHours, rolledOut }));
}

async function managedServiceMonths(db: Kysely<DB>, dealId: string): Promise<BillingFigures['managedService']> {
  const months = await monthsOf(db, dealId, 'managed-service', (id) => readSettlements(db, id));
  return months.map(({ period, tickets, overage, trueUp, serviceCredit }) => ({ period, tickets, overage, trueUp, serviceCredit }));
}

/** Terms that the deal stated otherwise than the statement of work that was confirmed (S-01). */
async function discrepancies(db: Kysely<DB>, dealId: string): Promise<BillingFigures['contract']['discrepancies']> {
  const rows = await db.selectFrom('contract_discrepancy').selectAll().where('deal_id', '=', dealId).orderBy('place').execute();
  return rows.map(({ path, deal, sow, clause }) => ({ path: path ?? '', deal: deal ?? '', sow: sow ?? '', clause: clause ?? '' }));
}

/** Runs of lines with a limit that billed fees or left some parked, and where the soft limit was reached (S-15, S-16). */
async function limitRuns(db: Kysely<DB>, dealId: string): Promise<BillingFigures['notToExceed']> {
  const rows = await db
    .selectFrom('period_run as run')
    .innerJoin('contract_line as line', 'line.id', 'run.contract_line_id')
    .selectAll('run')
    .select(['line.line_id', creditedBefore.as('credited')])
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
          billedToDate: written(run.billed_to_date_minor + Number(run.credited)),
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

/** Findings of record by code with their references (S-22). */
async function breaches(db: Kysely<DB>, dealId: string, kind: 'time' | 'expense'): Promise<Record<string, string[]>> {
  const found = await db
    .selectFrom('policy_breach')
    .select(['code', 'reference'])
    .where('deal_id', '=', dealId)
    .where('kind', '=', kind)
    .execute();
  return referencesByCode(found.map(({ code, reference }) => ({ code: code ?? '', reference: reference ?? '' })));
}
