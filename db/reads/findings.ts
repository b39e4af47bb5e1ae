import { sql, type Kysely } from 'kysely';
import { type Scope } from '../../domain/access';
import { inEntities } from '../entity-scope';
import { type DB } from '../types';
import { keyAt, pageOf, type Page, type PageRequest } from './page';

export interface FindingView {
  readonly kind: 'time' | 'expense';
  readonly code: string;
  readonly reference: string;
  readonly blocking: boolean;
  readonly lineId: string | null;
  readonly personId: string;
  readonly firstSeenAt: string;
  readonly closedAt: string | null;
}

export interface FindingFilter {
  readonly kind?: 'time' | 'expense' | undefined;
  readonly code?: string | undefined;
  readonly state?: 'open' | 'closed' | 'breach' | undefined;
}

/** What policy says about the time and expenses of a deal, by kind, code and reference, as far as a reader sees the entities concerned (S-20 to S-23). */
export async function listFindings(
  db: Kysely<DB>,
  scope: Scope,
  dealId: string,
  filter: FindingFilter,
  page: PageRequest,
): Promise<Page<FindingView>> {
  let query = db
    .selectFrom('policy_finding as finding')
    .leftJoin('contract_line as line', 'line.id', 'finding.contract_line_id')
    .selectAll('finding')
    .select('line.line_id as lineId')
    .where('finding.deal_id', '=', dealId)
    .where(inEntities(scope, sql`finding.entity_ids`))
    .orderBy('finding.kind')
    .orderBy('finding.code')
    .orderBy('finding.reference')
    .limit(page.limit + 1);
  if (filter.kind !== undefined) query = query.where('finding.kind', '=', filter.kind);
  if (filter.code !== undefined) query = query.where('finding.code', '=', filter.code);
  if (filter.state === 'breach')
    query = query.where('finding.id', 'in', db.selectFrom('policy_breach').select('id').where('deal_id', '=', dealId));
  else if (filter.state !== undefined) query = query.where('finding.closed_at', filter.state === 'open' ? 'is' : 'is not', null);
  if (page.after !== null)
    query = query.where(
      sql<boolean>`(finding.kind, finding.code, finding.reference) > (${keyAt(page, 0)}, ${keyAt(page, 1)}, ${keyAt(page, 2)})`,
    );
  return pageOf(
    await query.execute(),
    page,
    (row) => [row.kind, row.code, row.reference],
    (row) => ({
      kind: row.kind as FindingView['kind'],
      code: row.code,
      reference: row.reference,
      blocking: row.blocking,
      lineId: row.lineId,
      personId: row.person_id,
      firstSeenAt: row.first_seen_at,
      closedAt: row.closed_at,
    }),
  );
}
