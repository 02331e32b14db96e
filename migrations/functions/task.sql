-- Reads of one task. No function has a condition on `user_id`, because row-level security adds it to every statement.

-- Reads a task. All columns are NULL if it does not exist. The component makes the entity tag from the number and the epoch.
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
