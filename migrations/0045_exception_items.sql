-- One exception holds all records of one cause; what comes with a choice and is too large for a message; facts that replace others.

alter table process_exception
  add column cause text,
  add column taking boolean not null default false,
  add constraint process_exception_takes_of_a_cause check (not taking or cause is not null);
comment on column process_exception.cause is 'What its items have in common, as <contract line>/<code of the finding>; null where it is about one thing.';
comment on column process_exception.taking is 'True until an outcome is chosen: so long what comes of the same cause joins it (R-367).';
create unique index process_exception_taking on process_exception (cause) where taking and closed_at is null;

create table exception_item (
  exception_id uuid not null references process_exception (id),
  finding_id uuid not null references policy_finding (id),
  added_at timestamptz not null,
  amount_minor bigint,
  currency text,
  choice_id text references exception_choice (id),
  settled_at timestamptz,
  settled_as text,
  primary key (exception_id, finding_id),
  check ((settled_at is null) = (settled_as is null)),
  check ((amount_minor is null) = (currency is null))
);
comment on table exception_item is 'The records of an exception: which outcome was chosen for each, and how each ended, once (R-368).';
comment on column exception_item.amount_minor is 'What it would be billed at, when that was looked at last: as it joined, and as an outcome was chosen. Null where it has no price of its own.';
comment on column exception_item.settled_as is 'The option that settled it; cured where its cause went by itself, lapsed where the deal ended first.';
create unique index exception_item_open on exception_item (finding_id) where settled_at is null;
create index exception_item_chosen on exception_item (choice_id, finding_id) where choice_id is not null;

create function keep_exception_item() returns trigger language plpgsql as $$
begin
  -- A breach that was over may come back while nobody has chosen anything.
  if tg_op = 'UPDATE' and (old.settled_at is null or (old.settled_as = 'cured' and old.choice_id is null and new.settled_at is null)) then
    return new;
  end if;
  raise exception 'what became of an item of an exception is never changed' using errcode = 'integrity_constraint_violation';
end $$;
create trigger exception_item_kept before update or delete on exception_item for each row execute function keep_exception_item();

-- Whoever closes an exception knows nothing of its items.
create function settle_items_of_exception() returns trigger language plpgsql as $$
begin
  update exception_item set settled_at = new.closed_at, settled_as = new.settled_as where exception_id = new.id and settled_at is null;
  return null;
end $$;
create trigger process_exception_items_settled after update on process_exception
  for each row when (old.closed_at is null and new.closed_at is not null) execute function settle_items_of_exception();

-- Exceptions about one record each have it as their one item; they take no other.
insert into exception_item (exception_id, finding_id, added_at, choice_id, settled_at, settled_as)
select trouble.id, finding.id, trouble.opened_at, trouble.choice_id, trouble.closed_at, trouble.settled_as
  from process_exception as trouble join policy_finding as finding on trouble.workflow_id = 'finding/' || finding.id;

create table exception_enclosure (
  choice_id text primary key,
  exception_id uuid not null references process_exception (id),
  finding_ids uuid[],
  payload jsonb,
  payload_hash text,
  enclosed_at timestamptz not null default now(),
  check (payload is null or payload_hash is not null)
);
comment on table exception_enclosure is 'What came with the choice of an outcome: the items it is for, or corrected facts. Kept before the message that names the choice (R-370).';
comment on column exception_enclosure.payload is 'Corrected facts until the outcome is settled; then they are an event of the inbox, or nothing.';
create index exception_enclosure_waiting on exception_enclosure (enclosed_at) where payload is not null;

create function keep_exception_enclosure() returns trigger language plpgsql as $$
begin
  if to_jsonb(new) - 'payload' <> to_jsonb(old) - 'payload' or new.payload is not null then
    raise exception 'what came with a choice is let go, and never changed otherwise' using errcode = 'integrity_constraint_violation';
  end if;
  return new;
end $$;
create trigger exception_enclosure_kept before update on exception_enclosure for each row execute function keep_exception_enclosure();

alter table inbox_event add column corrects uuid references inbox_event (id);
comment on column inbox_event.corrects is 'The event in whose place this one came, by an outcome that somebody approved (R-370); that one stays as it was sent.';
create unique index inbox_event_corrects on inbox_event (corrects) where corrects is not null;
