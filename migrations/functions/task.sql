-- One task: create, get, replace, patch, complete, delete.
--
-- No function names the user's column in a condition: row-level security does, in every statement. Each write answers
-- with an outcome: `created`, `ok`, `deleted`, `not_found`, `stale` (the entity tag is none of p_if_match) or `exists`.
-- A write with a key (p_key, p_fingerprint; NULL for none) may have those of api.recall instead. A task comes as its JSON
-- without the member `etag`, and as its entity tag without the quotes: the component puts them together.

create or replace function api.create_task(
    p_caller text, p_id uuid, p_task jsonb, p_key text, p_fingerprint text,
    out outcome text, out task text, out etag text)
language plpgsql as $$
declare
    caller constant text := api.announce(p_caller);
    tag_base constant text := api.tag_base(caller);
    stamp record;
    new_version bigint;
begin
    if p_key is not null then
        select * into outcome, task, etag from api.recall(p_key, p_fingerprint, tag_base);
        if outcome is not null then
            return;
        end if;
    end if;
    stamp := api.next_write(caller);
    insert into errand.task as t (
        user_id, id, seq, created_at, updated_at, completed_at,
        due_date, completed, priority, due_time, due_zone, tags, title, description)
    values (
        caller, p_id, stamp.seq, stamp.at, stamp.at,
        case when (p_task ->> 'completed')::boolean then stamp.at end,
        (p_task ->> 'due_date')::date,
        (p_task ->> 'completed')::boolean,
        (p_task ->> 'priority')::smallint,
        p_task ->> 'due_time',
        p_task ->> 'due_zone',
        array(select jsonb_array_elements_text(p_task -> 'tags')),
        p_task ->> 'title',
        p_task ->> 'description')
    returning 'created', t.json, tag_base || t.seq, t.version into outcome, task, etag, new_version;
    if p_key is not null then
        perform api.keep_answer(p_key, p_fingerprint, task, new_version, stamp.seq);
    end if;
end
$$;

-- NULLs where there is no such task.
create or replace function api.get_task(p_caller text, p_id uuid, out task text, out etag text)
language plpgsql stable as $$
declare
    caller constant text := api.announce(p_caller);
    tag_base constant text := api.tag_base(caller);
begin
    select t.json, tag_base || t.seq into task, etag from errand.task as t where t.id = p_id;
end
$$;

-- Looks for the task and keeps other writers away from it: NULL where it may be written, else the outcome.
create or replace function api.refusal(p_id uuid, p_if_match text[], p_tag_base text) returns text
language plpgsql as $$
declare
    current_seq bigint;
begin
    select t.seq into current_seq from errand.task as t where t.id = p_id for update;
    return case
        when not found then 'not_found'
        when p_tag_base || current_seq <> all (p_if_match) then 'stale'
    end;
end
$$;

-- Takes the place of the whole task. With p_create it creates instead, and a task that is there is left alone.
create or replace function api.replace_task(
    p_caller text, p_id uuid, p_if_match text[], p_create boolean, p_task jsonb,
    out outcome text, out task text, out etag text)
language plpgsql as $$
declare
    caller constant text := api.announce(p_caller);
    tag_base constant text := api.tag_base(caller);
    stamp record;
begin
    if p_create then
        if exists (select from errand.task as t where t.id = p_id) then
            outcome := 'exists';
        else
            select * into outcome, task, etag from api.create_task(caller, p_id, p_task, null, null);
        end if;
        return;
    end if;
    outcome := api.refusal(p_id, p_if_match, tag_base);
    if outcome is not null then
        return;
    end if;
    stamp := api.next_write(caller);
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
    returning 'ok', t.json, tag_base || t.seq into outcome, task, etag;
end
$$;

-- Changes the fields that p_patch has; one that is null there is cleared. The parts of `due` are fields of their own, so
-- that a merge patch may change one of them.
create or replace function api.patch_task(
    p_caller text, p_id uuid, p_if_match text[], p_patch jsonb, p_key text, p_fingerprint text,
    out outcome text, out task text, out etag text)
language plpgsql as $$
declare
    caller constant text := api.announce(p_caller);
    tag_base constant text := api.tag_base(caller);
    stamp record;
    new_version bigint;
begin
    if p_key is not null then
        select * into outcome, task, etag from api.recall(p_key, p_fingerprint, tag_base);
        if outcome is not null then
            return;
        end if;
    end if;
    outcome := api.refusal(p_id, p_if_match, tag_base);
    if outcome is not null then
        return;
    end if;
    stamp := api.next_write(caller);
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
    returning 'ok', t.json, tag_base || t.seq, t.version into outcome, task, etag, new_version;
    if p_key is not null then
        perform api.keep_answer(p_key, p_fingerprint, task, new_version, stamp.seq);
    end if;
end
$$;

-- Completes or reopens the task; with p_completed NULL, whichever it is not.
create or replace function api.complete_task(
    p_caller text, p_id uuid, p_if_match text[], p_completed boolean, p_key text, p_fingerprint text,
    out outcome text, out task text, out etag text)
language plpgsql as $$
declare
    caller constant text := api.announce(p_caller);
    tag_base constant text := api.tag_base(caller);
    stamp record;
    new_version bigint;
begin
    if p_key is not null then
        select * into outcome, task, etag from api.recall(p_key, p_fingerprint, tag_base);
        if outcome is not null then
            return;
        end if;
    end if;
    outcome := api.refusal(p_id, p_if_match, tag_base);
    if outcome is not null then
        return;
    end if;
    stamp := api.next_write(caller);
    update errand.task as t
    set seq = stamp.seq,
        version = t.version + 1,
        updated_at = stamp.at,
        completed = coalesce(p_completed, not t.completed),
        completed_at = case
            when coalesce(p_completed, not t.completed) then coalesce(t.completed_at, stamp.at)
        end
    where t.id = p_id
    returning 'ok', t.json, tag_base || t.seq, t.version into outcome, task, etag, new_version;
    if p_key is not null then
        perform api.keep_answer(p_key, p_fingerprint, task, new_version, stamp.seq);
    end if;
end
$$;

create or replace function api.delete_task(p_caller text, p_id uuid, p_if_match text[], out outcome text)
language plpgsql as $$
declare
    caller constant text := api.announce(p_caller);
    tag_base constant text := api.tag_base(caller);
begin
    outcome := api.refusal(p_id, p_if_match, tag_base);
    if outcome is not null then
        return;
    end if;
    perform api.next_write(caller);
    delete from errand.task as t where t.id = p_id;
    outcome := 'deleted';
end
$$;
