-- The one door for writes: api.write. It announces the caller, takes the caller's turn, looks for a replay, checks preconditions, takes
-- the numbers of the writes, and keeps the key.
--
-- What a write means to a resource is in the functions of the resource, such as errand.plan_task, errand.create_task,
-- errand.change_task, errand.delete_task and errand.current_task (errand/task.sql). They know no caller, no key and no outcome. A new
-- resource adds its branches to the `case` statements of errand/write.sql.

-- Runs the writes of one request in their order.
--
-- p_writes: {key, fingerprint, atomic, wait, list: [{operation, id, if_match, must_be_absent, document}]}. A request without `key` is
-- not kept. `if_match` is true or a list of entity tags. `wait` says whether the writes may wait for another one (errand.may_go_on).
--
-- The outcome of the request is `done`, `replayed` (an earlier request with the key did these writes), `busy` (the caller's slots are
-- taken, or another write of the caller's has the turn), `key_reused` or `in_flight`. With `done` and `replayed`, each write has a
-- place in each array. The outcome of a write is `created`, `changed`, `deleted`, `not_found`, `precondition_failed`, or `gone` (a
-- replay whose resource is not there any more). With `atomic`, a refused write undoes those before it and ends the arrays.
--
-- A body is the JSON of the resource without the member `etag`. The component makes the entity tag of the number and the epoch, because
-- the digest costs PostgreSQL more than it costs the component.
create or replace function api.write(p_caller text, p_writes jsonb) returns api.written
language plpgsql as $$
declare
    caller constant text := errand.announce(p_caller);
    wait constant boolean := (p_writes -> 'wait')::boolean;
    key constant text := p_writes ->> 'key';
    kept record;
    done errand.written;
    written api.written;
begin
    if not errand.may_go_on(wait) then
        return row ('busy', null, null, null, null, null, null)::api.written;
    end if;
    if key is not null then
        kept := errand.find_key(key, p_writes ->> 'fingerprint');
        if kept.outcome = 'replayed' then
            return errand.replay(p_writes -> 'list', kept.ids, kept.statuses);
        elsif kept.outcome is not null then
            return row (kept.outcome, null, null, null, null, null, null)::api.written;
        end if;
    end if;
    if not errand.try_turn(caller, wait) then
        return row ('busy', null, null, null, null, null, null)::api.written;
    end if;
    if p_writes #> '{list,1}' is null then
        done := errand.write_one(caller, p_writes #> '{list,0}');
        written := row (
            'done', errand.epoch(),
            array[done.outcome], array[done.id], array[done.seq], array[done.version], array[done.body])::api.written;
    else
        written := errand.write_all(caller, p_writes -> 'list', (p_writes -> 'atomic')::boolean);
    end if;
    if key is not null then
        perform errand.keep_key(
            key, p_writes ->> 'fingerprint', (p_writes -> 'atomic')::boolean, written.outcomes, written.ids);
    end if;
    return written;
end
$$;
