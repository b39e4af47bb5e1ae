-- Time and materials: the price that was taken, what runs billed and left, what finance gave up, and findings that end.

create table time_price (
  entry_id text primary key references time_entry (entry_id),
  contract_line_id uuid not null references contract_line (id),
  contract_version integer not null,
  rate_id text not null references rate (id),
  card_id text not null,
  card_version text not null,
  scope text not null check (scope in ('contract', 'customer', 'entity', 'global')),
  score integer not null,
  rate numeric not null,
  uplift_percent numeric not null,
  unit_price numeric not null,
  currency text not null,
  amount_minor bigint not null check (amount_minor >= 0),
  frozen_at timestamptz not null
);
create index time_price_line on time_price (contract_line_id);
comment on table time_price is 'The price of an entry and the rule that won (S-04 to S-06), frozen with the run that bills or parks it (I-06).';

create table expense_price (
  expense_id text primary key references expense (expense_id),
  contract_line_id uuid not null references contract_line (id),
  currency text not null,
  amount_minor bigint not null,
  rate_numerator numeric not null,
  rate_denominator numeric not null,
  rate_as_of date not null,
  frozen_at timestamptz not null
);
create index expense_price_line on expense_price (contract_line_id);
comment on table expense_price is 'What a billed expense costs the customer and the rate of exchange it was converted at (S-24, S-25).';

alter table invoice_line
  add column person_id text references person (id),
  add column role_code text,
  add column rate_id text references rate (id);
comment on column invoice_line.person_id is 'Whose work the line bills; documents join the name, the description has none (I-15).';
comment on column invoice_line.rate_id is 'The rate that priced the line; null where its entries have several of the same price.';

alter table invoiced_item
  add column entry_id text references time_entry (entry_id),
  add column part integer check (part > 0),
  add column expense_id text references expense (expense_id);
update invoiced_item as item
set entry_id = entry.entry_id, part = 1
from invoice, time_entry as entry
where invoice.id = item.invoice_id and item.item_kind = 'time-entry'
  and entry.contract_line_id = invoice.contract_line_id and item.item_id = invoice.contract_line_id || '/' || entry.entry_id;
update invoiced_item as item
set entry_id = entry.entry_id, part = substring(item.item_id from '/(\d+)$')::integer
from invoice, time_entry as entry
where invoice.id = item.invoice_id and item.item_kind = 'time-entry' and item.entry_id is null
  and entry.contract_line_id = invoice.contract_line_id
  and regexp_replace(item.item_id, '/\d+$', '') = invoice.contract_line_id || '/' || entry.entry_id;
alter table invoiced_item add check ((entry_id is null) = (part is null));
create index invoiced_item_entry on invoiced_item (entry_id) where entry_id is not null;
create index invoiced_item_expense on invoiced_item (expense_id) where expense_id is not null;

create table period_run (
  id uuid primary key,
  contract_line_id uuid not null references contract_line (id),
  billing_plan_item_id uuid not null references billing_plan_item (id),
  period text not null check (period ~ '^\d{4}-(0[1-9]|1[0-2])$'),
  invoice_id uuid references invoice (id),
  currency text not null,
  limit_minor bigint,
  billed_fees_minor bigint not null check (billed_fees_minor >= 0),
  billed_to_date_minor bigint not null,
  released_minor bigint not null check (released_minor >= 0),
  newly_parked_minor bigint not null check (newly_parked_minor >= 0),
  parked_after_minor bigint not null check (parked_after_minor >= 0),
  soft_limit_entry_id text references time_entry (entry_id),
  run_at timestamptz not null,
  void_at timestamptz,
  check (limit_minor is null or billed_fees_minor = 0 or billed_to_date_minor <= limit_minor)
);
create unique index period_run_once on period_run (billing_plan_item_id) where void_at is null;
create index period_run_line on period_run (contract_line_id, period);
comment on table period_run is 'What a run of a month billed and left behind (S-15, S-16); void where its draft was, because then the month is run anew.';

create table parked_time (
  run_id uuid not null references period_run (id),
  entry_id text not null references time_entry (entry_id),
  amount_minor bigint not null check (amount_minor >= 0),
  hours numeric not null check (hours >= 0),
  primary key (run_id, entry_id)
);
create index parked_time_entry on parked_time (entry_id);
comment on table parked_time is 'What a run left of an entry because the limit was reached (S-15).';

alter table overage_waiver rename to billing_waiver;
alter index overage_waiver_line rename to billing_waiver_line;
alter table billing_waiver
  add column kind text not null default 'overage' check (kind in ('overage', 'parked-time', 'unbilled-time', 'unbilled-expenses')),
  add column amount_minor bigint,
  add column currency text,
  alter column period drop not null,
  alter column hours drop not null,
  add check ((kind = 'overage') = (period is not null and hours is not null)),
  add check ((kind = 'overage') = (amount_minor is null and currency is null));
alter table billing_waiver alter column kind drop default;
comment on table billing_waiver is 'Decisions of finance not to bill: overage hours of a month of work (negative ones stay billed), or time and expenses of a line.';
create table waived_item (
  id uuid primary key,
  waiver_id text not null references billing_waiver (id),
  entry_id text references time_entry (entry_id),
  expense_id text references expense (expense_id),
  amount_minor bigint not null check (amount_minor >= 0),
  hours numeric check (hours >= 0),
  unique (waiver_id, entry_id, expense_id),
  check ((entry_id is null) <> (expense_id is null)),
  check ((entry_id is null) = (hours is null))
);
create index waived_item_entry on waived_item (entry_id) where entry_id is not null;
create index waived_item_expense on waived_item (expense_id) where expense_id is not null;
comment on table waived_item is 'What of an entry or expense is never billed.';

create view parked_entry as
  select price.contract_line_id, price.entry_id, entry.person_id, entry.work_date, price.currency,
         price.amount_minor - gone.amount_minor as amount_minor, entry.hours - gone.hours as hours
    from time_price as price
    join time_entry as entry on entry.entry_id = price.entry_id
   cross join lateral (
     select coalesce(sum(part.amount_minor), 0)::bigint as amount_minor, coalesce(sum(part.hours), 0) as hours
       from (select item.amount_minor, item.hours from invoiced_item as item
              where item.entry_id = price.entry_id and item.credited_by is null
             union all
             select waived.amount_minor, waived.hours from waived_item as waived where waived.entry_id = price.entry_id) as part
   ) as gone
   where gone.amount_minor < price.amount_minor
     and exists (select from parked_time as parked join period_run as run on run.id = parked.run_id
                  where parked.entry_id = price.entry_id and run.void_at is null);
comment on view parked_entry is 'Time beyond the limit of its line as it stands: what is neither billed nor waived of an entry that a run parked (S-15).';

alter table policy_finding
  add column person_id text not null references person (id),
  add column entity_ids text[] not null,
  add column closed_at timestamptz;
create index policy_finding_open on policy_finding (deal_id, person_id) where closed_at is null;
create index policy_finding_blocking on policy_finding (reference) where blocking and closed_at is null;
comment on column policy_finding.entity_ids is 'Whose readers see it: the entities concerned and the lead entity of the deal.';
comment on column policy_finding.closed_at is 'Since when it no longer holds: the record was rejected or the breach cured. It is kept, and opened again where it comes back.';

create table policy_review (
  deal_id uuid not null references deal (id),
  kind text not null check (kind in ('time', 'expense')),
  person_id text not null references person (id),
  primary key (deal_id, kind, person_id)
);
comment on table policy_review is 'People whose time or expenses came since they were judged by policy.';
