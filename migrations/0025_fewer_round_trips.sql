-- What every effect does, in one call each: a round trip costs more than the work.

create function claim_effect(of_key text) returns table (identity_hash text, answer jsonb, master_revision bigint)
language plpgsql as $$
begin
  -- The row is looked for after the lock is held, with a snapshot of that moment: of two at once the second finds what the first stored.
  perform pg_advisory_xact_lock(hashtextextended('effect/' || of_key, 0));
  return query
    select done.identity_hash, done.answer, master.revision
      from master_revision as master left join effect as done on done.key = of_key;
end $$;
comment on function claim_effect is 'Locks the key of an effect for the transaction and gives what was stored for it, if anything, and the revision of master data (D5).';

create function append_audit_entry(of_stream text, of_entity text, recorded timestamptz, before_sequence text, after_sequence text)
returns bigint language plpgsql as $$
declare
  head audit_head;
  said text;
  said_hash text;
begin
  select * into head from audit_head where stream = of_stream for update;
  if not found then
    insert into audit_head (stream, sequence, hash) values (of_stream, 0, repeat('0', 64)) on conflict do nothing;
    select * into strict head from audit_head where stream = of_stream for update;
  end if;
  said := before_sequence || (head.sequence + 1) || after_sequence;
  said_hash := encode(sha256(convert_to(head.hash || E'\n' || said, 'UTF8')), 'hex');
  insert into audit_entry (stream, sequence, entity_id, recorded_at, content, previous_hash, hash)
    values (of_stream, head.sequence + 1, of_entity, recorded, said, head.hash, said_hash);
  update audit_head set sequence = head.sequence + 1, hash = said_hash where stream = of_stream;
  return head.sequence + 1;
end $$;
comment on function append_audit_entry is 'Appends one entry to a stream under the lock of its head: the text is what stands before and after its number (D9).';

create function claim_inbox_events(by_owner text, at_most integer, lease_seconds integer) returns setof inbox_event
language plpgsql as $$
begin
  -- Claims wait for one another; each looks with a snapshot of the moment at which it holds the lock.
  perform pg_advisory_xact_lock(hashtextextended('inbox claim', 0));
  return query
    with due as (
      select e.id from inbox_event e
       where e.state = 'received' and e.next_attempt_at <= now() and (e.lease_until is null or e.lease_until <= now())
         and not exists (
           select 1 from inbox_event other
            where other.source = e.source and other.subject = e.subject and other.state = 'received' and other.id <> e.id
              and (other.lease_until > now()
                   or (other.source_order, other.received_at, other.id) < (e.source_order, e.received_at, e.id)))
       order by e.next_attempt_at, e.received_at, e.id
       limit at_most
       for update skip locked
    )
    update inbox_event as held
       set lease_owner = by_owner, lease_until = now() + make_interval(secs => lease_seconds), attempts = held.attempts + 1
     where held.id in (select due.id from due)
    returning held.*;
end $$;
comment on function claim_inbox_events is 'Claims due events of the inbox: one per subject, in the order of the source, none while another of its subject is held (D8).';

-- Reference data changes some times a day and is read by every effect: a process keeps what it read until this number is another.
create table master_revision (
  is_only boolean primary key default true check (is_only),
  revision bigint not null
);
insert into master_revision (revision) values (1);
comment on table master_revision is 'Grows with every change of reference data that processes keep in memory.';

create function note_master_change() returns trigger language plpgsql as $$
begin
  update master_revision set revision = revision + 1;
  return null;
end $$;

do $$
declare kept text;
begin
  foreach kept in array array['calendar', 'calendar_holiday', 'legal_entity', 'bill_to_account', 'policy_version',
                              'app_user', 'role_assignment', 'committee_member', 'tax_rate'] loop
    execute format('create trigger %I after insert or update or delete or truncate on %I for each statement execute function note_master_change()',
                   kept || '_noted', kept);
  end loop;
end $$;

alter table run_history add column format text not null default 'json' check (format in ('json', 'protobuf'));
alter table run_history alter column format drop default;
comment on table run_history is
  'Histories of closed runs, gzipped: evidence and replay corpus beyond the retention of the server (D11). As JSON, or as the server serialised them.';
