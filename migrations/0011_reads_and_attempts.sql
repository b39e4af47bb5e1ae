-- Pages of waits, receivables without what is settled, and attempts of repeated requests.

-- Waits without a due moment come last; the list is read from any of its places on.
create index open_wait_list on open_wait (coalesce(due, 'infinity'), id) where closed_at is null;

-- A day's receivables are the open documents and what was settled, or moved, after that day.
create index invoice_settled on invoice (settled_at) where state = 'settled';
create index payment_application_applied on payment_application (applied_on);
create index payment_application_reversed on payment_application (reversed_on) where reversed_on is not null;
create index payment_on_account on payment (bill_to_id, currency) where on_account_minor > 0;

alter table idempotency_key add column attempt uuid not null default gen_random_uuid();
comment on column idempotency_key.attempt is
  'Names the evaluation of the request at its run: kept while the outcome is unknown, new after a refusal that passes by itself.';
