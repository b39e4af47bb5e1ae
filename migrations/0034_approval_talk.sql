-- An approval becomes a conversation: people stand back, ask the requester, grant under conditions, and what nobody decides expires.

alter table approval drop constraint approval_state_check;
alter table approval add constraint approval_state_check
  check (state in ('pending', 'conditions', 'approved', 'refused', 'withdrawn', 'expired'));
comment on column approval.state is 'conditions: every vote is given, and what they were given under is not settled (R-282).';
drop index approval_one_pending;
create unique index approval_one_open on approval (subject_kind, subject_id) where state in ('pending', 'conditions');
create index approval_of_subject on approval (subject_kind, subject_id, opened_at);

create function keep_ended_approval() returns trigger language plpgsql as $$
begin
  raise exception 'an approval that has ended does not change its state' using errcode = 'integrity_constraint_violation';
end $$;
create trigger approval_ended_stays before update of state on approval for each row
  when (old.state in ('approved', 'refused', 'withdrawn', 'expired') and new.state <> old.state) execute function keep_ended_approval();

create table approval_recusal (
  approval_id uuid not null references approval (id),
  user_id text not null references app_user (id),
  reason_id uuid not null references free_text (id),
  recused_at timestamptz not null,
  primary key (approval_id, user_id)
);
comment on table approval_recusal is 'Who stood back from an approval; why is a free text (R-280).';

create table approval_question (
  id text primary key,
  approval_id uuid not null references approval (id),
  tier integer not null,
  role text not null,
  asked_by text not null references app_user (id),
  text_id uuid not null references free_text (id),
  asked_at timestamptz not null,
  foreign key (approval_id, tier, role) references approval_step (approval_id, tier, role)
);
comment on table approval_question is 'What approvers asked the requester; the clocks of the tier stand still until it is answered (R-281).';
create index approval_question_approval on approval_question (approval_id);

create table approval_answer (
  question_id text primary key references approval_question (id),
  answered_by text not null references app_user (id),
  text_id uuid not null references free_text (id),
  answered_at timestamptz not null
);

create table approval_condition (
  id text primary key,
  approval_id uuid not null references approval (id),
  decision_id text not null references approval_decision (decision_id),
  owner_role text not null,
  text_id uuid not null references free_text (id),
  due timestamptz,
  set_at timestamptz not null,
  check (due > set_at)
);
comment on table approval_condition is 'What a grant was given under: whose role sees to it, and by when (R-282).';
create index approval_condition_approval on approval_condition (approval_id);

create table approval_condition_end (
  condition_id text primary key references approval_condition (id),
  outcome text not null check (outcome in ('fulfilled', 'waived')),
  settled_by text not null references app_user (id),
  text_id uuid not null references free_text (id),
  settled_at timestamptz not null
);
comment on column approval_condition_end.text_id is 'The evidence of who fulfilled it, or why it was waived.';

do $$
declare
  kept text;
begin
  foreach kept in array array['approval_recusal', 'approval_question', 'approval_answer', 'approval_condition', 'approval_condition_end'] loop
    execute format('create trigger %I before update or delete on %I for each row execute function refuse_change()', kept || '_append_only', kept);
    execute format('create trigger %I before truncate on %I for each statement execute function refuse_change()', kept || '_no_truncate', kept);
  end loop;
end $$;
