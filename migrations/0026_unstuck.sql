-- A run that was stuck, and whose report of that is all that is left of the workflow task that made it, goes on without saying so.

drop function claim_effect(text);
create function claim_effect(of_key text, of_run text default null, named text default null, moment timestamptz default now())
returns table (identity_hash text, answer jsonb, master_revision bigint)
language plpgsql as $$
begin
  -- The row is looked for after the lock is held, with a snapshot of that moment: of two at once the second finds what the first stored.
  perform pg_advisory_xact_lock(hashtextextended('effect/' || of_key, 0));
  -- What succeeds is not stuck any more; what is refused rolls this back.
  update open_wait set closed_at = moment
   where workflow_id = of_run and kind = 'stuck' and subject = named and closed_at is null;
  if found then
    update process_exception set closed_at = moment
     where workflow_id = of_run and kind = 'stuck/' || named and closed_at is null;
  end if;
  return query
    select done.identity_hash, done.answer, master.revision
      from master_revision as master left join effect as done on done.key = of_key;
end $$;
comment on function claim_effect is
  'Locks the key of an effect for the transaction, closes the task of its being stuck, and gives what was stored for it, if anything, and the revision of master data (D5).';
