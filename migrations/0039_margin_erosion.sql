-- What a line is going to earn, beside what it was sold for: a fall is an exception.

alter table process_exception
  drop constraint process_exception_path_check,
  add constraint process_exception_path_check
    check (path in ('stuck-integration', 'policy-breach', 'delayed-approval', 'scope-change', 'margin-erosion'));

create or replace function exception_path_of(of_run text, of_kind text) returns text language sql immutable as $$
  select case
    when of_run like 'exception/%' then null
    when of_kind like 'stuck/%' or of_kind in ('inbox-event-failed', 'intake-rejected', 'notification-dead') then 'stuck-integration'
    when of_kind in ('policy-breach', 'delayed-approval', 'scope-change', 'margin-erosion') then of_kind
  end
$$;

create table margin_reading (
  id uuid primary key,
  contract_line_id uuid not null references contract_line (id),
  as_of date not null,
  reference_percent numeric not null,
  at_completion_percent numeric not null,
  taken_at timestamptz not null,
  accepted_by text references exception_choice (id)
);
create index margin_reading_of on margin_reading (contract_line_id, taken_at desc, id desc);
comment on table margin_reading is 'The margin of a line at completion, as each estimate says it, beside what it was held against: as sold, or as it was accepted since (R-317).';
comment on column margin_reading.accepted_by is 'The approved outcome that made it the margin that later ones are held against.';
