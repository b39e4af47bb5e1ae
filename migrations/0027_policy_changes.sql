-- Policies are changed through an approval: what was asked for, what came of it, what an entity says otherwise, what was taken back.

create table policy_change (
  id uuid primary key,
  kind text not null,
  action text not null check (action in ('introduce', 'withdraw')),
  entity_id text references legal_entity (id),
  based_on_id uuid not null references policy_version (id),
  effective_from date not null,
  content jsonb,
  content_hash text,
  reason_id uuid not null references free_text (id),
  approval_id uuid not null unique references approval (id) deferrable initially deferred,
  requested_by text not null references app_user (id),
  requested_at timestamptz not null,
  state text not null default 'requested' check (state in ('requested', 'applied', 'refused', 'withdrawn', 'outdated')),
  settled_at timestamptz,
  outcome text,
  check ((action = 'introduce') = (content is not null)),
  check ((content is null) = (content_hash is null)),
  check ((state = 'requested') = (settled_at is null))
);
comment on table policy_change is 'A change of a policy that somebody asks for: a new version, or a version taken back. In force only through its approval.';
create unique index policy_change_one_open on policy_change (kind, coalesce(entity_id, '')) where state = 'requested';
create index policy_change_requested on policy_change (kind, requested_at);

create function keep_policy_change() returns trigger language plpgsql as $$
begin
  if tg_op <> 'UPDATE' then
    raise exception 'what was asked for stays';
  end if;
  if old.state <> 'requested' or to_jsonb(new) - array['state', 'settled_at', 'outcome'] <> to_jsonb(old) - array['state', 'settled_at', 'outcome'] then
    raise exception 'what was asked for does not change';
  end if;
  return new;
end $$;
create trigger policy_change_kept before update on policy_change for each row execute function keep_policy_change();
create trigger policy_change_not_deleted before delete on policy_change for each row execute function keep_policy_change();
create trigger policy_change_not_truncated before truncate on policy_change for each statement execute function keep_policy_change();

alter table policy_version
  add column entity_id text references legal_entity (id),
  add column refines_id uuid references policy_version (id),
  add column change_id uuid unique references policy_change (id),
  add column granted_at timestamptz,
  add constraint policy_version_local_refines check ((entity_id is null) = (refines_id is null)),
  add constraint policy_version_granted check ((change_id is null) = (granted_at is null));
comment on column policy_version.entity_id is 'The entity that says something otherwise than the group; its body holds only that.';
comment on column policy_version.change_id is 'The approved change that brought it; null where it came with master data.';

create table policy_withdrawal (
  version_id uuid primary key references policy_version (id),
  change_id uuid not null unique references policy_change (id),
  withdrawn_from date not null,
  withdrawn_at timestamptz not null
);
comment on table policy_withdrawal is 'Versions that were taken back: from a day on, and known since a moment.';
create trigger policy_withdrawal_append_only before update or delete on policy_withdrawal for each row execute function refuse_change();
create trigger policy_withdrawal_no_truncate before truncate on policy_withdrawal for each statement execute function refuse_change();
create trigger policy_withdrawal_noted after insert on policy_withdrawal for each statement execute function note_master_change();

create function is_granted_policy_change(of_change uuid) returns boolean language sql stable as $$
  select exists (
    select 1
      from policy_change as change
      join approval on approval.id = change.approval_id
     where change.id = of_change and change.state = 'requested'
       and approval.state = 'approved' and approval.subject_kind = 'policy' and approval.subject_id = change.id::text
       and exists (select 1 from approval_decision as decision
                    where decision.approval_id = approval.id and decision.verdict = 'grant' and decision.decided_by <> change.requested_by));
$$;
comment on function is_granted_policy_change is 'True where somebody else than who asked has granted the change, and it has not been settled.';

create function guard_policy_version() returns trigger language plpgsql as $$
begin
  if new.change_id is null then
    if new.entity_id is not null or exists (select 1 from policy_version where kind = new.kind and change_id is not null) then
      raise exception 'a % policy is changed through an approval', new.kind;
    end if;
    return new;
  end if;
  if not is_granted_policy_change(new.change_id) or not exists (
    select 1 from policy_change as change
     where change.id = new.change_id and change.action = 'introduce' and change.kind = new.kind
       and change.entity_id is not distinct from new.entity_id
       and (new.entity_id is null or new.refines_id = change.based_on_id)
       and new.valid_from >= change.effective_from and new.body - 'version' - 'validFrom' = change.content
       and new.body ->> 'version' = new.version::text and new.body ->> 'validFrom' = new.valid_from::text) then
    raise exception 'no approval has granted this version of the % policy', new.kind;
  end if;
  return new;
end $$;
create trigger policy_version_guarded before insert on policy_version for each row execute function guard_policy_version();

create function guard_policy_withdrawal() returns trigger language plpgsql as $$
begin
  if not is_granted_policy_change(new.change_id) or not exists (
    select 1 from policy_change as change
     where change.id = new.change_id and change.action = 'withdraw' and change.based_on_id = new.version_id) then
    raise exception 'no approval has granted that this version is taken back';
  end if;
  return new;
end $$;
create trigger policy_withdrawal_guarded before insert on policy_withdrawal for each row execute function guard_policy_withdrawal();
