-- What prices and judges work: rate cards, uplifts, expense policies, labour rules, vendors, bookings; expenses; findings; parts of entries.

create extension if not exists btree_gist;

create table vendor (
  id text primary key,
  name text not null,
  country text not null,
  currency text not null,
  legal_form text not null,
  tax_id text,
  payment_terms_days integer not null check (payment_terms_days >= 0)
);
create table vendor_document (
  vendor_id text not null references vendor (id),
  document_type text not null,
  reference text not null,
  valid_from date not null,
  valid_until date not null,
  renewed_by text,
  primary key (vendor_id, document_type, reference),
  check (valid_from <= valid_until)
);
comment on table vendor_document is 'Compliance documents with their validity, both days inclusive (I-12).';
create table required_vendor_document (
  country text not null,
  document_type text not null,
  primary key (country, document_type)
);
comment on table required_vendor_document is 'Documents a vendor must have; a list of its country replaces the one of country *.';

alter table person
  add column managed_by_entity_id text references legal_entity (id),
  add column vendor_id text references vendor (id),
  add column weekly_norm_hours numeric check (weekly_norm_hours >= 0),
  add column start_date date,
  add column end_date date,
  add column overtime_exempt boolean not null default false;
create index person_vendor on person (vendor_id) where vendor_id is not null;

create table rate_card (
  id text not null,
  version text not null,
  scope text not null check (scope in ('contract', 'customer', 'entity', 'global')),
  scope_id text,
  primary key (id, version),
  unique (id, version, scope),
  check ((scope = 'global') = (scope_id is null))
);
comment on column rate_card.scope_id is 'Contract number, customer or legal entity.';
create table rate (
  id text primary key,
  card_id text not null,
  card_version text not null,
  scope text not null,
  scope_id text,
  currency text not null,
  region text not null,
  role_code text,
  service_line text,
  location text,
  person_id text references person (id),
  unit text,
  rate numeric not null check (rate >= 0),
  valid_from date not null,
  valid_to date,
  note text,
  foreign key (card_id, card_version, scope) references rate_card (id, version, scope),
  check ((scope = 'global') = (scope_id is null)),
  check (valid_to is null or valid_from <= valid_to),
  constraint rate_unambiguous exclude using gist (
    scope with =, coalesce(scope_id, '') with =, currency with =, region with =, coalesce(role_code, '') with =,
    coalesce(service_line, '') with =, coalesce(location, '') with =, coalesce(person_id, '') with =, coalesce(unit, '') with =,
    daterange(valid_from, valid_to, '[]') with &&
  ) deferrable initially deferred
);
comment on table rate is 'Price per unit in major units; a selector that is null fits any (S-04). Never two rates of one scope and selectors on one day.';
create index rate_scope on rate (scope, scope_id, currency, region);

create table uplift (
  deal_alias text not null default '',
  line_id text not null,
  kind text not null check (kind in ('overtime', 'rest_day', 'onsite')),
  percent numeric not null check (percent >= 0),
  valid_from date not null,
  valid_to date,
  primary key (deal_alias, line_id, kind, valid_from),
  check (valid_to is null or valid_from <= valid_to),
  constraint uplift_unambiguous exclude using gist (
    deal_alias with =, line_id with =, kind with =, daterange(valid_from, valid_to, '[]') with &&
  ) deferrable initially deferred
);
comment on table uplift is 'Percent on the rate (S-05) for a line of a deal (contract number), or of every deal where deal_alias is empty.';

create table expense_policy (
  id text primary key,
  country text not null,
  category text not null,
  currency text not null,
  unit text not null,
  limit_per_unit_minor bigint check (limit_per_unit_minor >= 0),
  fixed_rate numeric check (fixed_rate >= 0),
  receipt_above_minor bigint check (receipt_above_minor >= 0),
  billable_to_customer boolean not null,
  valid_from date not null,
  valid_to date,
  note text,
  check (valid_to is null or valid_from <= valid_to),
  constraint expense_policy_unambiguous exclude using gist (
    country with =, category with =, daterange(valid_from, valid_to, '[]') with &&
  ) deferrable initially deferred
);
comment on column expense_policy.fixed_rate is 'Per diem or mileage per unit in major units: may have more digits than the currency.';

create table labour_rule (
  id text primary key,
  jurisdiction text not null,
  applies_to text[] not null,
  refines text,
  source text not null,
  text text not null,
  daily_max_hours numeric,
  weekly_max_hours numeric,
  weekly_average_max_hours numeric,
  reference_weeks integer check (reference_weeks > 0),
  weekly_norm_hours numeric,
  monthly_overtime_max_hours numeric,
  daily_rest_hours numeric,
  other jsonb not null default '{}',
  check ((weekly_average_max_hours is null) = (reference_weeks is null))
);
comment on column labour_rule.other is 'Parameters that no check reads yet, as the file states them.';

create table booking (
  id text primary key,
  person_id text not null references person (id),
  kind text not null check (kind in ('project', 'other_project', 'leave', 'long_leave')),
  project_code text,
  request_id text,
  status text not null check (status in ('firm', 'proposed')),
  start_date date not null,
  end_date date not null,
  hours_per_day numeric not null check (hours_per_day >= 0 and hours_per_day <= 24),
  work_country text,
  created_at timestamptz,
  note text,
  check (start_date <= end_date),
  check (kind <> 'project' or project_code is not null)
);
create index booking_person on booking (person_id, start_date);
create index booking_project on booking (project_code) where project_code is not null;

alter table time_entry add column role_code text;
update time_entry set role_code = work_task.role_code from work_task where work_task.id = time_entry.work_task_id;
alter table time_entry alter column role_code set not null, drop column content_hash;
comment on column time_entry.role_code is 'Role in which the work was done; the role of the task where the entry names none.';

create table expense (
  expense_id text primary key,
  report_id text,
  contract_line_id uuid not null references contract_line (id),
  person_id text not null references person (id),
  spend_date date not null,
  country text not null,
  category text not null,
  quantity numeric not null check (quantity > 0),
  unit text not null,
  currency text not null,
  amount_gross_minor bigint not null check (amount_gross_minor > 0),
  recoverable_tax_minor bigint not null check (recoverable_tax_minor >= 0),
  receipt boolean not null,
  justification text,
  billable boolean not null,
  status text not null check (status in ('submitted', 'approved', 'rejected')),
  submitted_at timestamptz not null,
  approved_at timestamptz,
  approved_by text,
  check ((status = 'approved') = (approved_at is not null)),
  check (recoverable_tax_minor <= amount_gross_minor)
);
create index expense_line on expense (contract_line_id, spend_date);
create index expense_person on expense (person_id, spend_date);

create table policy_finding (
  id uuid primary key,
  deal_id uuid not null references deal (id),
  contract_line_id uuid references contract_line (id),
  kind text not null check (kind in ('time', 'expense')),
  code text not null,
  reference text not null,
  blocking boolean not null,
  first_seen_at timestamptz not null,
  unique (deal_id, kind, code, reference)
);
comment on table policy_finding is 'What policy says about time and expenses, once per code and reference (S-20 to S-23).';

alter table invoiced_item add column amount_minor bigint;
comment on column invoiced_item.amount_minor is 'What this document bills of the item; null for kinds that are never split. An entry that crosses a cap is billed in parts (S-15), each with an item id of its own.';
