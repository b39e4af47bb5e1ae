-- What was sold: deals, statement-of-work terms, contract versions, lines, milestones.

create table deal (
  id uuid primary key,
  name text not null,
  state text not null check (state in ('handoff', 'terms', 'approval', 'mobilising', 'delivering', 'closing', 'closed', 'declined', 'cancelling', 'cancelled')),
  customer_id text references customer (id),
  contract_number text not null unique,
  short_code text not null,
  project_code text not null,
  lead_entity_id text not null references legal_entity (id),
  entity_ids text[] not null,
  seller_id text,
  delivery_lead_id text,
  closed_won_at timestamptz not null,
  signed_date date not null,
  terms jsonb not null,
  terms_hash text not null,
  governing_terms jsonb,
  revision integer not null default 1,
  state_since timestamptz not null,
  finished_at timestamptz,
  unique (short_code)
);
create index deal_list on deal (closed_won_at desc, id);
create index deal_entities on deal using gin (entity_ids);

create table deal_alias (
  source text not null,
  external_id text not null,
  deal_id uuid not null references deal (id),
  last_order numeric not null default 0,
  primary key (source, external_id)
);
comment on table deal_alias is 'Every name of a deal in an outside system; the row, not the workflow id, refuses a second deal (D7).';
create index deal_alias_deal on deal_alias (deal_id);

create table deal_estimate (
  deal_id uuid not null references deal (id),
  task_id text not null,
  line_id text not null,
  phase text not null,
  work_package_id text not null,
  work_package_name text not null,
  service_line text not null,
  role_code text not null,
  estimate_hours numeric not null check (estimate_hours >= 0),
  planned_start date not null,
  planned_end date not null,
  closed_on date,
  valid_from date not null,
  billable boolean not null,
  primary key (deal_id, task_id)
);
comment on table deal_estimate is 'The delivery plan of the deal before the baseline makes it a project.';

create table sow_proposal (
  id uuid primary key,
  deal_id uuid not null references deal (id),
  version integer not null,
  document_id text not null,
  document_hash text,
  terms jsonb not null,
  terms_hash text not null,
  discrepancies jsonb not null,
  proposed_by text not null,
  proposed_at timestamptz not null,
  state text not null check (state in ('proposed', 'confirmed', 'refused')),
  unique (deal_id, version)
);

create table contract_version (
  deal_id uuid not null references deal (id),
  version integer not null check (version > 0),
  terms jsonb not null,
  terms_hash text not null,
  in_force_from date not null,
  approval_id uuid,
  created_at timestamptz not null,
  primary key (deal_id, version)
);
create trigger contract_version_append_only before update or delete on contract_version for each row execute function refuse_change();

create table contract_line (
  id uuid primary key,
  deal_id uuid not null references deal (id),
  line_id text not null,
  contract_version integer not null,
  name text not null,
  engagement_model text not null,
  selling_entity_id text not null references legal_entity (id),
  bill_to_id text not null references bill_to_account (id),
  currency text not null,
  service_line text not null,
  practice text not null,
  region text not null,
  start_date date not null,
  end_date date not null,
  state text not null check (state in ('planned', 'active', 'billing-complete', 'finished', 'cancelled')),
  stopped_on date,
  unique (deal_id, line_id),
  foreign key (deal_id, contract_version) references contract_version (deal_id, version)
);

create table milestone (
  id uuid primary key,
  contract_line_id uuid not null references contract_line (id),
  milestone_id text not null,
  name text not null,
  percent numeric not null check (percent > 0 and percent <= 100),
  amount_minor bigint not null,
  currency text not null,
  planned_date date not null,
  state text not null check (state in ('planned', 'delivered', 'rejected', 'accepted', 'cancelled')),
  attempt integer not null default 0,
  delivered_at timestamptz,
  deemed_at timestamptz,
  accepted_on date,
  acceptance text check (acceptance in ('written', 'deemed')),
  revision integer not null default 1,
  unique (contract_line_id, milestone_id),
  check ((state = 'accepted') = (accepted_on is not null and acceptance is not null))
);
create table milestone_response (
  milestone_id uuid not null references milestone (id),
  attempt integer not null,
  response text not null check (response in ('accepted', 'rejected', 'deemed')),
  responded_at timestamptz not null,
  reason text,
  document_reference text,
  recorded_by text not null,
  primary key (milestone_id, attempt)
);
