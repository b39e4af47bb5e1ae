-- A request that is decided by approval may be kept while its answer is lost with the task of its run: the message can be sent once more.

alter table approval add column asked_with jsonb;
comment on column approval.asked_with is 'The message with which a person has asked for it: update, workflow id and input. Null where a run asks in the course of its story.';
