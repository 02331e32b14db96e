-- api.run_writes, the only function for writes. It announces the caller, looks for a replay, takes the caller's turn, checks preconditions,
-- takes the numbers of the writes, and stores the key.
--
-- Each resource has its own functions for the effect of a write, such as errand.plan_task, errand.create_task, errand.change_task,
-- errand.delete_task and errand.current_task (errand/task.sql). They know no caller, no key and no outcome. A new resource adds branches
-- to the `case` expressions here and in errand.repeat_answer (errand/write.sql).

-- Runs the writes of one request in their order.
--
-- p_writes: {key, fingerprint, atomic, wait, list: [{operation, id, if_match, must_be_absent, document}]}. `key` may be absent.
-- `if_match` is true or a list of entity tags. `wait` says whether the writes may wait for another write (errand.may_go_on).
--
-- The result is text, because each column of a result costs PostgreSQL and the component more than its value. The first line is the
-- outcome of the request: `done` or `replayed` (an earlier request with the key did these writes), a blank, and the epoch. Another outcome
-- stands alone: `busy` (no slot of the caller is free, or another write of the caller has the turn), `key_reused` or `in_flight`.
--
-- A line for each write follows: its outcome, the id of the resource, the number, the version and the body, separated by blanks. The
-- outcome of a write is `created`, `changed`, `deleted`, `not_found`, `precondition_failed`, or `gone` (a replay whose resource no longer
-- exists). Only `created` and `changed` have a body. With `atomic`, a refused write undoes the earlier writes and is the last line.
--
-- A body is the JSON of the resource without the member `etag`, and has no line feeds. The component makes the entity tag from the number
-- and the epoch, because the digest costs PostgreSQL more.
create or replace function api.run_writes(p_caller text, p_writes jsonb) returns text
language plpgsql as $$
declare
    caller constant text := errand.announce(p_caller);
    wait constant boolean := (p_writes -> 'wait')::boolean;
    key constant text := p_writes ->> 'key';
    kept record;
    write jsonb;
    operation text;
    id uuid;
    held errand.plan;
    stamp errand.stamp;
    state errand.state;
    outcome text;
    answer text;
begin
    if not errand.may_go_on(wait) then
        return 'busy';
    end if;
    if key is not null then
        kept := errand.find_key(key, p_writes ->> 'fingerprint');
        if kept.outcome = 'replayed' then
            return errand.repeat_answer(p_writes -> 'list', kept.ids, kept.statuses);
        elsif kept.outcome is not null then
            return kept.outcome;
        end if;
    end if;
    if not errand.try_turn(caller, wait) then
        return 'busy';
    end if;
    if p_writes #> '{list,1}' is not null then
        answer := errand.run_each(caller, p_writes -> 'list', (p_writes -> 'atomic')::boolean);
    else
        -- Nearly all requests have only one write. It is read here, because a write that is `busy` is sent again.
        write := p_writes #> '{list,0}';
        operation := write ->> 'operation';
        id := (write ->> 'id')::uuid;
        -- The current state of the resource. A generated id has none, an id that the client chose may have one.
        if operation not like '%.create' or write ? 'must_be_absent' then
            held := case
                when operation ^@ 'task.' then errand.plan_task(id, operation, write -> 'document')
            end;
            -- Most writes have no precondition and find their resource.
            if held.seq is null or write ?| '{if_match,must_be_absent}' then
                outcome := errand.refusal(caller, held.seq, operation, write);
            end if;
        end if;
        if outcome is not null then
            null;
        elsif held.seq is null then
            stamp := errand.next_write(caller);
            state := case
                when operation ^@ 'task.' then errand.create_task(id, write -> 'document', stamp.seq, stamp.at)
            end;
        elsif held.changes is not null then
            stamp := errand.next_write(caller);
            state := case
                when operation = 'task.delete' then errand.delete_task(id)
                when operation ^@ 'task.' then errand.change_task(id, held.changes, stamp.seq, stamp.at)
            end;
        else
            -- Nothing changes, and no number is taken.
            state := row (held.version, held.body)::errand.state;
        end if;
        if stamp.seq & 15 <= 1 then
            perform errand.after_write(caller, stamp.seq, stamp.at);
        end if;
        -- concat_ws() leaves NULL out: a refused write has no version, and a deleted resource has no body.
        answer := concat_ws(
            ' ', 'done', errand.epoch() || chr(10) || case
                when outcome is not null then outcome
                when held.seq is null then 'created'
                when state.body is null then 'deleted'
                else 'changed'
            end,
            id, coalesce(stamp.seq, held.seq), state.version, state.body);
    end if;
    if key is not null then
        perform errand.store_key(
            key, p_writes ->> 'fingerprint', (p_writes -> 'atomic')::boolean, (string_to_array(answer, chr(10)))[2:]);
    end if;
    return answer;
end
$$;
