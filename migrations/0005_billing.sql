-- What is billed and paid: billing plan, invoices, statements, payments, dunning.

create table billing_plan_item (
  id uuid primary key,
  contract_line_id uuid not null references contract_line (id),
  item_key text not null,
  kind text not null,
  period text,
  reference text not null,
  trigger_milestone_id text,
  draft_at timestamptz,
  issue_date date,
  amount_minor bigint,
  currency text not null,
  state text not null check (state in ('planned', 'billed', 'nothing-to-bill', 'void')),
  blocked_until timestamptz,
  blockers jsonb not null default '[]',
  held_reason text,
  settled_at timestamptz,
  unique (contract_line_id, item_key)
);
create index billing_plan_item_due on billing_plan_item (contract_line_id, draft_at) where state = 'planned';

create table invoice (
  id uuid primary key,
  deal_id uuid not null references deal (id),
  contract_line_id uuid not null references contract_line (id),
  billing_plan_item_id uuid references billing_plan_item (id),
  contract_version integer not null,
  document_kind text not null check (document_kind in ('invoice', 'credit-note')),
  kind text not null,
  reference text not null unique,
  number text unique,
  state text not null check (state in ('draft', 'approved', 'issued', 'settled', 'void')),
  period text not null,
  entity_id text not null references legal_entity (id),
  bill_to_id text not null references bill_to_account (id),
  currency text not null,
  planned_issue_date date not null,
  issue_date date,
  due_date date,
  purchase_order text,
  tax_category text not null check (tax_category in ('S', 'O', 'AE')),
  tax_rate_percent numeric not null,
  tax_reason_code text,
  net_minor bigint not null,
  tax_minor bigint not null,
  total_minor bigint not null,
  open_minor bigint not null,
  content_hash text not null,
  revision integer not null default 1,
  created_at timestamptz not null,
  settled_at timestamptz,
  foreign key (deal_id, contract_version) references contract_version (deal_id, version),
  check (total_minor = net_minor + tax_minor),
  check ((state in ('issued', 'settled')) = (number is not null and issue_date is not null and due_date is not null)),
  check (state <> 'settled' or open_minor = 0),
  check ((document_kind = 'credit-note') = (total_minor < 0))
);
create index invoice_line_index on invoice (contract_line_id);
create index invoice_open on invoice (entity_id, bill_to_id, due_date) where state = 'issued';
create index invoice_list on invoice (created_at desc, id);

create table invoice_line (
  invoice_id uuid not null references invoice (id),
  position integer not null,
  description text not null,
  quantity numeric,
  unit text,
  unit_price numeric,
  amount_minor bigint not null,
  tax_minor bigint not null,
  primary key (invoice_id, position)
);
create table invoiced_item (
  id uuid primary key,
  invoice_id uuid not null,
  position integer not null,
  item_kind text not null,
  item_id text not null,
  credited_by uuid references invoice (id),
  foreign key (invoice_id, position) references invoice_line (invoice_id, position)
);
create unique index invoiced_item_once on invoiced_item (item_kind, item_id) where credited_by is null;
comment on index invoiced_item_once is 'I-05: an approved hour, expense or milestone stands on at most one uncredited invoice line.';

create table number_series (
  entity_id text not null references legal_entity (id),
  series text not null,
  last_number bigint not null,
  last_date date not null,
  primary key (entity_id, series)
);
comment on table number_series is 'Numbers without gaps: taken as the last write of the issue transaction (D15).';

create table bank_statement (
  id uuid primary key,
  inbox_event_id uuid not null references inbox_event (id),
  entity_id text not null references legal_entity (id),
  account text not null references entity_bank_account (account),
  statement_id text not null,
  position integer not null,
  currency text not null,
  from_date date not null,
  to_date date not null,
  opening_minor bigint not null,
  closing_minor bigint not null,
  applied_at timestamptz not null,
  unique (account, statement_id)
);
create table payment (
  id uuid primary key,
  bank_statement_id uuid not null references bank_statement (id),
  entry_position integer not null,
  transaction_position integer not null,
  end_to_end_id text not null,
  bill_to_id text not null references bill_to_account (id),
  entity_id text not null references legal_entity (id),
  booked_on date not null,
  amount_minor bigint not null check (amount_minor > 0),
  currency text not null,
  on_account_minor bigint not null check (on_account_minor >= 0),
  method text not null,
  confidence numeric not null,
  reversed_on date,
  reversed_by uuid references bank_statement (id),
  unique (bank_statement_id, entry_position, transaction_position)
);
create index payment_party on payment (bill_to_id, booked_on);
create index payment_end_to_end on payment (entity_id, end_to_end_id);
create table payment_application (
  id uuid primary key,
  payment_id uuid not null references payment (id),
  invoice_id uuid not null references invoice (id),
  kind text not null check (kind in ('applied', 'tolerance')),
  amount_minor bigint not null check (amount_minor > 0),
  applied_on date not null,
  reversed_on date
);
create index payment_application_invoice on payment_application (invoice_id);
create index payment_application_payment on payment_application (payment_id);

create table dunning_step (
  invoice_id uuid not null references invoice (id),
  level integer not null,
  name text not null,
  reached_at timestamptz not null,
  open_minor bigint not null,
  held_by text,
  primary key (invoice_id, level)
);
create table collection_hold (
  id text primary key,
  invoice_id uuid not null references invoice (id),
  kind text not null check (kind in ('dispute', 'promise', 'dunning-hold')),
  amount_minor bigint,
  reason text not null,
  from_moment timestamptz not null,
  until_moment timestamptz,
  recorded_by text not null,
  lifted_at timestamptz
);
create index collection_hold_invoice on collection_hold (invoice_id) where lifted_at is null;
