-- What people write in their own words, in one place and erasable; and the entity whose fact an audit entry states.

create table free_text (
  id uuid primary key,
  author text not null,
  subject text not null,
  purpose text not null,
  origin text not null,
  body text,
  salt text,
  commitment text not null,
  written_at timestamptz not null,
  erased_at timestamptz,
  check ((body is null) = (erased_at is not null)),
  check ((body is null) = (salt is null))
);
comment on table free_text is 'Reasons as people wrote them. Everything else, in and outside the database, holds the id only; erasing a text empties its row (I-15).';
comment on column free_text.body is 'Personal data: never in workflow payloads, ids, search attributes or logs (I-15).';
comment on column free_text.origin is 'Id of the request that brought the text: the same request again finds the same row.';
create unique index free_text_once on free_text (author, purpose, origin, md5(body)) where body is not null;
create index free_text_subject on free_text (subject);

create function refuse_text_change() returns trigger language plpgsql as $$
begin
  if tg_op = 'UPDATE' and new.body is null and old.body is not null
     and (new.id, new.author, new.subject, new.purpose, new.origin, new.commitment, new.written_at)
       = (old.id, old.author, old.subject, old.purpose, old.origin, old.commitment, old.written_at) then
    return new;
  end if;
  raise exception 'free_text is only erased, never changed' using errcode = 'integrity_constraint_violation';
end $$;
create trigger free_text_erase_only before update or delete on free_text for each row execute function refuse_text_change();
create trigger free_text_kept before truncate on free_text for each statement execute function refuse_text_change();

-- What stands in columns so far moves there.
create function move_text(told text, by_whom text, about text, for_what text, brought_by text, at_moment timestamptz)
returns uuid language plpgsql as $$
declare
  known uuid;
  grain text := replace(gen_random_uuid()::text, '-', '');
begin
  if btrim(coalesce(told, '')) = '' then return null; end if;
  select id into known from free_text where author = by_whom and purpose = for_what and origin = brought_by and body = told;
  if known is not null then return known; end if;
  known := gen_random_uuid();
  insert into free_text (id, author, subject, purpose, origin, body, salt, commitment, written_at)
  values (known, by_whom, about, for_what, brought_by, told, grain,
    encode(sha256(convert_to(format('[%s,%s,%s]', to_json(grain), to_json(for_what), to_json(told)), 'UTF8')), 'hex'), at_moment);
  return known;
end $$;

create function move_reasons(value jsonb, by_whom text, about text, at_moment timestamptz) returns jsonb language plpgsql as $$
declare
  who text;
  moved jsonb;
begin
  if jsonb_typeof(value) = 'array' then
    return coalesce((select jsonb_agg(move_reasons(each, by_whom, about, at_moment) order by place)
      from jsonb_array_elements(value) with ordinality as items (each, place)), '[]');
  elsif jsonb_typeof(value) <> 'object' then
    return value;
  end if;
  who := coalesce(value ->> 'by', by_whom);
  moved := coalesce((select jsonb_object_agg(name, move_reasons(member, who, about, at_moment))
    from jsonb_each(value - 'reason') as members (name, member)), '{}');
  if not value ? 'reason' then return moved; end if;
  return moved || jsonb_build_object('reasonId',
    move_text(value ->> 'reason', who, about, 'decision', coalesce(value ->> 'decisionId', about), at_moment));
end $$;

update approval set record = move_reasons(record, 'engine', 'approval/' || id, opened_at);
alter table approval add column outcome_reason_id uuid references free_text (id);
update approval set outcome_reason_id = (record ->> 'reasonId')::uuid where outcome_reason is not null;
alter table approval drop column outcome_reason;

alter table approval_decision add column reason_id uuid references free_text (id);
alter table approval_decision disable trigger approval_decision_append_only;
update approval_decision set reason_id =
  move_text(reason, decided_by, 'approval/' || approval_id, 'decision', decision_id, decided_at) where reason is not null;
alter table approval_decision enable trigger approval_decision_append_only;
alter table approval_decision drop column reason;

alter table cancellation_request add column reason_id uuid references free_text (id);
update cancellation_request set reason_id =
  move_text(reason, requested_by, 'deal/' || deal_id, 'cancellation', id, requested_at);
alter table cancellation_request alter column reason_id set not null, drop column reason;
alter table cancellation_statement add column reason_id uuid references free_text (id);
update cancellation_statement as statement set reason_id = request.reason_id
  from cancellation_request as request where request.deal_id = statement.deal_id and request.state = 'granted';
alter table cancellation_statement alter column reason_id set not null, drop column reason;

alter table collection_hold add column reason_id uuid references free_text (id);
update collection_hold set reason_id = move_text(reason, recorded_by, 'invoice/' || invoice_id, 'hold', id, from_moment);
alter table collection_hold alter column reason_id set not null, drop column reason;

alter table milestone_response add column reason_id uuid references free_text (id);
update milestone_response set reason_id = move_text(reason, recorded_by, 'milestone/' || milestone_id, 'response',
  milestone_id || '/' || attempt, responded_at) where reason is not null;
alter table milestone_response drop column reason;

alter table billing_plan_item add column held_reason_id uuid references free_text (id);
update billing_plan_item set held_reason = 'refused', held_reason_id =
  move_text(held_reason, 'unknown', 'line/' || contract_line_id, 'decision', id::text, coalesce(settled_at, now())) where held_reason is not null;
comment on column billing_plan_item.held_reason is 'How the draft ended (refused, withdrawn); why in somebody''s words is held_reason_id.';

alter table open_wait add column reason_id uuid references free_text (id);

drop function move_reasons(jsonb, text, text, timestamptz);
drop function move_text(text, text, text, text, text, timestamptz);

alter table audit_entry add column entity_id text;
comment on column audit_entry.entity_id is 'The legal entity whose fact the entry states, as in its text; null for facts of a whole deal or of none.';
