-- Seats in a committee may weigh differently.

alter table committee_member add column weight integer not null default 1 check (weight between 1 and 100);
comment on column committee_member.weight is 'What the vote of this seat weighs where the policy gives the roles of its holder no weight (R-285).';
