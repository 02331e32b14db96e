\set u random(1, :users)
select api.show_tasks('user-' || :u, '{"order": "created_at_desc", "limit": 50}');
