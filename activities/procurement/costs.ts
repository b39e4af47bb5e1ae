import { sql, type Transaction } from 'kysely';
import { ratesForDates } from '../../db/fx-window';
import { lockLinesOf } from '../../db/lines';
import { insertCost, recordedCosts } from '../../db/subcontractor-costs';
import { type DB } from '../../db/types';
import { type Instant } from '../../domain/deal/terms';
import { convertSum, type FxRate } from '../../domain/fx';
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

/**
 * Costs of subcontractors as procurement reports them, commitments before the bills that consume them, and each after those that it
 * names. Then the lines that they concern are measured, in the same transaction.
 */
export async function applySubcontractorCosts(trx: Transaction<DB>, { dealId, content }: RowsOfDeal, at: Instant): Promise<AppliedRows> {
  await lockForMeasuring(trx, dealId);
  const lines = await linesOf(trx, dealId);
  const rows = await rowsOf(trx, content);
  const currencies = [...lines.values()].map(({ currency }) => currency);
  const rates = await ratesForDates(
    trx,
    [...currencies, ...rows.map(({ currency }) => currency)],
    rows.map((row) => row.incurred_on),
  );
  const counts = { stored: 0, unchanged: 0 };
  const refusals: RowRefusal[] = [];
  const changed = new Map<string, SpendingLine>();
  for (const row of rows) {
    const line = lines.get(row.line_id);
    const outcome = line === undefined ? unknownLine(row) : await applyOne(trx, row, line, rates, at);
    if (isViolation(outcome)) refusals.push(refusalOf(row, outcome));
    else if (outcome === 'known') counts.unchanged += 1;
    else {
      counts.stored += 1;
      if (line !== undefined) changed.set(line.id, line);
    }
  }
  for (const line of changed.values()) await measureSpend(trx, line, at);
  return { ...counts, refused: refusals.length, refusals };
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

async function applyOne(
  trx: Transaction<DB>,
  row: CostRow,
  line: SpendingLine & { readonly packages: readonly string[] },
  rates: readonly FxRate[],
  at: Instant,
): Promise<'new' | 'known' | Violation> {
  const cost = reported(row, line.id);
  const judged = judgeCost(cost, await recordedCosts(trx, cost));
  if (judged !== 'new') return judged;
  if (row.wp_id !== null && !line.packages.includes(row.wp_id))
    return { violation: 'WorkPackageUnknown', detail: `${row.wp_id} is no work package of line ${row.line_id}`, path: 'wp_id' };
  const inLineCurrency = convertSum([cost.amount], line.currency, rates, cost.incurredOn, 'half-up');
  if (isViolation(inLineCurrency)) return { ...inLineCurrency, path: 'incurred_on' };
  await insertCost(trx, cost, inLineCurrency, at);
  return 'new';
}

/** Lines of the deal by the id that outside calls them, each with its work packages. */
async function linesOf(
  trx: Transaction<DB>,
  dealId: string,
): Promise<ReadonlyMap<string, SpendingLine & { readonly packages: readonly string[] }>> {
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
