-- Disputes of issued invoices, and their correction by credit and rebill.

alter table invoice
  drop constraint invoice_state_check,
  drop constraint invoice_check1,
  drop constraint invoice_check2,
  add column corrects_id uuid references invoice (id),
  add column root_id uuid references invoice (id),
  add column correction_id text,
  add column credited_on date,
  add constraint invoice_state_check check (state in ('draft', 'approved', 'issued', 'settled', 'credited', 'void')),
  add constraint invoice_numbered check (
    (state in ('issued', 'settled', 'credited')) = (number is not null and issue_date is not null and due_date is not null)),
  add constraint invoice_ended_owes_nothing check (state not in ('settled', 'credited') or open_minor = 0),
  add constraint invoice_credited check ((state = 'credited') = (credited_on is not null)),
  add constraint invoice_correcting check ((corrects_id is null) = (correction_id is null) and (corrects_id is null) = (root_id is null));
create index invoice_corrects on invoice (corrects_id) where corrects_id is not null;
create index invoice_root on invoice (root_id) where root_id is not null;
comment on column invoice.corrects_id is 'The invoice that this credit note takes back or this rebill bills once more (S-35).';
comment on column invoice.root_id is 'The first invoice of the chain: references and counts go on from it (S-13).';
comment on column invoice.credited_on is 'Since when nothing of it stands any more.';

alter table invoice_line add column corrects_position integer;
comment on column invoice_line.corrects_position is 'Of a credit note: the line of the invoice that it takes something off.';

create table invoice_dispute (
  id text primary key references collection_hold (id),
  invoice_id uuid not null references invoice (id),
  reference text,
  amount_minor bigint check (amount_minor > 0),
  reason_code text not null,
  reason_id uuid not null references free_text (id),
  owner_role text not null,
  raised_by text not null,
  raised_at timestamptz not null,
  outcome text check (outcome in ('rejected', 'upheld', 'upheld-in-part')),
  not_billable jsonb not null default '[]',
  resolved_by text,
  resolved_at timestamptz,
  resolution_id uuid references free_text (id),
  check ((outcome is null) = (resolved_by is null) and (outcome is null) = (resolved_at is null))
);
create index invoice_dispute_invoice on invoice_dispute (invoice_id);
comment on column invoice_dispute.reference is 'What the customer or the caller calls it.';
comment on table invoice_dispute is 'What a customer does not accept of an invoice, and what was found; its hold stops dunning (S-35, S-43).';

create table invoice_correction (
  id text primary key,
  invoice_id uuid not null references invoice (id),
  root_id uuid not null references invoice (id),
  deal_id uuid not null references deal (id),
  contract_line_id uuid not null references contract_line (id),
  entity_id text not null references legal_entity (id),
  kind text not null check (kind in ('full', 'partial', 'release')),
  state text not null check (state in ('requested', 'approved', 'issued', 'refused', 'withdrawn', 'outdated')),
  dispute_id text references invoice_dispute (id),
  reason_code text not null,
  reason_id uuid references free_text (id),
  request jsonb not null,
  requested_by text not null,
  requested_at timestamptz not null,
  approval_id uuid not null unique,
  value_minor bigint not null,
  earlier_minor bigint not null,
  value_currency text not null,
  issue_at timestamptz,
  issue_date date,
  ended_at timestamptz,
  check ((state in ('requested', 'approved')) = (ended_at is null)),
  check (state not in ('approved', 'issued') or (issue_at is not null and issue_date is not null))
);
create unique index invoice_correction_once on invoice_correction (invoice_id) where state in ('requested', 'approved');
create index invoice_correction_line on invoice_correction (contract_line_id, requested_at);
comment on index invoice_correction_once is 'One correction of an invoice after the other: each is of what the one before left.';
alter table invoice add foreign key (correction_id) references invoice_correction (id);

create table credited_thing (
  correction_id text not null references invoice_correction (id),
  ordinal integer not null,
  invoice_id uuid not null,
  position integer not null,
  invoiced_item_id uuid references invoiced_item (id),
  fate text not null check (fate in ('rebill', 'waive', 'hold')),
  entry_id text references time_entry (entry_id),
  expense_id text references expense (expense_id),
  amount_minor bigint not null,
  hours numeric,
  released_by text references invoice_correction (id),
  primary key (correction_id, ordinal),
  foreign key (invoice_id, position) references invoice_line (invoice_id, position)
);
create index credited_thing_entry on credited_thing (entry_id) where entry_id is not null and fate <> 'rebill';
create index credited_thing_expense on credited_thing (expense_id) where expense_id is not null and fate <> 'rebill';
create index credited_thing_held on credited_thing (invoice_id) where fate = 'hold';
comment on table credited_thing is 'What a credit says of each thing it takes off an invoice: billed once more, never again, or kept back until it is released (I-05).';

alter table payment_application
  add column moved_on date,
  add column moved_by text references invoice_correction (id),
  add column moved_from uuid references payment_application (id),
  add column moved_in_on date,
  add check ((moved_on is null) = (moved_by is null)),
  add check ((moved_from is null) = (moved_in_on is null)),
  add check (moved_on is null or reversed_on is null);
comment on column payment_application.moved_on is 'Since when it does not stand on this invoice any more, because a correction took it along.';
comment on column payment_application.moved_in_on is 'Since when it stands on this invoice; applied_on stays the day on which it was paid.';

create table payment_excess (
  payment_id uuid not null references payment (id),
  correction_id text not null references invoice_correction (id),
  amount_minor bigint not null check (amount_minor > 0),
  moved_on date not null,
  primary key (payment_id, correction_id)
);
comment on table payment_excess is 'What a correction left of a payment: part of its money on account since that day.';

create or replace view parked_entry as
  select price.contract_line_id, price.entry_id, entry.person_id, entry.work_date, price.currency,
         price.amount_minor - gone.amount_minor as amount_minor, entry.hours - gone.hours as hours
    from time_price as price
    join time_entry as entry on entry.entry_id = price.entry_id
   cross join lateral (
     select coalesce(sum(part.amount_minor), 0)::bigint as amount_minor, coalesce(sum(part.hours), 0) as hours
       from (select item.amount_minor, item.hours from invoiced_item as item
              where item.entry_id = price.entry_id and item.credited_by is null
             union all
             select waived.amount_minor, waived.hours from waived_item as waived where waived.entry_id = price.entry_id
             union all
             select thing.amount_minor, thing.hours from credited_thing as thing
              where thing.entry_id = price.entry_id and thing.fate <> 'rebill') as part
   ) as gone
   where gone.amount_minor < price.amount_minor
     and exists (select from parked_time as parked join period_run as run on run.id = parked.run_id
                  where parked.entry_id = price.entry_id and run.void_at is null);

create or replace view revenue_by_line_month as
  select line.contract_line_id, entry.book, line.currency, coalesce(entry.concerns_month, to_char(entry.date, 'YYYY-MM')) as month,
         to_char(entry.date, 'YYYY-MM') as posted_in, sum(line.credit_minor - line.debit_minor)::bigint as revenue_minor,
         entry.entry_key like 'revenue-corrected/%' as is_correction
    from journal_entry as entry join journal_line as line on line.entry_id = entry.id
   where line.account_code = '4000' and line.contract_line_id is not null
   group by line.contract_line_id, entry.book, line.currency, coalesce(entry.concerns_month, to_char(entry.date, 'YYYY-MM')),
            to_char(entry.date, 'YYYY-MM'), entry.entry_key like 'revenue-corrected/%';
comment on view revenue_by_line_month is 'Revenue as posted: the month it is about and the month it stands in (S-45); what corrections changed stands apart (S-35).';

create or replace view contract_balance as
  select line.id as contract_line_id, line.deal_id, line.line_id, line.selling_entity_id as entity_id, line.currency, period.period as month,
         period.state as period_state, earned.minor as revenue_to_date_minor, billed.minor as billed_to_date_minor,
         greatest(earned.minor - billed.minor, 0) as contract_asset_minor,
         greatest(billed.minor - earned.minor, 0) as contract_liability_minor
    from contract_line as line
    join accounting_period as period on period.entity_id = line.selling_entity_id and period.state <> 'open'
   cross join lateral (
     select coalesce(sum(revenue_minor), 0)::bigint as minor from revenue_by_line_month
      where contract_line_id = line.id and book = 'primary' and posted_in <= period.period) as earned
   cross join lateral (
     select coalesce(sum(net_minor), 0)::bigint as minor from invoice
      where contract_line_id = line.id and state in ('issued', 'settled', 'credited')
        and issue_date < to_date(period.period, 'YYYY-MM') + interval '1 month') as billed;
