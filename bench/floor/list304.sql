\set u random(1, :users)
select unchanged, seq, tasks, last_key, last_id, total from api.task_list('user-' || :u, '{"order": "created_at_desc", "limit": 50, "known": true}');
