\set u random(1, :users)
\set n random(1, :tasks)
select api.show_task('user-' || :u, ('0193' || (10000000 + :n) || '70008000' || (100000000000 + :u))::uuid);
