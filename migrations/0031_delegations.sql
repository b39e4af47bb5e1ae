-- People give delegations themselves: some need the grant of a second person, some count only while somebody is away.

alter table delegation
  alter column reason drop not null,
  add column reason_id uuid references free_text (id),
  add column when_away boolean not null default false,
  add column state text not null default 'active' check (state in ('requested', 'active', 'refused', 'withdrawn', 'ended')),
  add column requested_at timestamptz,
  add column decided_by text references app_user (id),
  add column decided_at timestamptz,
  add column decision_reason_id uuid references free_text (id),
  add column closed_by text references app_user (id),
  add column closed_at timestamptz,
  add constraint delegation_has_reason check ((reason is null) = (requested_at is not null)),
  add constraint delegation_reason_kept check ((reason_id is null) = (requested_at is null)),
  add constraint delegation_of_files_stands check (requested_at is not null or (state = 'active' and not when_away)),
  add constraint delegation_decided check ((decided_by is null) = (decided_at is null)),
  add constraint delegation_refused_by_somebody check (state <> 'refused' or decided_by is not null),
  add constraint delegation_decided_by_third check (decided_by not in (delegator_id, delegate_id)),
  add constraint delegation_closed check ((state in ('withdrawn', 'ended')) = (closed_by is not null) and (closed_by is null) = (closed_at is null));
comment on column delegation.reason is 'Of one that came with master data; what a person wrote is a free text.';
comment on column delegation.requested_at is 'When a person asked for it; null where it came with master data.';
comment on column delegation.when_away is 'Counts only while the delegator is away (absence).';
comment on column delegation.valid_from is 'From when it counts: not before the grant where it needed one.';
comment on column delegation.valid_until is 'Until when it counts: the moment at which it was ended early, or as it was given.';
create index delegation_delegator on delegation (delegator_id, role);
create index delegation_listed on delegation (valid_from desc, id desc);

create function keep_delegation() returns trigger language plpgsql as $$
declare
  changing constant text[] := array['state', 'valid_from', 'valid_until', 'decided_by', 'decided_at', 'decision_reason_id', 'closed_by', 'closed_at'];
begin
  if old.requested_at is null then
    return coalesce(new, old);
  end if;
  if tg_op = 'DELETE' then
    raise exception 'a delegation that a person gave is kept';
  end if;
  if to_jsonb(new) - changing <> to_jsonb(old) - changing or new.valid_from < old.valid_from or new.valid_until > old.valid_until
     or (old.state, new.state) not in (('requested', 'active'), ('requested', 'refused'), ('requested', 'withdrawn'), ('active', 'withdrawn'), ('active', 'ended'))
     or (old.state = 'requested' and new.state = 'active' and new.decided_by is null) then
    raise exception 'a delegation that a person gave is decided and ended, and never changed otherwise';
  end if;
  return new;
end $$;
create trigger delegation_kept before update or delete on delegation for each row execute function keep_delegation();

create table absence (
  id uuid primary key,
  user_id text not null references app_user (id),
  away_from timestamptz not null,
  away_until timestamptz not null,
  recorded_at timestamptz not null,
  replaced_at timestamptz,
  check (away_from < away_until),
  check (replaced_at >= recorded_at)
);
comment on table absence is 'When people are away, as it was known from a moment until it was told otherwise; not why. Personal data.';
create index absence_known on absence (user_id, away_from) where replaced_at is null;

create function keep_absence() returns trigger language plpgsql as $$
begin
  if tg_op = 'UPDATE' and old.replaced_at is null and new.replaced_at is not null
     and to_jsonb(new) - 'replaced_at' = to_jsonb(old) - 'replaced_at' then
    return new;
  end if;
  raise exception 'an absence is replaced, never changed';
end $$;
create trigger absence_kept before update on absence for each row execute function keep_absence();
