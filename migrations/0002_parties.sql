-- Who: legal entities, customers, users and their rights, calendars, rates of exchange, policies.

create table calendar (
  id text primary key,
  country text not null,
  subdivision text,
  time_zone text not null,
  working_weekdays text[] not null,
  hours_per_day numeric not null check (hours_per_day > 0),
  day_start text not null,
  day_end text not null
);
create table calendar_holiday (
  calendar_id text not null references calendar (id),
  date date not null,
  name text not null,
  primary key (calendar_id, date)
);

create table legal_entity (
  id text primary key,
  group_id text not null,
  name text not null,
  legal_form text not null,
  country text not null,
  functional_currency text not null,
  time_zone text not null,
  tax_registrations jsonb not null,
  address jsonb not null,
  rounding_level text not null check (rounding_level in ('line', 'document')),
  rounding_mode text not null check (rounding_mode in ('half-up', 'down')),
  fiscal_year_start text not null,
  calendar_id text not null references calendar (id)
);
create table entity_bank_account (
  account text primary key,
  entity_id text not null references legal_entity (id),
  currency text not null,
  details jsonb not null
);
create table legal_group (
  id text primary key,
  name text not null,
  currency text not null
);

create table customer (
  id text primary key,
  name text not null,
  classification text,
  industry text
);
create table customer_alias (
  source text not null,
  external_id text not null,
  customer_id text not null references customer (id),
  primary key (source, external_id)
);
create table bill_to_account (
  id text primary key,
  customer_id text not null references customer (id),
  name text not null,
  country text not null,
  currency text not null,
  served_by text not null references legal_entity (id),
  tax_registrations jsonb not null,
  address jsonb,
  buyer_reference text,
  payment_terms_days integer not null check (payment_terms_days >= 0),
  dunning_class text not null,
  calendar_id text not null references calendar (id),
  accounts_payable_email text
);
create index bill_to_account_name on bill_to_account (lower(name));
create table customer_purchase_order (
  bill_to_id text not null references bill_to_account (id),
  number text not null,
  line_ids text[] not null,
  currency text not null,
  limit_minor bigint,
  valid_from date not null,
  valid_to date not null,
  required_on_invoice boolean not null,
  primary key (bill_to_id, number)
);

create table tax_rate (
  country text not null,
  kind text not null,
  rate_percent numeric not null check (rate_percent >= 0),
  valid_from date not null,
  valid_to date,
  primary key (country, kind, valid_from)
);

create table fx_rate (
  base text not null,
  quote text not null,
  date date not null,
  rate numeric not null check (rate > 0),
  source text not null,
  primary key (base, quote, date)
);

create table app_user (
  id text primary key,
  name text not null,
  email text not null,
  entity_id text not null references legal_entity (id),
  calendar_id text not null references calendar (id),
  approval_limit_minor bigint,
  approval_limit_currency text,
  person_id text,
  active boolean not null default true
);
comment on column app_user.name is 'Personal data: never in workflow payloads, ids, search attributes or logs (I-15).';
create table role_assignment (
  user_id text not null references app_user (id),
  role text not null,
  scope_kind text not null check (scope_kind in ('group', 'entity')),
  scope_id text not null,
  primary key (user_id, role, scope_kind, scope_id)
);
create index role_assignment_role on role_assignment (role);
create table committee_member (
  role text not null,
  user_id text not null references app_user (id),
  primary key (role, user_id)
);
create table delegation (
  id text primary key,
  delegator_id text not null references app_user (id),
  delegate_id text not null references app_user (id),
  role text not null,
  ceiling_minor bigint,
  ceiling_currency text,
  valid_from timestamptz not null,
  valid_until timestamptz not null,
  reason text not null,
  check (delegator_id <> delegate_id),
  check (valid_from < valid_until)
);
create index delegation_delegate on delegation (delegate_id, role);
create table process_owner (
  process text primary key,
  user_id text not null references app_user (id)
);
create table line_manager (
  deal_alias text not null default '',
  line_id text not null,
  user_id text not null references app_user (id),
  primary key (deal_alias, line_id)
);
comment on table line_manager is 'Which project manager runs which line of a deal (contract number), or of every deal where deal_alias is empty.';

create table api_key (
  id uuid primary key,
  name text not null,
  key_hash text not null unique,
  roles text[] not null,
  scope_kind text not null check (scope_kind in ('group', 'entity')),
  scope_ids text[] not null,
  created_at timestamptz not null default now(),
  expires_at timestamptz,
  revoked_at timestamptz
);

create table policy_version (
  id uuid primary key,
  kind text not null,
  version integer not null,
  valid_from date not null,
  body jsonb not null,
  body_hash text not null,
  recorded_at timestamptz not null default now(),
  unique (kind, version)
);
comment on table policy_version is 'Thresholds, matrices, tolerances, SLAs and ladders as versioned data (DESIGN §8).';
create trigger policy_version_append_only before update or delete on policy_version for each row execute function refuse_change();

create table person (
  id text primary key,
  name text not null,
  email text,
  employment text not null check (employment in ('employee', 'contractor')),
  entity_id text references legal_entity (id),
  role_code text not null,
  country text not null,
  calendar_id text not null references calendar (id)
);
create table cost_rate (
  person_id text not null references person (id),
  currency text not null,
  rate_per_hour numeric not null check (rate_per_hour >= 0),
  valid_from date not null,
  valid_to date,
  primary key (person_id, valid_from)
);
comment on table cost_rate is 'A field right of its own: cost.read.';
