\set u random(1, :users)
select outcome, seq, epoch, tasks, last_key, last_id, total from api.read_tasks('user-' || :u, '{"order": "created_at_desc", "limit": 50}');
