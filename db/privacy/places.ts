import { sql, type RawBuilder } from 'kysely';
import { type DealPlace } from '../../domain/privacy/entry';

/**
 * The deal to which a row (alias `t`) belongs, as an expression of type uuid; null where it belongs to none. Of several deals of one project code
 * it is one under a hold, where any is.
 */
export function dealOf(place: DealPlace): RawBuilder<string | null> {
  switch (place) {
    case 'id':
    case 'deal_id':
      return sql`t.${sql.ref(place)}`;
    case 'contract_line_id':
      return sql`(select line.deal_id from contract_line as line where line.id = t.contract_line_id)`;
    case 'project_code':
      return sql`(select deal.id from deal left join held_deal as held on held.deal_id = deal.id where deal.project_code = t.project_code
                   order by held.deal_id nulls last, deal.id limit 1)`;
    case 'subject':
      return dealOfSubject;
  }
}

const named = sql`split_part(t.subject, '/', 2)`;

/** Subjects of words name a run or a thing: `deal/<id>`, `approval/<id>`, `invoice/<id>`, `correction/<invoice id>`, `line/<id>/…`, `change-order/<id>`. */
const dealOfSubject = sql<string | null>`case split_part(t.subject, '/', 1)
    when 'deal' then (select deal.id from deal where deal.id::text = ${named})
    when 'approval' then (select approval.deal_id from approval where approval.id::text = ${named})
    when 'invoice' then (select invoice.deal_id from invoice where invoice.id::text = ${named})
    when 'correction' then (select invoice.deal_id from invoice where invoice.id::text = ${named})
    when 'line' then (select line.deal_id from contract_line as line where line.id::text = ${named})
    when 'exception' then (select trouble.deal_id from process_exception as trouble where trouble.id::text = ${named})
    when 'break-glass' then (select approval.deal_id from break_glass join approval on approval.id = break_glass.approval_id where break_glass.id = ${named})
    when 'change-order' then (select change_order.deal_id from change_order where change_order.id::text = ${named})
  end`;
