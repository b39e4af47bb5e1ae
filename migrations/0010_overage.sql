-- Overage hours of retainers that come after their month was settled: which hours of an entry a document bills, and which were waived.

alter table invoiced_item add column hours numeric check (hours >= 0);
comment on column invoiced_item.hours is 'Hours of a time entry that this document bills; null for other items. An entry may be billed in parts, each with an item id of its own.';

update invoiced_item
set hours = filled.hours
from (
  select item.id,
    least(entry.hours, line.quantity - sum(entry.hours) over behind + entry.hours) as hours
  from invoiced_item as item
  join invoice on invoice.id = item.invoice_id and invoice.kind = 'retainer-overage'
  join invoice_line as line on line.invoice_id = item.invoice_id and line.position = item.position
  join time_entry as entry on item.item_id = entry.contract_line_id || '/' || entry.entry_id
  where item.item_kind = 'time-entry'
  window behind as (partition by item.invoice_id, item.position order by entry.work_date desc, entry.entry_id desc)
) as filled
where invoiced_item.id = filled.id and filled.hours > 0;

create table overage_waiver (
  id text primary key,
  contract_line_id uuid not null references contract_line (id),
  period text not null check (period ~ '^\d{4}-(0[1-9]|1[0-2])$'),
  hours numeric not null check (hours <> 0),
  reason_code text not null,
  decided_by text not null,
  decided_at timestamptz not null
);
create index overage_waiver_line on overage_waiver (contract_line_id, period);
comment on table overage_waiver is 'Decisions of finance on overage hours of a month of work: positive hours are not billed, negative ones stay billed though the drawdown is lower.';
