import { sql, type Kysely, type Selectable } from 'kysely';
import { type Scope } from '../../domain/access';
import { inEntities } from '../entity-scope';
import { type DB } from '../types';
import { amount, amountOrNull } from './amount';
import { lineInScope } from './deal-scope';
import { type MilestoneView, milestoneView } from './milestones';
import { keyAt, type Page, pageOf, type PageRequest } from './page';

export interface ProjectSummary {
  readonly id: string;
  readonly dealId: string;
  readonly code: string;
  readonly name: string;
  readonly customerId: string;
  readonly leadEntityId: string;
  readonly entityIds: readonly string[];
  readonly state: 'mobilising' | 'active' | 'closing' | 'closed' | 'cancelled';
  readonly openedAt: string;
  readonly closedAt: string | null;
}

export interface ProjectDetail extends ProjectSummary {
  readonly phases: readonly PhaseView[];
  readonly signOff: {
    readonly documentReference: string;
    readonly signedOn: string;
    readonly recordedBy: string;
    readonly recordedAt: string;
  } | null;
}

interface PhaseView {
  readonly phaseId: string;
  readonly code: string;
  readonly name: string;
  readonly startDate: string;
  readonly endDate: string;
  readonly contractLineId: string;
  readonly lineId: string;
  /** `cost` is told only to readers with the right to it. */
  readonly budget: {
    readonly version: number;
    readonly hours: string;
    readonly price: string;
    readonly cost?: string | null;
    readonly currency: string;
  } | null;
  readonly milestones: readonly MilestoneView[];
  readonly workPackages: readonly {
    readonly code: string;
    readonly name: string;
    readonly serviceLine: string;
    readonly tasks: readonly TaskView[];
  }[];
}

interface TaskView {
  readonly taskId: string;
  readonly roleCode: string;
  readonly estimateHours: string;
  readonly plannedStart: string;
  readonly plannedEnd: string;
  readonly closedOn: string | null;
  readonly validFrom: string;
  readonly billable: boolean;
}

/** Projects in the reader's scope, the last opened first. */
export async function listProjects(
  db: Kysely<DB>,
  scope: Scope,
  filter: { readonly state?: string | undefined },
  page: PageRequest,
): Promise<Page<ProjectSummary>> {
  let query = db
    .selectFrom('project')
    .selectAll()
    .where(inEntities(scope, sql`entity_ids`));
  if (filter.state !== undefined) query = query.where('state', '=', filter.state);
  if (page.after) query = query.where(sql<boolean>`(opened_at, id) < (${keyAt(page, 0)}::timestamptz, ${keyAt(page, 1)}::uuid)`);
  const rows = await query
    .orderBy('opened_at', 'desc')
    .orderBy('id', 'desc')
    .limit(page.limit + 1)
    .execute();
  return pageOf(rows, page, (row) => [row.opened_at, row.id], summary);
}

/**
 * One project as its hierarchy: phases, work packages, tasks, milestones, of the lines in the reader's scope. `costScope` is where the reader may see cost, null nowhere.
 * Undefined where the reader has no project of this id.
 */
export async function readProject(
  db: Kysely<DB>,
  scope: Scope,
  costScope: Scope | null,
  projectId: string,
): Promise<ProjectDetail | undefined> {
  const row = await db
    .selectFrom('project')
    .selectAll()
    .where('id', '=', projectId)
    .where(inEntities(scope, sql`entity_ids`))
    .executeTakeFirst();
  if (row === undefined) return undefined;
  const phases = await phasesOf(db, scope, projectId);
  const lineIds = phases.map((phase) => phase.contract_line_id);
  const budgets = await latestBudgets(db, projectId, lineIds);
  const milestones = await milestonesOf(db, lineIds);
  const packages = await packagesOf(
    db,
    phases.map((phase) => phase.id),
  );
  const tasks = await tasksOf(
    db,
    packages.map((each) => each.id),
  );
  const signOff = await db.selectFrom('project_sign_off').selectAll().where('project_id', '=', projectId).executeTakeFirst();
  return {
    ...summary(row),
    phases: phases.map((phase) => ({
      phaseId: phase.id,
      code: phase.code,
      name: phase.name,
      startDate: phase.start_date,
      endDate: phase.end_date,
      contractLineId: phase.contract_line_id,
      lineId: phase.line_id,
      budget: budgetView(
        budgets.find((each) => each.contract_line_id === phase.contract_line_id),
        seesEntity(costScope, phase.selling_entity_id),
      ),
      milestones: milestones.filter((each) => each.contract_line_id === phase.contract_line_id).map(milestoneView),
      workPackages: packages
        .filter((each) => each.phase_id === phase.id)
        .map((each) => ({
          code: each.code,
          name: each.name,
          serviceLine: each.service_line,
          tasks: tasks.filter((task) => task.work_package_id === each.id).map(taskView),
        })),
    })),
    signOff:
      signOff === undefined
        ? null
        : {
            documentReference: signOff.document_reference,
            signedOn: signOff.signed_on,
            recordedBy: signOff.recorded_by,
            recordedAt: signOff.recorded_at,
          },
  };
}

/** The phases whose line is in the reader's scope; everything below follows from them. */
function phasesOf(db: Kysely<DB>, scope: Scope, projectId: string) {
  return db
    .selectFrom('project_phase as phase')
    .innerJoin('contract_line as line', 'line.id', 'phase.contract_line_id')
    .innerJoin('project', 'project.id', 'phase.project_id')
    .selectAll('phase')
    .select(['line.line_id', 'line.selling_entity_id'])
    .where('phase.project_id', '=', projectId)
    .where(lineInScope(scope, sql`line.selling_entity_id`, sql`project.lead_entity_id`))
    .orderBy('phase.code')
    .execute();
}

async function latestBudgets(db: Kysely<DB>, projectId: string, lineIds: readonly string[]) {
  if (lineIds.length === 0) return [];
  return db
    .selectFrom('budget_version')
    .selectAll()
    .distinctOn('contract_line_id')
    .where('project_id', '=', projectId)
    .where('contract_line_id', 'in', lineIds)
    .orderBy('contract_line_id')
    .orderBy('version', 'desc')
    .execute();
}

async function milestonesOf(db: Kysely<DB>, lineIds: readonly string[]) {
  if (lineIds.length === 0) return [];
  return db
    .selectFrom('milestone')
    .selectAll()
    .where('contract_line_id', 'in', lineIds)
    .orderBy('planned_date')
    .orderBy('milestone_id')
    .execute();
}

async function packagesOf(db: Kysely<DB>, phaseIds: readonly string[]) {
  if (phaseIds.length === 0) return [];
  return db.selectFrom('work_package').selectAll().where('phase_id', 'in', phaseIds).orderBy('code').execute();
}

async function tasksOf(db: Kysely<DB>, packageIds: readonly string[]) {
  if (packageIds.length === 0) return [];
  return db.selectFrom('work_task').selectAll().where('work_package_id', 'in', packageIds).orderBy('code').execute();
}

function budgetView(row: Selectable<DB['budget_version']> | undefined, seesCost: boolean): PhaseView['budget'] {
  if (row === undefined) return null;
  const { version, hours, currency } = row;
  const told = { version, hours, price: amount(row.price_minor, currency), currency };
  return seesCost ? { ...told, cost: amountOrNull(row.cost_minor, currency) } : told;
}

function seesEntity(scope: Scope | null, entityId: string): boolean {
  return scope !== null && (scope.kind === 'group' || scope.entityIds.includes(entityId));
}

function taskView(row: Selectable<DB['work_task']>): TaskView {
  return {
    taskId: row.code,
    roleCode: row.role_code,
    estimateHours: row.estimate_hours,
    plannedStart: row.planned_start,
    plannedEnd: row.planned_end,
    closedOn: row.closed_on,
    validFrom: row.valid_from,
    billable: row.billable,
  };
}

function summary(row: Selectable<DB['project']>): ProjectSummary {
  return {
    id: row.id,
    dealId: row.deal_id,
    code: row.code,
    name: row.name,
    customerId: row.customer_id,
    leadEntityId: row.lead_entity_id,
    entityIds: row.entity_ids,
    state: row.state as ProjectSummary['state'],
    openedAt: row.opened_at,
    closedAt: row.closed_at,
  };
}
