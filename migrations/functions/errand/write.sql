-- The parts of api.write for several writes, refused writes and replays.

-- Runs several writes, each by its own call of api.write. With p_atomic, a refused write raises an exception, because PostgreSQL undoes
-- writes only with a subtransaction. Variables keep their values.
create or replace function errand.write_all(p_user text, p_list jsonb, p_atomic boolean) returns api.written
language plpgsql as $$
declare
    done api.written;
    all_done api.written := row ('done', errand.epoch(), null, null, null, null, null)::api.written;
begin
    for place in 0 .. jsonb_array_length(p_list) - 1 loop
        done := api.write(p_user, jsonb_build_object('list', jsonb_build_array(p_list -> place)));
        all_done.outcomes := all_done.outcomes || done.outcomes;
        all_done.ids := all_done.ids || done.ids;
        all_done.seqs := all_done.seqs || done.seqs;
        all_done.versions := all_done.versions || done.versions;
        all_done.bodies := all_done.bodies || done.bodies;
        if p_atomic and errand.status_of(done.outcomes[1]) >= 300 then
            raise exception using errcode = 'triggered_action_exception', message = 'a write of an atomic request is refused';
        end if;
    end loop;
    return all_done;
exception when triggered_action_exception then
    return all_done;
end
$$;

-- Does what some writes do after their effect: the first one of an account names the account's locks, and each 128th indexes the words of
-- the last ones. The lower 40 bits of a number count the writes of the account (migration 0012).
create or replace function errand.after_write(p_user text, p_seq bigint, p_at timestamptz) returns void
language plpgsql as $$
begin
    if p_seq & 1099511627775 = 1 then
        update errand.account as account set number = nextval('errand.account_number') where account.number is null;
    elsif p_seq & 127 = 0 then
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
                -- Keys from before migration 0013 have no statuses.
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
    errand.after_write,
    errand.refusal,
    errand.replay,
    errand.status_of,
    errand.write_all
    to errand_app;
