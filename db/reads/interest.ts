import { sql, type Kysely } from 'kysely';
import { type Scope } from '../../domain/access';
import { interestOn } from '../../domain/collections/interest';
import { type LocalDate } from '../../domain/deal/terms';
import { formatMoney } from '../../domain/money';
import { inEntities } from '../entity-scope';
import { type DB } from '../types';
import { keyAt, type Page, pageOf, type PageRequest } from './page';

export interface InterestView {
  readonly invoiceId: string;
  readonly reference: string;
  readonly entityId: string;
  readonly billToId: string;
  readonly currency: string;
  readonly percentPerYear: string;
  readonly interest: string;
}

interface LateInvoice {
  readonly id: string;
  readonly reference: string;
  readonly entity_id: string;
  readonly bill_to_id: string;
  readonly currency: string;
  readonly issue_date: string;
  readonly due_date: string;
  readonly total_minor: number;
  readonly percent: string;
  readonly reductions: readonly { readonly on: string; readonly amountMinor: number }[];
}

/**
 * Interest of invoices that were or are open after their due date, as of the end of a day, at the percent of the contract version that billed
 * them (R-077, S-34). Payments that came back by that day never were; what a credit note of its own settled counts as paid on its day, and what was credited as
 * never owed. A rebill keeps the start of interest, and what was paid on the invoice before it its day (R-213, R-214).
 */
export async function listInterest(
  db: Kysely<DB>,
  scope: Scope,
  filter: { readonly entityId?: string | undefined; readonly dealId?: string },
  asOf: LocalDate,
  page: PageRequest,
): Promise<Page<InterestView>> {
  const { rows } = await sql<LateInvoice>`
    with late as (
      select invoice.*, version.terms ->> 'lateInterestPercentPerYear' as percent
        from invoice join contract_version as version
          on version.deal_id = invoice.deal_id and version.version = invoice.contract_version
       where invoice.document_kind = 'invoice' and invoice.state in ('issued', 'settled', 'credited')
         and (invoice.credited_on is null or invoice.credited_on > ${asOf}) and invoice.issue_date <= ${asOf} and invoice.due_date < ${asOf}
         and ${inEntities(scope, sql`array[invoice.entity_id]`)}
         and (${filter.entityId ?? null}::text is null or invoice.entity_id = ${filter.entityId ?? null})
         and (${filter.dealId ?? null}::uuid is null or invoice.deal_id = ${filter.dealId ?? null}::uuid)
         and (${page.after === null} or invoice.reference > ${page.after === null ? '' : keyAt(page, 0)})
         and (invoice.state <> 'settled' or invoice.settled_at >= (invoice.due_date + 1)::timestamptz
              or exists (select from payment_application as paid where paid.invoice_id = invoice.id and paid.applied_on > invoice.due_date))
    )
    select late.id, late.reference, late.entity_id, late.bill_to_id, late.currency, late.issue_date, late.due_date, late.total_minor, late.percent,
           coalesce(paid.parts, '[]'::json) as reductions
      from late
      left join lateral (
        select json_agg(json_build_object('on', part.on, 'amountMinor', part.minor)) as parts
          from (
            select applied_on as on, amount_minor as minor from payment_application
             where invoice_id = late.id and coalesce(moved_in_on, applied_on) <= ${asOf} and (reversed_on is null or reversed_on > ${asOf})
               and (moved_on is null or moved_on > ${asOf})
            union all
            select late.issue_date, -total_minor from invoice as credit
             where credit.corrects_id = late.id and credit.document_kind = 'credit-note' and credit.issue_date <= ${asOf}
            union all
            select late.settled_at::date, late.total_minor - coalesce((
                     select sum(amount_minor) from payment_application
                      where invoice_id = late.id and reversed_on is null and moved_on is null), 0)
                   + coalesce((select sum(total_minor) from invoice as credit
                                where credit.corrects_id = late.id and credit.document_kind = 'credit-note'), 0)
             where late.state = 'settled' and late.settled_at::date <= ${asOf}::date
          ) as part where part.minor <> 0
      ) as paid on true
     where late.percent is not null
     order by late.reference limit ${page.limit + 1}`.execute(db);
  return pageOf(
    rows,
    page,
    (row) => [row.reference],
    (row) => {
      const receivable = {
        invoiceId: row.id,
        reference: row.reference,
        billToId: row.bill_to_id,
        currency: row.currency,
        issueDate: row.issue_date,
        dueDate: row.due_date,
        totalMinor: row.total_minor,
        reductions: row.reductions,
      };
      return {
        invoiceId: row.id,
        reference: row.reference,
        entityId: row.entity_id,
        billToId: row.bill_to_id,
        currency: row.currency,
        percentPerYear: row.percent,
        interest: formatMoney(interestOn(receivable, row.percent, asOf)),
      };
    },
  );
}
