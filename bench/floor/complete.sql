\set u random(1, :users)
\set n random(1, :tasks)
select outcome, task, seq, epoch from api.mark_task('user-' || :u, ('0193' || (10000000 + :n) || '70008000' || (100000000000 + :u))::uuid, null, :n % 2 = 0, null, null, false);
