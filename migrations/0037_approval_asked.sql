-- Whose decision is asked follows from roles and delegations of the moment; which roles are asked stands here, so that what awaits a person is
-- found by an index, however many approvals there are (ADR 0036).

create table approval_asked (
  approval_id uuid not null references approval (id) on delete cascade,
  place text not null,
  opened_at timestamptz not null,
  primary key (approval_id, place)
);
comment on table approval_asked is
  'Where pending approvals ask now (R-309): role/entity of each open step and escalation; role where it is escalated to every holder; and role/entity/person of
whoever the rules may leave out, because then others than the holders of the entity are asked; and requester/person who owes an answer.';
create index approval_asked_place on approval_asked (place, opened_at desc, approval_id desc);

create function places_asked(entity text, record jsonb) returns setof text language sql immutable as $$
  with step as (
    select step.value as step
      from jsonb_array_elements(record -> 'tiers') as tier, jsonb_array_elements(tier.value -> 'steps') as step
     where record ->> 'kind' = 'pending' and tier.value -> 'tier' = record -> 'openTier' and step.value ->> 'outcome' = 'open'
  ), asked as (
    select step ->> 'role' as role from step
     union
    select jsonb_array_elements_text(step -> 'escalatedTo') from step
  ), barred as (
    select record ->> 'requestedBy' as person
     union
    select person #>> '{}' from jsonb_path_query(record, '$.tiers[*].steps[*].recused[*]') as person
     union
    select person #>> '{}' from jsonb_path_query(record, '$.tiers[*].steps[*].votes[*].by') as person
     union
    select person #>> '{}' from jsonb_path_query(record, '$.tiers[*].steps[*].votes[*].onBehalfOf') as person
  )
  select role || '/' || entity from asked where role <> 'role'
   union
  select step ->> 'role' from step where step -> 'escalatedTo' ? 'role'
   union
  select role || '/' || entity || '/' || person from asked, barred where role <> 'role' and person is not null
   union
  select 'requester/' || (record ->> 'requestedBy') from jsonb_array_elements(record -> 'questions') as question
   where record ->> 'kind' = 'pending' and question.value -> 'tier' = record -> 'openTier' and question.value -> 'answer' = 'null'::jsonb
$$;
comment on function places_asked is 'The places of an approval in approval_asked, from its entity and its record.';

create function keep_approval_asked() returns trigger language plpgsql as $$
begin
  if tg_op = 'UPDATE' then
    delete from approval_asked where approval_id = new.id;
  end if;
  if new.state = 'pending' then
    insert into approval_asked select new.id, place, new.opened_at from places_asked(new.entity_id, new.record) as place;
  end if;
  return null;
end $$;
create trigger approval_asks after insert or update of record, state on approval for each row execute function keep_approval_asked();

insert into approval_asked
select approval.id, place, approval.opened_at from approval, places_asked(approval.entity_id, approval.record) as place where approval.state = 'pending';

create index approval_listed on approval (state, opened_at desc, id desc);
create index approval_opened on approval (opened_at desc, id desc);
