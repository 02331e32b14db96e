-- The settings of the component's logins in this database. Settings of a role survive a pooler in transaction mode. Settings of a session
-- do not.
--
-- One plan of each statement fits all parameters, and planning costs as much as running, so plans are generic. JIT compilation and
-- parallel plans cost more than a page.
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
