-- What subcontractors cost a line, beside what was planned for it: spend that nobody planned is an exception.

alter table process_exception
  drop constraint process_exception_path_check,
  add constraint process_exception_path_check
    check (path in ('stuck-integration', 'policy-breach', 'delayed-approval', 'scope-change', 'margin-erosion', 'subcontractor-spend'));

create or replace function exception_path_of(of_run text, of_kind text) returns text language sql immutable as $$
  select case
    when of_run like 'exception/%' then null
    when of_kind like 'stuck/%' or of_kind in ('inbox-event-failed', 'intake-rejected', 'notification-dead') then 'stuck-integration'
    when of_kind in ('policy-breach', 'delayed-approval', 'scope-change', 'margin-erosion', 'subcontractor-spend') then of_kind
  end
$$;

alter table intake_batch
  drop constraint intake_batch_kind_check,
  add constraint intake_batch_kind_check check (kind in ('time-entries', 'expenses', 'usage-reports', 'subcontractor-costs'));

create table planned_subcontractor_budget (
  deal_id uuid not null references deal (id),
  line_id text not null,
  work_package_id text,
  cost_minor bigint not null check (cost_minor >= 0),
  currency text not null,
  unique nulls not distinct (deal_id, line_id, work_package_id)
);
comment on table planned_subcontractor_budget is 'What the delivery plan sets aside for subcontractors, of a line as a whole or of a work package; replaced with the plan.';

create table subcontractor_budget (
  id uuid primary key,
  contract_line_id uuid not null references contract_line (id),
  work_package_code text,
  cost_minor bigint not null,
  currency text not null,
  cause text not null check (cause in ('baseline', 'absorb', 'reallocate', 'change-order')),
  choice_id text references exception_choice (id),
  recorded_at timestamptz not null,
  check ((cause = 'baseline') = (choice_id is null)),
  unique (choice_id, contract_line_id)
);
create index subcontractor_budget_line on subcontractor_budget (contract_line_id);
create trigger subcontractor_budget_append_only before update or delete on subcontractor_budget for each row execute function refuse_change();
create trigger subcontractor_budget_no_truncate before truncate on subcontractor_budget for each statement execute function refuse_change();
comment on table subcontractor_budget is 'The budget of a line for subcontractors, in its currency: the baseline, and what outcomes added or took away. The sum is what holds; a line without a row has none.';

create table subcontractor_cost (
  cost_id text primary key,
  contract_line_id uuid not null references contract_line (id),
  work_package_code text,
  vendor_id text not null,
  kind text not null check (kind in ('commitment', 'bill')),
  commitment_id text references subcontractor_cost (cost_id),
  amount_minor bigint not null check (amount_minor >= 0),
  currency text not null,
  cost_minor bigint not null check (cost_minor >= 0),
  incurred_on date not null,
  supersedes text unique references subcontractor_cost (cost_id),
  recorded_at timestamptz not null,
  check (commitment_id is null or kind = 'bill'),
  check (amount_minor > 0 or supersedes is not null)
);
create index subcontractor_cost_line on subcontractor_cost (contract_line_id);
create trigger subcontractor_cost_append_only before update or delete on subcontractor_cost for each row execute function refuse_change();
create trigger subcontractor_cost_no_truncate before truncate on subcontractor_cost for each statement execute function refuse_change();
comment on table subcontractor_cost is 'What a vendor is committed to be paid, or billed, for a line; a correction supersedes, an amount of 0 cancels (R-373).';
comment on column subcontractor_cost.vendor_id is 'As procurement calls it: spend counts whether or not the vendor is in the master data.';
comment on column subcontractor_cost.cost_minor is 'The amount in the currency of the line, at the rate of the day on which it was incurred.';

create table refused_subcontractor_cost (
  cost_id text primary key references subcontractor_cost (cost_id),
  choice_id text not null references exception_choice (id),
  refused_at timestamptz not null
);
create trigger refused_subcontractor_cost_append_only before update or delete on refused_subcontractor_cost for each row execute function refuse_change();
create trigger refused_subcontractor_cost_no_truncate before truncate on refused_subcontractor_cost for each statement execute function refuse_change();
comment on table refused_subcontractor_cost is 'Commitments that an outcome refused and bills that it disputes: they do not count.';

create table subcontractor_overspend (
  choice_id text primary key references exception_choice (id),
  budget_minor bigint not null,
  spent_minor bigint not null,
  overspend_minor bigint not null check (overspend_minor = spent_minor - budget_minor and overspend_minor > 0),
  currency text not null
);
create trigger subcontractor_overspend_append_only before update or delete on subcontractor_overspend for each row execute function refuse_change();
create trigger subcontractor_overspend_no_truncate before truncate on subcontractor_overspend for each statement execute function refuse_change();
comment on table subcontractor_overspend is 'What was spent beyond the budget when an outcome was chosen: it covers no more than that.';

-- An outcome that waits for a change order hears how that ended, whoever ended it.
create function ring_change_order() returns trigger language plpgsql as $$
begin
  perform ring_exception(trouble.id, new.settled_at, 'measured', new.id::text)
     from process_exception as trouble
     join exception_choice as choice on choice.id = trouble.choice_id
    where trouble.deal_id = new.deal_id and trouble.closed_at is null and choice.option = 'change-order' and choice.target = new.number;
  return null;
end $$;
create trigger change_order_settled after update on change_order
  for each row when (old.settled_at is null and new.settled_at is not null) execute function ring_change_order();
