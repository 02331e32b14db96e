-- What api.write does with the writes of a request. A new resource adds its branches to the `case` statements here.

-- Runs several writes. With p_atomic a refused write raises an exception, because PostgreSQL undoes writes only where a subtransaction
-- ends. Variables keep their values then.
create or replace function errand.write_all(
    p_user text, p_list jsonb, p_atomic boolean,
    out outcomes text[], out ids text[], out seqs bigint[], out versions bigint[], out bodies text[])
language plpgsql as $$
declare
    done record;
begin
    for place in 0 .. jsonb_array_length(p_list) - 1 loop
        done := errand.write_one(p_user, p_list -> place);
        outcomes := outcomes || done.outcome;
        ids := ids || done.id;
        seqs := seqs || done.seq;
        versions := versions || done.version;
        bodies := bodies || done.body;
        if p_atomic and errand.status_of(done.outcome) >= 300 then
            raise exception using errcode = 'triggered_action_exception', message = 'a write of an atomic request is refused';
        end if;
    end loop;
exception when triggered_action_exception then
    null;
end
$$;

-- Runs one write. The transaction has the caller's turn (errand.try_turn).
create or replace function errand.write_one(
    p_user text, p_write jsonb,
    out outcome text, out id text, out seq bigint, out version bigint, out body text)
language plpgsql as $$
declare
    operation constant text := p_write ->> 'operation';
    document jsonb := p_write -> 'document';
    creates boolean := operation = 'task.create';
    held record;
    stamp record;
    written record;
begin
    id := p_write ->> 'id';
    -- A new id needs no look at what is there, unless the client chose it.
    if not creates or p_write ? 'must_be_absent' then
        case split_part(operation, '.', 1)
            when 'task' then held := errand.plan_task(id::uuid, operation, document);
        end case;
        outcome := errand.refusal(p_user, held.seq, creates or operation = 'task.put', p_write);
        if outcome is not null then
            return;
        end if;
        creates := held.seq is null;
        if not creates then
            document := held.changes;
            if document is null then
                outcome := 'changed';
                seq := held.seq;
                version := held.version;
                body := held.body;
                return;
            end if;
        end if;
    end if;
    stamp := errand.next_write(p_user);
    seq := stamp.seq;
    if creates then
        outcome := 'created';
        case split_part(operation, '.', 1)
            when 'task' then written := errand.create_task(id::uuid, document, stamp.seq, stamp.at);
        end case;
        -- The first write of the account: the lower 40 bits count them (migration 0012).
        if (stamp.seq & 1099511627775) = 1 then
            update errand.account as account set number = nextval('errand.account_number') where account.number is null;
        end if;
    else
        outcome := 'changed';
        case operation
            when 'task.put', 'task.patch', 'task.complete' then
                written := errand.change_task(id::uuid, document, stamp.seq, stamp.at);
            when 'task.delete' then written := errand.delete_task(id::uuid);
        end case;
    end if;
    version := written.version;
    body := written.body;
    if body is null then
        outcome := 'deleted';
    end if;
end
$$;

-- Why a write may not be done: NULL where it may. p_seq is the number of the state that the write meets, NULL where there is no such
-- resource. If-Match comes before If-None-Match (RFC 9110, section 13.2.2). The planner inlines this function, but not
-- errand.compare_tag, so that a write without a precondition does not pay for the digest.
create or replace function errand.refusal(p_user text, p_seq bigint, p_may_create boolean, p_write jsonb) returns text
language sql stable as $$
    select case
        when p_seq is null then case
            when not p_may_create or not p_write ? 'must_be_absent' then 'not_found'
            when p_write ? 'if_match' then 'precondition_failed'
        end
        when p_write ? 'must_be_absent' then 'precondition_failed'
        when p_write ? 'if_match' then errand.compare_tag(p_user, p_seq, p_write -> 'if_match')
    end
$$;

-- `precondition_failed` if p_if_match is a list of entity tags without that of the state with this number, else NULL.
create or replace function errand.compare_tag(p_user text, p_seq bigint, p_if_match jsonb) returns text
language plpgsql stable as $$
begin
    return case
        when p_if_match <> 'true' and not p_if_match ? (errand.tag_base(p_user) || p_seq) then 'precondition_failed'
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
create or replace function errand.replay(
    p_list jsonb, p_ids uuid[], p_statuses smallint[],
    out outcomes text[], out ids text[], out seqs bigint[], out versions bigint[], out bodies text[])
language plpgsql as $$
declare
    operation text;
    current record;
    outcome text;
begin
    for place in 1 .. jsonb_array_length(p_list) loop
        operation := p_list -> place - 1 ->> 'operation';
        case split_part(operation, '.', 1)
            when 'task' then current := errand.current_task(p_ids[place]);
        end case;
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
        outcomes := outcomes || outcome;
        ids := ids || p_ids[place]::text;
        seqs := seqs || current.seq;
        versions := versions || current.version;
        bodies := bodies || case when outcome in ('created', 'changed') then current.body end;
    end loop;
end
$$;
