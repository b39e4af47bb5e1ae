import { sql, type Kysely, type RawBuilder } from 'kysely';
import { type DB } from '../types';

/** One thing that must agree, and the first places where it does not; amounts in minor units. */
export interface TieReport {
  readonly tie: string;
  readonly says: string;
  /** How many places were compared; a tie that compared nothing proves nothing. */
  readonly compared: number;
  readonly broken: readonly { readonly subject: string; readonly inBooks: string; readonly inFacts: string }[];
}

interface Tie {
  readonly tie: string;
  readonly says: string;
  /** Rows of (subject, in_books, in_facts), both in minor units. */
  readonly query: RawBuilder<unknown>;
}

const MOST_SHOWN = 20;

/** Balance of an account by entity and currency, beside what the facts say; a key that stands on one side only counts as zero on the other. */
function byEntity(account: string, sign: 1 | -1, facts: RawBuilder<unknown>): RawBuilder<unknown> {
  return sql`
    select coalesce(books.key, facts.key) as subject, coalesce(books.minor, 0) as in_books, coalesce(facts.minor, 0) as in_facts
      from (select entity_id || ' ' || currency as key, ${sql.lit(sign)} * sum(balance_minor) as minor from ledger
             where account_code = ${account} and book = 'primary' group by 1) as books
      full join (select entity_id || ' ' || currency as key, sum(minor) as minor from (${facts}) as fact group by 1) as facts
        on facts.key = books.key`;
}

const ISSUED = sql`invoice.state in ('issued', 'settled', 'credited')`;
const ofPayments = (column: RawBuilder<unknown>) =>
  sql`select entity_id, currency, ${column} as minor from payment where reversed_on is null`;
const ofApplications = (condition: RawBuilder<unknown>, sign: 1 | -1) => sql`
  select invoice.entity_id, invoice.currency, ${sql.lit(sign)} * application.amount_minor
    from payment_application as application join invoice on invoice.id = application.invoice_id
   where application.reversed_on is null and application.moved_on is null and ${condition}`;

const TIES: readonly Tie[] = [
  {
    tie: 'entries',
    says: 'every entry balances in each currency (I-03)',
    query: sql`select entry_id || ' ' || currency as subject, sum(debit_minor) as in_books, sum(credit_minor) as in_facts
                 from ledger group by entry_id, currency`,
  },
  {
    tie: 'trial-balance',
    says: 'the trial balance of each entity, book and currency sums to zero (I-03)',
    query: sql`select entity_id || ' ' || book || ' ' || currency as subject, sum(balance_minor) as in_books, 0 as in_facts
                 from ledger group by entity_id, book, currency`,
  },
  {
    tie: 'receivables',
    says: 'receivables are issued documents less what was paid and given up',
    query: byEntity(
      '1100',
      1,
      sql`select entity_id, currency, total_minor as minor from invoice where ${ISSUED} union all ${ofApplications(sql`true`, -1)}`,
    ),
  },
  {
    tie: 'open-invoices',
    says: 'what an invoice still owes is its total less what was credited, paid and given up',
    query: sql`
      select invoice.reference as subject, invoice.open_minor as in_books, invoice.total_minor + coalesce(credited.minor, 0) - coalesce(paid.minor, 0) as in_facts
        from invoice left join (select invoice_id, sum(amount_minor) as minor from payment_application
                                 where reversed_on is null and moved_on is null group by invoice_id) as paid on paid.invoice_id = invoice.id
        left join (select corrects_id, sum(total_minor) as minor from invoice where document_kind = 'credit-note'
                    group by corrects_id) as credited on credited.corrects_id = invoice.id
       where invoice.document_kind = 'invoice' and invoice.state = 'issued'`,
  },
  {
    tie: 'contract-balance',
    says: 'what a line is ahead of its billing is its revenue less what was billed, contract assets and liabilities together',
    query: sql`
      select line.id::text as subject, coalesce(books.position, 0) as in_books, coalesce(books.revenue, 0) - coalesce(billed.minor, 0) as in_facts
        from contract_line as line
        left join (select contract_line_id, sum(balance_minor) filter (where account_code in ('1200', '1250', '2100')) as position,
                          -sum(balance_minor) filter (where account_code = '4000') as revenue
                     from ledger where book = 'primary' and contract_line_id is not null group by contract_line_id) as books
          on books.contract_line_id = line.id
        left join (select contract_line_id, sum(net_minor) as minor from invoice where ${ISSUED} group by contract_line_id) as billed
          on billed.contract_line_id = line.id`,
  },
  {
    tie: 'positions',
    says: 'at the end of a closed month every contract balance is shown as asset or liability',
    query: sql`
      select line.contract_line_id || ' ' || closed.period as subject, line.minor as in_books, 0 as in_facts
        from (select entity_id, max(period) as period from accounting_period where state = 'closed' group by entity_id) as closed
       cross join lateral (select contract_line_id, sum(balance_minor) as minor from ledger
                            where ledger.entity_id = closed.entity_id and account_code = '1250' and posted_in <= closed.period
                              and contract_line_id is not null group by contract_line_id) as line`,
  },
  {
    tie: 'fixed-price',
    says: 'revenue of a fixed price never exceeds it (I-10)',
    query: sql`
      select line.id::text as subject, coalesce(earned.minor, 0) as in_books, least(coalesce(earned.minor, 0), fee.minor) as in_facts
        from contract_line as line
        join lateral (select sum(amount_minor) as minor from milestone where contract_line_id = line.id) as fee on true
        left join (select contract_line_id, sum(revenue_minor) as minor from revenue_by_line_month where book = 'primary'
                    group by contract_line_id) as earned on earned.contract_line_id = line.id
       where line.engagement_model = 'fixed-fee'`,
  },
  {
    tie: 'output-tax',
    says: 'output tax is the tax of issued documents',
    query: byEntity('2200', -1, sql`select entity_id, currency, tax_minor as minor from invoice where ${ISSUED}`),
  },
  {
    tie: 'on-account',
    says: 'the liability for money on account is what payments left there',
    query: byEntity('2300', -1, ofPayments(sql`on_account_minor`)),
  },
  { tie: 'bank', says: 'the bank holds the payments that did not come back', query: byEntity('1000', 1, ofPayments(sql`amount_minor`)) },
  {
    tie: 'bank-charges',
    says: 'bank charges are the rests that were given up',
    query: byEntity(
      '6100',
      1,
      sql`select entity_id, currency, minor from (${ofApplications(sql`application.kind = 'tolerance'`, 1)}) as given (entity_id, currency, minor)`,
    ),
  },
  {
    tie: 'periods',
    says: 'months close one after the other',
    query: sql`
      select later.entity_id || ' ' || later.period as subject, count(*) filter (where earlier.state <> 'closed') as in_books, 0 as in_facts
        from accounting_period as later join accounting_period as earlier
          on earlier.entity_id = later.entity_id and earlier.period < later.period
       where later.state = 'closed' group by later.entity_id, later.period`,
  },
];

/** Checks that the books tie to the facts and to themselves, by SQL alone (R-137, I-03, I-10). */
export async function verifyBooks(db: Kysely<DB>): Promise<{ readonly valid: boolean; readonly ties: readonly TieReport[] }> {
  const ties: TieReport[] = [];
  for (const { tie, says, query } of TIES) {
    const { rows } = await sql<{ compared: string; broken: { subject: string; inBooks: string; inFacts: string }[] | null }>`
      with compared as (${query}),
           broken as (select subject, in_books::text as "inBooks", in_facts::text as "inFacts" from compared
                       where in_books is distinct from in_facts order by subject limit ${MOST_SHOWN})
      select (select count(*) from compared)::text as compared, (select json_agg(broken) from broken) as broken`.execute(db);
    ties.push({ tie, says, compared: Number(rows[0]?.compared ?? 0), broken: rows[0]?.broken ?? [] });
  }
  return { valid: ties.every(({ broken }) => broken.length === 0), ties };
}
