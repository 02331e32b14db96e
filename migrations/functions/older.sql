-- Functions for components from before entity tags had a digest, because both versions run during a deployment. The version of a task was
-- its tag, and the number of the user's latest write was the tag of a list. Version 0.2 drops these functions.

-- The entity tags of the task in these versions. If another write changes the task afterwards, the task's new tag is not among them.
create or replace function api.task_tags(p_caller text, p_id uuid, p_versions bigint[]) returns text[]
language plpgsql as $$
declare
    caller constant text := errand.announce(p_caller);
    tag_base constant text := errand.tag_base(caller);
begin
    if p_versions is null then
        return null;
    end if;
    return array(
        select tag_base || t.seq
        from errand.task as t
        where t.id = p_id and t.version = any (p_versions));
end
$$;

create or replace function api.task_create(
    p_caller text, p_id uuid, p_task jsonb, p_key text, p_fingerprint text,
    out outcome text, out task text, out version bigint)
language plpgsql as $$
declare
    caller constant text := errand.announce(p_caller);
begin
    select done.outcome, done.task, (done.task::jsonb ->> 'version')::bigint into outcome, task, version
    from api.add_task(caller, p_id, p_task, p_key, p_fingerprint, null) as done;
end
$$;

create or replace function api.task_get(p_caller text, p_id uuid, out task text, out version bigint)
language plpgsql stable as $$
declare
    caller constant text := errand.announce(p_caller);
begin
    select t.json, t.version into task, version from errand.task as t where t.id = p_id;
end
$$;

create or replace function api.task_put(
    p_caller text, p_id uuid, p_if_match bigint[], p_create boolean, p_task jsonb,
    out outcome text, out task text, out version bigint)
language plpgsql as $$
declare
    caller constant text := errand.announce(p_caller);
begin
    select done.outcome, done.task, (done.task::jsonb ->> 'version')::bigint into outcome, task, version
    from api.put_task(caller, p_id, api.task_tags(caller, p_id, p_if_match), p_create, p_task, null) as done;
end
$$;

create or replace function api.task_patch(
    p_caller text, p_id uuid, p_if_match bigint[], p_patch jsonb, p_key text, p_fingerprint text,
    out outcome text, out task text, out version bigint)
language plpgsql as $$
declare
    caller constant text := errand.announce(p_caller);
begin
    select done.outcome, done.task, (done.task::jsonb ->> 'version')::bigint into outcome, task, version
    from api.change_task(
        caller, p_id, api.task_tags(caller, p_id, p_if_match), p_patch, p_key, p_fingerprint, null) as done;
end
$$;

create or replace function api.task_complete(
    p_caller text, p_id uuid, p_if_match bigint[], p_completed boolean, p_key text, p_fingerprint text,
    out outcome text, out task text, out version bigint)
language plpgsql as $$
declare
    caller constant text := errand.announce(p_caller);
begin
    select done.outcome, done.task, (done.task::jsonb ->> 'version')::bigint into outcome, task, version
    from api.mark_task(
        caller, p_id, api.task_tags(caller, p_id, p_if_match), p_completed, p_key, p_fingerprint, null) as done;
end
$$;

create or replace function api.task_delete(p_caller text, p_id uuid, p_if_match bigint[], out outcome text)
language plpgsql as $$
declare
    caller constant text := errand.announce(p_caller);
begin
    outcome := api.delete_task(caller, p_id, api.task_tags(caller, p_id, p_if_match), null);
end
$$;

create or replace function api.task_list(
    p_caller text, p_list jsonb,
    out unchanged boolean, out seq bigint, out tasks text, out last_key text, out last_id text, out total bigint)
language plpgsql stable as $$
declare
    caller constant text := errand.announce(p_caller);
    known jsonb := p_list -> 'known';
    list record;
begin
    if jsonb_typeof(known) = 'array' then
        known := to_jsonb(array(select errand.tag_base(caller) || number from jsonb_array_elements_text(known) as number));
    end if;
    select * into list from api.read_tasks(caller, jsonb_set(p_list, '{known}', coalesce(known, 'null')));
    unchanged := list.outcome = 'unchanged';
    seq := list.seq;
    if not unchanged then
        tasks := array_to_string(
            (string_to_array(list.tasks, chr(10)))[2 : 1 + cardinality(string_to_array(split_part(list.tasks, chr(10), 1), ' '))],
            ',');
    end if;
    last_key := list.last_key;
    last_id := list.last_id;
    total := list.total;
end
$$;

-- Functions for components from when the database made the entity tags. Version 0.2 drops them, too.

create or replace function api.get_task(p_caller text, p_id uuid, out task text, out etag text)
language plpgsql stable as $$
declare
    caller constant text := errand.announce(p_caller);
begin
    select found.task, errand.tag_base(caller) || found.seq into task, etag from api.read_task(caller, p_id) as found;
end
$$;

create or replace function api.get_task_of_each(p_callers text[], p_ids text[])
returns table (number bigint, caller text, task text, etag text)
language plpgsql stable as $$
begin
    return query
        select call.number, call.caller, found.task, found.etag
        from unnest(p_callers, p_ids) with ordinality as call (caller, id, number),
            api.get_task(call.caller, call.id::uuid) as found;
end
$$;

create or replace function api.list_tasks(
    p_caller text, p_list jsonb,
    out outcome text, out etag text, out tasks text, out last_key text, out last_id text, out total bigint)
language plpgsql stable as $$
declare
    caller constant text := errand.announce(p_caller);
begin
    select list.outcome, errand.tag_base(caller) || list.seq, list.tasks, list.last_key, list.last_id, list.total
    into outcome, etag, tasks, last_key, last_id, total
    from api.read_tasks(caller, p_list) as list;
end
$$;

create or replace function api.list_tasks_of_each(p_callers text[], p_lists text[])
returns table (
    number bigint, caller text, outcome text, etag text, tasks text, last_key text, last_id text, total bigint)
language plpgsql stable as $$
begin
    return query
        select call.number, call.caller, list.outcome, list.etag, list.tasks, list.last_key, list.last_id, list.total
        from unnest(p_callers, p_lists) with ordinality as call (caller, list, number),
            api.list_tasks(call.caller, call.list::jsonb) as list;
end
$$;

create or replace function api.create_task(
    p_caller text, p_id uuid, p_task jsonb, p_key text, p_fingerprint text, p_wait boolean,
    out outcome text, out task text, out etag text)
language plpgsql as $$
declare
    caller constant text := errand.announce(p_caller);
begin
    select done.outcome, done.task, errand.tag_base(caller) || done.seq into outcome, task, etag
    from api.add_task(caller, p_id, p_task, p_key, p_fingerprint, p_wait) as done;
end
$$;

create or replace function api.replace_task(
    p_caller text, p_id uuid, p_if_match text[], p_create boolean, p_task jsonb, p_wait boolean,
    out outcome text, out task text, out etag text)
language plpgsql as $$
declare
    caller constant text := errand.announce(p_caller);
begin
    select done.outcome, done.task, errand.tag_base(caller) || done.seq into outcome, task, etag
    from api.put_task(caller, p_id, p_if_match, p_create, p_task, p_wait) as done;
end
$$;

create or replace function api.patch_task(
    p_caller text, p_id uuid, p_if_match text[], p_patch jsonb, p_key text, p_fingerprint text, p_wait boolean,
    out outcome text, out task text, out etag text)
language plpgsql as $$
declare
    caller constant text := errand.announce(p_caller);
begin
    select done.outcome, done.task, errand.tag_base(caller) || done.seq into outcome, task, etag
    from api.change_task(caller, p_id, p_if_match, p_patch, p_key, p_fingerprint, p_wait) as done;
end
$$;

create or replace function api.complete_task(
    p_caller text, p_id uuid, p_if_match text[], p_completed boolean, p_key text, p_fingerprint text, p_wait boolean,
    out outcome text, out task text, out etag text)
language plpgsql as $$
declare
    caller constant text := errand.announce(p_caller);
begin
    select done.outcome, done.task, errand.tag_base(caller) || done.seq into outcome, task, etag
    from api.mark_task(caller, p_id, p_if_match, p_completed, p_key, p_fingerprint, p_wait) as done;
end
$$;

-- Functions for components of interfaces 1 and 2. Version 0.2 drops them, too.

create or replace function api.add_task(
    p_caller text, p_id uuid, p_task jsonb, p_key text, p_fingerprint text, p_wait boolean,
    out outcome text, out task text, out seq bigint, out epoch text)
language plpgsql as $$
declare
    caller constant text := errand.announce(p_caller);
begin
    select * into outcome, task, seq, epoch
    from errand.write_for_older(
        caller, jsonb_build_object('operation', 'task.create', 'id', p_id, 'document', p_task), p_key, p_fingerprint, p_wait);
end
$$;

-- The document has only the columns with a value. The others get their defaults.
create or replace function api.put_task(
    p_caller text, p_id uuid, p_if_match text[], p_create boolean, p_task jsonb, p_wait boolean,
    out outcome text, out task text, out seq bigint, out epoch text)
language plpgsql as $$
declare
    caller constant text := errand.announce(p_caller);
    write jsonb := jsonb_build_object(
        'operation', 'task.put', 'id', p_id,
        'document', jsonb '{"description": null, "due_date": null, "due_time": null, "due_zone": null}' || p_task);
begin
    if p_create then
        write := write || jsonb '{"must_be_absent": true}';
    else
        write := write || jsonb_build_object('if_match', p_if_match);
    end if;
    select * into outcome, task, seq, epoch from errand.write_for_older(caller, write, null, null, p_wait);
end
$$;

create or replace function api.change_task(
    p_caller text, p_id uuid, p_if_match text[], p_patch jsonb, p_key text, p_fingerprint text, p_wait boolean,
    out outcome text, out task text, out seq bigint, out epoch text)
language plpgsql as $$
declare
    caller constant text := errand.announce(p_caller);
begin
    select * into outcome, task, seq, epoch
    from errand.write_for_older(
        caller, jsonb_build_object('operation', 'task.patch', 'id', p_id, 'if_match', p_if_match, 'document', p_patch),
        p_key, p_fingerprint, p_wait);
end
$$;

create or replace function api.mark_task(
    p_caller text, p_id uuid, p_if_match text[], p_completed boolean, p_key text, p_fingerprint text, p_wait boolean,
    out outcome text, out task text, out seq bigint, out epoch text)
language plpgsql as $$
declare
    caller constant text := errand.announce(p_caller);
begin
    select * into outcome, task, seq, epoch
    from errand.write_for_older(
        caller,
        jsonb_build_object(
            'operation', 'task.complete', 'id', p_id, 'if_match', p_if_match,
            'document', jsonb_strip_nulls(jsonb_build_object('completed', p_completed))),
        p_key, p_fingerprint, p_wait);
end
$$;

create or replace function api.delete_task(p_caller text, p_id uuid, p_if_match text[], p_wait boolean, out outcome text)
language plpgsql as $$
declare
    caller constant text := errand.announce(p_caller);
begin
    select done.outcome into outcome
    from errand.write_for_older(
        caller, jsonb_build_object('operation', 'task.delete', 'id', p_id, 'if_match', p_if_match), null, null, p_wait) as done;
end
$$;

-- Functions for components of interfaces 3 and 4. Version 0.2 drops them, too.

create or replace function api.write(p_caller text, p_writes jsonb) returns api.written
language plpgsql as $$
declare
    caller constant text := errand.announce(p_caller);
begin
    return errand.written_of(api.run_writes(caller, p_writes));
end
$$;

-- The lines of api.show_task and api.show_tasks as columns.

create or replace function api.read_task(p_caller text, p_id uuid, out task text, out seq bigint, out epoch text)
language plpgsql stable as $$
declare
    caller constant text := errand.announce(p_caller);
    parts constant text[] := regexp_match(api.show_task(caller, p_id), '^(\d+) (\S+) (.*)$');
begin
    seq := parts[1]::bigint;
    epoch := parts[2];
    task := parts[3];
end
$$;

create or replace function api.read_task_of_each(p_callers text[], p_ids text[])
returns table (number bigint, caller text, task text, seq bigint, epoch text)
language plpgsql stable as $$
begin
    return query
        select call.number, call.caller, found.task, found.seq, found.epoch
        from unnest(p_callers, p_ids) with ordinality as call (caller, id, number),
            api.read_task(call.caller, call.id::uuid) as found;
end
$$;

create or replace function api.read_tasks(
    p_caller text, p_list jsonb,
    out outcome text, out seq bigint, out epoch text, out tasks text, out last_key text, out last_id text, out total bigint)
language plpgsql stable as $$
declare
    caller constant text := errand.announce(p_caller);
    -- Components of interface 3 send the text of a search alone.
    answer constant text := api.show_tasks(
        caller,
        case
            when p_list ? 'search' or not coalesce(p_list -> 'filter' ? 'q', false) then p_list
            else p_list || jsonb_build_object('search', jsonb_build_object(
                'patterns', nullif(errand.search_patterns(p_list #>> '{filter,q}'), '{}')))
        end);
    -- The length of the last line and its line feed.
    behind constant int := strpos(reverse(answer), chr(10));
    parts constant text[] := regexp_match(
        case when behind = 0 then answer else right(answer, behind - 1) end,
        '^(\w+)(?: (\d+) (\S+))?(?: (-|\d+))?(?: (\S+) (".*"))?$');
begin
    outcome := parts[1];
    seq := parts[2]::bigint;
    epoch := parts[3];
    tasks := case when behind > 0 then left(answer, -behind) end;
    total := nullif(parts[4], '-')::bigint;
    last_id := parts[5];
    last_key := parts[6]::json #>> '{}';
end
$$;

create or replace function api.read_tasks_of_each(p_callers text[], p_lists text[])
returns table (
    number bigint, caller text,
    outcome text, seq bigint, epoch text, tasks text, last_key text, last_id text, total bigint)
language plpgsql stable as $$
begin
    return query
        select
            call.number, call.caller,
            list.outcome, list.seq, list.epoch, list.tasks, list.last_key, list.last_id, list.total
        from unnest(p_callers, p_lists) with ordinality as call (caller, list, number),
            api.read_tasks(call.caller, call.list::jsonb) as list;
end
$$;

-- The erasure of an account by an older `errand-db`.
create or replace function api.turn_of(p_user text) returns bigint
language sql stable as $$
    select errand.turn_of(p_user)
$$;
