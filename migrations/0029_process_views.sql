-- Control data for process owners: what is open and how old it is, who took how long, which deadlines were kept and why others were not,
-- how approvals went, what had to be done again. Nothing is kept twice: views over the facts, functions where the moment matters.

create function whole_minutes(from_moment timestamptz, to_moment timestamptz) returns bigint
language sql immutable parallel safe as $$ select floor(extract(epoch from to_moment - from_moment) / 60)::bigint $$;
comment on function whole_minutes is 'Elapsed minutes, whole ones, whatever clocks were changed between.';

create function id_in_name(of_name text, of_kind text) returns uuid
language sql immutable parallel safe as $$
  select case when of_name ~ ('^' || of_kind || '/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$') then split_part(of_name, '/', 2)::uuid end
$$;
comment on function id_in_name is 'The id in a name such as invoice/<id>; null for other names.';

create view process_wait as
  select wait.id, wait.workflow_id, wait.deal_id,
         case
           when wait.kind in ('change-order', 'customer-approval', 'modification-accounting') then 'change-order'
           when wait.kind = 'cancellation' then 'cancellation'
           when wait.workflow_id like 'line/%' then 'contract-line'
           when wait.workflow_id like 'policy/%' then 'policy-change'
           when wait.workflow_id like 'period/%' then 'period-close'
           else split_part(wait.workflow_id, '/', 1)
         end as lifecycle,
         case when wait.kind = 'decision' then 'decision/' || split_part(wait.subject, '/', 1) else wait.kind end as task,
         wait.subject, wait.role, coalesce(wait.entity_id, deal.lead_entity_id) as entity_id, wait.since, wait.due, wait.closed_at,
         wait.due is not null and wait.role <> 'run' and wait.kind not in ('promise', 'dunning-hold', 'dispute') as has_deadline
    from open_wait as wait left join deal on deal.id = wait.deal_id and wait.entity_id is null;
comment on view process_wait is
  'Everything that was ever waited for, as work of one lifecycle, one role and one entity (R-252). The end of a hold and the day on which a run acts by itself are no deadlines.';

create view process_open_work as
  select wait.*,
         coalesce(case
           when wait.lifecycle = 'deal' then (select state from deal where deal.id = id_in_name(wait.workflow_id, 'deal'))
           when wait.lifecycle = 'contract-line' then (select state from contract_line as line where line.id = id_in_name(wait.workflow_id, 'line'))
           when wait.lifecycle = 'invoice' then (select state from invoice where invoice.id = id_in_name(wait.workflow_id, 'invoice'))
           when wait.lifecycle = 'project' then (select state from project where project.id = id_in_name(wait.workflow_id, 'project'))
           when wait.lifecycle = 'approval' then
             (select 'tier-' || tier from approval where approval.id = id_in_name(wait.workflow_id, 'approval'))
           when wait.task in ('customer-approval', 'modification-accounting') then
             (select state from change_order where change_order.id = id_in_name('change/' || wait.subject, 'change'))
           when wait.lifecycle in ('change-order', 'cancellation', 'policy-change') then 'requested'
           when wait.lifecycle = 'correction' then
             case wait.task when 'dispute' then 'disputed' when 'approval' then 'requested' when 'issue-date' then 'approved' end
         end, 'running') as stage
    from process_wait as wait
   where wait.closed_at is null;
comment on view process_open_work is 'What is waited for now, with the stage of what it is about (R-252).';

create function process_open_work_at(moment timestamptz)
returns table (entity_id text, lifecycle text, stage text, task text, role text, open bigint, overdue bigint, oldest_since timestamptz,
               up_to_a_day bigint, up_to_three_days bigint, up_to_a_week bigint, up_to_thirty_days bigint, older bigint)
language sql stable as $$
  select aged.entity_id, aged.lifecycle, aged.stage, aged.task, aged.role, count(*), count(*) filter (where aged.has_deadline and aged.due < moment),
         min(aged.since), count(*) filter (where aged.minutes < 1440), count(*) filter (where aged.minutes >= 1440 and aged.minutes < 4320),
         count(*) filter (where aged.minutes >= 4320 and aged.minutes < 10080),
         count(*) filter (where aged.minutes >= 10080 and aged.minutes < 43200), count(*) filter (where aged.minutes >= 43200)
    from (select work.*, whole_minutes(work.since, moment) as minutes from process_open_work as work) as aged
   group by aged.entity_id, aged.lifecycle, aged.stage, aged.task, aged.role
$$;
comment on function process_open_work_at is 'Open work by stage and elapsed age at a moment (R-252).';

create view process_handoff as
  select wait.id, wait.workflow_id, wait.deal_id, wait.lifecycle, wait.task, giver.role as from_role, wait.role, wait.entity_id, wait.since,
         wait.closed_at, whole_minutes(wait.since, wait.closed_at) as elapsed_minutes
    from process_wait as wait
   cross join lateral (
     select case when count(distinct earlier.role) = 1 then min(earlier.role) end as role
       from open_wait as earlier
      where earlier.workflow_id = wait.workflow_id and earlier.closed_at = wait.since and earlier.role <> 'run') as giver
   where wait.closed_at is not null and wait.role <> 'run' and wait.task not in ('payment', 'promise', 'dunning-hold')
     and giver.role is distinct from wait.role;
comment on view process_handoff is
  'Work that was handed to a role, from the moment it was asked until it was done (R-253); from_role had it before in the same run, where exactly one had.';

create function process_deadlines(moment timestamptz)
returns table (id uuid, workflow_id text, deal_id uuid, lifecycle text, task text, role text, entity_id text, since timestamptz, due timestamptz,
               closed_at timestamptz, settled_at timestamptz, outcome text, late_until timestamptz, late_minutes bigint)
language sql stable as $$
  select wait.id, wait.workflow_id, wait.deal_id, wait.lifecycle, wait.task, wait.role, wait.entity_id, wait.since, wait.due, wait.closed_at,
         least(wait.closed_at, wait.due),
         case
           when coalesce(wait.closed_at, moment) > wait.due then 'late'
           when wait.closed_at is null then 'running'
           when wait.task like 'decision/%' and not exists (
             select from approval_step as step
              where step.approval_id = id_in_name(wait.workflow_id, 'approval') and step.role = wait.role
                and step.state in ('granted', 'refused')) then 'void'
           else 'kept'
         end,
         greatest(wait.due, coalesce(wait.closed_at, moment)),
         whole_minutes(wait.due, greatest(wait.due, coalesce(wait.closed_at, moment)))
    from process_wait as wait
   where wait.has_deadline and wait.role <> 'customer'
$$;
comment on function process_deadlines is
  'Deadlines of the firm as they stand at a moment: kept, late, running, or void where an approval ended before the role had to decide (R-254).';

create function process_breaches(moment timestamptz)
returns table (id uuid, workflow_id text, deal_id uuid, lifecycle text, task text, role text, entity_id text, since timestamptz, due timestamptz,
               closed_at timestamptz, settled_at timestamptz, late_until timestamptz, late_minutes bigint, cause text)
language sql stable as $$
  select late.id, late.workflow_id, late.deal_id, late.lifecycle, late.task, late.role, late.entity_id, late.since, late.due, late.closed_at,
         late.settled_at, late.late_until, late.late_minutes,
         case
           when exists (
             select from process_exception as trouble
              where trouble.workflow_id = late.workflow_id and trouble.opened_at < late.due
                and (trouble.closed_at is null or trouble.closed_at > late.since)) then 'stuck'
           when late.task like 'decision/%' and exists (
             select from approval_step as step
              where step.approval_id = id_in_name(late.workflow_id, 'approval') and step.role = late.role and step.voters = 0
                and step.opened_at is not null) then 'nobody-to-decide'
           else 'held'
         end
    from process_deadlines(moment) as late
   where late.outcome = 'late'
$$;
comment on function process_breaches is
  'Deadlines that passed, with what is known of the cause: the run was stuck meanwhile, nobody could decide, or the role held it (R-255).';

create view process_approval as
  select approval.id, approval.deal_id, approval.subject_kind, approval.entity_id, approval.state, approval.opened_at, approval.decided_at,
         whole_minutes(approval.opened_at, approval.decided_at) as elapsed_minutes
    from approval
   where approval.decided_at is not null and exists (select from approval_step as step where step.approval_id = approval.id);
comment on view process_approval is 'Approvals that ended, of those that asked somebody, with their cycle time (R-256).';

create view process_rework as
  select 'approval' as lifecycle, 'decision/' || subject_kind as task, entity_id, id as subject_id, decided_at as done_at, state = 'refused' as is_rework
    from process_approval
   where state in ('approved', 'refused')
  union all
  select 'contract-line', 'delivery', line.selling_entity_id, milestone.id, response.responded_at, response.response = 'rejected'
    from milestone_response as response
    join milestone on milestone.id = response.milestone_id
    join contract_line as line on line.id = milestone.contract_line_id
  union all
  select 'invoice', 'issue', invoice.entity_id, invoice.id,
         coalesce(document.created_at, invoice.issue_date::timestamp at time zone entity.time_zone),
         exists (select from invoice_correction as correction
                  where correction.invoice_id = invoice.id and correction.state = 'issued' and correction.kind <> 'release')
    from invoice
    join legal_entity as entity on entity.id = invoice.entity_id
    left join invoice_document as document on document.invoice_id = invoice.id
   where invoice.document_kind = 'invoice' and invoice.state in ('issued', 'settled', 'credited');
comment on view process_rework is 'What was done, and whether it had to be done again: refused, rejected by the customer, corrected (R-257).';

-- What the reads of a period look for.
create index open_wait_ended on open_wait (closed_at) where closed_at is not null;
create index open_wait_of_run on open_wait (workflow_id, closed_at) where closed_at is not null;
create index open_wait_settled on open_wait (least(closed_at, due)) where due is not null;
create index approval_ended on approval (decided_at) where decided_at is not null;
create index milestone_response_at on milestone_response (responded_at);
create index process_exception_run on process_exception (workflow_id);
