-- Corrected facts count from when the wrong ones failed, and nobody finds them by trying.

alter table exception_enclosure
  add column salt text,
  add constraint exception_enclosure_salt_goes check (salt is null or payload is not null);
comment on column exception_enclosure.salt is 'What the hash of corrected facts is made with; gone with them, so that nobody finds them by trying (R-382). Null also for what came before there was one.';

create or replace function keep_exception_enclosure() returns trigger language plpgsql as $$
begin
  if to_jsonb(new) - 'payload' - 'salt' <> to_jsonb(old) - 'payload' - 'salt' or new.payload is not null or new.salt is not null then
    raise exception 'what came with a choice is let go, and never changed otherwise' using errcode = 'integrity_constraint_violation';
  end if;
  return new;
end $$;

-- What was let go has a hash without salt: nobody asks for it any more.
alter table exception_enclosure disable trigger exception_enclosure_kept;
update exception_enclosure set payload_hash = null where payload is null and payload_hash is not null;
alter table exception_enclosure enable trigger exception_enclosure_kept;

alter table inbox_event add column counts_at timestamptz;
comment on column inbox_event.counts_at is 'Of corrected facts: when those in whose place they came first failed. What was stated since then counts over them (R-381).';
