-- The grants of the functions, and the settings of the roles that the component logs in as. The migrator runs this file with the
-- functions, and after them: it finds the functions that no file defines any more by their unchanged catalog rows, and a grant
-- rewrites every row. A grant that is taken out here stays in existing databases until it is revoked here.
--
-- Nothing is taken from anybody else: the database may be shared.

revoke all on all functions in schema api from public;
grant usage on schema api to errand_app;
grant execute on all functions in schema api to errand_app;

-- Functions of schema errand are PostgreSQL's default, open to everyone, until here. The component gets those that functions of schema api
-- reach, by name: the others are the operator's, and they change what all users have.
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
grant execute on function
    errand.announce,
    errand.await_turn,
    errand.change_task,
    errand.claim,
    errand.create_task,
    errand.current_task,
    errand.delete_task,
    errand.due_instant,
    errand.find_key,
    errand.fold,
    errand.keep_key,
    errand.longest_walk,
    errand.may_go_on,
    errand.near_tasks_in_order,
    errand.next_write,
    errand.page_text,
    errand.plan_task,
    errand.refusal,
    errand.refuse_role,
    errand.replay,
    errand.search_query,
    errand.short_walk,
    errand.status_of,
    errand.tag_base,
    errand.take_own_slot,
    errand.take_slot,
    errand.task_conditions,
    errand.task_filter,
    errand.task_range,
    errand.tasks_in_order,
    errand.try_claim,
    errand.try_turn,
    errand.turn_of,
    errand.walk_text,
    errand.words,
    errand.write_all,
    errand.write_for_older,
    errand.write_one
    to errand_app;
-- One for each order of a list: functions/errand/task_orders.sql.
grant execute on function
    errand.tasks_by_created_at_desc, errand.near_tasks_by_created_at_desc,
    errand.tasks_by_created_at_asc, errand.near_tasks_by_created_at_asc,
    errand.tasks_by_updated_at_desc, errand.near_tasks_by_updated_at_desc,
    errand.tasks_by_updated_at_asc, errand.near_tasks_by_updated_at_asc,
    errand.tasks_by_due_desc, errand.near_tasks_by_due_desc,
    errand.tasks_by_due_asc, errand.near_tasks_by_due_asc,
    errand.tasks_by_priority_desc, errand.near_tasks_by_priority_desc,
    errand.tasks_by_priority_asc, errand.near_tasks_by_priority_asc,
    errand.tasks_by_title_desc, errand.near_tasks_by_title_desc,
    errand.tasks_by_title_asc, errand.near_tasks_by_title_asc
    to errand_app;
grant execute on function errand.tidy to errand_maintenance;

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
