-- Bank files in blocks, what came in them found by an index, and append-only tables that cannot be emptied either.

alter table bank_statement
  add column state text not null default 'applied' check (state in ('applying', 'applied')),
  add column transaction_count integer not null default 0,
  add column applied_count integer not null default 0,
  add constraint bank_statement_progress check (applied_count <= transaction_count and (state = 'applying') = (applied_count < transaction_count));
comment on column bank_statement.state is 'A large file is applied in blocks: until it is applied, its payments are facts but the statement is not complete.';

create table bank_statement_receipt (
  account text not null,
  statement_id text not null,
  inbox_event_id uuid not null references inbox_event (id),
  primary key (account, statement_id, inbox_event_id)
);
comment on table bank_statement_receipt is 'Which statements came in which bank file, whatever became of it: a file that overlaps another one is refused at the door.';
insert into bank_statement_receipt (account, statement_id, inbox_event_id)
  select distinct told ->> 'account', told ->> 'statementId', event.id
    from inbox_event event, jsonb_array_elements(event.payload -> 'statements') told
   where event.type = 'bank-statements';

-- A row trigger does not see TRUNCATE.
do $$
declare
  guarded regclass;
begin
  for guarded in select distinct tgrelid::regclass from pg_trigger where tgfoid = 'refuse_change'::regproc and not tgisinternal loop
    execute format('create trigger %I before truncate on %s for each statement execute function refuse_change()',
      guarded::text || '_no_truncate', guarded);
  end loop;
end $$;
