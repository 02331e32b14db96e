-- What api.write does with the writes of a request. A new resource adds its branches to the `case` statements here.

-- Runs several writes. With p_atomic a refused write raises an exception, because PostgreSQL undoes writes only where a subtransaction
-- ends. Variables keep their values then.
create or replace function errand.write_all(p_user text, p_list jsonb, p_atomic boolean) returns api.written
language plpgsql as $$
declare
    done errand.written;
    all_done api.written := row ('done', errand.epoch(), null, null, null, null, null)::api.written;
begin
    for place in 0 .. jsonb_array_length(p_list) - 1 loop
        done := errand.write_one(p_user, p_list -> place);
        all_done.outcomes := all_done.outcomes || done.outcome;
        all_done.ids := all_done.ids || done.id;
        all_done.seqs := all_done.seqs || done.seq;
        all_done.versions := all_done.versions || done.version;
        all_done.bodies := all_done.bodies || done.body;
        if p_atomic and errand.status_of(done.outcome) >= 300 then
            raise exception using errcode = 'triggered_action_exception', message = 'a write of an atomic request is refused';
        end if;
    end loop;
    return all_done;
exception when triggered_action_exception then
    return all_done;
end
$$;

-- Runs one write. The transaction has the caller's turn (errand.try_turn).
create or replace function errand.write_one(p_user text, p_write jsonb) returns errand.written
language plpgsql as $$
declare
    operation constant text := p_write ->> 'operation';
    resource_id constant uuid := (p_write ->> 'id')::uuid;
    held errand.plan;
    stamp record;
    state errand.state;
    refusal text;
begin
    -- A new id needs no look at what is there, unless the client chose it.
    if operation not like '%.create' or p_write ? 'must_be_absent' then
        held := case
            when operation ^@ 'task.' then errand.plan_task(resource_id, operation, p_write -> 'document')
        end;
        -- Most writes have no precondition and find their resource.
        if held.seq is null or p_write ?| '{if_match,must_be_absent}' then
            refusal := errand.refusal(p_user, held.seq, operation, p_write);
            if refusal is not null then
                return row (refusal, resource_id, null, null, null)::errand.written;
            end if;
        end if;
        if held.body is not null then
            return row ('changed', resource_id, held.seq, held.version, held.body)::errand.written;
        end if;
    end if;
    stamp := errand.next_write(p_user);
    if held.seq is null then
        state := case
            when operation ^@ 'task.' then errand.create_task(resource_id, p_write -> 'document', stamp.seq, stamp.at)
        end;
        -- The first write of the account: the lower 40 bits count them (migration 0012).
        if (stamp.seq & 1099511627775) = 1 then
            update errand.account as account set number = nextval('errand.account_number') where account.number is null;
        end if;
        return row ('created', resource_id, stamp.seq, state.version, state.body)::errand.written;
    end if;
    state := case
        when operation = 'task.delete' then errand.delete_task(resource_id)
        when operation ^@ 'task.' then errand.change_task(resource_id, held.changes, stamp.seq, stamp.at)
    end;
    return row (
        case when state.body is null then 'deleted' else 'changed' end,
        resource_id, stamp.seq, state.version, state.body)::errand.written;
end
$$;

-- Why a write may not be done: NULL where it may. p_seq is the number of the state that the write meets, NULL where there is no such
-- resource. If-Match comes before If-None-Match (RFC 9110, section 13.2.2).
create or replace function errand.refusal(p_user text, p_seq bigint, p_operation text, p_write jsonb) returns text
language plpgsql stable as $$
begin
    return case
        when p_seq is null then case
            when not p_write ? 'must_be_absent' or p_operation not like all ('{%.create,%.put}') then 'not_found'
            when p_write ? 'if_match' then 'precondition_failed'
        end
        when p_write ? 'must_be_absent' then 'precondition_failed'
        when jsonb_typeof(p_write -> 'if_match') = 'array' and not p_write -> 'if_match' ? (errand.tag_base(p_user) || p_seq)
            then 'precondition_failed'
    end;
end
$$;

-- The status of a write's outcome (RFC 9110, section 15), which is kept with a key.
create or replace function errand.status_of(p_outcome text) returns smallint
language sql immutable as $$
    select case p_outcome
        when 'created' then 201
        when 'changed' then 200
        when 'deleted' then 204
        when 'not_found' then 404
        else 412
    end::smallint
$$;

-- The answer to writes that a request with the same key has done: the outcomes of then, the resources as they are now.
create or replace function errand.replay(p_list jsonb, p_ids uuid[], p_statuses smallint[]) returns api.written
language plpgsql stable as $$
declare
    operation text;
    current errand.plan;
    outcome text;
    replayed api.written := row ('replayed', errand.epoch(), null, null, null, null, null)::api.written;
begin
    for place in 1 .. cardinality(p_ids) loop
        operation := p_list -> place - 1 ->> 'operation';
        current := case
            when operation ^@ 'task.' then errand.current_task(p_ids[place])
        end;
        outcome := case p_statuses[place]
            when 404 then 'not_found'
            when 412 then 'precondition_failed'
            when 204 then 'deleted'
            else case
                when current.body is null then 'gone'
                -- The keys of before the statuses were kept have none (migration 0013).
                when coalesce(p_statuses[place] = 201, operation = 'task.create') then 'created'
                else 'changed'
            end
        end;
        replayed.outcomes := replayed.outcomes || outcome;
        replayed.ids := replayed.ids || p_ids[place]::text;
        replayed.seqs := replayed.seqs || coalesce(current.seq, 0);
        replayed.versions := replayed.versions || coalesce(current.version, 0);
        replayed.bodies := replayed.bodies || case when outcome in ('created', 'changed') then current.body end;
    end loop;
    return replayed;
end
$$;

grant execute on function
    errand.refusal,
    errand.replay,
    errand.status_of,
    errand.write_all,
    errand.write_one
    to errand_app;
