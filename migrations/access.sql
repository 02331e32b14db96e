-- The grants of schema api: errand_app alone may call its functions. The migrator runs this file with the functions, and
-- after them: it finds the functions that no file defines any more by their unchanged catalog rows, and a grant rewrites
-- every row. A grant that is taken out here stays in existing databases until it is revoked here.

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
