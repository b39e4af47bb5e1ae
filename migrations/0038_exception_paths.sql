-- What does not go its usual way has a path: an owner, a deadline, options, and an outcome that changes the facts.

create table exception_choice (
  id text primary key,
  exception_id uuid not null references process_exception (id),
  option text not null,
  chosen_by text not null references app_user (id),
  chosen_at timestamptz not null,
  reason_id uuid not null references free_text (id),
  evidence text,
  target text,
  approval_id uuid references approval (id),
  state text not null check (state in ('asked', 'carried-out', 'refused', 'void')),
  settled_at timestamptz,
  check ((state = 'asked') = (settled_at is null))
);
create unique index exception_choice_open on exception_choice (exception_id) where state = 'asked';
create index exception_choice_of on exception_choice (exception_id, chosen_at);
comment on table exception_choice is 'Outcomes that people chose for an exception: how each ended, and the approval that it needed.';
comment on column exception_choice.evidence is 'A reference to what proves it, no text.';
comment on column exception_choice.target is 'What the option speaks of: a role, a change order.';

create function keep_exception_choice() returns trigger language plpgsql as $$
begin
  if tg_op = 'DELETE' or to_jsonb(new) - array['state', 'settled_at', 'approval_id'] <> to_jsonb(old) - array['state', 'settled_at', 'approval_id'] then
    raise exception 'an outcome that somebody chose is settled, and never changed otherwise';
  end if;
  return new;
end $$;
create trigger exception_choice_kept before update or delete on exception_choice for each row execute function keep_exception_choice();

alter table process_exception
  add column path text check (path in ('stuck-integration', 'policy-breach', 'delayed-approval', 'scope-change')),
  add column entity_id text references legal_entity (id),
  add column contract_line_id uuid references contract_line (id),
  add column facts jsonb not null default '{}',
  add column stage text not null default 'open' check (stage in ('open', 'assigned', 'decided', 'settled')),
  add column asked_roles text[] not null default '{}',
  add column assigned_at timestamptz,
  add column due timestamptz,
  add column policy_version_id uuid references policy_version (id),
  add column choice_id text references exception_choice (id),
  add column settled_as text;
comment on column process_exception.path is 'How it is handled; null where it is only known until it passes by itself.';
comment on column process_exception.facts is 'What it is about, by ids and codes.';
comment on column process_exception.asked_roles is 'Its owner, and whom it was escalated to.';
comment on column process_exception.choice_id is 'The outcome that is being decided or carried out.';
comment on column process_exception.settled_as is 'The option that settled it; cured where the cause went by itself, lapsed where its deal ended first.';
update process_exception set stage = 'settled', settled_as = 'cured' where closed_at is not null;
alter table process_exception
  add constraint process_exception_settled check ((stage = 'settled') = (closed_at is not null) and (stage = 'settled') = (settled_as is not null)),
  add constraint process_exception_chosen check (stage <> 'decided' or choice_id is not null);
create index process_exception_listed on process_exception (opened_at desc, id desc);
create index process_exception_deal on process_exception (deal_id) where closed_at is null;

create function exception_path_of(of_run text, of_kind text) returns text language sql immutable as $$
  select case
    when of_run like 'exception/%' then null
    when of_kind like 'stuck/%' or of_kind in ('inbox-event-failed', 'intake-rejected', 'notification-dead') then 'stuck-integration'
    when of_kind in ('policy-breach', 'delayed-approval', 'scope-change') then of_kind
  end
$$;
comment on function exception_path_of is 'The path of an exception by its kind; one about the run of an exception has none, so that none begets another.';

-- The event that has the run of an exception started, or look again (D8): in the transaction that opened or closed it, whoever did.
create function ring_exception(of_id uuid, moment timestamptz, what text, which text default null) returns void language plpgsql as $$
declare
  event uuid := uuidv7();
  body text := format('{"exceptionId":"%s"}', of_id);
begin
  insert into inbox_event (id, source, event_id, type, subject, source_order, occurred_at, business_received_at, payload, payload_hash, state)
  values (event, 'engine', concat_ws('/', 'exception', of_id, what, which), 'exception-' || what, format('exception/%s', of_id),
          case what when 'opened' then 1 else 2 end, moment, moment, body::jsonb, encode(sha256(convert_to(body, 'UTF8')), 'hex'), 'received')
  on conflict (source, event_id) do nothing;
  perform pg_notify('inbox', event::text);
end $$;

create function place_exception() returns trigger language plpgsql as $$
begin
  new.path := exception_path_of(new.workflow_id, new.kind);
  if new.closed_at is not null then
    new.stage := 'settled';
    new.settled_as := coalesce(new.settled_as, 'cured');
  end if;
  return new;
end $$;
create trigger process_exception_placed before insert on process_exception for each row execute function place_exception();

create function ring_opened_exception() returns trigger language plpgsql as $$
begin
  perform ring_exception(new.id, new.opened_at, 'opened');
  return null;
end $$;
create trigger process_exception_opened after insert on process_exception
  for each row when (new.path is not null and new.closed_at is null) execute function ring_opened_exception();

-- Whoever finds that the cause is gone closes the row and knows nothing of paths: then it is settled by what was chosen, or cured.
create function settle_closed_exception() returns trigger language plpgsql as $$
begin
  new.settled_as := coalesce(
    new.settled_as,
    (select option from exception_choice where id = new.choice_id and state = 'carried-out' and new.stage = 'decided'),
    'cured');
  new.stage := 'settled';
  if new.path is not null then
    perform ring_exception(new.id, new.closed_at, 'closed');
  end if;
  return new;
end $$;
create trigger process_exception_closed before update on process_exception
  for each row when (old.closed_at is null and new.closed_at is not null and new.stage <> 'settled') execute function settle_closed_exception();

update process_exception set path = exception_path_of(workflow_id, kind);
select ring_exception(id, opened_at, 'opened') from process_exception where closed_at is null and path is not null;

alter table policy_finding
  add column exempted_by uuid references process_exception (id),
  add column upheld_by uuid references process_exception (id),
  add constraint policy_finding_exempt_is_free check (exempted_by is null or not blocking);
comment on column policy_finding.exempted_by is 'The exception whose approved outcome keeps it from blocking; only of records that were approved, because these never change.';
comment on column policy_finding.upheld_by is 'The exception that settled that it stays unbilled: nobody waits for it any more.';

-- Work on exceptions stands in the stage of its exception.
create or replace view process_open_work as
  select wait.*,
         coalesce(case
           when wait.lifecycle = 'deal' then (select state from deal where deal.id = id_in_name(wait.workflow_id, 'deal'))
           when wait.lifecycle = 'contract-line' then (select state from contract_line as line where line.id = id_in_name(wait.workflow_id, 'line'))
           when wait.lifecycle = 'invoice' then (select state from invoice where invoice.id = id_in_name(wait.workflow_id, 'invoice'))
           when wait.lifecycle = 'project' then (select state from project where project.id = id_in_name(wait.workflow_id, 'project'))
           when wait.lifecycle = 'approval' then
             (select 'tier-' || tier from approval where approval.id = id_in_name(wait.workflow_id, 'approval'))
           when wait.lifecycle = 'exception' then
             (select stage from process_exception as trouble where trouble.id = id_in_name(wait.workflow_id, 'exception'))
           when wait.task in ('customer-approval', 'modification-accounting') then
             (select state from change_order where change_order.id = id_in_name('change/' || wait.subject, 'change'))
           when wait.lifecycle in ('change-order', 'cancellation', 'policy-change') then 'requested'
           when wait.lifecycle = 'correction' then
             case wait.task when 'dispute' then 'disputed' when 'approval' then 'requested' when 'issue-date' then 'approved' end
         end, 'running') as stage
    from process_wait as wait
   where wait.closed_at is null;

-- That a decision is late is no cause of its being late.
create or replace function process_breaches(moment timestamptz)
returns table (id uuid, workflow_id text, deal_id uuid, lifecycle text, task text, role text, entity_id text, since timestamptz, due timestamptz,
               closed_at timestamptz, settled_at timestamptz, late_until timestamptz, late_minutes bigint, cause text)
language sql stable as $$
  select late.id, late.workflow_id, late.deal_id, late.lifecycle, late.task, late.role, late.entity_id, late.since, late.due, late.closed_at,
         late.settled_at, late.late_until, late.late_minutes,
         case
           when exists (
             select from process_exception as trouble
              where trouble.workflow_id = late.workflow_id and trouble.opened_at < late.due and trouble.kind <> 'delayed-approval'
                and (trouble.closed_at is null or trouble.closed_at > late.since)) then 'stuck'
           when late.task like 'decision/%' and exists (
             select from approval_step as step
              where step.approval_id = id_in_name(late.workflow_id, 'approval') and step.role = late.role and step.voters = 0
                and step.opened_at is not null) then 'nobody-to-decide'
           else 'held'
         end
    from process_deadlines(moment) as late
   where late.outcome = 'late'
$$;
