-- The composite types of lists. A function can be replaced in place, a type cannot, so types belong in migrations.
--
-- Databases that were migrated before this file have schema api with these types, because the functions' files made them
-- there. A new database has neither.
do $$
declare
    -- Name and attributes, as format_type() spells them.
    types constant text[][] := array[
        -- Where a page begins, and how long it is.
        ['task_page_start', 'key text, id uuid, size integer'],
        -- The JSON of a page's tasks, separated by commas, and where the next page begins, if there is one.
        ['task_page', 'tasks text, last_key text, last_id text'],
        -- The filters of a list; NULL where there is none.
        ['task_filter', 'completed boolean, priorities smallint[], tags text[], '
            'due_before_date date, due_before_at timestamp with time zone, '
            'due_after_date date, due_after_at timestamp with time zone, '
            'overdue boolean, updated_since timestamp with time zone, query tsquery']];
    type_name text;
    wanted text;
    found text;
begin
    -- Asked first, because even `if not exists` needs the right to create schemas.
    if to_regnamespace('api') is null then
        create schema api;
    end if;
    for n in 1 .. array_length(types, 1) loop
        type_name := types[n][1];
        wanted := types[n][2];
        select string_agg(a.attname || ' ' || format_type(a.atttypid, a.atttypmod), ', ' order by a.attnum)
        into found
        from pg_catalog.pg_attribute as a
        where a.attrelid = to_regclass(format('api.%I', type_name)) and a.attnum > 0 and not a.attisdropped;
        if found is null then
            execute format('create type api.%I as (%s)', type_name, wanted);
        elsif found <> wanted then
            raise exception 'type api.% is there with other attributes', type_name
                using detail = format('It has (%s), and this migration needs (%s).', found, wanted),
                    hint = 'Drop the type with everything that uses it (`drop type ... cascade`): the functions are made again.';
        end if;
    end loop;
end
$$;
