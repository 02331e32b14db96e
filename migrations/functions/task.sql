-- Tasks: reading one, and what writes mean to them. The functions of schema `errand` are those that api.write calls.
--
-- No function names the user's column in a condition: row-level security does, in every statement.

-- NULLs where there is no such task. The component makes the entity tag of the number and the epoch.
create or replace function api.read_task(p_caller text, p_id uuid, out task text, out seq bigint, out epoch text)
language plpgsql stable as $$
declare
    caller constant text := errand.announce(p_caller);
begin
    select t.json, t.seq, errand.epoch() into task, seq, epoch from errand.task as t where t.id = p_id;
end
$$;

-- api.read_task for a batch of calls; `number` is the position of a call, from 1 on. PostgreSQL caches the plan of the join. A plain
-- statement would be parsed and planned for each batch.
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

-- The state that a write of a task meets, and what it changes there. Locks the task. `seq` is NULL where there is no such task, and
-- `changes` where nothing changes. A deletion needs the number alone.
create or replace function errand.plan_task(
    p_id uuid, p_operation text, p_document jsonb,
    out seq bigint, out version bigint, out body text, out changes jsonb)
language plpgsql as $$
declare
    held errand.task;
begin
    if p_operation = 'task.delete' then
        select t.seq, '{}' into seq, changes from errand.task as t where t.id = p_id for update;
        return;
    end if;
    select t.* into held from errand.task as t where t.id = p_id for update;
    if held.seq is null then
        return;
    end if;
    seq := held.seq;
    changes := case
        when p_operation = 'task.complete' and not p_document ? 'completed'
            then jsonb_build_object('completed', not held.completed)
        -- A zone in another case of letters is the same one, and keeps its spelling.
        when lower(p_document ->> 'due_zone') = lower(held.due_zone) then p_document - 'due_zone'
        else p_document
    end;
    -- The columns that a client may change come first in the row, so the comparison seldom reaches a long text.
    if jsonb_populate_record(held, changes) is not distinct from held then
        version := held.version;
        body := held.json;
        changes := null;
    end if;
end
$$;

-- Makes a task of a document, which names every column that a client may write. What else it names is assigned after it, here or by
-- errand.derive_task.
create or replace function errand.create_task(
    p_id uuid, p_document jsonb, p_seq bigint, p_at timestamptz, out version bigint, out body text)
language plpgsql as $$
declare
    task errand.task := jsonb_populate_record(null::errand.task, p_document);
begin
    task.user_id := current_setting('errand.user_id');
    task.id := p_id;
    task.seq := p_seq;
    task.version := 1;
    task.created_at := p_at;
    task.updated_at := p_at;
    task.completed_at := case when task.completed then p_at end;
    insert into errand.task as t values (task.*) returning t.version, t.json into create_task.version, body;
end
$$;

-- Changes the columns that a document names, and no others: PostgreSQL writes a long text anew where a statement assigns it.
create or replace function errand.change_task(
    p_id uuid, p_document jsonb, p_seq bigint, p_at timestamptz, out version bigint, out body text)
language plpgsql as $$
begin
    update errand.task as t
    set seq = p_seq,
        version = t.version + 1,
        updated_at = p_at,
        completed_at = case
            when not p_document ? 'completed' then t.completed_at
            when (p_document -> 'completed')::boolean then coalesce(t.completed_at, p_at)
        end,
        completed = case when p_document ? 'completed' then (p_document -> 'completed')::boolean else t.completed end,
        due_date = case when p_document ? 'due_date' then (p_document ->> 'due_date')::date else t.due_date end,
        due_time = case when p_document ? 'due_time' then p_document ->> 'due_time' else t.due_time end,
        due_zone = case when p_document ? 'due_zone' then p_document ->> 'due_zone' else t.due_zone end,
        priority = case when p_document ? 'priority' then (p_document -> 'priority')::smallint else t.priority end,
        tags = case
            when p_document ? 'tags' then array(select jsonb_array_elements_text(p_document -> 'tags'))
            else t.tags
        end,
        title = case when p_document ? 'title' then p_document ->> 'title' else t.title end,
        description = case when p_document ? 'description' then p_document ->> 'description' else t.description end
    where t.id = p_id
    returning t.version, t.json into change_task.version, body;
end
$$;

-- Deletes a task. Its last version is answered without a body.
create or replace function errand.delete_task(p_id uuid, out version bigint, out body text)
language plpgsql as $$
begin
    delete from errand.task as t where t.id = p_id returning t.version into delete_task.version;
end
$$;

-- A task as it is now; NULLs where there is none.
create or replace function errand.current_task(p_id uuid, out seq bigint, out version bigint, out body text)
language plpgsql stable as $$
begin
    select t.seq, t.version, t.json into seq, version, body from errand.task as t where t.id = p_id;
end
$$;
