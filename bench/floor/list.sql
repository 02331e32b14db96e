\set u random(1, :users)
select outcome, etag, tasks, last_key, last_id, total from api.list_tasks('user-' || :u, '{"order": "created_at_desc", "limit": 50}');
