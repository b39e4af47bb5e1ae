-- Audit: what anchors know of every entry, which anchor is the last, who saw fields with a right of their own, and a role for the product
-- that cannot change what is kept.

alter table audit_anchor_head add column entry_hashes bytea;
comment on column audit_anchor_head.entry_hashes is
  'Hashes of the entries since the anchor before, 32 bytes each: they name the first entry that was written anew. Null where sealed before they were kept.';

create table audit_anchor_tip (
  is_only boolean primary key default true check (is_only),
  sequence bigint not null,
  hash text not null
);
insert into audit_anchor_tip (sequence, hash)
  select coalesce(max(sequence), 0), coalesce((select hash from audit_anchor order by sequence desc limit 1), repeat('0', 64)) from audit_anchor;
comment on table audit_anchor_tip is 'The last anchor: only this finds anchors that were cut off the end.';

create function note_anchor() returns trigger language plpgsql security definer set search_path = public, pg_temp as $$
begin
  update audit_anchor_tip set sequence = new.sequence, hash = new.hash;
  return null;
end $$;
create trigger audit_anchor_noted after insert on audit_anchor for each row execute function note_anchor();

create table field_access (
  id uuid primary key,
  request_id text not null,
  reader text not null,
  seen_at timestamptz not null,
  route text not null,
  subject text not null,
  field_classes text[] not null check (cardinality(field_classes) > 0),
  unique (request_id, subject)
);
comment on table field_access is 'Who was given fields with a right of their own (cost, margin, pay, personal data), written before the answer (R-243).';
create index field_access_reader on field_access (reader, id);
create index field_access_subject on field_access (subject, id);
create trigger field_access_append_only before update or delete on field_access for each row execute function refuse_change();
create trigger field_access_kept before truncate on field_access for each statement execute function refuse_change();

-- The role of the product (R-241). Roles belong to the whole server, so it may be there already, or be made by another database at this moment.
do $$
begin
  if not exists (select from pg_roles where rolname = 'throughline_app') then
    begin
      create role throughline_app nologin;
    exception
      when duplicate_object or unique_violation then null;
      when insufficient_privilege then
        raise exception 'the role throughline_app is missing, and % may not create it', current_user
          using errcode = 'insufficient_privilege',
                hint = format('Have an administrator run: create role throughline_app nologin; grant throughline_app to %I;', current_user);
    end;
  end if;
  if not pg_has_role(current_user, 'throughline_app', 'SET') then
    execute format('grant throughline_app to %I with set true, inherit false', current_user);
  end if;
end $$;

-- Entries are appended by this function alone; the role itself neither writes entries nor moves heads.
alter function append_audit_entry(text, text, timestamptz, text, text) security definer;
alter function append_audit_entry(text, text, timestamptz, text, text) set search_path = public, pg_temp;

create function grant_application_rights() returns void language plpgsql as $$
declare
  made record;
begin
  for made in
    select c.oid::regclass as name, c.relkind in ('r', 'p') as is_table,
           exists (select from pg_trigger t where t.tgrelid = c.oid and t.tgfoid = 'refuse_change'::regproc) as is_kept
      from pg_class c
     where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p', 'v', 'm')
  loop
    execute format('revoke all on %s from throughline_app', made.name);
    execute format('grant select%s%s on %s to throughline_app', case when made.is_table then ', insert' else '' end,
                   case when made.is_table and not made.is_kept then ', update, delete' else '' end, made.name);
  end loop;
  revoke insert, update, delete on audit_entry, audit_head, audit_anchor_tip from throughline_app;
  revoke update on audit_personal from throughline_app;
  revoke delete on free_text from throughline_app;
  if to_regclass('kysely_migration') is not null then
    revoke insert, update, delete on kysely_migration, kysely_migration_lock from throughline_app;
  end if;
  grant usage on schema public to throughline_app;
  grant usage on all sequences in schema public to throughline_app;
end $$;
comment on function grant_application_rights is
  'Gives the role of the product what it needs of every table: rows that are kept cannot be changed or deleted, nothing can be emptied. Called after every migration.';
select grant_application_rights();
