import { sql, type Kysely, type Selectable } from 'kysely';
import { missingForBaseline, type MissingItem } from '../../domain/deal/handoff';
import { type DealAlias, type DealTerms, type TermDiscrepancy } from '../../domain/deal/terms';
import { type Scope } from '../../domain/access';
import { inEntities } from '../entity-scope';
import { masterFacts } from '../parties';
import { type DB } from '../types';
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

/** Deals in the reader's scope, the last won first. */
export async function listDeals(
  db: Kysely<DB>,
  scope: Scope,
  filter: { readonly state?: string | undefined },
  page: PageRequest,
): Promise<Page<DealSummary>> {
  let query = db
    .selectFrom('deal')
    .selectAll()
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

/** One deal with its terms, names, lines, and what its handoff lacks; undefined where the reader has none of this id. */
export async function readDeal(db: Kysely<DB>, scope: Scope, dealId: string): Promise<DealDetail | undefined> {
  const row = await visibleDeal(db, scope, dealId);
  if (row === undefined) return undefined;
  const terms = row.terms as DealTerms;
  const aliases = await db
    .selectFrom('deal_alias')
    .selectAll()
    .where('deal_id', '=', dealId)
    .orderBy('source')
    .orderBy('external_id')
    .execute();
  const lines = await db.selectFrom('contract_line').selectAll().where('deal_id', '=', dealId).orderBy('line_id').execute();
  const project = await db.selectFrom('project').select('id').where('deal_id', '=', dealId).executeTakeFirst();
  const [proposal] = await proposals(db, dealId).limit(1).execute();
  return {
    ...summary(row),
    sellerId: row.seller_id,
    deliveryLeadId: row.delivery_lead_id,
    revision: row.revision,
    terms,
    termsHash: row.terms_hash,
    governingTerms: row.governing_terms as DealTerms | null,
    discrepancies: (proposal?.discrepancies ?? []) as TermDiscrepancy[],
    missing: row.state === 'handoff' ? missingForBaseline(terms, await masterFacts(db, terms, row.closed_won_at)) : [],
    aliases: aliases.map((alias) => ({ source: alias.source, externalId: alias.external_id })),
    contractLines: lines.map((line) => ({
      id: line.id,
      lineId: line.line_id,
      name: line.name,
      engagementModel: line.engagement_model,
      state: line.state,
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
  const row = await visibleDeal(db, scope, dealId);
  return row && { dealId: row.id, state: row.state, leadEntityId: row.lead_entity_id };
}

/** Proposed terms of the statement of work of one deal, the latest first; undefined where the reader has no such deal. */
export async function listSowProposals(
  db: Kysely<DB>,
  scope: Scope,
  dealId: string,
  page: PageRequest,
): Promise<Page<SowProposal> | undefined> {
  if ((await visibleDeal(db, scope, dealId)) === undefined) return undefined;
  let query = proposals(db, dealId);
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

function proposals(db: Kysely<DB>, dealId: string) {
  return db.selectFrom('sow_proposal').selectAll().where('deal_id', '=', dealId).orderBy('version', 'desc');
}

function visibleDeal(db: Kysely<DB>, scope: Scope, dealId: string) {
  return db
    .selectFrom('deal')
    .selectAll()
    .where('id', '=', dealId)
    .where(inEntities(scope, sql`entity_ids`))
    .executeTakeFirst();
}

function summary(row: Selectable<DB['deal']>): DealSummary {
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
