-- What must hold whatever was killed when (DESIGN 6). Each query says how many rows it looked at, how many break the rule, and names one.
-- Only SQL: nothing here knows the code that wrote the rows.

-- I-01/event: an outside event is kept once, however often it came
with seen as (select source, event_id, count(*) as times from inbox_event group by 1, 2)
select count(*) as looked_at, count(*) filter (where times > 1) as broken, min(source || ' ' || event_id) filter (where times > 1) as example from seen;

-- I-01/deal: a won deal that was reported is one deal with one project at most
with sold as (
  select d.id, d.contract_number, count(distinct other.id) as deals, count(distinct p.id) as projects
    from deal d join deal other on other.terms ->> 'contractNumber' = d.terms ->> 'contractNumber'
    left join project p on p.deal_id = other.id
   group by 1, 2)
select count(*) as looked_at, count(*) filter (where deals <> 1 or projects > 1) as broken,
       min(contract_number) filter (where deals <> 1 or projects > 1) as example from sold;

-- I-01/delivered: an event that was handed to a stream has been applied by one effect
with handed as (
  select e.id, count(f.key) as effects from inbox_event e left join effect f on f.key = 'intake/' || e.id
   where e.state = 'delivered' and e.type in ('bank-statements', 'time-entries', 'delivery-plan') group by 1)
select count(*) as looked_at, count(*) filter (where effects <> 1) as broken, min(id::text) filter (where effects <> 1) as example from handed;

-- I-01/payment: a payment of the bank is booked once
with paid as (select entity_id, end_to_end_id, booked_on, amount_minor, count(*) as times from payment where reversed_on is null group by 1, 2, 3, 4)
select count(*) as looked_at, count(*) filter (where times > 1) as broken, min(end_to_end_id) filter (where times > 1) as example from paid;

-- I-02/audit: an effect and one entry of the audit log were written by the same transaction
with written as (
  select f.key, count(a.hash) as entries from effect f left join audit_entry a on a.xmin::text = f.xmin::text group by 1)
select count(*) as looked_at, count(*) filter (where entries <> 1) as broken, min(key) filter (where entries <> 1) as example from written;

-- I-02/identity: an effect remembers the business identity of its input and its answer
select count(*) as looked_at, count(*) filter (where identity_hash !~ '^[0-9a-f]{64}$' or answer is null) as broken,
       min(key) filter (where identity_hash !~ '^[0-9a-f]{64}$' or answer is null) as example from effect;

-- I-03/balance: a journal entry has lines, and they balance per book, entity and currency
with sums as (
  select e.id, e.entry_key, e.entity_id, e.book, l.currency, count(l.entry_id) as lines, coalesce(sum(l.debit_minor - l.credit_minor), 0) as rest
    from journal_entry e left join journal_line l on l.entry_id = e.id group by 1, 2, 3, 4, 5)
select count(*) as looked_at, count(*) filter (where lines = 0 or rest <> 0) as broken, min(entry_key) filter (where lines = 0 or rest <> 0) as example from sums;

-- I-04/document: a document is the sum of its lines and their taxes
with added as (
  select i.id, i.reference, i.net_minor, i.tax_minor, i.total_minor, coalesce(sum(l.amount_minor), 0) as lines, coalesce(sum(l.tax_minor), 0) as taxes
    from invoice i left join invoice_line l on l.invoice_id = i.id group by 1)
select count(*) as looked_at, count(*) filter (where wrong) as broken, min(reference) filter (where wrong) as example
  from (select *, net_minor <> lines or tax_minor <> taxes or total_minor <> lines + taxes as wrong from added) as checked;

-- I-04/open: what is open of an issued invoice is its total without what was credited of it and applied to it
with due as (
  select i.id, i.reference, i.open_minor,
         i.total_minor + (select coalesce(sum(c.total_minor), 0) from invoice c where c.corrects_id = i.id and c.document_kind = 'credit-note')
         - (select coalesce(sum(a.amount_minor), 0) from payment_application a
             where a.invoice_id = i.id and a.reversed_on is null and a.moved_on is null) as rest_minor
    from invoice i where i.state in ('issued', 'settled', 'credited') and i.document_kind = 'invoice')
select count(*) as looked_at, count(*) filter (where open_minor <> rest_minor) as broken,
       min(reference) filter (where open_minor <> rest_minor) as example from due;

-- I-04/payment: a payment is what was applied of it and what is on account
with used as (
  select p.id, p.amount_minor, p.on_account_minor, coalesce(sum(a.amount_minor) filter (where a.kind = 'applied' and a.moved_on is null), 0) as applied
    from payment p left join payment_application a on a.payment_id = p.id where p.reversed_on is null group by 1)
select count(*) as looked_at, count(*) filter (where amount_minor <> applied + on_account_minor) as broken,
       min(id::text) filter (where amount_minor <> applied + on_account_minor) as example from used;

-- I-05/item: a milestone, fee, hour or expense stands on one uncredited line at most
with billed as (select item_kind, item_id, count(*) as times from invoiced_item where credited_by is null group by 1, 2)
select count(*) as looked_at, count(*) filter (where times > 1) as broken, min(item_kind || ' ' || item_id) filter (where times > 1) as example from billed;

-- I-05/hours: no more hours of an entry are billed or waived than were worked
with gone as (
  select e.entry_id, e.hours,
         (select coalesce(sum(i.hours), 0) from invoiced_item i where i.entry_id = e.entry_id and i.credited_by is null)
       + (select coalesce(sum(w.hours), 0) from waived_item w where w.entry_id = e.entry_id) as used
    from time_entry e where exists (select from invoiced_item i where i.entry_id = e.entry_id))
select count(*) as looked_at, count(*) filter (where used > hours) as broken, min(entry_id) filter (where used > hours) as example from gone;

-- I-06/billed: a document is of a contract version that stood when it was drafted
with priced as (
  select i.reference, v.version is null or v.created_at > i.created_at as wrong
    from invoice i left join contract_version v on v.deal_id = i.deal_id and v.version = i.contract_version)
select count(*) as looked_at, count(*) filter (where wrong) as broken, min(reference) filter (where wrong) as example from priced;

-- I-06/booked: revenue and receivables are of a contract line whose version is there
with booked as (
  select l.entry_id, v.version is null as wrong
    from journal_line l left join contract_line c on c.id = l.contract_line_id
    left join contract_version v on v.deal_id = c.deal_id and v.version = c.contract_version where l.account_code = '4000')
select count(*) as looked_at, count(*) filter (where wrong) as broken, min(entry_id::text) filter (where wrong) as example from booked;

-- I-07/own: nobody decided on what they asked for, nor did anybody for them
with decided as (
  select d.decision_id, a.requested_by in (d.decided_by, d.on_behalf_of) as wrong
    from approval_decision d join approval a on a.id = d.approval_id)
select count(*) as looked_at, count(*) filter (where wrong) as broken, min(decision_id) filter (where wrong) as example from decided;

-- I-07/seller: who sold a deal did not approve it, nor did anybody for them
with decided as (
  select x.decision_id, d.seller_id in (x.decided_by, x.on_behalf_of) as wrong
    from approval_decision x join approval a on a.id = x.approval_id join deal d on d.id = a.deal_id
   where a.subject_kind = 'deal' and x.verdict = 'grant')
select count(*) as looked_at, count(*) filter (where wrong) as broken, min(decision_id) filter (where wrong) as example from decided;

-- I-07/two-people: the terms of a contract were confirmed by two different people
with confirmed as (
  select a.id, count(distinct d.decided_by) as people from approval a join approval_decision d on d.approval_id = a.id
   where a.subject_kind = 'sow' and a.state = 'approved' group by 1)
select count(*) as looked_at, count(*) filter (where people < 2) as broken, min(id::text) filter (where people < 2) as example from confirmed;

-- I-08/outcome: an approval is what the decisions on its steps make of it, and approved once what they were given under is settled
with judged as (
  select a.id, a.state, a.decided_at,
         exists (select from approval_condition c where c.approval_id = a.id) as conditional,
         exists (select from approval_condition c where c.approval_id = a.id
                    and not exists (select from approval_condition_end e where e.condition_id = c.id)) as unsettled, bool_and(s.state = 'granted' and g.grants >= s.need) as granted, sum(g.refusals) as refusals
    from approval a join approval_step s on s.approval_id = a.id
   cross join lateral (
     select count(*) filter (where d.verdict = 'grant') as grants, count(*) filter (where d.verdict = 'refuse') as refusals from approval_decision d
      where (d.approval_id, d.tier, d.role) = (s.approval_id, s.tier, s.role)) as g
   group by 1)
select count(*) as looked_at, count(*) filter (where wrong) as broken, min(id::text) filter (where wrong) as example
  from (select *, (state = 'approved' and (not granted or unsettled)) or (state = 'conditions' and not (granted and unsettled))
                  or (granted and state <> 'approved' and not (conditional and state in ('conditions', 'withdrawn')))
                  or (state = 'refused') <> (refusals > 0) or (state in ('pending', 'conditions')) <> (decided_at is null) as wrong
          from judged) as checked;

-- I-08/late: nothing was decided on an approval that had ended, and no step has more decisions than voters
with decided as (
  select d.decision_id, d.decided_at > a.decided_at
         or count(*) over (partition by d.approval_id, d.tier, d.role) > greatest(s.voters, s.need) as wrong
    from approval_decision d join approval a on a.id = d.approval_id
    join approval_step s on (s.approval_id, s.tier, s.role) = (d.approval_id, d.tier, d.role))
select count(*) as looked_at, count(*) filter (where wrong) as broken, min(decision_id) filter (where wrong) as example from decided;

-- I-09/chain: every entry of the log gives its hash, follows the one before it, and says of itself where it stands
with chained as (
  select stream, sequence,
         encode(sha256(convert_to(previous_hash || E'\n' || content, 'UTF8')), 'hex') <> hash
         or previous_hash <> coalesce(lag(hash) over ordered, repeat('0', 64))
         or sequence <> coalesce(lag(sequence) over ordered, 0) + 1
         or content::jsonb ->> 'stream' <> stream or (content::jsonb ->> 'sequence')::bigint <> sequence as wrong
    from audit_entry window ordered as (partition by stream order by sequence))
select count(*) as looked_at, count(*) filter (where wrong) as broken, min(stream || ' ' || sequence) filter (where wrong) as example from chained;

-- I-09/head: the head of a stream is its last entry
with heads as (
  select h.stream, h.sequence is distinct from e.sequence or h.hash is distinct from e.hash as wrong
    from audit_head h left join lateral (
      select sequence, hash from audit_entry e where e.stream = h.stream order by sequence desc limit 1) as e on true)
select count(*) as looked_at, count(*) filter (where wrong) as broken, min(stream) filter (where wrong) as example from heads;

-- I-09/anchor: anchors follow one another, and what they sealed is still there
with sealed as (
  select a.sequence,
         a.previous_hash <> coalesce(lag(a.hash) over (order by a.sequence), repeat('0', 64))
         or a.sequence <> coalesce(lag(a.sequence) over (order by a.sequence), 0) + 1
         or exists (select from audit_anchor_head h left join audit_entry e on (e.stream, e.sequence) = (h.stream, h.sequence)
                     where h.anchor_sequence = a.sequence and e.hash is distinct from h.hash) as wrong
    from audit_anchor a)
select count(*) as looked_at, count(*) filter (where wrong) as broken, min(sequence::text) filter (where wrong) as example from sealed;
