import { sql, type Kysely } from 'kysely';
import { covers, type RoleAssignment, type Scope } from '../../domain/access';
import {
  type ExceptionOption,
  type ExceptionPath,
  type ExceptionStage,
  type Offer,
  offersOf,
  subjectOfException,
} from '../../domain/exception/paths';
import { spendOf } from '../../domain/procurement/spend';
import { inEntities } from '../entity-scope';
import { policyOfException } from '../exceptions';
import { textsOf } from '../free-text';
import { budgetsOfLines, chosenOverspend, costsOfLines } from '../subcontractor-costs';
import { type DB } from '../types';
import { amount } from './amount';
import { type ItemSum, itemSumOf } from './exception-items';
import { keyAt, type Page, pageOf, type PageRequest } from './page';

/** Something that does not go its usual way, and whose task it is. */
export interface ExceptionSummary {
  readonly id: string;
  readonly workflowId: string;
  readonly dealId: string | null;
  readonly entityId: string | null;
  readonly kind: string;
  readonly path: ExceptionPath | null;
  readonly stage: ExceptionStage;
  readonly detail: string;
  readonly ownerRole: string;
  readonly askedRoles: readonly string[];
  readonly openedAt: string;
  readonly due: string | null;
  readonly closedAt: string | null;
  readonly settledAs: string | null;
}

export interface ExceptionDetail extends ExceptionSummary {
  readonly contractLineId: string | null;
  readonly facts: Record<string, string>;
  readonly policyVersionId: string | null;
  readonly margin: { readonly asOf: string; readonly referencePercent: string; readonly atCompletionPercent: string } | null;
  readonly cost: { readonly budget: string; readonly spent: string; readonly overspend: string; readonly currency: string } | null;
  readonly items: ItemSum | null;
  readonly offers: readonly Offer[];
  readonly choices: readonly ChoiceView[];
}

interface ChoiceView {
  readonly choiceId: string;
  readonly option: ExceptionOption;
  readonly chosenBy: string;
  readonly chosenAt: string;
  readonly reason: string | null;
  readonly evidence: string | null;
  readonly target: string | null;
  readonly approvalId: string | null;
  readonly state: 'asked' | 'carried-out' | 'refused' | 'void';
  readonly settledAt: string | null;
}

export interface ExceptionFilter {
  readonly open: boolean;
  readonly path?: string | undefined;
  readonly stage?: string | undefined;
  readonly dealId?: string | undefined;
  /** Only those that are asked of one of these roles where they are held. */
  readonly askedOf?: readonly RoleAssignment[];
}

/** Exceptions of the reader's entities, the last opened first; one of no entity and no deal is for readers of the whole group. */
export async function listExceptions(
  db: Kysely<DB>,
  scope: Scope,
  filter: ExceptionFilter,
  page: PageRequest,
): Promise<Page<ExceptionSummary>> {
  let query = visible(db, scope);
  if (filter.open) query = query.where('trouble.closed_at', 'is', null);
  if (filter.path !== undefined) query = query.where('trouble.path', '=', filter.path);
  if (filter.stage !== undefined) query = query.where('trouble.stage', '=', filter.stage);
  if (filter.dealId !== undefined) query = query.where('trouble.deal_id', '=', filter.dealId);
  if (filter.askedOf !== undefined) query = query.where('trouble.stage', '=', 'assigned').where(askedOf(filter.askedOf));
  if (page.after !== null)
    query = query.where(sql<boolean>`(trouble.opened_at, trouble.id) < (${keyAt(page, 0)}::timestamptz, ${keyAt(page, 1)}::uuid)`);
  const rows = await query
    .orderBy('trouble.opened_at', 'desc')
    .orderBy('trouble.id', 'desc')
    .limit(page.limit + 1)
    .execute();
  return pageOf(rows, page, (row) => [row.opened_at, row.id], summary);
}

/** Where a reader may see exceptions, and in them the words of people and what records are worth, margins and costs; null is nowhere. */
export interface ExceptionReader {
  readonly scope: Scope;
  readonly texts: Scope | null;
  readonly amounts: Scope | null;
  readonly margins: Scope | null;
  readonly costs: Scope | null;
}

/** One exception with what may become of it and what was chosen; undefined where it is none of the reader's. */
export async function readException(
  db: Kysely<DB>,
  { scope, texts, amounts, margins, costs }: ExceptionReader,
  exceptionId: string,
): Promise<ExceptionDetail | undefined> {
  const row = await visible(db, scope).where('trouble.id', '=', exceptionId).executeTakeFirst();
  if (row === undefined) return undefined;
  const choices = await db
    .selectFrom('exception_choice')
    .selectAll()
    .where('exception_id', '=', exceptionId)
    .orderBy('chosen_at')
    .orderBy('id')
    .execute();
  const words = covers(texts, entitiesOf(row))
    ? await textsOf(
        db,
        choices.map((each) => each.reason_id),
      )
    : new Map<string, string | null>();
  const found = summary(row);
  return {
    ...found,
    contractLineId: row.contract_line_id,
    facts: row.facts as Record<string, string>,
    policyVersionId: row.policy_version_id,
    margin: covers(margins, entitiesOf(row)) ? await marginOf(db, row) : null,
    cost: covers(costs, entitiesOf(row)) ? await overspendOf(db, row) : null,
    items: await itemSumOf(db, exceptionId, covers(amounts, entitiesOf(row))),
    offers: await offers(db, found),
    choices: choices.map((each) => ({
      choiceId: each.id,
      option: each.option as ExceptionOption,
      chosenBy: each.chosen_by,
      chosenAt: each.chosen_at,
      reason: words.get(each.reason_id) ?? null,
      evidence: each.evidence,
      target: each.target,
      approvalId: each.approval_id,
      state: each.state as ChoiceView['state'],
      settledAt: each.settled_at,
    })),
  };
}

/** What belongs to no entity is shown whole to readers of the group alone. */
function entitiesOf({ entityId }: Row): string[] {
  return entityId === null ? [] : [entityId];
}

async function marginOf(db: Kysely<DB>, { path, contract_line_id: lineId }: Row): Promise<ExceptionDetail['margin']> {
  if (path !== 'margin-erosion') return null;
  const reading = await db
    .selectFrom('margin_reading')
    .selectAll()
    .where('contract_line_id', '=', lineId)
    .orderBy('taken_at', 'desc')
    .orderBy('id', 'desc')
    .executeTakeFirstOrThrow();
  return { asOf: reading.as_of, referencePercent: reading.reference_percent, atCompletionPercent: reading.at_completion_percent };
}

/** What was spent beside the budget of a line: as it is now, or when the outcome was chosen that stands or settled it. */
async function overspendOf(db: Kysely<DB>, { path, choice_id: choiceId, contract_line_id: id }: Row): Promise<ExceptionDetail['cost']> {
  if (path !== 'subcontractor-spend' || id === null) return null;
  const { currency } = await db.selectFrom('contract_line').select('currency').where('id', '=', id).executeTakeFirstOrThrow();
  const chosen = choiceId === null ? null : await chosenOverspend(db, choiceId);
  const budget = chosen?.budget.minor ?? (await budgetsOfLines(db, [id])).get(id) ?? 0;
  const spent = chosen?.spent.minor ?? spendOf((await costsOfLines(db, [{ id, currency }])).get(id) ?? [], currency).spent.minor;
  return { budget: amount(budget, currency), spent: amount(spent, currency), overspend: amount(spent - budget, currency), currency };
}

/** What may be chosen now: nothing before its owner is asked, and nothing while an outcome stands. */
async function offers(db: Kysely<DB>, found: ExceptionSummary): Promise<readonly Offer[]> {
  const { path, stage, workflowId: name, kind, dealId } = found;
  if (path === null || stage !== 'assigned') return [];
  const policy = await policyOfException(db, found);
  return offersOf(subjectOfException({ path, name, kind, dealId }), policy?.body.paths[path].approved ?? []);
}

function visible(db: Kysely<DB>, scope: Scope) {
  const entity = sql<string | null>`coalesce(trouble.entity_id, deal.lead_entity_id)`;
  return db
    .selectFrom('process_exception as trouble')
    .leftJoin('deal', 'deal.id', 'trouble.deal_id')
    .selectAll('trouble')
    .select(entity.as('entityId'))
    .where(inEntities(scope, sql`array[coalesce(trouble.entity_id, deal.lead_entity_id)]`));
}

function askedOf(held: readonly RoleAssignment[]) {
  const conditions = held.map(
    ({ role, scope }) =>
      sql<boolean>`(${role} = any(trouble.asked_roles) and ${inEntities(scope, sql`array[coalesce(trouble.entity_id, deal.lead_entity_id)]`)})`,
  );
  return conditions.length === 0 ? sql<boolean>`false` : sql<boolean>`(${sql.join(conditions, sql` or `)})`;
}

type Row = Awaited<ReturnType<ReturnType<typeof visible>['execute']>>[number];

function summary(row: Row): ExceptionSummary {
  return {
    id: row.id,
    workflowId: row.workflow_id,
    dealId: row.deal_id,
    entityId: row.entityId,
    kind: row.kind,
    path: row.path as ExceptionPath | null,
    stage: row.stage as ExceptionStage,
    detail: row.detail,
    ownerRole: row.owner_role,
    askedRoles: row.asked_roles,
    openedAt: row.opened_at,
    due: row.due,
    closedAt: row.closed_at,
    settledAs: row.settled_as,
  };
}
