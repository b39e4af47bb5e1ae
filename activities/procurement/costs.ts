import { sql, type Transaction } from 'kysely';
import { ratesForDates } from '../../db/fx-window';
import { lockLinesOf } from '../../db/lines';
import { insertCosts, type NewCost, recordedCosts } from '../../db/subcontractor-costs';
import { type DB } from '../../db/types';
import { type Instant } from '../../domain/deal/terms';
import { convert, type CrossRate, crossRate, type FxRate } from '../../domain/fx';
import { type Money } from '../../domain/money';
import { type CostKind, judgeCost, type ReportedCost } from '../../domain/procurement/cost';
import { isViolation, type Violation } from '../../domain/violation';
import { type AppliedRows, type RowRefusal, type RowsOfDeal } from '../intake/rows';
import { lockDealState, measureSpend, type SpendingLine } from './spend';

interface CostRow {
  readonly line: number;
  readonly cost_id: string;
  readonly vendor_id: string;
  readonly line_id: string;
  readonly wp_id: string | null;
  readonly kind: CostKind;
  readonly commitment_id: string | null;
  readonly amount: number;
  readonly currency: string;
  readonly incurred_on: string;
  readonly supersedes: string | null;
}

type CostLine = SpendingLine & { readonly packages: readonly string[] };

/** Gives an amount in the currency of a line, at the rate of a day. */
type InLineCurrency = (amount: Money, currency: string, day: string) => Money | Violation;

/**
 * Costs of subcontractors as procurement reports them, commitments before the bills that consume them, and each after those that it
 * names. However many there are, they are looked up, judged and recorded together. Then the lines that they concern are measured, in the same
 * transaction.
 */
export async function applySubcontractorCosts(trx: Transaction<DB>, { dealId, content }: RowsOfDeal, at: Instant): Promise<AppliedRows> {
  await lockForMeasuring(trx, dealId);
  const lines = await linesOf(trx, dealId);
  const rows = await rowsOf(trx, content);
  const reports = rows.flatMap((row) => {
    const line = lines.get(row.line_id);
    return line === undefined ? [] : [{ row, line, cost: reported(row, line.id) }];
  });
  const currencies = [...lines.values()].map(({ currency }) => currency);
  const rates = await ratesForDates(
    trx,
    [...currencies, ...rows.map(({ currency }) => currency)],
    rows.map((row) => row.incurred_on),
  );
  const inLineCurrency = converter(rates);
  const record = await recordedCosts(
    trx,
    reports.map(({ cost }) => cost),
  );
  const refusals = rows.filter((row) => !lines.has(row.line_id)).map((row) => refusalOf(row, unknownLine(row)));
  const fresh: NewCost[] = [];
  const changed = new Map<string, SpendingLine>();
  for (const { row, line, cost } of reports) {
    const judged = judgeCost(cost, record.namedBy(cost));
    if (judged === 'known') continue;
    const taken = isViolation(judged) ? judged : newCost(cost, line, inLineCurrency);
    if (isViolation(taken)) {
      refusals.push(refusalOf(row, taken));
      continue;
    }
    record.add(cost);
    fresh.push(taken);
    changed.set(line.id, line);
  }
  await insertCosts(trx, fresh, at);
  await measureSpend(trx, [...changed.values()], at);
  return { stored: fresh.length, unchanged: rows.length - fresh.length - refusals.length, refused: refusals.length, refusals };
}

/** In the order of outcomes, which lock their exception before the line: neither waits for the other in a circle. */
async function lockForMeasuring(trx: Transaction<DB>, dealId: string): Promise<void> {
  await trx
    .selectFrom('process_exception')
    .select('id')
    .where('deal_id', '=', dealId)
    .where('path', '=', 'subcontractor-spend')
    .where('closed_at', 'is', null)
    .orderBy('id')
    .forUpdate()
    .execute();
  await lockDealState(trx, dealId);
  await lockLinesOf(trx, dealId);
}

function newCost(cost: ReportedCost, line: CostLine, inLineCurrency: InLineCurrency): NewCost | Violation {
  const { amount, incurredOn, workPackageId } = cost;
  if (workPackageId !== null && !line.packages.includes(workPackageId))
    return { violation: 'WorkPackageUnknown', detail: `${workPackageId} is no work package of line ${line.line_id}`, path: 'wp_id' };
  const converted = inLineCurrency(amount, line.currency, incurredOn);
  return isViolation(converted) ? { ...converted, path: 'incurred_on' } : { cost, inLineCurrency: converted };
}

/** Each rate is looked for once, for all rows of its day. */
function converter(rates: readonly FxRate[]): InLineCurrency {
  const known = new Map<string, CrossRate | Violation>();
  return (amount, currency, day) => {
    const key = `${amount.currency} ${currency} ${day}`;
    const rate = known.get(key) ?? crossRate(rates, amount.currency, currency, day);
    known.set(key, rate);
    return isViolation(rate) ? rate : convert(amount, rate, 'half-up');
  };
}

/** Lines of the deal by the id that outside calls them, each with its work packages. */
async function linesOf(trx: Transaction<DB>, dealId: string): Promise<ReadonlyMap<string, CostLine>> {
  const { rows } = await sql<SpendingLine & { packages: string[] }>`
    select line.id, line.line_id, line.deal_id, line.currency, line.selling_entity_id,
           coalesce(array_agg(package.code) filter (where package.code is not null), '{}') as packages
      from contract_line as line
      left join project_phase as phase on phase.contract_line_id = line.id
      left join work_package as package on package.phase_id = phase.id
     where line.deal_id = ${dealId}
     group by line.id`.execute(trx);
  return new Map(rows.map((row) => [row.line_id, row]));
}

async function rowsOf(trx: Transaction<DB>, content: RowsOfDeal['content']): Promise<readonly CostRow[]> {
  const { rows } = await sql<CostRow>`
    select * from json_to_recordset(${content}) as row (line integer, cost_id text, vendor_id text, line_id text, wp_id text, kind text,
           commitment_id text, amount bigint, currency text, incurred_on date, supersedes text)
     order by kind desc, line`.execute(trx);
  return rows;
}

function reported(row: CostRow, contractLineId: string): ReportedCost {
  return {
    costId: row.cost_id,
    contractLineId,
    workPackageId: row.wp_id,
    vendorId: row.vendor_id,
    kind: row.kind,
    commitmentId: row.commitment_id,
    amount: { minor: row.amount, currency: row.currency },
    incurredOn: row.incurred_on,
    supersedes: row.supersedes,
  };
}

function unknownLine({ line_id: lineId }: CostRow): Violation {
  return { violation: 'LineUnknown', detail: `${lineId} is no line of the deal`, path: 'line_id' };
}

function refusalOf({ line }: CostRow, { violation, detail, path = '' }: Violation): RowRefusal {
  return { line, field: path, code: violation, detail };
}
