-- Double-entry journal; every line names its book and its dimensions.

create table account (
  code text primary key,
  name text not null,
  kind text not null check (kind in ('asset', 'liability', 'income', 'expense', 'equity'))
);

create table journal_entry (
  id uuid primary key,
  entry_key text not null unique,
  entity_id text not null references legal_entity (id),
  book text not null,
  date date not null,
  narrative text not null,
  created_at timestamptz not null default now()
);
create index journal_entry_entity on journal_entry (entity_id, date);

create table journal_line (
  entry_id uuid not null references journal_entry (id),
  position integer not null,
  account_code text not null references account (code),
  debit_minor bigint not null default 0 check (debit_minor >= 0),
  credit_minor bigint not null default 0 check (credit_minor >= 0),
  currency text not null,
  customer_id text,
  project_id uuid,
  contract_line_id uuid,
  service_line text,
  practice text,
  region text,
  primary key (entry_id, position),
  check ((debit_minor = 0) <> (credit_minor = 0))
);
create index journal_line_account on journal_line (account_code);

create function journal_entry_balances() returns trigger language plpgsql as $$
declare
  unbalanced record;
begin
  select l.currency, sum(l.debit_minor) as debit, sum(l.credit_minor) as credit into unbalanced
    from journal_line l where l.entry_id = new.entry_id
    group by l.currency having sum(l.debit_minor) <> sum(l.credit_minor) limit 1;
  if found then
    raise exception 'journal entry % does not balance in %: % <> %', new.entry_id, unbalanced.currency, unbalanced.debit, unbalanced.credit
      using errcode = 'check_violation';
  end if;
  return null;
end $$;
create constraint trigger journal_line_balances after insert on journal_line
  deferrable initially deferred for each row execute function journal_entry_balances();
create trigger journal_entry_append_only before update or delete on journal_entry for each row execute function refuse_change();
create trigger journal_line_append_only before update or delete on journal_line for each row execute function refuse_change();
