-- Books: when an entity's books run, periods that close, forecasts of cost, months that late entries concern, and views on all of it.

create table entity_books (
  entity_id text primary key references legal_entity (id),
  state text not null check (state in ('open', 'resting')),
  first_period text not null check (first_period ~ '^\d{4}-(0[1-9]|1[0-2])$'),
  openings integer not null default 1 check (openings > 0)
);
comment on table entity_books is 'Whether months of an entity are still to be closed; a contract line of an entity at rest opens its books again.';

create table accounting_period (
  entity_id text not null references legal_entity (id),
  period text not null check (period ~ '^\d{4}-(0[1-9]|1[0-2])$'),
  state text not null check (state in ('open', 'soft-closed', 'closed')),
  opened_at timestamptz not null,
  soft_closed_at timestamptz,
  soft_closed_by text,
  closed_at timestamptz,
  closed_by text,
  primary key (entity_id, period),
  check ((state = 'open') = (soft_closed_at is null)),
  check ((state = 'closed') = (closed_at is not null)),
  check ((soft_closed_at is null) = (soft_closed_by is null)),
  check ((closed_at is null) = (closed_by is null))
);
comment on table accounting_period is 'Soft-closed: the revenue of the month is recognised, what comes late concerns it in a later one. Closed: nothing is posted there any more.';

-- Postings of an entity hold this lock together, the close of a month holds it alone.
create function books_lock(entity text) returns bigint language sql immutable as $$ select hashtextextended('books/' || entity, 0) $$;

create function accounting_period_moves() returns trigger language plpgsql as $$
begin
  if tg_op = 'DELETE' or tg_op = 'UPDATE' and (old.entity_id, old.period) is distinct from (new.entity_id, new.period) then
    raise exception 'an accounting period stays' using errcode = 'check_violation';
  end if;
  if tg_op = 'UPDATE' and array_position(array['open', 'soft-closed', 'closed'], new.state)
      < array_position(array['open', 'soft-closed', 'closed'], old.state) then
    raise exception 'period % of % is % and is not reopened', old.period, old.entity_id, old.state using errcode = 'check_violation';
  end if;
  if new.state = 'closed' then
    perform pg_advisory_xact_lock(books_lock(new.entity_id));
    if exists (select from accounting_period where entity_id = new.entity_id and period < new.period and state <> 'closed') then
      raise exception 'period % of % is closed after the ones before it', new.period, new.entity_id using errcode = 'check_violation';
    end if;
  end if;
  return new;
end $$;
create trigger accounting_period_moves before insert or update or delete on accounting_period
  for each row execute function accounting_period_moves();

alter table journal_entry add column concerns_month text check (concerns_month ~ '^\d{4}-(0[1-9]|1[0-2])$');
comment on column journal_entry.concerns_month is 'The month that an entry is about where it is not posted there, because that month was closed, or where it is revenue.';

create function journal_entry_period_open() returns trigger language plpgsql as $$
begin
  perform pg_advisory_xact_lock_shared(books_lock(new.entity_id));
  if exists (select from accounting_period
              where entity_id = new.entity_id and state = 'closed' and period >= to_char(new.date, 'YYYY-MM')) then
    raise exception 'the month of % is closed in the books of %', new.date, new.entity_id using errcode = 'check_violation';
  end if;
  return new;
end $$;
create trigger journal_entry_period_open before insert on journal_entry for each row execute function journal_entry_period_open();

-- The date itself where its month takes postings, else the first day of the first month that does.
create function posting_date(entity text, wanted date) returns date language plpgsql as $$
declare
  last_closed text;
begin
  perform pg_advisory_xact_lock_shared(books_lock(entity));
  select max(period) into last_closed from accounting_period
   where entity_id = entity and state = 'closed' and period >= to_char(wanted, 'YYYY-MM');
  return case when last_closed is null then wanted else (to_date(last_closed, 'YYYY-MM') + interval '1 month')::date end;
end $$;

create table cost_forecast (
  contract_line_id uuid not null references contract_line (id),
  as_of date not null,
  measure text not null check (measure in ('cost', 'hours')),
  estimate_to_complete numeric not null check (estimate_to_complete >= 0),
  currency text,
  stated_by text not null,
  stated_at timestamptz not null,
  primary key (contract_line_id, as_of, measure, stated_at),
  check ((measure = 'cost') = (currency is not null))
);
comment on table cost_forecast is 'Estimate to complete at a month end as it was stated; of several for one month end the last one counts (S-26).';
create trigger cost_forecast_append_only before update or delete on cost_forecast for each row execute function refuse_change();

create table line_books (
  contract_line_id uuid primary key references contract_line (id),
  recognised_through text not null check (recognised_through ~ '^\d{4}-(0[1-9]|1[0-2])$'),
  complete boolean not null,
  gap_code text,
  gap_detail text,
  check ((gap_code is null) = (gap_detail is null))
);
comment on table line_books is 'Up to which month the revenue of a line is recognised; complete when it has ended and nothing more comes. A gap says what was missing.';

create index journal_line_of_line on journal_line (contract_line_id, account_code) where contract_line_id is not null;
create index contract_line_seller on contract_line (selling_entity_id, id);

create view ledger as
  select entry.id as entry_id, entry.entity_id, entry.book, entry.date, to_char(entry.date, 'YYYY-MM') as posted_in,
         coalesce(entry.concerns_month, to_char(entry.date, 'YYYY-MM')) as concerns_month,
         line.account_code, line.currency, line.contract_line_id, line.customer_id, line.debit_minor, line.credit_minor,
         line.debit_minor - line.credit_minor as balance_minor
    from journal_entry as entry join journal_line as line on line.entry_id = entry.id;
comment on view ledger is 'Every journal line with its entry; the balance is debit less credit.';

create view revenue_by_line_month as
  select contract_line_id, book, currency, concerns_month as month, posted_in, sum(-balance_minor)::bigint as revenue_minor
    from ledger where account_code = '4000' and contract_line_id is not null
   group by contract_line_id, book, currency, concerns_month, posted_in;
comment on view revenue_by_line_month is 'Revenue as posted: the month it is about and the month it stands in (S-45).';

create view contract_balance as
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
      where contract_line_id = line.id and state in ('issued', 'settled')
        and issue_date < to_date(period.period, 'YYYY-MM') + interval '1 month') as billed;
comment on view contract_balance is 'Per line and month end whose revenue is recognised: asset or liability, never netted with another line (S-26, S-29).';
