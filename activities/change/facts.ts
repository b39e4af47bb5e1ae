import { type Transaction } from 'kysely';
import { milestonesOf } from '../../db/lines';
import { governingVersion } from '../../db/change-orders';
import { type DealRow } from '../../db/deals';
import { type DB } from '../../db/types';
import { billedFees } from '../../db/unbilled';
import { type ChangeOrder, type ContractFacts, type LineStanding } from '../../domain/change/change-order';
import { nextVersion, type NextVersion } from '../../domain/change/next-version';
import { type DealTerms } from '../../domain/deal/terms';
import { isViolation, type Violation } from '../../domain/violation';

/** The contract as it governs, and as a change order would make it. */
export interface PlannedVersion {
  readonly before: DealTerms;
  readonly next: NextVersion;
}

/**
 * What a change order makes of the contract, by the facts of this moment. `own` is the order itself, where it is known already: its
 * work packages are its own. Lock the deal first.
 */
export async function plannedVersion(
  trx: Transaction<DB>,
  deal: DealRow,
  order: ChangeOrder,
  own: string | null,
): Promise<PlannedVersion | Violation> {
  if (deal.state !== 'mobilising' && deal.state !== 'delivering')
    return { violation: 'DealNotChangeable', detail: `the deal is ${deal.state}` };
  const governing = await governingVersion(trx, deal.id);
  if (governing === null) return { violation: 'DealNotChangeable', detail: 'the deal has no contract yet' };
  const next = nextVersion(governing.terms, order, await contractFacts(trx, deal.id, governing.version, order, own));
  return isViolation(next) ? next : { before: governing.terms, next };
}

async function contractFacts(
  trx: Transaction<DB>,
  dealId: string,
  version: number,
  order: ChangeOrder,
  own: string | null,
): Promise<ContractFacts> {
  const lines = await trx.selectFrom('contract_line').selectAll().where('deal_id', '=', dealId).orderBy('line_id').execute();
  const tasks = await trx
    .selectFrom('work_package')
    .innerJoin('project_phase as phase', 'phase.id', 'work_package.phase_id')
    .innerJoin('project', 'project.id', 'phase.project_id')
    .leftJoin('work_task as task', 'task.work_package_id', 'work_package.id')
    .select(['work_package.code as packageId', 'task.code as taskId', 'task.change_order_id as orderId'])
    .where('project.deal_id', '=', dealId)
    .execute();
  const others = own === null ? tasks : tasks.filter((task) => task.orderId !== own);
  const standings: LineStanding[] = [];
  for (const line of lines) standings.push(await standingOf(trx, line));
  return {
    version,
    lines: standings,
    workPackageIds: [...new Set(others.map((each) => each.packageId))],
    taskIds: others.flatMap((each) => each.taskId ?? []),
    rateCards: await rateCards(trx, order),
  };
}

type Line = {
  readonly id: string;
  readonly line_id: string;
  readonly state: string;
  readonly stopped_on: string | null;
  readonly currency: string;
};

async function standingOf(trx: Transaction<DB>, line: Line): Promise<LineStanding> {
  const billed = await trx
    .selectFrom('invoice')
    .select((eb) => [eb.fn.sum<number | null>('net_minor').as('net'), eb.fn.max<string | null>('period').as('period')])
    .where('contract_line_id', '=', line.id)
    .where('state', '<>', 'void')
    .executeTakeFirstOrThrow();
  const milestones = await milestonesOf(trx, line.id);
  return {
    lineId: line.line_id,
    state: line.state,
    stopped: line.stopped_on !== null,
    facts: {
      acceptedMilestoneIds: milestones.filter((each) => each.state === 'accepted').map((each) => each.milestone_id),
      billedToDate: { minor: Number(billed.net ?? 0), currency: line.currency },
      lastBilledMonth: billed.period,
      billedFees: await billedFees(trx, line),
    },
  };
}

async function rateCards(trx: Transaction<DB>, order: ChangeOrder): Promise<ContractFacts['rateCards']> {
  const named = order.changes.flatMap(({ to }) => (typeof to === 'string' ? [to] : []));
  if (named.length === 0) return [];
  const rows = await trx.selectFrom('rate_card').select(['id', 'scope', 'scope_id']).distinct().where('id', 'in', named).execute();
  return rows.map((row) => ({ cardId: row.id, scope: row.scope, scopeId: row.scope_id }));
}
