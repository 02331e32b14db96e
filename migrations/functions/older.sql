-- What components call that were built before entity tags had a digest: while a new one takes their place, both are there.
-- The version of a task was its tag, and the number of the user's latest write that of a list. These go with version 0.2.

-- The entity tags of the task in these versions. If another write changes the task afterwards, the task's new tag is not among them.
create or replace function api.task_tags(p_caller text, p_id uuid, p_versions bigint[]) returns text[]
language plpgsql as $$
declare
    caller constant text := api.announce(p_caller);
    tag_base constant text := api.tag_base(caller);
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
    caller constant text := api.announce(p_caller);
begin
    select done.outcome, done.task, (done.task::jsonb ->> 'version')::bigint into outcome, task, version
    from api.add_task(caller, p_id, p_task, p_key, p_fingerprint, null) as done;
end
$$;

create or replace function api.task_get(p_caller text, p_id uuid, out task text, out version bigint)
language plpgsql stable as $$
declare
    caller constant text := api.announce(p_caller);
begin
    select t.json, t.version into task, version from errand.task as t where t.id = p_id;
end
$$;

create or replace function api.task_put(
    p_caller text, p_id uuid, p_if_match bigint[], p_create boolean, p_task jsonb,
    out outcome text, out task text, out version bigint)
language plpgsql as $$
declare
    caller constant text := api.announce(p_caller);
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
    caller constant text := api.announce(p_caller);
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
    caller constant text := api.announce(p_caller);
begin
    select done.outcome, done.task, (done.task::jsonb ->> 'version')::bigint into outcome, task, version
    from api.mark_task(
        caller, p_id, api.task_tags(caller, p_id, p_if_match), p_completed, p_key, p_fingerprint, null) as done;
end
$$;

create or replace function api.task_delete(p_caller text, p_id uuid, p_if_match bigint[], out outcome text)
language plpgsql as $$
declare
    caller constant text := api.announce(p_caller);
begin
    outcome := api.delete_task(caller, p_id, api.task_tags(caller, p_id, p_if_match), null);
end
$$;

create or replace function api.task_list(
    p_caller text, p_list jsonb,
    out unchanged boolean, out seq bigint, out tasks text, out last_key text, out last_id text, out total bigint)
language plpgsql stable as $$
declare
    caller constant text := api.announce(p_caller);
    known jsonb := p_list -> 'known';
    list record;
begin
    if jsonb_typeof(known) = 'array' then
        known := to_jsonb(array(select api.tag_base(caller) || number from jsonb_array_elements_text(known) as number));
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

-- What components call that were built while the database made the entity tags. These go with version 0.2, too.

create or replace function api.get_task(p_caller text, p_id uuid, out task text, out etag text)
language plpgsql stable as $$
declare
    caller constant text := api.announce(p_caller);
begin
    select found.task, api.tag_base(caller) || found.seq into task, etag from api.read_task(caller, p_id) as found;
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
    caller constant text := api.announce(p_caller);
begin
    select list.outcome, api.tag_base(caller) || list.seq, list.tasks, list.last_key, list.last_id, list.total
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
    caller constant text := api.announce(p_caller);
begin
    select done.outcome, done.task, api.tag_base(caller) || done.seq into outcome, task, etag
    from api.add_task(caller, p_id, p_task, p_key, p_fingerprint, p_wait) as done;
end
$$;

create or replace function api.replace_task(
    p_caller text, p_id uuid, p_if_match text[], p_create boolean, p_task jsonb, p_wait boolean,
    out outcome text, out task text, out etag text)
language plpgsql as $$
declare
    caller constant text := api.announce(p_caller);
begin
    select done.outcome, done.task, api.tag_base(caller) || done.seq into outcome, task, etag
    from api.put_task(caller, p_id, p_if_match, p_create, p_task, p_wait) as done;
end
$$;

create or replace function api.patch_task(
    p_caller text, p_id uuid, p_if_match text[], p_patch jsonb, p_key text, p_fingerprint text, p_wait boolean,
    out outcome text, out task text, out etag text)
language plpgsql as $$
declare
    caller constant text := api.announce(p_caller);
begin
    select done.outcome, done.task, api.tag_base(caller) || done.seq into outcome, task, etag
    from api.change_task(caller, p_id, p_if_match, p_patch, p_key, p_fingerprint, p_wait) as done;
end
$$;

create or replace function api.complete_task(
    p_caller text, p_id uuid, p_if_match text[], p_completed boolean, p_key text, p_fingerprint text, p_wait boolean,
    out outcome text, out task text, out etag text)
language plpgsql as $$
declare
    caller constant text := api.announce(p_caller);
begin
    select done.outcome, done.task, api.tag_base(caller) || done.seq into outcome, task, etag
    from api.mark_task(caller, p_id, p_if_match, p_completed, p_key, p_fingerprint, p_wait) as done;
end
$$;
