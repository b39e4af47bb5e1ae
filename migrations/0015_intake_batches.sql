-- Files of time entries, expenses and usage reports: received as blocks of rows, applied block by block.

create table intake_batch (
  id uuid primary key,
  deal_id uuid not null references deal (id),
  kind text not null check (kind in ('time-entries', 'expenses', 'usage-reports')),
  media_type text not null,
  digest text,
  state text not null check (state in ('receiving', 'received', 'applied', 'failed')),
  inbox_event_id uuid references inbox_event (id),
  row_count integer not null default 0 check (row_count >= 0),
  stored integer not null default 0 check (stored >= 0),
  unchanged integer not null default 0 check (unchanged >= 0),
  refused integer not null default 0 check (refused >= 0),
  blocks integer not null default 0 check (blocks >= 0),
  blocks_applied integer not null default 0 check (blocks_applied >= 0 and blocks_applied <= blocks),
  received_by text not null,
  request_key text,
  begun_at timestamptz not null default now(),
  received_at timestamptz,
  applied_at timestamptz,
  check ((state = 'receiving') = (digest is null)),
  check ((state = 'receiving') = (inbox_event_id is null)),
  check (state <> 'applied' or (blocks_applied = blocks and stored + unchanged + refused = row_count))
);
comment on table intake_batch is 'One file; digest is the SHA-256 of its bytes. The same file again is the same batch.';
create unique index intake_batch_key on intake_batch (received_by, request_key) where state <> 'receiving' and request_key is not null;
create index intake_batch_digest on intake_batch (deal_id, kind, digest) where state <> 'receiving';
create index intake_batch_list on intake_batch (deal_id, received_at desc, id);

create table intake_block (
  batch_id uuid not null references intake_batch (id) on delete cascade,
  block integer not null,
  row_count integer not null,
  passes integer not null,
  content json not null,
  primary key (batch_id, block)
);
comment on table intake_block is 'Rows that passed the door and are not applied yet; a block is gone when it is applied.';
alter table intake_block alter column content set storage external;

create table intake_row_error (
  batch_id uuid not null references intake_batch (id) on delete cascade,
  line integer not null,
  field text not null,
  code text not null,
  detail text not null,
  cell text,
  primary key (batch_id, line, field)
);
comment on table intake_row_error is 'What is wrong with single rows of a file: line (CSV) or position (JSON), field, code, reason.';
