-- Who decides: approvals, steps, decisions, exceptions.

create table approval (
  id uuid primary key,
  workflow_id text not null unique,
  subject_kind text not null,
  subject_id text not null,
  deal_id uuid references deal (id),
  entity_id text not null references legal_entity (id),
  policy_version_id uuid not null references policy_version (id),
  rule_ids text[] not null,
  requested_by text not null,
  shown jsonb not null,
  shown_hash text not null,
  amount_minor bigint,
  amount_currency text,
  tier integer not null,
  state text not null check (state in ('pending', 'approved', 'refused', 'withdrawn', 'expired')),
  record jsonb not null,
  opened_at timestamptz not null,
  due timestamptz,
  decided_at timestamptz,
  outcome_reason text
);
create unique index approval_one_pending on approval (subject_kind, subject_id) where state = 'pending';
create index approval_pending on approval (entity_id, opened_at) where state = 'pending';
create index approval_deal on approval (deal_id);

create table approval_step (
  approval_id uuid not null references approval (id),
  tier integer not null,
  role text not null,
  quorum text not null,
  voters integer not null,
  need integer not null check (need > 0),
  state text not null check (state in ('waiting', 'open', 'granted', 'refused')),
  opened_at timestamptz,
  due timestamptz,
  closed_at timestamptz,
  primary key (approval_id, tier, role)
);

create table approval_decision (
  decision_id text primary key,
  approval_id uuid not null references approval (id),
  tier integer not null,
  role text not null,
  decided_by text not null,
  on_behalf_of text,
  verdict text not null check (verdict in ('grant', 'refuse')),
  reason text,
  shown_hash text not null,
  decided_at timestamptz not null,
  unique (approval_id, tier, role, decided_by),
  foreign key (approval_id, tier, role) references approval_step (approval_id, tier, role)
);
create trigger approval_decision_append_only before update or delete on approval_decision for each row execute function refuse_change();

create table sla_event (
  id uuid primary key,
  workflow_id text not null,
  kind text not null check (kind in ('reminder', 'escalation', 'breach')),
  subject text not null,
  role text not null,
  at timestamptz not null,
  since timestamptz not null
);
create unique index sla_event_once on sla_event (workflow_id, kind, subject, role, at);

create table process_exception (
  id uuid primary key,
  workflow_id text not null,
  deal_id uuid references deal (id),
  kind text not null,
  detail text not null,
  owner_role text not null,
  opened_at timestamptz not null,
  closed_at timestamptz
);
create unique index process_exception_open on process_exception (workflow_id, kind) where closed_at is null;
