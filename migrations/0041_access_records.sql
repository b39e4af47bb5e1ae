-- Who saw what is itself a record of people: it is kept for its time and then forgotten (R-340), never within a year.

drop trigger field_access_append_only on field_access;
create trigger field_access_append_only before update or delete on field_access
  for each row when (old.seen_at >= now() - interval '12 months') execute function refuse_change();
create trigger field_access_unchanged before update on field_access for each row execute function refuse_change();

create function forget_field_access(ids uuid[]) returns integer
language plpgsql security definer set search_path = public, pg_temp as $$
declare
  gone integer;
begin
  delete from field_access as seen
   where seen.id = any(ids) and seen.seen_at < now() - interval '12 months'
     and not exists (select from held_person as held where held.subject_id = seen.reader);
  get diagnostics gone = row_count;
  return gone;
end $$;
comment on function forget_field_access is 'Forgets records of who saw what that are a year old and under no hold: the role of the product deletes none otherwise.';
revoke execute on function forget_field_access(uuid[]) from public;
grant execute on function forget_field_access(uuid[]) to throughline_app;
