-- A person may decide by a link in a mail. And what was told long ago is found without looking at all of it.

create table decision_link (
  id uuid primary key,
  token_hash text not null unique,
  approval_id uuid not null references approval (id),
  user_id text not null references app_user (id),
  tier integer not null,
  role text,
  shown_hash text not null,
  verdicts text[] not null check (cardinality(verdicts) > 0 and verdicts <@ array['grant', 'refuse']),
  decision_id text not null,
  made_at timestamptz not null default now(),
  expires_at timestamptz not null,
  posted_at timestamptz
);
comment on table decision_link is
  'Links by which a person may decide on an approval as it was shown to them (R-302). The secret in the address is kept as its SHA-256 alone.';
comment on column decision_link.decision_id is
  'The same of all links to one person, of one approval in one tier: however many were sent, they are one decision (R-303).';
comment on column decision_link.posted_at is 'When a decision came by this link first, whatever became of it.';
create index decision_link_of on decision_link (approval_id, user_id);
create index decision_link_expiry on decision_link (expires_at);

create index notification_told on notification (settled_at) where state in ('sent', 'dropped');
