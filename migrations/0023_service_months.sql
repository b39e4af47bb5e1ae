-- What months of retainers and managed services used, as the product states them, and views on billable time and on terms that differ.

create table retainer_month (
  contract_line_id uuid not null references contract_line (id),
  period text not null check (period ~ '^\d{4}-(0[1-9]|1[0-2])$'),
  used_hours numeric not null check (used_hours >= 0),
  rolled_in_hours numeric not null check (rolled_in_hours >= 0),
  from_rollover_hours numeric not null check (from_rollover_hours >= 0),
  from_included_hours numeric not null check (from_included_hours >= 0),
  overage_hours numeric not null check (overage_hours >= 0),
  rolled_out_hours numeric not null check (rolled_out_hours >= 0),
  expired_hours numeric not null check (expired_hours >= 0),
  primary key (contract_line_id, period),
  check (used_hours = from_rollover_hours + from_included_hours + overage_hours),
  check (from_rollover_hours <= rolled_in_hours)
);
comment on table retainer_month is 'Hours drawn from a retainer by month of work, of every month that has begun; stated anew whenever time of its deal comes or the line is billed (S-17, S-40).';

create table managed_service_month (
  contract_line_id uuid not null references contract_line (id),
  period text not null check (period ~ '^\d{4}-(0[1-9]|1[0-2])$'),
  event_id text not null references usage_report (event_id),
  tickets integer not null check (tickets >= 0),
  overage_tickets integer not null check (overage_tickets between 0 and tickets),
  currency text not null,
  overage_minor bigint not null check (overage_minor >= 0),
  true_up_minor bigint check (true_up_minor >= 0),
  service_credit_minor bigint not null check (service_credit_minor >= 0),
  primary key (contract_line_id, period)
);
comment on table managed_service_month is 'What the usage of each reported month settles; the true-up is null where a report of its quarter is missing (S-18). Stated anew with every report and bill.';

create view billable_time as
  select line.id as contract_line_id, line.deal_id, line.line_id, line.selling_entity_id as entity_id, line.engagement_model, line.currency,
         coalesce(sum(entry.hours), 0) as hours,
         case when line.engagement_model = 'time-and-materials' then coalesce(sum(price.amount_minor), 0)::bigint end as amount_minor
    from contract_line as line
    left join time_entry as entry on entry.contract_line_id = line.id and entry.status = 'approved' and entry.billable
         and not (entry.rework and line.engagement_model = 'time-and-materials')
         and not exists (select from policy_finding as finding
                          where finding.deal_id = line.deal_id and finding.kind = 'time' and finding.reference = entry.entry_id
                            and finding.blocking and finding.closed_at is null)
    left join time_price as price on price.entry_id = entry.entry_id
   where line.engagement_model in ('time-and-materials', 'retainer')
   group by line.id;
comment on view billable_time is 'Approved, billable time without a blocking finding, by line; the amount is that of the entries that a run has priced, hours of a retainer have none (S-07).';

create view contract_discrepancy as
  select proposal.deal_id, found.place, found.term ->> 'path' as path, found.term ->> 'deal' as deal, found.term ->> 'sow' as sow,
         found.term ->> 'clause' as clause
    from sow_proposal as proposal
   cross join lateral jsonb_array_elements(proposal.discrepancies) with ordinality as found (term, place)
   where proposal.state = 'confirmed';
comment on view contract_discrepancy is 'Terms that the deal stated otherwise than the statement of work that was confirmed, which governs (S-01).';

-- Beside what was posted by a month end stands what is known of that month by now: effort that was approved late is about the month of the
-- work (S-40), though it is recognised in the period that was open then (S-45).
create view restated_contract_balance as
  select balance.contract_line_id, balance.month, restated.minor as revenue_to_date_minor, balance.billed_to_date_minor,
         greatest(restated.minor - balance.billed_to_date_minor, 0) as contract_asset_minor,
         greatest(balance.billed_to_date_minor - restated.minor, 0) as contract_liability_minor
    from contract_balance as balance
   cross join lateral (
     select coalesce(sum(revenue.revenue_minor), 0)::bigint as minor from revenue_by_line_month as revenue
      where revenue.contract_line_id = balance.contract_line_id and revenue.book = 'primary' and revenue.month <= balance.month) as restated;
comment on view restated_contract_balance is 'Contract balances by the months that revenue is about, wherever it was posted (S-26, S-40); beside contract_balance, which is as posted.';

create view policy_breach as
select finding.*
    from policy_finding as finding
    left join lateral (
        select wait.since, wait.id from project join open_wait as wait on wait.workflow_id = 'project/' || project.id
         where project.deal_id = finding.deal_id and wait.kind = 'close-checklist'
         order by wait.since, wait.id limit 1) as closing on true
   where case when closing.since is null then finding.closed_at is null
              else (finding.first_seen_at, finding.id) < (closing.since, closing.id)
               and (finding.closed_at is null or finding.closed_at >= closing.since) end;
comment on view policy_breach is 'Findings that hold, or that held when the project began to close: what is rejected then was in breach all the time of its delivery, and leaves no week without time (S-22).';
