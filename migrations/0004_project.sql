-- What is delivered: project hierarchy, budget, time, usage, tasks for people.

create table project (
  id uuid primary key,
  deal_id uuid not null unique references deal (id),
  code text not null unique,
  name text not null,
  customer_id text not null references customer (id),
  lead_entity_id text not null references legal_entity (id),
  entity_ids text[] not null,
  state text not null check (state in ('mobilising', 'active', 'closing', 'closed', 'cancelled')),
  opened_at timestamptz not null,
  closed_at timestamptz
);
create table project_phase (
  id uuid primary key,
  project_id uuid not null references project (id),
  contract_line_id uuid not null unique references contract_line (id),
  code text not null,
  name text not null,
  start_date date not null,
  end_date date not null,
  unique (project_id, code)
);
create table work_package (
  id uuid primary key,
  phase_id uuid not null references project_phase (id),
  code text not null,
  name text not null,
  service_line text not null,
  unique (phase_id, code)
);
create table work_task (
  id uuid primary key,
  work_package_id uuid not null references work_package (id),
  project_id uuid not null references project (id),
  code text not null,
  role_code text not null,
  estimate_hours numeric not null,
  planned_start date not null,
  planned_end date not null,
  closed_on date,
  valid_from date not null,
  billable boolean not null,
  unique (project_id, code)
);
create table budget_version (
  project_id uuid not null references project (id),
  version integer not null,
  contract_line_id uuid not null references contract_line (id),
  hours numeric not null,
  price_minor bigint not null,
  cost_minor bigint,
  currency text not null,
  primary key (project_id, version, contract_line_id)
);

create table time_entry (
  entry_id text primary key,
  contract_line_id uuid not null references contract_line (id),
  person_id text not null references person (id),
  work_task_id uuid not null references work_task (id),
  work_date date not null,
  hour_type text not null check (hour_type in ('regular', 'overtime', 'rest_day')),
  hours numeric not null check (hours > 0 and hours <= 24),
  work_country text not null,
  onsite boolean not null,
  rest_day_approval text,
  billable boolean not null,
  rework boolean not null,
  note text,
  status text not null check (status in ('submitted', 'approved', 'rejected')),
  submitted_at timestamptz not null,
  approved_at timestamptz,
  approved_by text,
  content_hash text not null,
  check ((status = 'approved') = (approved_at is not null))
);
create index time_entry_line on time_entry (contract_line_id, work_date);
create index time_entry_person on time_entry (person_id, work_date);

create table usage_report (
  event_id text primary key,
  contract_line_id uuid not null references contract_line (id),
  service_period text not null check (service_period ~ '^\d{4}-(0[1-9]|1[0-2])$'),
  tickets integer not null check (tickets >= 0),
  p1_tickets integer not null check (p1_tickets >= 0),
  p1_within_target integer not null check (p1_within_target >= 0 and p1_within_target <= p1_tickets),
  supersedes text,
  reported_at timestamptz not null,
  content_hash text not null
);
create index usage_report_line on usage_report (contract_line_id, service_period);

create table project_sign_off (
  project_id uuid primary key references project (id),
  document_reference text not null,
  signed_on date not null,
  recorded_by text not null,
  recorded_at timestamptz not null
);
create table cancellation_request (
  id text primary key,
  deal_id uuid not null references deal (id),
  approval_id uuid not null,
  reason text not null,
  effective_on date not null,
  requested_by text not null,
  requested_at timestamptz not null,
  state text not null check (state in ('pending', 'granted', 'dropped'))
);
create unique index cancellation_request_one on cancellation_request (deal_id) where state <> 'dropped';
create table cancellation_statement (
  deal_id uuid primary key references deal (id),
  effective_on date not null,
  reason text not null,
  statement jsonb not null,
  created_at timestamptz not null
);
