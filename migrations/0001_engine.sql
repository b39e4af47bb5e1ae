-- What carries everything else: business clock, inbox, identity of deals, effects, waits, audit.

create table business_clock (
  id smallint primary key default 1 check (id = 1),
  moment timestamptz not null
);
comment on table business_clock is 'The business moment of a simulation (D1); empty in production, where business time is real time.';

create table inbox_event (
  id uuid primary key,
  source text not null,
  event_id text not null,
  type text not null,
  subject text not null,
  source_order numeric not null,
  occurred_at timestamptz not null,
  received_at timestamptz not null default now(),
  business_received_at timestamptz not null,
  payload jsonb not null,
  payload_hash text not null,
  state text not null check (state in ('received', 'delivered', 'ignored', 'invalid', 'failed', 'superseded')),
  errors jsonb not null default '[]',
  deal_id uuid,
  attempts integer not null default 0,
  next_attempt_at timestamptz not null default now(),
  lease_owner text,
  lease_until timestamptz,
  settled_at timestamptz,
  unique (source, event_id)
);
comment on table inbox_event is 'Every outside event, kept whatever becomes of it; a dispatcher hands it on (D8).';
create index inbox_event_due on inbox_event (next_attempt_at, received_at) where state = 'received';
create index inbox_event_subject on inbox_event (source, subject, source_order);
create index inbox_event_state on inbox_event (state, received_at);

create table effect (
  key text primary key,
  identity_hash text not null,
  answer jsonb not null,
  workflow_id text,
  created_at timestamptz not null default now()
);
comment on table effect is 'One row per effect: the key remembers the business identity of its input, the stored answer wins (D5, I-02).';

create table idempotency_key (
  principal text not null,
  key text not null,
  request_hash text not null,
  state text not null check (state in ('running', 'answered')),
  status integer,
  body jsonb,
  locked_until timestamptz not null,
  created_at timestamptz not null default now(),
  primary key (principal, key)
);
comment on table idempotency_key is 'Stored answers of API requests that carry an Idempotency-Key.';
create index idempotency_key_age on idempotency_key (created_at);

create table open_wait (
  id uuid primary key,
  workflow_id text not null,
  kind text not null,
  subject text not null,
  role text not null,
  entity_id text,
  deal_id uuid,
  asks text not null,
  since timestamptz not null,
  due timestamptz,
  wakes_at timestamptz,
  closed_at timestamptz
);
comment on table open_wait is 'Who or what every run waits for, since when and until when (D6). wakes_at is the next moment at which the run acts by itself.';
create unique index open_wait_one on open_wait (workflow_id, kind, subject, role) where closed_at is null;
create index open_wait_wakes on open_wait (wakes_at) where closed_at is null and wakes_at is not null;
create index open_wait_role on open_wait (role, due) where closed_at is null;
create index open_wait_deal on open_wait (deal_id);

create sequence view_revision;
comment on sequence view_revision is 'Orders what effects answer about one run: a stored answer that is given again must not replace a newer one.';

create table audit_head (
  stream text primary key,
  sequence bigint not null,
  hash text not null
);

create table audit_entry (
  stream text not null,
  sequence bigint not null,
  recorded_at timestamptz not null default now(),
  content text not null,
  previous_hash text not null,
  hash text not null,
  primary key (stream, sequence)
);
comment on table audit_entry is 'Append-only; content is the exact text that was hashed; personal fields stand in it as salted commitments only (D9).';

create table audit_personal (
  commitment text primary key,
  salt text not null,
  value text not null,
  field text not null
);
comment on table audit_personal is 'What a commitment in the audit log stands for; deleting a row erases the person and leaves every chain valid (I-15).';

create table audit_anchor (
  sequence bigint primary key,
  sealed_at timestamptz not null default now(),
  streams bigint not null,
  entries bigint not null,
  heads_hash text not null,
  previous_hash text not null,
  hash text not null
);
create table audit_anchor_head (
  anchor_sequence bigint not null references audit_anchor (sequence),
  stream text not null,
  sequence bigint not null,
  hash text not null,
  primary key (anchor_sequence, stream)
);
comment on table audit_anchor_head is 'Heads that moved since the anchor before; with the anchor they find a cut-off tail (D9).';

create function refuse_change() returns trigger language plpgsql as $$
begin
  raise exception '% is append-only', tg_table_name using errcode = 'integrity_constraint_violation';
end $$;
create trigger audit_entry_append_only before update or delete on audit_entry for each row execute function refuse_change();
create trigger audit_anchor_append_only before update or delete on audit_anchor for each row execute function refuse_change();
create trigger audit_anchor_head_append_only before update or delete on audit_anchor_head for each row execute function refuse_change();
create trigger effect_append_only before update or delete on effect for each row execute function refuse_change();

create table run_history (
  workflow_id text not null,
  run_id text not null,
  workflow_type text not null,
  status text not null,
  started_at timestamptz not null,
  closed_at timestamptz not null,
  events integer not null,
  history bytea not null,
  exported_at timestamptz not null default now(),
  primary key (workflow_id, run_id)
);
comment on table run_history is 'Histories of closed runs as gzipped JSON: evidence and replay corpus beyond the retention of the server (D11).';
create index run_history_closed on run_history (closed_at);
