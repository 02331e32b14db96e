-- The grants of the functions, and the settings of the roles that the component logs in as. The migrator runs this file with the
-- functions, and after them: it finds the functions that no file defines any more by their unchanged catalog rows, and a grant
-- rewrites every row. A grant that is taken out here stays in existing databases until it is revoked here.
--
-- Nothing is taken from anybody else: the database may be shared.

revoke all on all functions in schema api from public;
grant usage on schema api to errand_app;
grant execute on all functions in schema api to errand_app;

-- Each file of functions/errand grants what functions of schema api reach. The other functions of errand are the operator's, and they
-- change what all users have. PostgreSQL's default, open to everyone, ends here.
do $$
declare
    helper regprocedure;
begin
    for helper in
        select p.oid from pg_catalog.pg_proc as p
        where p.pronamespace = 'errand'::regnamespace and has_function_privilege('public', p.oid, 'execute')
    loop
        execute format('revoke all on routine %s from public', helper);
    end loop;
end
$$;

-- In this database alone: another one of the server may have an errand of another version.
do $$
declare
    login text;
    wanted record;
begin
    for login in select rolname from pg_catalog.pg_roles where rolname in ('errand_app', 'errand_app_2') order by rolname loop
        begin
            for wanted in select * from errand.role_settings() loop
                execute format('alter role %I in database %I set %I = %L', login, current_database(), wanted.name, wanted.setting);
            end loop;
        exception when insufficient_privilege then
            raise warning '% cannot set what % brings along; see `cargo xtask db status`', current_user, login;
        end;
    end loop;
end
$$;

do $$
begin
    if to_regprocedure('errand.learn_time_zones()') is not null then
        perform errand.learn_time_zones();
    end if;
end
$$;
