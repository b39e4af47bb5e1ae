-- Each reminder, breach and rung of the ladder of a step is one fact, also where a handover moves the moments of a clock; and it says who held the work then.

alter table sla_event add column rung int;
update sla_event as event
   set rung = counted.rung
  from (select id, row_number() over (partition by workflow_id, kind, subject, role, since order by at, id) as rung from sla_event) as counted
 where counted.id = event.id;
alter table sla_event
  alter column rung set default 1,
  alter column rung set not null,
  add constraint sla_event_rung check (rung >= 1);
comment on column sla_event.rung is 'Which one of its kind since the work was asked for: the second reminder, the first rung of the ladder (R-360).';
drop index sla_event_once;
create unique index sla_event_once on sla_event (workflow_id, kind, subject, role, since, rung);

create table sla_holder (
  event_id uuid not null references sla_event (id),
  user_id text not null references app_user (id),
  primary key (event_id, user_id)
);
comment on table sla_holder is 'Who could have acted when somebody was reminded, or a deadline passed (R-361).';
create trigger sla_holder_append_only before update or delete on sla_holder for each row execute function refuse_change();
create trigger sla_holder_no_truncate before truncate on sla_holder for each statement execute function refuse_change();
