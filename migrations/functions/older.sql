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
    from api.create_task(caller, p_id, p_task, p_key, p_fingerprint, null) as done;
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
    from api.replace_task(caller, p_id, api.task_tags(caller, p_id, p_if_match), p_create, p_task, null) as done;
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
    from api.patch_task(
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
    from api.complete_task(
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
    tag_base constant text := api.tag_base(caller);
    known jsonb := p_list -> 'known';
    list record;
begin
    if jsonb_typeof(known) = 'array' then
        known := to_jsonb(array(select tag_base || number from jsonb_array_elements_text(known) as number));
    end if;
    select * into list from api.list_tasks(caller, jsonb_set(p_list, '{known}', coalesce(known, 'null')));
    unchanged := list.outcome = 'unchanged';
    seq := substr(list.etag, length(tag_base) + 1)::bigint;
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
