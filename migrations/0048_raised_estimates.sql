-- An estimate to complete that an outcome raised is told from one that somebody stated (R-377).

alter table cost_forecast add column choice_id text references exception_choice (id);
comment on column cost_forecast.choice_id is 'The outcome of an exception that raised the estimate before it; null where somebody stated the whole of it.';
