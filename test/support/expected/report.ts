import { amendmentsOf } from './amendments';
import { booksOf, type ExpectedBooks } from './books';
import { policyBreaches, type ExpectedBreaches } from './breaches';
import { cashFigures, type ExpectedAgeing, type ExpectedInterest, type ExpectedStatement } from './cash';
import { contractBalances, periodsOf, recognisedBy, revenueToDate, type ExpectedContractBalance } from './cost-to-cost';
import { discrepanciesOf, type ExpectedDiscrepancy } from './discrepancies';
import { type ExpectedInvoice, type LineParties } from './document';
import { exchangeOf, type Exchange } from './exchange';
import { checkedExpenses, type CheckedExpense } from './expenses';
import { partiesOf } from './figures';
import { fixedFeeFigures, type ExpectedAcceptance } from './fixed-fee';
import { fraction, plain, sum, written } from './fraction';
import { managedServiceInvoices, settlementsOf } from './managed-service';
import { drawdownsOf, retainerInvoices } from './retainer';
import { asInvoiced, overTime, writtenRevenue, type RevenueByMonth } from './revenue';
import { billableItems, runsOf, type Run } from './runs';
import { billableEntries } from './time';
import { corrections, runInvoices, type ExpectedCorrection } from './time-and-materials';
import { readWholeFolder, type Cut, type WholeFolder } from './whole-folder';

export interface ExpectedRun {
  readonly lineId: string;
  readonly period: string;
  readonly limit: string;
  readonly billedFees: string;
  readonly billedToDate: string;
  readonly releasedFromParked: string;
  readonly newlyParked: string;
  readonly parkedAfter: string;
}

/** The figures of a deal in the shapes of part 3 of the reference deal. */
export interface ExpectedReport {
  /** By issue date, then reference; before corrections (S-35). */
  readonly invoices: readonly ExpectedInvoice[];
  /** Time-and-materials lines, and retainers without an amount (their hours have no rate, S-07). */
  readonly billable: { readonly totals: Readonly<Record<string, { readonly hours: string; readonly amount: string | null }>> };
  /** Runs of lines that have a cap. */
  readonly notToExceed: {
    readonly runs: readonly ExpectedRun[];
    readonly softLimits: readonly { readonly lineId: string; readonly period: string; readonly entryId: string }[];
  };
  readonly retainer: readonly { readonly period: string; readonly used: string; readonly overageHours: string; readonly rolledOut: string }[]; // prettier-ignore
  readonly managedService: readonly {
    readonly period: string;
    readonly tickets: number;
    readonly overage: string;
    readonly trueUp: string;
    readonly serviceCredit: string;
  }[];
  readonly revenue: { readonly byLineMonth: Readonly<Record<string, Readonly<Record<string, string>>>> };
  readonly cash: { readonly afterEachStatement: readonly ExpectedStatement[] };
  readonly policyBreaches: ExpectedBreaches;
  readonly corrections: readonly ExpectedCorrection[];
  readonly contract: { readonly discrepancies: readonly ExpectedDiscrepancy[] };
  readonly interest: readonly ExpectedInterest[];
  readonly contractBalances: readonly ExpectedContractBalance[];
  readonly ageing: readonly ExpectedAgeing[];
  readonly books: readonly ExpectedBooks[];
  readonly acceptances: readonly ExpectedAcceptance[];
}

/** What one line brings to the report. */
interface LineFigures {
  readonly parties: LineParties;
  readonly invoices: readonly ExpectedInvoice[];
  readonly revenue: RevenueByMonth;
  readonly acceptances: readonly ExpectedAcceptance[];
  readonly runs: readonly Run[];
  readonly balances: readonly ExpectedContractBalance[];
}

/**
 * Every figure of a deal folder, recomputed from its files by code that shares nothing with the product (S-01 to S-35, S-39 to S-47).
 * `cut` leaves lines or change orders out. Throws where the folder needs a rule that nobody stated.
 */
export function expectedReport(path: string, cut: Cut = {}): ExpectedReport {
  const folder = readWholeFolder(path, cut);
  const exchange = exchangeOf(folder.fxRates);
  const expenses = checkedExpenses(folder, exchange);
  const lines = folder.deal.lines.map((line) => lineFigures(folder, partiesOf(folder, line), exchange, expenses));
  const invoices = lines.flatMap((each) => each.invoices).sort((a, b) => order(a.issueDate, b.issueDate) || order(a.reference, b.reference)); // prettier-ignore
  const cash = cashFigures(folder, invoices);
  return {
    invoices,
    billable: { totals: billableTotals(folder, lines) },
    notToExceed: cappedRuns(lines),
    retainer: of(lines, 'retainer').flatMap(({ parties }) =>
      drawdownsOf(parties).map(({ period, used, overageHours, rolledOut }) => ({
        period,
        used: plain(used),
        overageHours: plain(overageHours),
        rolledOut: plain(rolledOut),
      })),
    ),
    managedService: of(lines, 'managed-service').flatMap(({ parties }) =>
      settlementsOf(parties).map(({ period, tickets, overage, trueUp, serviceCredit }) => ({
        period,
        tickets,
        overage: written(overage, parties.line.currency),
        trueUp: written(trueUp, parties.line.currency),
        serviceCredit: written(serviceCredit, parties.line.currency),
      })),
    ),
    revenue: { byLineMonth: Object.fromEntries(lines.map(({ parties: { line }, revenue: own }) => [line.id, writtenRevenue(own, line.currency)])) }, // prettier-ignore
    cash: { afterEachStatement: cash.statements },
    policyBreaches: policyBreaches(folder, expenses),
    corrections: lines.flatMap(({ parties, runs }) => corrections(parties, runs, folder.disputes)),
    contract: { discrepancies: discrepanciesOf(folder) },
    interest: cash.interest,
    contractBalances: lines.flatMap(({ balances }) => balances),
    ageing: cash.ageing,
    books: booksOf(folder, invoices, (line, month) => {
      const own = lines.find(({ parties }) => parties.line.id === line.id);
      if (own && line.revenueMethod === 'cost-to-cost') return recognisedBy(folder, own.parties, exchange, expenses, month);
      return [...(own?.revenue ?? [])].reduce((sum, [of, minor]) => (of <= month ? sum + minor : sum), 0n);
    }),
    acceptances: lines.flatMap(({ acceptances }) => acceptances),
  };
}

function lineFigures(folder: WholeFolder, parties: LineParties, exchange: Exchange, expenses: readonly CheckedExpense[]): LineFigures {
  const { line } = parties;
  const none = { parties, acceptances: [], runs: [], balances: [] };
  const { addOns } = amendmentsOf(folder, line);
  switch (line.engagementModel) {
    case 'fixed-fee': {
      const { invoices, acceptances } = fixedFeeFigures(parties);
      if (line.revenueMethod !== 'cost-to-cost') throw new Error(`no rule for revenue of ${line.id}: ${line.revenueMethod}`);
      const toDate = revenueToDate(folder, parties, exchange, expenses);
      return { ...none, invoices, acceptances, revenue: periodsOf(toDate), balances: contractBalances(parties, toDate, invoices) };
    }
    case 'time-and-materials': {
      const runs = runsOf(folder, parties, exchange, expenses);
      const invoices = runInvoices(parties, runs);
      return { ...none, invoices, runs, revenue: asInvoiced(parties, invoices) };
    }
    case 'managed-service':
      return { ...none, invoices: managedServiceInvoices(parties, addOns), revenue: overTime(parties, addOns) };
    case 'retainer':
      return { ...none, invoices: retainerInvoices(parties), revenue: overTime(parties, []) };
    default:
      throw new Error(`no rule for ${line.engagementModel}`);
  }
}

function billableTotals(folder: WholeFolder, lines: readonly LineFigures[]): ExpectedReport['billable']['totals'] {
  return Object.fromEntries(
    [...of(lines, 'time-and-materials'), ...of(lines, 'retainer')].map(({ parties }) => {
      const { line } = parties;
      const items = line.engagementModel === 'retainer' ? null : billableItems(folder, parties);
      const rows = items?.map(({ row }) => row) ?? billableEntries(folder, line.id);
      const minor = items?.reduce((total, { amount }) => total + amount, 0n) ?? null;
      const hours = plain(sum(rows.map((row) => fraction(row.hours ?? ''))));
      return [line.id, { hours, amount: minor === null ? null : written(minor, line.currency) }];
    }),
  );
}

/** Runs with billed fees or a parked balance; the soft limit once per line (S-16, S-41). */
function cappedRuns(lines: readonly LineFigures[]): ExpectedReport['notToExceed'] {
  const runs = lines.flatMap(({ parties: { line }, runs: own }) =>
    own
      .filter(({ limit, billedFees, parkedAfter }) => limit !== null && (billedFees > 0n || parkedAfter > 0n))
      .map((run) => {
        const money = (minor: bigint | null): string => written(minor ?? 0n, line.currency);
        return {
          lineId: line.id,
          period: run.period,
          limit: money(run.limit),
          billedFees: money(run.billedFees),
          billedToDate: money(run.billedToDate),
          releasedFromParked: money(run.releasedFromParked),
          newlyParked: money(run.newlyParked),
          parkedAfter: money(run.parkedAfter),
        };
      }),
  );
  const softLimits = lines.flatMap(({ parties: { line }, runs: own }) => {
    const first = own.find(({ softLimitBy }) => softLimitBy !== null);
    return first ? [{ lineId: line.id, period: first.period, entryId: first.softLimitBy ?? '' }] : [];
  });
  return { runs, softLimits };
}

const of = (lines: readonly LineFigures[], model: string): LineFigures[] => lines.filter(({ parties }) => parties.line.engagementModel === model); // prettier-ignore
const order = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
