-- Change orders: what is asked of the contract, how it was decided, and the contract version that it became.

create table change_order (
  id uuid primary key,
  deal_id uuid not null references deal (id),
  number text not null,
  title text not null,
  contract_version integer not null,
  entity_id text not null references legal_entity (id),
  state text not null check (state in ('requested', 'approved', 'applied', 'refused', 'withdrawn')),
  outcome_code text,
  outcome_detail text,
  approval_id uuid not null unique,
  reason_id uuid not null references free_text (id),
  requested_by text not null,
  requested_at timestamptz not null,
  terms_hash text not null,
  tasks jsonb not null,
  line_values jsonb not null,
  value_minor bigint not null check (value_minor >= 0),
  value_currency text not null,
  customer_document text,
  customer_signed_on date,
  customer_signatory_id uuid references free_text (id),
  customer_recorded_by text,
  customer_recorded_at timestamptz,
  accounting_treatment text check (accounting_treatment in ('separate-contract', 'prospective', 'cumulative-catch-up', 'mixed')),
  accounting_answers jsonb,
  accounting_by text,
  accounting_at timestamptz,
  settled_at timestamptz,
  applied_version integer,
  unique (deal_id, number),
  foreign key (deal_id, contract_version) references contract_version (deal_id, version),
  foreign key (deal_id, applied_version) references contract_version (deal_id, version),
  check (number <> ''),
  check ((state = 'applied') = (applied_version is not null)),
  check (state <> 'applied' or applied_version = contract_version + 1),
  check ((state in ('requested', 'approved')) = (settled_at is null)),
  check ((state in ('refused', 'withdrawn')) = (outcome_code is not null)),
  check ((customer_document is null) = (customer_signed_on is null)),
  check ((customer_document is null) = (customer_recorded_at is null)),
  check ((accounting_treatment is null) = (accounting_at is null)),
  check (state <> 'applied' or (customer_document is not null and accounting_treatment is not null))
);
create index change_order_open on change_order (deal_id) where state in ('requested', 'approved');
comment on table change_order is 'A change of the running contract: applied only with the approval of the firm, that of the customer, and the answers of finance.';
comment on column change_order.contract_version is 'The contract version that it changes; against an older one it is stale.';
comment on column change_order.line_values is 'Value of each line it touches, before and after, in minor units of the line''s currency.';
comment on column change_order.value_minor is 'What decides the tiers of its approval, in the group currency.';
comment on column change_order.customer_signatory_id is 'Who signed for the customer: personal data, kept as a text.';

create table change_order_change (
  change_order_id uuid not null references change_order (id),
  position integer not null,
  contract_line_id uuid not null references contract_line (id),
  path text not null,
  term text not null,
  value_before text,
  value_after jsonb not null,
  currency text,
  in_force_from date not null,
  primary key (change_order_id, position),
  unique (change_order_id, path)
);
create index change_order_change_line on change_order_change (contract_line_id, term);
create trigger change_order_change_append_only before update or delete on change_order_change for each row execute function refuse_change();
create trigger change_order_change_kept before truncate on change_order_change for each statement execute function refuse_change();

alter table contract_version add column change_order_id uuid unique references change_order (id);
alter table contract_version add check ((version = 1) = (change_order_id is null));

alter table work_task add column change_order_id uuid references change_order (id);
comment on column work_task.valid_from is 'Day from which work on the task is under the contract; 9999-12-31 while its change order is not applied.';
