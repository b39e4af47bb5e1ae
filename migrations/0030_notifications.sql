-- Notifications: facts that are told outside, who takes them, how people want them, and what became of each message.

create table outbox (
  id uuid primary key,
  kind text not null,
  data jsonb not null,
  at timestamptz not null,
  source text not null unique,
  recorded_at timestamptz not null default now(),
  look_at timestamptz not null default now(),
  addressed_at timestamptz
);
comment on table outbox is 'Facts to be told, written by the transaction that records them (R-270). Ids and codes only, never a person''s data (I-15).';
comment on column outbox.source is 'What wrote it, effect/<key> or wait/<id>: one fact is told once.';
comment on column outbox.addressed_at is 'When the messages of the fact were written; null while nobody has looked.';
create index outbox_waiting on outbox (look_at, id) where addressed_at is null;
create index outbox_addressed on outbox (addressed_at) where addressed_at is not null;

create table webhook_endpoint (
  id uuid primary key,
  kind text not null check (kind in ('webhook', 'slack', 'teams')),
  name text not null,
  origin text not null,
  sealed_url text not null,
  sealed_secret text,
  facts text[] not null check (cardinality(facts) > 0),
  created_by text not null,
  created_at timestamptz not null default date_trunc('milliseconds', now()),
  removed_at timestamptz,
  check ((kind = 'webhook') = (sealed_secret is not null))
);
comment on table webhook_endpoint is
  'Where facts are sent. Address and secret are sealed with WEBHOOK_ENDPOINT_KEY: whoever has the address of a chat may write there (R-275).';

create table notification_preference (
  user_id text primary key references app_user (id),
  mail boolean not null,
  digest_hour integer check (digest_hour between 0 and 23),
  changed_at timestamptz not null default now()
);
comment on column notification_preference.digest_hour is 'Hour of the person''s day at which mail comes in one; null sends each at once.';

create table notification (
  id uuid primary key,
  channel text not null check (channel in ('mail', 'webhook', 'slack', 'teams')),
  endpoint_id uuid references webhook_endpoint (id),
  user_id text references app_user (id),
  digest_at timestamptz,
  state text not null default 'waiting' check (state in ('waiting', 'sent', 'dead', 'dropped')),
  send_at timestamptz not null default now(),
  attempts integer not null default 0,
  lease_owner text,
  lease_until timestamptz,
  failure text,
  created_at timestamptz not null default now(),
  settled_at timestamptz,
  check ((channel = 'mail') = (user_id is not null)),
  check ((channel = 'mail') = (endpoint_id is null)),
  check ((state = 'waiting') = (settled_at is null))
);
comment on table notification is 'A message to one receiver; its id is the same in every attempt, so that receivers can tell a repetition (R-272).';
create index notification_due on notification (send_at, id) where state = 'waiting';
create index notification_held on notification (endpoint_id, lease_until) where state = 'waiting' and lease_until is not null;
create index notification_ended on notification (state, id) where state <> 'waiting';
create unique index notification_digest on notification (user_id, digest_at) where digest_at is not null;

create table notification_fact (
  notification_id uuid not null references notification (id) on delete cascade,
  outbox_id uuid not null references outbox (id),
  primary key (notification_id, outbox_id)
);
create index notification_fact_outbox on notification_fact (outbox_id);
