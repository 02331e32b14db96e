-- One task: add (POST), read (GET), put (PUT), change (PATCH), mark (complete), delete.
--
-- No function names the user's column in a condition: row-level security does, in every statement. Each write answers
-- with an outcome: `created`, `ok`, `deleted`, `not_found`, `stale` (the entity tag is none of p_if_match), `exists` or `busy`
-- (the caller's slots are taken, or another write of the caller's has the turn: api.may_go_on and api.try_turn, by p_wait).
-- A write with a key (p_key, p_fingerprint; NULL for none) may have those of api.find_answer instead.
--
-- A task comes as its JSON without the member `etag`, with the number of its state and the epoch. The component makes the entity tag
-- of them, because the digest costs PostgreSQL more than it costs the component.

create or replace function api.add_task(
    p_caller text, p_id uuid, p_task jsonb, p_key text, p_fingerprint text, p_wait boolean,
    out outcome text, out task text, out seq bigint, out epoch text)
language plpgsql as $$
declare
    caller constant text := api.announce(p_caller);
    stamp record;
    new_version bigint;
begin
    if not api.may_go_on(p_wait) then
        outcome := 'busy';
        return;
    end if;
    if p_key is not null then
        select * into outcome, task, seq, epoch from api.find_answer(p_key, p_fingerprint);
        if outcome is not null then
            return;
        end if;
    end if;
    if not api.try_turn(caller, p_wait) then
        outcome := 'busy';
        return;
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
    returning 'created', t.json, t.seq, errand.epoch(), t.version into outcome, task, add_task.seq, epoch, new_version;
    -- The first write of the account: the lower 40 bits count them (migration 0012).
    if (stamp.seq & 1099511627775) = 1 then
        update errand.account as account set number = nextval('errand.account_number') where account.number is null;
    end if;
    if p_key is not null then
        perform api.keep_answer(p_key, p_fingerprint, task, new_version, stamp.seq);
    end if;
end
$$;

-- NULLs where there is no such task.
create or replace function api.read_task(p_caller text, p_id uuid, out task text, out seq bigint, out epoch text)
language plpgsql stable as $$
declare
    caller constant text := api.announce(p_caller);
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

-- `stale` if the entity tag of the state with this number is none of p_if_match, else NULL.
create or replace function api.compare_tag(p_user text, p_seq bigint, p_if_match text[]) returns text
language plpgsql stable as $$
begin
    return case when api.tag_base(p_user) || p_seq <> all (p_if_match) then 'stale' end;
end
$$;

-- Why a task may not be written: NULL where it may. The planner inlines this function, but not api.compare_tag, so that a write
-- without a precondition does not pay for the digest.
create or replace function api.check_precondition(p_found boolean, p_user text, p_seq bigint, p_if_match text[]) returns text
language sql stable as $$
    select case
        when not p_found then 'not_found'
        when p_if_match is not null then api.compare_tag(p_user, p_seq, p_if_match)
    end
$$;

-- Writes what a client may change of a task: p_held is the row, which is locked, and p_wanted what it shall be. Where nothing
-- changes, nothing is written, and version, time and number stay.
create or replace function api.save_task(
    p_user text, p_held errand.task, p_wanted errand.task, out task text, out seq bigint, out version bigint)
language plpgsql as $$
declare
    stamp record;
begin
    -- A zone in another case of letters is the same one, and keeps its spelling.
    if (p_wanted.title, p_wanted.description, p_wanted.completed, p_wanted.priority, p_wanted.tags,
            p_wanted.due_date, p_wanted.due_time, lower(p_wanted.due_zone))
        is not distinct from (p_held.title, p_held.description, p_held.completed, p_held.priority, p_held.tags,
            p_held.due_date, p_held.due_time, lower(p_held.due_zone))
    then
        task := p_held.json;
        seq := p_held.seq;
        version := p_held.version;
        return;
    end if;
    stamp := api.next_write(p_user);
    update errand.task as t
    set seq = stamp.seq,
        version = p_held.version + 1,
        updated_at = stamp.at,
        completed = p_wanted.completed,
        completed_at = case when p_wanted.completed then coalesce(p_held.completed_at, stamp.at) end,
        due_date = p_wanted.due_date,
        due_time = p_wanted.due_time,
        due_zone = case when lower(p_wanted.due_zone) = lower(p_held.due_zone) then p_held.due_zone else p_wanted.due_zone end,
        priority = p_wanted.priority,
        tags = p_wanted.tags,
        title = p_wanted.title,
        description = p_wanted.description
    where t.id = p_held.id
    returning t.json, t.seq, t.version into task, save_task.seq, save_task.version;
end
$$;

-- Takes the place of the whole task. With p_create it creates instead, and a task that is there is left alone.
create or replace function api.put_task(
    p_caller text, p_id uuid, p_if_match text[], p_create boolean, p_task jsonb, p_wait boolean,
    out outcome text, out task text, out seq bigint, out epoch text)
language plpgsql as $$
declare
    caller constant text := api.announce(p_caller);
    held errand.task;
    wanted errand.task;
begin
    if not api.may_go_on(p_wait) then
        outcome := 'busy';
        return;
    end if;
    if not api.try_turn(caller, p_wait) then
        outcome := 'busy';
        return;
    end if;
    if p_create then
        if exists (select from errand.task as t where t.id = p_id) then
            outcome := 'exists';
        else
            select * into outcome, task, seq, epoch from api.add_task(caller, p_id, p_task, null, null, null);
        end if;
        return;
    end if;
    select t.* into held from errand.task as t where t.id = p_id for update;
    outcome := api.check_precondition(found, caller, held.seq, p_if_match);
    if outcome is not null then
        return;
    end if;
    wanted.completed := (p_task ->> 'completed')::boolean;
    wanted.due_date := (p_task ->> 'due_date')::date;
    wanted.due_time := p_task ->> 'due_time';
    wanted.due_zone := p_task ->> 'due_zone';
    wanted.priority := (p_task ->> 'priority')::smallint;
    wanted.tags := array(select jsonb_array_elements_text(p_task -> 'tags'));
    wanted.title := p_task ->> 'title';
    wanted.description := p_task ->> 'description';
    select 'ok', saved.task, saved.seq, errand.epoch() into outcome, task, seq, epoch from api.save_task(caller, held, wanted) as saved;
end
$$;

-- Changes the fields that p_patch has; one that is null there is cleared. The parts of `due` are fields of their own, so
-- that a merge patch may change one of them.
create or replace function api.change_task(
    p_caller text, p_id uuid, p_if_match text[], p_patch jsonb, p_key text, p_fingerprint text, p_wait boolean,
    out outcome text, out task text, out seq bigint, out epoch text)
language plpgsql as $$
declare
    caller constant text := api.announce(p_caller);
    held errand.task;
    wanted errand.task;
    saved record;
begin
    if not api.may_go_on(p_wait) then
        outcome := 'busy';
        return;
    end if;
    if p_key is not null then
        select * into outcome, task, seq, epoch from api.find_answer(p_key, p_fingerprint);
        if outcome is not null then
            return;
        end if;
    end if;
    if not api.try_turn(caller, p_wait) then
        outcome := 'busy';
        return;
    end if;
    select t.* into held from errand.task as t where t.id = p_id for update;
    outcome := api.check_precondition(found, caller, held.seq, p_if_match);
    if outcome is not null then
        return;
    end if;
    -- One expression: each costs PL/pgSQL time in each transaction. api.save_task takes only what a client may change.
    wanted := jsonb_populate_record(held, p_patch);
    saved := api.save_task(caller, held, wanted);
    outcome := 'ok';
    task := saved.task;
    seq := saved.seq;
    epoch := errand.epoch();
    if p_key is not null then
        perform api.keep_answer(p_key, p_fingerprint, task, saved.version, saved.seq);
    end if;
end
$$;

-- Marks the task completed or open; with p_completed NULL, whichever it is not.
create or replace function api.mark_task(
    p_caller text, p_id uuid, p_if_match text[], p_completed boolean, p_key text, p_fingerprint text, p_wait boolean,
    out outcome text, out task text, out seq bigint, out epoch text)
language plpgsql as $$
declare
    caller constant text := api.announce(p_caller);
    held errand.task;
    wanted errand.task;
    saved record;
begin
    if not api.may_go_on(p_wait) then
        outcome := 'busy';
        return;
    end if;
    if p_key is not null then
        select * into outcome, task, seq, epoch from api.find_answer(p_key, p_fingerprint);
        if outcome is not null then
            return;
        end if;
    end if;
    if not api.try_turn(caller, p_wait) then
        outcome := 'busy';
        return;
    end if;
    select t.* into held from errand.task as t where t.id = p_id for update;
    outcome := api.check_precondition(found, caller, held.seq, p_if_match);
    if outcome is not null then
        return;
    end if;
    wanted := held;
    wanted.completed := coalesce(p_completed, not held.completed);
    saved := api.save_task(caller, held, wanted);
    outcome := 'ok';
    task := saved.task;
    seq := saved.seq;
    epoch := errand.epoch();
    if p_key is not null then
        perform api.keep_answer(p_key, p_fingerprint, task, saved.version, saved.seq);
    end if;
end
$$;

create or replace function api.delete_task(p_caller text, p_id uuid, p_if_match text[], p_wait boolean, out outcome text)
language plpgsql as $$
declare
    caller constant text := api.announce(p_caller);
    task_seq bigint;
begin
    if not api.may_go_on(p_wait) then
        outcome := 'busy';
        return;
    end if;
    if not api.try_turn(caller, p_wait) then
        outcome := 'busy';
        return;
    end if;
    select t.seq into task_seq from errand.task as t where t.id = p_id for update;
    outcome := api.check_precondition(found, caller, task_seq, p_if_match);
    if outcome is not null then
        return;
    end if;
    perform api.next_write(caller);
    delete from errand.task as t where t.id = p_id;
    outcome := 'deleted';
end
$$;
