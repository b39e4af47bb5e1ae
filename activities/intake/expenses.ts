import { sql } from 'kysely';
import { type ReportedFact } from './rows';

/** Money that was spent, by expense; amounts are minor units of their currency. */
export const EXPENSE: ReportedFact = {
  table: 'expense',
  key: 'expense_id',
  columns: {
    report_id: 'text',
    person_id: 'text',
    line_id: 'text',
    spend_date: 'date',
    country: 'text',
    category: 'text',
    quantity: 'numeric',
    unit: 'text',
    currency: 'text',
    amount_gross: 'bigint',
    recoverable_tax: 'bigint',
    receipt: 'boolean',
    justification: 'text',
    billable: 'boolean',
  },
  named: (dealId) => sql`line as materialized (select id, line_id from contract_line where deal_id = ${dealId})`,
  references: sql`
    left join person on person.id = incoming.person_id and person.erased_at is null
    left join line on line.line_id = incoming.line_id`,
  unresolved: sql`case
    when person.id is null then array['person_id', 'PersonUnknown', incoming.person_id || ' is nobody we know']
    when line.id is null then array['line_id', 'LineUnknown', incoming.line_id || ' is no line of the deal']
    end`,
  content: {
    contract_line_id: sql`line.id`,
    report_id: sql`incoming.report_id`,
    person_id: sql`incoming.person_id`,
    spend_date: sql`incoming.spend_date`,
    country: sql`incoming.country`,
    category: sql`incoming.category`,
    quantity: sql`incoming.quantity`,
    unit: sql`incoming.unit`,
    currency: sql`incoming.currency`,
    amount_gross_minor: sql`incoming.amount_gross`,
    recoverable_tax_minor: sql`incoming.recoverable_tax`,
    receipt: sql`incoming.receipt`,
    justification: sql`incoming.justification`,
    billable: sql`incoming.billable`,
  },
  changedCode: 'ExpenseChanged',
  judgedAs: 'expense',
};
