-- Plans of the functions are made for any user. With one account of a million tasks the planner expects pages that are worth
-- machine code, or several processes; to make those costs ten times as much as a page does, and no statement of a request
-- is long enough to win it back.
alter role errand_app set jit = off;
alter role errand_app set max_parallel_workers_per_gather = 0;
