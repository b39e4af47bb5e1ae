import { sql, type Kysely, type Selectable } from 'kysely';
import { missingForBaseline, type MissingItem } from '../../domain/deal/handoff';
import { type DealAlias, type DealTerms, type TermDiscrepancy } from '../../domain/deal/terms';
import { type Scope } from '../../domain/access';
import { inEntities } from '../entity-scope';
import { masterFacts } from '../parties';
import { type DB } from '../types';
import { discrepanciesInScope, lineInScope, termsInScope } from './deal-scope';
import { keyAt, type Page, pageOf, type PageRequest } from './page';

export type DealState =
  'handoff' | 'terms' | 'approval' | 'mobilising' | 'delivering' | 'closing' | 'closed' | 'declined' | 'cancelling' | 'cancelled';

export interface DealSummary {
  readonly id: string;
  readonly name: string;
  readonly state: DealState;
  readonly stateSince: string;
  readonly customerId: string | null;
  readonly contractNumber: string;
  readonly shortCode: string;
  readonly projectCode: string;
  readonly leadEntityId: string;
  readonly entityIds: readonly string[];
  readonly closedWonAt: string;
  readonly signedDate: string;
  readonly finishedAt: string | null;
}

export interface DealDetail extends DealSummary {
  readonly sellerId: string | null;
  readonly deliveryLeadId: string | null;
  readonly revision: number;
  readonly terms: DealTerms;
  readonly termsHash: string;
  readonly governingTerms: DealTerms | null;
  readonly discrepancies: readonly TermDiscrepancy[];
  readonly missing: readonly MissingItem[];
  readonly aliases: readonly DealAlias[];
  readonly contractLines: readonly {
    readonly id: string;
    readonly lineId: string;
    readonly name: string;
    readonly engagementModel: string;
    readonly state: string;
    /** Whoever runs the line by the master data; null where that names nobody. */
    readonly projectManagerId: string | null;
  }[];
  readonly projectId: string | null;
}

export interface SowProposal {
  readonly proposalId: string;
  readonly version: number;
  readonly documentId: string;
  readonly state: 'proposed' | 'confirmed' | 'refused';
  readonly proposedBy: string;
  readonly proposedAt: string;
  readonly discrepancies: readonly TermDiscrepancy[];
}

const HEADER = [
  'id',
  'name',
  'state',
  'state_since',
  'customer_id',
  'contract_number',
  'short_code',
  'project_code',
  'lead_entity_id',
  'entity_ids',
  'closed_won_at',
  'signed_date',
  'finished_at',
] as const;

/** Deals in the reader's scope, the last won first. */
export async function listDeals(
  db: Kysely<DB>,
  scope: Scope,
  filter: { readonly state?: string | undefined },
  page: PageRequest,
): Promise<Page<DealSummary>> {
  let query = db
    .selectFrom('deal')
    .select(HEADER)
    .where(inEntities(scope, sql`entity_ids`));
  if (filter.state !== undefined) query = query.where('state', '=', filter.state);
  if (page.after) query = query.where(sql<boolean>`(closed_won_at, id) < (${keyAt(page, 0)}::timestamptz, ${keyAt(page, 1)}::uuid)`);
  const rows = await query
    .orderBy('closed_won_at', 'desc')
    .orderBy('id', 'desc')
    .limit(page.limit + 1)
    .execute();
  return pageOf(rows, page, (row) => [row.closed_won_at, row.id], summary);
}

/**
 * One deal with its names, and of its terms, lines, discrepancies and of what its handoff lacks what is in the reader's scope;
 * undefined where the reader has none of this id.
 */
export async function readDeal(db: Kysely<DB>, scope: Scope, dealId: string): Promise<DealDetail | undefined> {
  const row = await visibleDeal(db, scope, dealId)
    .select(['seller_id', 'delivery_lead_id', 'revision', 'terms_hash'])
    .select([termsInScope(scope, sql`deal.terms`).as('terms'), termsInScope(scope, sql`deal.governing_terms`).as('governing')])
    .executeTakeFirst();
  if (row === undefined) return undefined;
  const terms = row.terms as DealTerms;
  const aliases = await db
    .selectFrom('deal_alias')
    .selectAll()
    .where('deal_id', '=', dealId)
    .orderBy('source')
    .orderBy('external_id')
    .execute();
  const lines = await db
    .selectFrom('contract_line')
    .select(['id', 'line_id', 'name', 'engagement_model', 'state'])
    .select(managerOfLine(row.contract_number).as('manager_id'))
    .where('deal_id', '=', dealId)
    .where(lineInScope(scope, sql`selling_entity_id`, sql`${row.lead_entity_id}`))
    .orderBy('line_id')
    .execute();
  const project = await db.selectFrom('project').select('id').where('deal_id', '=', dealId).executeTakeFirst();
  const [proposal] = await proposals(db, scope, dealId).limit(1).execute();
  return {
    ...summary(row),
    sellerId: row.seller_id,
    deliveryLeadId: row.delivery_lead_id,
    revision: row.revision,
    terms,
    termsHash: row.terms_hash,
    governingTerms: row.governing as DealTerms | null,
    discrepancies: (proposal?.discrepancies ?? []) as TermDiscrepancy[],
    missing: row.state === 'handoff' ? missingForBaseline(terms, await masterFacts(db, terms, row.closed_won_at)) : [],
    aliases: aliases.map((alias) => ({ source: alias.source, externalId: alias.external_id })),
    contractLines: lines.map((line) => ({
      id: line.id,
      lineId: line.line_id,
      name: line.name,
      engagementModel: line.engagement_model,
      state: line.state,
      projectManagerId: line.manager_id,
    })),
    projectId: project?.id ?? null,
  };
}

/** What a route needs to know of a deal before it acts on it; undefined where the reader has none of this id. */
export async function readDealState(
  db: Kysely<DB>,
  scope: Scope,
  dealId: string,
): Promise<{ dealId: string; state: string; leadEntityId: string } | undefined> {
  const row = await visibleDeal(db, scope, dealId).executeTakeFirst();
  return row && { dealId: row.id, state: row.state, leadEntityId: row.lead_entity_id };
}

/** Proposed terms of the statement of work of one deal, the latest first; undefined where the reader has no such deal. */
export async function listSowProposals(
  db: Kysely<DB>,
  scope: Scope,
  dealId: string,
  page: PageRequest,
): Promise<Page<SowProposal> | undefined> {
  if ((await visibleDeal(db, scope, dealId).executeTakeFirst()) === undefined) return undefined;
  let query = proposals(db, scope, dealId);
  if (page.after) query = query.where('version', '<', Number(keyAt(page, 0)));
  const rows = await query.limit(page.limit + 1).execute();
  return pageOf(
    rows,
    page,
    (row) => [String(row.version)],
    (row) => ({
      proposalId: row.id,
      version: row.version,
      documentId: row.document_id,
      state: row.state as SowProposal['state'],
      proposedBy: row.proposed_by,
      proposedAt: row.proposed_at,
      discrepancies: row.discrepancies as TermDiscrepancy[],
    }),
  );
}

function proposals(db: Kysely<DB>, scope: Scope, dealId: string) {
  return db
    .selectFrom('sow_proposal')
    .innerJoin('deal', 'deal.id', 'sow_proposal.deal_id')
    .select(['sow_proposal.id', 'version', 'document_id', 'sow_proposal.state', 'proposed_by', 'proposed_at'])
    .select(discrepanciesInScope(scope).as('discrepancies'))
    .where('deal_id', '=', dealId)
    .orderBy('version', 'desc');
}

/** Who runs a line (`contract_line`) of the deal with this contract number: named for that deal, else for every deal. */
function managerOfLine(contractNumber: string) {
  return sql<string | null>`(
    select manager.user_id from line_manager as manager
     where manager.line_id = contract_line.line_id and manager.deal_alias in (${contractNumber}, '')
     order by manager.deal_alias desc limit 1)`;
}

/** The header of a deal, which every entity that takes part in it sees. */
function visibleDeal(db: Kysely<DB>, scope: Scope, dealId: string) {
  return db
    .selectFrom('deal')
    .select(HEADER)
    .where('id', '=', dealId)
    .where(inEntities(scope, sql`entity_ids`));
}

function summary(row: Pick<Selectable<DB['deal']>, (typeof HEADER)[number]>): DealSummary {
  return {
    id: row.id,
    name: row.name,
    state: row.state as DealState,
    stateSince: row.state_since,
    customerId: row.customer_id,
    contractNumber: row.contract_number,
    shortCode: row.short_code,
    projectCode: row.project_code,
    leadEntityId: row.lead_entity_id,
    entityIds: row.entity_ids,
    closedWonAt: row.closed_won_at,
    signedDate: row.signed_date,
    finishedAt: row.finished_at,
  };
}

/** The approval of a cancellation that was asked for under this id; undefined where none was. */
export async function cancellationRequestOf(
  db: Kysely<DB>,
  dealId: string,
  requestId: string,
): Promise<{ approvalId: string } | undefined> {
  return db
    .selectFrom('cancellation_request')
    .select('approval_id as approvalId')
    .where('id', '=', requestId)
    .where('deal_id', '=', dealId)
    .executeTakeFirst();
}
