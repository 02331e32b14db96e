-- The parts of api.run_writes for several writes, refused writes and replays. They return its lines.

-- Runs several writes, each by its own call of api.run_writes. With p_atomic, a refused write raises an exception, because PostgreSQL
-- undoes writes only with a subtransaction. Variables keep their values.
create or replace function errand.run_each(p_user text, p_list jsonb, p_atomic boolean) returns text
language plpgsql as $$
declare
    line text;
    answer text := 'done ' || errand.epoch();
begin
    for place in 0 .. jsonb_array_length(p_list) - 1 loop
        line := split_part(
            api.run_writes(p_user, jsonb_build_object('list', jsonb_build_array(p_list -> place))), chr(10), 2);
        answer := answer || chr(10) || line;
        if p_atomic and errand.status_of(split_part(line, ' ', 1)) >= 300 then
            raise exception using errcode = 'triggered_action_exception', message = 'a write of an atomic request is refused';
        end if;
    end loop;
    return answer;
exception when triggered_action_exception then
    return answer;
end
$$;

-- Does what some writes do after their effect: the first one of an account names the account's locks, and each 128th indexes the words of
-- the last ones, as each 16th does while words are left. The lower 40 bits of a number count the writes of the account (migration 0012).
create or replace function errand.after_write(p_user text, p_seq bigint, p_at timestamptz) returns void
language plpgsql as $$
begin
    if p_seq & 1099511627775 = 1 then
        update errand.account as account set number = nextval('errand.account_number') where account.number is null;
    elsif p_seq & 15 = 0 then
        perform errand.index_words(p_user, p_seq, p_at);
    end if;
end
$$;

-- The outcome of a write that must be refused, or NULL. It decides 404 and 412. p_seq is the number of the current state, or NULL if the
-- resource does not exist. If-Match comes before If-None-Match (RFC 9110, section 13.2.2).
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

-- The HTTP status of an outcome, which is stored with a key.
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

-- The answer to a repeated request: the stored outcomes, with the current state of the resources.
create or replace function errand.repeat_answer(p_list jsonb, p_ids uuid[], p_statuses smallint[]) returns text
language plpgsql stable as $$
declare
    operation text;
    current errand.plan;
    outcome text;
    answer text := 'replayed ' || errand.epoch();
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
                -- Keys from before migration 0013 have no statuses.
                when coalesce(p_statuses[place] = 201, operation = 'task.create') then 'created'
                else 'changed'
            end
        end;
        answer := concat_ws(
            ' ', answer || chr(10) || outcome, p_ids[place], coalesce(current.seq, 0), coalesce(current.version, 0),
            case when outcome in ('created', 'changed') then current.body end);
    end loop;
    return answer;
end
$$;

grant execute on function
    errand.after_write,
    errand.refusal,
    errand.repeat_answer,
    errand.status_of,
    errand.run_each
    to errand_app;
