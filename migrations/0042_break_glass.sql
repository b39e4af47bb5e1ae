-- Where rules of duties leave nobody to decide, somebody whom they bar may decide once, with the grant of a second person (R-353).

create table break_glass (
  id text primary key,
  approval_id uuid not null references approval (id),
  user_id text not null references app_user (id),
  entity_id text not null,
  rule_ids text[] not null check (cardinality(rule_ids) > 0),
  reason_id uuid not null references free_text (id),
  state text not null check (state in ('requested', 'granted', 'refused', 'used', 'lapsed')),
  requested_at timestamptz not null,
  lapses_at timestamptz not null check (lapses_at > requested_at),
  decided_by text references app_user (id),
  decided_at timestamptz,
  decision_reason_id uuid references free_text (id),
  used_at timestamptz,
  decision_id text,
  constraint break_glass_by_two check (decided_by <> user_id),
  constraint break_glass_decided check ((decided_by is null) = (decided_at is null)),
  constraint break_glass_open check (state <> 'requested' or decided_by is null),
  constraint break_glass_by_somebody check (state not in ('granted', 'refused', 'used') or decided_by is not null),
  constraint break_glass_used check ((state = 'used') = (decision_id is not null) and (decision_id is null) = (used_at is null))
);
comment on table break_glass is 'Exceptions from the separation of duties: one person, one approval, one decision, granted by a second person.';
comment on column break_glass.rule_ids is 'Rules of duties that barred the person when they asked; no other is set aside.';
comment on column break_glass.lapses_at is 'Until when it can be granted or, granted, used.';
comment on column break_glass.decision_id is 'The decision that was taken by it.';
create unique index break_glass_one_open on break_glass (approval_id, user_id) where state in ('requested', 'granted');
create index break_glass_listed on break_glass (requested_at desc, id desc);

create function keep_break_glass() returns trigger language plpgsql as $$
declare
  changing constant text[] := array['state', 'lapses_at', 'decided_by', 'decided_at', 'decision_reason_id', 'used_at', 'decision_id'];
begin
  if tg_op = 'DELETE' then
    raise exception 'a broken glass is kept';
  end if;
  if to_jsonb(new) - changing <> to_jsonb(old) - changing
     or (old.state, new.state) not in (('requested', 'granted'), ('requested', 'refused'), ('requested', 'lapsed'), ('granted', 'used'), ('granted', 'lapsed'))
     or (old.state = 'granted' and (new.decided_by, new.decided_at, new.lapses_at) is distinct from (old.decided_by, old.decided_at, old.lapses_at)) then
    raise exception 'a broken glass is decided and used once, and never changed otherwise';
  end if;
  return new;
end $$;
create trigger break_glass_kept before update or delete on break_glass for each row execute function keep_break_glass();
