-- Data protection: legal holds, erasures with what they did step by step, and that erased people stay erased.

create table legal_hold (
  id uuid primary key,
  scope_kind text not null check (scope_kind in ('person', 'deal', 'entity')),
  scope_id text not null,
  reason_id uuid not null references free_text (id),
  placed_by text not null references app_user (id),
  placed_at timestamptz not null,
  released_by text references app_user (id),
  released_at timestamptz,
  release_reason_id uuid references free_text (id),
  check ((released_by is null) = (released_at is null)),
  check ((released_by is null) = (release_reason_id is null)),
  check (released_by <> placed_by)
);
comment on table legal_hold is 'What must not be erased while it stands, neither on request nor by age (R-336). An id of a person is that of a user or of a worker.';
create index legal_hold_standing on legal_hold (scope_kind, scope_id) where released_at is null;
create index legal_hold_listed on legal_hold (placed_at desc, id desc);

create function keep_legal_hold() returns trigger language plpgsql as $$
declare
  releasing constant text[] := array['released_by', 'released_at', 'release_reason_id'];
begin
  if tg_op = 'UPDATE' and old.released_at is null and to_jsonb(new) - releasing = to_jsonb(old) - releasing then
    return new;
  end if;
  raise exception 'a legal hold is released, never changed or removed' using errcode = 'integrity_constraint_violation';
end $$;
create trigger legal_hold_kept before update or delete on legal_hold for each row execute function keep_legal_hold();

alter table app_user add column left_at timestamptz, add column erased_at timestamptz;
alter table app_user add constraint app_user_erased_is_inactive check (erased_at is null or not active);
comment on column app_user.left_at is 'Since when master data no longer names the person.';
comment on column app_user.erased_at is 'Since when name and address are gone; the row stays for what refers to its id, and is never filled again (R-341).';
update app_user set left_at = now() where not active;
alter table person add column left_at timestamptz, add column erased_at timestamptz;
comment on column person.left_at is 'As in app_user; until the next load of master data all are taken to be named.';
comment on column person.erased_at is 'As in app_user.';

create function keep_erased() returns trigger language plpgsql as $$
begin
  if old.erased_at is not null and new is distinct from old then
    raise exception 'an erased person stays erased' using errcode = 'integrity_constraint_violation';
  end if;
  return new;
end $$;
create trigger app_user_stays_erased before update on app_user for each row execute function keep_erased();
create trigger person_stays_erased before update on person for each row execute function keep_erased();

create table erasure (
  id uuid primary key,
  user_id text references app_user (id),
  person_id text references person (id),
  entity_id text references legal_entity (id),
  state text not null check (state in ('requested', 'granted', 'refused', 'done')),
  requested_by text references app_user (id),
  policy_version_id uuid references policy_version (id),
  requested_at timestamptz not null,
  reason_id uuid references free_text (id),
  decided_by text references app_user (id),
  decided_at timestamptz,
  decision_reason_id uuid references free_text (id),
  finished_at timestamptz,
  created_at timestamptz not null default date_trunc('milliseconds', clock_timestamp()),
  check (user_id is not null or person_id is not null),
  check ((requested_by is null) = (policy_version_id is not null)),
  check ((requested_by is null) = (reason_id is null)),
  check ((decided_by is null) or (decided_at is not null)),
  check (state not in ('granted', 'refused', 'done') or decided_at is not null),
  check (policy_version_id is not null or state not in ('granted', 'refused', 'done') or decided_by is not null),
  check ((state = 'done') = (finished_at is not null)),
  check (decided_by <> requested_by),
  check (user_id is null or (requested_by is distinct from user_id and decided_by is distinct from user_id))
);
comment on table erasure is 'That what is held on a person is erased: asked by one, granted by another (R-332), or due by the retention policy.';
comment on column erasure.policy_version_id is 'The version of the retention policy by which it was due; null where somebody asked.';
create unique index erasure_open on erasure (coalesce(user_id, person_id)) where state in ('requested', 'granted');
create index erasure_of on erasure (coalesce(user_id, person_id), created_at desc);
create index erasure_listed on erasure (requested_at desc, id desc);

create function keep_erasure() returns trigger language plpgsql as $$
declare
  deciding constant text[] := array['state', 'decided_by', 'decided_at', 'decision_reason_id', 'finished_at'];
begin
  if tg_op = 'UPDATE' and to_jsonb(new) - deciding = to_jsonb(old) - deciding
     and (old.state, new.state) in (('requested', 'granted'), ('requested', 'refused'), ('granted', 'done')) then
    return new;
  end if;
  raise exception 'an erasure is decided and done, and never changed otherwise' using errcode = 'integrity_constraint_violation';
end $$;
create trigger erasure_kept before update or delete on erasure for each row execute function keep_erasure();

create table erasure_step (
  erasure_id uuid not null references erasure (id),
  step text not null,
  kind text not null,
  erased integer not null check (erased >= 0),
  kept integer not null check (kept >= 0),
  why_kept text,
  done_at timestamptz not null,
  primary key (erasure_id, step),
  check ((kept = 0) = (why_kept is null))
);
comment on table erasure_step is 'What was done of an erasure, an effect each: after a crash it goes on with the next (R-334). Counts only.';
create trigger erasure_step_append_only before update or delete on erasure_step for each row execute function refuse_change();
create trigger erasure_step_kept before truncate on erasure_step for each statement execute function refuse_change();

create table erased_address (
  erasure_id uuid not null references erasure (id),
  salt text not null,
  hash text not null,
  primary key (erasure_id, hash)
);
comment on table erased_address is 'Salted hashes of addresses that were erased, to know one again when it comes back (R-341).';

alter table inbox_event add column erased_at timestamptz;
comment on column inbox_event.erased_at is 'Since when the payload is gone; its hash stays, so that the event is known when it comes again.';

-- What stands under a legal hold now.
create view held_deal as
  select deal.id as deal_id, hold.id as hold_id
    from legal_hold as hold
    join deal on (hold.scope_kind = 'deal' and deal.id::text = hold.scope_id)
              or (hold.scope_kind = 'entity' and hold.scope_id = any(deal.entity_ids))
   where hold.released_at is null;

create view held_person as
  with standing as (select id, scope_kind, scope_id from legal_hold where released_at is null),
       known as (
         select app_user.id as user_id, person.id as person_id, array[app_user.entity_id, person.entity_id, person.managed_by_entity_id] as entities
           from app_user full join person on person.id = app_user.person_id
       )
  select held.subject_id, standing.id as hold_id
    from known
    join standing on (standing.scope_kind = 'person' and standing.scope_id in (known.user_id, known.person_id))
                  or (standing.scope_kind = 'entity' and standing.scope_id = any(known.entities))
   cross join lateral (values (known.user_id), (known.person_id)) as held (subject_id)
   where held.subject_id is not null;
comment on view held_person is 'Ids of users and of workers that a hold keeps: themselves, or the entity at which they are at home.';
