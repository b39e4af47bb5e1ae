-- Amounts of change orders on the same lines add up over twelve months.

alter table change_order
  add column earlier_minor bigint not null default 0 check (earlier_minor >= 0 and earlier_minor <= value_minor);
comment on column change_order.value_minor is 'What decides the tiers of its approval, in the group currency; earlier_minor of it are other orders on its lines.';
