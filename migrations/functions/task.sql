-- One task: create, get, replace, patch, complete, delete.
--
-- No function names the user's column in a condition: row-level security does, in every statement. Each write answers
-- with an outcome: `created`, `ok`, `deleted`, `not_found`, `stale` (the version is none of p_if_match) or `exists`.
-- A write with a key (p_key, p_fingerprint; NULL for none) may have those of api.replay instead.

create function api.task_create(p_caller text, p_id uuid, p_task jsonb, p_key text, p_fingerprint text)
returns table (outcome text, task text, version bigint)
language plpgsql as $$
declare
    stamp record;
begin
    perform api.announce(p_caller);
    if p_key is not null then
        return query select * from api.replay(p_key, p_fingerprint);
        if found then
            return;
        end if;
    end if;
    stamp := api.next_write(p_caller);
    insert into errand.task as t (
        user_id, id, seq, created_at, updated_at, completed_at,
        due_date, completed, priority, due_time, due_zone, tags, title, description)
    values (
        p_caller, p_id, stamp.seq, stamp.at, stamp.at,
        case when (p_task ->> 'completed')::boolean then stamp.at end,
        (p_task ->> 'due_date')::date,
        (p_task ->> 'completed')::boolean,
        (p_task ->> 'priority')::smallint,
        p_task ->> 'due_time',
        p_task ->> 'due_zone',
        array(select jsonb_array_elements_text(p_task -> 'tags')),
        p_task ->> 'title',
        p_task ->> 'description')
    returning 'created', t.json, t.version into outcome, task, version;
    if p_key is not null then
        perform api.remember(p_key, p_fingerprint, task, version);
    end if;
    return next;
end
$$;

create function api.task_get(p_caller text, p_id uuid)
returns table (task text, version bigint)
language plpgsql stable as $$
begin
    perform api.announce(p_caller);
    return query select t.json, t.version from errand.task as t where t.id = p_id;
end
$$;

-- Looks for the task and keeps other writers away from it: NULL where it may be written, else the outcome.
create function api.task_refusal(p_id uuid, p_if_match bigint[]) returns text
language plpgsql as $$
declare
    current_version bigint;
begin
    select t.version into current_version from errand.task as t where t.id = p_id for update;
    return case
        when not found then 'not_found'
        when current_version <> all (p_if_match) then 'stale'
    end;
end
$$;

-- Takes the place of the whole task. With p_create it creates instead, and a task that is there is left alone.
create function api.task_put(p_caller text, p_id uuid, p_if_match bigint[], p_create boolean, p_task jsonb)
returns table (outcome text, task text, version bigint)
language plpgsql as $$
declare
    stamp record;
    refusal text;
begin
    perform api.announce(p_caller);
    if p_create then
        if exists (select from errand.task as t where t.id = p_id) then
            return query select 'exists', null::text, null::bigint;
        else
            return query select * from api.task_create(p_caller, p_id, p_task, null, null);
        end if;
        return;
    end if;
    refusal := api.task_refusal(p_id, p_if_match);
    if refusal is not null then
        return query select refusal, null::text, null::bigint;
        return;
    end if;
    stamp := api.next_write(p_caller);
    return query
        update errand.task as t
        set seq = stamp.seq,
            version = t.version + 1,
            updated_at = stamp.at,
            completed = (p_task ->> 'completed')::boolean,
            completed_at = case when (p_task ->> 'completed')::boolean then coalesce(t.completed_at, stamp.at) end,
            due_date = (p_task ->> 'due_date')::date,
            due_time = p_task ->> 'due_time',
            due_zone = p_task ->> 'due_zone',
            priority = (p_task ->> 'priority')::smallint,
            tags = array(select jsonb_array_elements_text(p_task -> 'tags')),
            title = p_task ->> 'title',
            description = p_task ->> 'description'
        where t.id = p_id
        returning 'ok', t.json, t.version;
end
$$;

-- Changes the fields that p_patch has; one that is null there is cleared. The parts of `due` are fields of their own, so
-- that a merge patch may change one of them.
create function api.task_patch(
    p_caller text, p_id uuid, p_if_match bigint[], p_patch jsonb, p_key text, p_fingerprint text)
returns table (outcome text, task text, version bigint)
language plpgsql as $$
declare
    stamp record;
    refusal text;
begin
    perform api.announce(p_caller);
    if p_key is not null then
        return query select * from api.replay(p_key, p_fingerprint);
        if found then
            return;
        end if;
    end if;
    refusal := api.task_refusal(p_id, p_if_match);
    if refusal is not null then
        return query select refusal, null::text, null::bigint;
        return;
    end if;
    stamp := api.next_write(p_caller);
    update errand.task as t
    set seq = stamp.seq,
        version = t.version + 1,
        updated_at = stamp.at,
        completed = coalesce((p_patch ->> 'completed')::boolean, t.completed),
        completed_at = case
            when coalesce((p_patch ->> 'completed')::boolean, t.completed) then coalesce(t.completed_at, stamp.at)
        end,
        due_date = case when p_patch ? 'due_date' then (p_patch ->> 'due_date')::date else t.due_date end,
        due_time = case when p_patch ? 'due_time' then p_patch ->> 'due_time' else t.due_time end,
        due_zone = case when p_patch ? 'due_zone' then p_patch ->> 'due_zone' else t.due_zone end,
        priority = coalesce((p_patch ->> 'priority')::smallint, t.priority),
        tags = case
            when p_patch ? 'tags' then array(select jsonb_array_elements_text(p_patch -> 'tags'))
            else t.tags
        end,
        title = coalesce(p_patch ->> 'title', t.title),
        description = case when p_patch ? 'description' then p_patch ->> 'description' else t.description end
    where t.id = p_id
    returning 'ok', t.json, t.version into outcome, task, version;
    if p_key is not null then
        perform api.remember(p_key, p_fingerprint, task, version);
    end if;
    return next;
end
$$;

-- Completes or reopens the task; with p_completed NULL, whichever it is not.
create function api.task_complete(
    p_caller text, p_id uuid, p_if_match bigint[], p_completed boolean, p_key text, p_fingerprint text)
returns table (outcome text, task text, version bigint)
language plpgsql as $$
declare
    stamp record;
    refusal text;
begin
    perform api.announce(p_caller);
    if p_key is not null then
        return query select * from api.replay(p_key, p_fingerprint);
        if found then
            return;
        end if;
    end if;
    refusal := api.task_refusal(p_id, p_if_match);
    if refusal is not null then
        return query select refusal, null::text, null::bigint;
        return;
    end if;
    stamp := api.next_write(p_caller);
    update errand.task as t
    set seq = stamp.seq,
        version = t.version + 1,
        updated_at = stamp.at,
        completed = coalesce(p_completed, not t.completed),
        completed_at = case
            when coalesce(p_completed, not t.completed) then coalesce(t.completed_at, stamp.at)
        end
    where t.id = p_id
    returning 'ok', t.json, t.version into outcome, task, version;
    if p_key is not null then
        perform api.remember(p_key, p_fingerprint, task, version);
    end if;
    return next;
end
$$;

create function api.task_delete(p_caller text, p_id uuid, p_if_match bigint[])
returns table (outcome text)
language plpgsql as $$
declare
    refusal text;
begin
    perform api.announce(p_caller);
    refusal := api.task_refusal(p_id, p_if_match);
    if refusal is not null then
        return query select refusal;
        return;
    end if;
    perform api.next_write(p_caller);
    delete from errand.task as t where t.id = p_id;
    return query select 'deleted';
end
$$;
