-- What the logins of the component bring along to each of their sessions in this database. Settings of a role survive a pooler in
-- transaction mode, which those of a session do not.
--
-- The statements of the functions are written so that one plan is good for all parameters; planning them again and again would
-- cost as much as running them. No page is worth machine code, or several processes.
create or replace function errand.role_settings(out name text, out setting text) returns setof record
language sql immutable as $$
    values
        ('statement_timeout', '4s'),
        ('lock_timeout', '3s'),
        ('idle_in_transaction_session_timeout', '10s'),
        ('TimeZone', 'UTC'),
        ('plan_cache_mode', 'force_generic_plan'),
        ('jit', 'off'),
        ('max_parallel_workers_per_gather', '0')
$$;

grant execute on function errand.role_settings to errand_app;
