-- Reads of one task. No function has a condition on `user_id`, because row-level security adds it to every statement.

-- Reads a task. The result is text, as that of api.run_writes: the number of the task's latest write, the epoch, and the JSON without the
-- member `etag`. It is NULL if the task does not exist.
create or replace function api.show_task(p_caller text, p_id uuid) returns text
language plpgsql stable as $$
declare
    caller constant text := errand.announce(p_caller);
begin
    return (select t.seq || ' ' || errand.epoch() || ' ' || t.json from errand.task as t where t.id = p_id);
end
$$;

-- api.show_task for a batch of calls; `number` is the position of a call, from 1 on. PostgreSQL caches the plan of the query. A plain
-- statement would be parsed and planned for each batch.
create or replace function api.show_task_of_each(p_callers text[], p_ids text[])
returns table (number bigint, caller text, answer text)
language plpgsql stable as $$
begin
    return query
        select call.number, call.caller, api.show_task(call.caller, call.id::uuid)
        from unnest(p_callers, p_ids) with ordinality as call (caller, id, number);
end
$$;
