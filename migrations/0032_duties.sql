-- Duties performed outside a deal, kept for decisions on deals: who edited which rate, brought which vendor, administered users.

create table performed_duty (
  duty text not null,
  subject_id text not null,
  done_by text not null references app_user (id),
  done_at timestamptz not null,
  primary key (duty, subject_id, done_by)
);
comment on table performed_duty is 'Who did what in the master data that later forbids a decision; the first time counts (R-245).';
create index performed_duty_person on performed_duty (done_by, duty);
create trigger performed_duty_append_only before update or delete on performed_duty for each row execute function refuse_change();
create trigger performed_duty_no_truncate before truncate on performed_duty for each statement execute function refuse_change();
