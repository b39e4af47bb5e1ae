-- Breaches of the invariants, each planted alone in a transaction in which triggers and foreign keys are off, and taken back. Indexes and
-- checks that forbid one are dropped with it.

-- I-01/event: the same event twice
alter table inbox_event drop constraint inbox_event_source_event_id_key;
insert into inbox_event (id, source, event_id, type, subject, source_order, occurred_at, business_received_at, payload, payload_hash, state)
select gen_random_uuid(), source, event_id, type, subject, source_order, occurred_at, business_received_at, payload, payload_hash, state
  from inbox_event limit 1;

-- I-01/deal: two projects of a deal
alter table project drop constraint project_deal_id_key;
insert into project select (jsonb_populate_record(p, jsonb_build_object('id', gen_random_uuid(), 'code', p.code || '-2'))).* from project p limit 1;

-- I-01/delivered: an event was handed on and nothing came of it
delete from effect where key = (select 'intake/' || id from inbox_event where type = 'bank-statements' and state = 'delivered' limit 1);

-- I-01/payment: a payment booked twice
insert into payment select (jsonb_populate_record(p, jsonb_build_object('id', gen_random_uuid(), 'entry_position', p.entry_position + 1000))).* from payment p limit 1;

-- I-02/audit: an effect that the log does not know
insert into effect (key, identity_hash, answer) values ('planted', repeat('a', 64), '{}');

-- I-02/audit: an entry of the log is gone
delete from audit_entry where (stream, sequence) = (select stream, sequence from audit_entry where stream like 'deal/%' order by stream, sequence desc limit 1);

-- I-02/identity: an effect that would take any input for its own
update effect set identity_hash = '' where key = (select min(key) from effect);

-- I-03/balance: a cent too much
update journal_line set debit_minor = debit_minor + 1 where (entry_id, position) = (select entry_id, position from journal_line where debit_minor > 0 limit 1);

-- I-03/balance: half an entry
delete from journal_line where (entry_id, position) = (select entry_id, position from journal_line limit 1);

-- I-04/document: a cent lost between the lines
update invoice_line set amount_minor = amount_minor - 1 where (invoice_id, position) = (select invoice_id, position from invoice_line limit 1);

-- I-04/open: an invoice that owes what was paid
update invoice set state = 'issued', open_minor = 100 where id = (select id from invoice where state = 'settled' and document_kind = 'invoice' limit 1);

-- I-04/open: an invoice that owes what was credited
alter table invoice drop constraint invoice_ended_owes_nothing;
update invoice set open_minor = total_minor where id = (select id from invoice where state = 'credited' limit 1);

-- I-04/payment: money that went nowhere
delete from payment_application where id = (select id from payment_application where kind = 'applied' limit 1);

-- I-05/item: the same milestone on two lines
drop index invoiced_item_once;
insert into invoiced_item select (jsonb_populate_record(i, jsonb_build_object('id', gen_random_uuid()))).* from invoiced_item i where credited_by is null limit 1;

-- I-05/item: a milestone billed once more and not credited
drop index invoiced_item_once;
update invoiced_item set credited_by = null where id = (select id from invoiced_item where credited_by is not null limit 1);

-- I-05/hours: more hours than were worked
update time_entry set hours = 0.01 where entry_id = (select entry_id from invoiced_item where entry_id is not null and hours > 0 limit 1);

-- I-06/billed: a document of a version that nobody agreed
update invoice set contract_version = 99 where id = (select id from invoice limit 1);

-- I-06/booked: revenue of no contract
update journal_line set contract_line_id = null where (entry_id, position) = (select entry_id, position from journal_line where account_code = '4000' limit 1);

-- I-07/own: somebody decides on their own request
update approval a set requested_by = (select decided_by from approval_decision d where d.approval_id = a.id limit 1)
 where id = (select approval_id from approval_decision limit 1);

-- I-07/own: somebody decides for the one who asked
update approval_decision d set on_behalf_of = (select requested_by from approval a where a.id = d.approval_id)
 where decision_id = (select min(decision_id) from approval_decision);

-- I-07/seller: the seller approves the margin
update approval_decision set decided_by = 'U-SELLER' where decision_id = (
  select d.decision_id from approval_decision d join approval a on a.id = d.approval_id where a.subject_kind = 'deal' and d.verdict = 'grant' limit 1);

-- I-07/two-people: one person confirms the terms alone
update approval_decision set decided_by = 'U-LEGAL' where approval_id = (select id from approval where subject_kind = 'sow' and state = 'approved' limit 1);

-- I-08/outcome: a refusal becomes an approval
update approval set state = 'approved' where id = (select id from approval where state = 'refused' limit 1);

-- I-08/outcome: an approval that nobody granted
delete from approval_decision where approval_id = (select id from approval where state = 'approved' limit 1);

-- I-08/late: a decision on what was decided
update approval_decision d set decided_at = decided_at + interval '1 minute' where decision_id = (
  select d.decision_id from approval_decision d join approval a on a.id = d.approval_id where a.state = 'approved' limit 1);

-- I-09/chain: a row changed
update audit_entry set content = replace(content, '"actor":"', '"actor":"x') where (stream, sequence) = (select stream, sequence from audit_entry where sequence = 2 limit 1);

-- I-09/chain: a row missing
delete from audit_entry where (stream, sequence) = (select stream, sequence from audit_entry where sequence = 2 limit 1);

-- I-09/chain: a row inserted
insert into audit_entry select (jsonb_populate_record(e, jsonb_build_object('sequence', e.sequence + 1))).* from audit_entry e
 where (stream, sequence) = (select stream, max(sequence) from audit_entry group by 1 limit 1);

-- I-09/head: the tail of a stream cut off
delete from audit_entry where (stream, sequence) = (select stream, max(sequence) from audit_entry group by 1 limit 1);

-- I-09/anchor: the tail cut off together with its head
delete from audit_entry where (stream, sequence) = (select h.stream, h.sequence from audit_anchor_head h join audit_head t using (stream, sequence) limit 1);

-- I-09/anchor: an anchor missing
delete from audit_anchor where sequence = (select max(sequence) - 1 from audit_anchor);
