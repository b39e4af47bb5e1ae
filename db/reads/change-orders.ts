import { sql, type Kysely } from 'kysely';
import { type Scope } from '../../domain/access';
import { type ModificationAnswers, type ModificationTreatment } from '../../domain/change/accounting';
import { type LineValue } from '../../domain/change/value';
import { type DealTerms } from '../../domain/deal/terms';
import { formatMoney } from '../../domain/money';
import { type OrderState } from '../change-orders';
import { type DB } from '../types';
import { lineInScope, termsInScope } from './deal-scope';
import { keyAt, type Page, pageOf, type PageRequest } from './page';

export interface ChangeOrderSummary {
  readonly id: string;
  readonly number: string;
  readonly title: string;
  readonly state: OrderState;
  readonly contractVersion: number;
  readonly appliedVersion: number | null;
  readonly approvalId: string;
  readonly requestedBy: string;
  readonly requestedAt: string;
  readonly settledAt: string | null;
  readonly outcome: { readonly code: string; readonly detail: string } | null;
}

/** A change order with what it changes and is worth on the lines in the reader's scope. */
export interface ChangeOrderDetail extends ChangeOrderSummary {
  readonly changes: readonly {
    readonly path: string;
    readonly lineId: string;
    readonly from: string | null;
    readonly to: unknown;
    readonly currency: string | null;
    readonly inForceFrom: string;
  }[];
  readonly values: readonly {
    readonly lineId: string;
    readonly before: string;
    readonly after: string;
    readonly difference: string;
    readonly currency: string;
  }[];
  readonly customerApproval: {
    readonly documentReference: string;
    readonly signedOn: string;
    readonly recordedBy: string;
    readonly recordedAt: string;
  } | null;
  readonly modificationAccounting: {
    readonly treatment: ModificationTreatment;
    readonly answers: ModificationAnswers;
    readonly answeredBy: string;
    readonly answeredAt: string;
  } | null;
}

/** Change orders of one deal that touch a line in the reader's scope, the last asked for first. */
export async function listChangeOrders(db: Kysely<DB>, scope: Scope, dealId: string, page: PageRequest): Promise<Page<ChangeOrderSummary>> {
  let query = visible(db, scope, dealId);
  if (page.after)
    query = query.where(sql<boolean>`(asked.requested_at, asked.id) < (${keyAt(page, 0)}::timestamptz, ${keyAt(page, 1)}::uuid)`);
  const rows = await query
    .orderBy('asked.requested_at', 'desc')
    .orderBy('asked.id', 'desc')
    .limit(page.limit + 1)
    .execute();
  return pageOf(rows, page, (row) => [row.requested_at, row.id], summary);
}

/** One change order; undefined where the reader sees none of this id. */
export async function readChangeOrder(db: Kysely<DB>, scope: Scope, dealId: string, id: string): Promise<ChangeOrderDetail | undefined> {
  const row = await visible(db, scope, dealId).where('asked.id', '=', id).executeTakeFirst();
  if (row === undefined) return undefined;
  const changes = await db
    .selectFrom('change_order_change as change')
    .innerJoin('contract_line as line', 'line.id', 'change.contract_line_id')
    .innerJoin('deal', 'deal.id', 'line.deal_id')
    .select(['change.path', 'line.line_id', 'value_before', 'value_after', 'change.currency', 'in_force_from'])
    .where('change.change_order_id', '=', id)
    .where(lineInScope(scope, sql`line.selling_entity_id`, sql`deal.lead_entity_id`))
    .orderBy('position')
    .execute();
  const lineIds = new Set(changes.map((change) => change.line_id));
  const values = row.line_values as readonly LineValue[];
  return {
    ...summary(row),
    changes: changes.map((change) => ({
      path: change.path,
      lineId: change.line_id,
      from: change.value_before,
      to: change.value_after,
      currency: change.currency,
      inForceFrom: change.in_force_from,
    })),
    values: values
      .filter((value) => lineIds.has(value.lineId))
      .map(({ lineId, before, after, difference }) => ({
        lineId,
        before: formatMoney(before),
        after: formatMoney(after),
        difference: formatMoney(difference),
        currency: after.currency,
      })),
    customerApproval: customerApproval(row),
    modificationAccounting: accounting(row),
  };
}

export interface ContractVersion {
  readonly version: number;
  readonly inForceFrom: string;
  readonly termsHash: string;
  readonly approvalId: string | null;
  readonly changeOrderId: string | null;
  readonly createdAt: string;
  readonly terms: DealTerms;
}

/** Versions of the contract, the one that governs first, each with the terms of the lines in the reader's scope. */
export async function listContractVersions(
  db: Kysely<DB>,
  scope: Scope,
  dealId: string,
  page: PageRequest,
): Promise<Page<ContractVersion>> {
  let query = db
    .selectFrom('contract_version as version')
    .innerJoin('deal', 'deal.id', 'version.deal_id')
    .select(['version.version', 'version.in_force_from', 'version.terms_hash', 'version.approval_id', 'change_order_id', 'created_at'])
    .select(termsInScope(scope, sql`version.terms`).as('terms'))
    .where('version.deal_id', '=', dealId);
  if (page.after) query = query.where('version.version', '<', Number(keyAt(page, 0)));
  const rows = await query
    .orderBy('version.version', 'desc')
    .limit(page.limit + 1)
    .execute();
  return pageOf(
    rows,
    page,
    (row) => [String(row.version)],
    (row) => ({
      version: row.version,
      inForceFrom: row.in_force_from,
      termsHash: row.terms_hash,
      approvalId: row.approval_id,
      changeOrderId: row.change_order_id,
      createdAt: row.created_at,
      terms: row.terms as DealTerms,
    }),
  );
}

/** Lines of a deal with the entities that sell them, for whoever asks for a change of them. */
export async function sellersOfLines(db: Kysely<DB>, dealId: string): Promise<ReadonlyMap<string, string>> {
  const rows = await db.selectFrom('contract_line').select(['line_id', 'selling_entity_id']).where('deal_id', '=', dealId).execute();
  return new Map(rows.map((row) => [row.line_id, row.selling_entity_id]));
}

function visible(db: Kysely<DB>, scope: Scope, dealId: string) {
  return db
    .selectFrom('change_order as asked')
    .innerJoin('deal', 'deal.id', 'asked.deal_id')
    .selectAll('asked')
    .where('asked.deal_id', '=', dealId)
    .where((eb) =>
      eb.exists(
        eb
          .selectFrom('change_order_change as change')
          .innerJoin('contract_line as line', 'line.id', 'change.contract_line_id')
          .select('change.position')
          .whereRef('change.change_order_id', '=', 'asked.id')
          .where(lineInScope(scope, sql`line.selling_entity_id`, sql`deal.lead_entity_id`)),
      ),
    );
}

type Row = Awaited<ReturnType<ReturnType<typeof visible>['executeTakeFirstOrThrow']>>;

function summary(row: Row): ChangeOrderSummary {
  return {
    id: row.id,
    number: row.number,
    title: row.title,
    state: row.state as OrderState,
    contractVersion: row.contract_version,
    appliedVersion: row.applied_version,
    approvalId: row.approval_id,
    requestedBy: row.requested_by,
    requestedAt: row.requested_at,
    settledAt: row.settled_at,
    outcome: row.outcome_code === null ? null : { code: row.outcome_code, detail: row.outcome_detail ?? '' },
  };
}

function customerApproval(row: Row): ChangeOrderDetail['customerApproval'] {
  const { customer_document: documentReference, customer_signed_on: signedOn, customer_recorded_at: recordedAt } = row;
  if (documentReference === null || signedOn === null || recordedAt === null) return null;
  return { documentReference, signedOn, recordedBy: row.customer_recorded_by ?? '', recordedAt };
}

function accounting(row: Row): ChangeOrderDetail['modificationAccounting'] {
  if (row.accounting_treatment === null || row.accounting_at === null) return null;
  return {
    treatment: row.accounting_treatment as ModificationTreatment,
    answers: row.accounting_answers as ModificationAnswers,
    answeredBy: row.accounting_by ?? '',
    answeredAt: row.accounting_at,
  };
}
