-- Bookings name the project: whether a legal hold on its deal keeps what was noted of them is looked up for each.

create index deal_project_code on deal (project_code);
