-- Who may call the functions: the component's role, and nobody by default. The last file of the unit.

revoke all on all functions in schema api from public;
grant usage on schema api to errand_app;
grant execute on all functions in schema api to errand_app;

-- Everyone may make temporary tables in a new database, and in older ones anything in schema public. Nobody here needs
-- to, and what cannot be made cannot stand in the way of a name.
do $$
begin
    execute format('revoke temporary on database %I from public', current_database());
    if exists (select from pg_namespace where nspname = 'public') then
        revoke create on schema public from public;
    end if;
end
$$;
