-- The parts of the functions for older components (functions/older.sql). Version 0.2 drops them.

-- Runs one write with the parameters and the result that those components expect. A replay returns the current task, or no task if it was
-- deleted.
create or replace function errand.write_for_older(
    p_caller text, p_write jsonb, p_key text, p_fingerprint text, p_wait boolean,
    out outcome text, out task text, out seq bigint, out epoch text)
language plpgsql as $$
declare
    done record;
begin
    done := api.write(
        p_caller,
        jsonb_strip_nulls(jsonb_build_object('key', p_key, 'fingerprint', p_fingerprint, 'wait', p_wait))
            || jsonb_build_object('list', jsonb_build_array(
                jsonb_strip_nulls(p_write - 'document') || jsonb_build_object('document', p_write -> 'document'))));
    outcome := case
        when done.outcome not in ('done', 'replayed') then done.outcome
        when done.outcomes[1] = 'gone' then 'not_found'
        when done.outcome = 'replayed' then 'replayed'
        when done.outcomes[1] = 'changed' then 'ok'
        when done.outcomes[1] = 'precondition_failed' then case when p_write ? 'must_be_absent' then 'exists' else 'stale' end
        else done.outcomes[1]
    end;
    task := done.bodies[1];
    if task is not null then
        seq := done.seqs[1];
        epoch := done.epoch;
    end if;
end
$$;

-- The lines of api.run_writes as columns.
create or replace function errand.written_of(p_answer text) returns api.written
language plpgsql immutable as $$
declare
    lines constant text[] := string_to_array(p_answer, chr(10));
    written api.written;
    parts text[];
begin
    written.outcome := split_part(lines[1], ' ', 1);
    written.epoch := nullif(split_part(lines[1], ' ', 2), '');
    for place in 2 .. cardinality(lines) loop
        parts := regexp_match(lines[place], '^(\w+) (\S+)(?: (\d+))?(?: (\d+))?(?: ({.*))?$');
        written.outcomes := written.outcomes || parts[1];
        written.ids := written.ids || parts[2];
        written.seqs := written.seqs || parts[3]::bigint;
        written.versions := written.versions || parts[4]::bigint;
        written.bodies := written.bodies || parts[5];
    end loop;
    return written;
end
$$;

-- A write that runs while the functions are replaced goes on with these.

-- The index_words of before takes fewer than p_most tasks for all that there are, so the number of pieces is no limit.
create or replace function errand.unindexed_tasks(p_indexed_at timestamptz, p_most int) returns uuid[]
language plpgsql stable as $$
declare
    batch constant record := errand.next_batch(p_indexed_at, 2147483647);
begin
    return coalesce(batch.ids[:p_most], '{}');
end
$$;

create or replace function errand.write_all(p_user text, p_list jsonb, p_atomic boolean) returns api.written
language plpgsql as $$
begin
    return errand.written_of(errand.run_each(p_user, p_list, p_atomic));
end
$$;

create or replace function errand.replay(p_list jsonb, p_ids uuid[], p_statuses smallint[]) returns api.written
language plpgsql stable as $$
begin
    return errand.written_of(errand.repeat_answer(p_list, p_ids, p_statuses));
end
$$;

create or replace function errand.keep_key(
    p_key text, p_fingerprint text, p_atomic boolean, p_outcomes text[], p_ids text[]) returns void
language plpgsql as $$
begin
    perform errand.store_key(
        p_key, p_fingerprint, p_atomic,
        array(select concat_ws(' ', done.outcome, done.id) from unnest(p_outcomes, p_ids) as done (outcome, id)));
end
$$;

-- The patterns of LIKE for the words of a search by an older component, which sends the text alone.
create or replace function errand.search_patterns(p_text text) returns text[]
language plpgsql immutable as $$
begin
    return array(select E'%\u0001' || word || '%' from unnest(errand.words(p_text)) as word);
end
$$;

-- The filters of a list, for calls of api.read_tasks that began before this function had a successor.
create or replace function errand.filter_of(p_filter jsonb) returns errand.task_filter
language plpgsql stable as $$
declare
    filter errand.task_filter := jsonb_populate_record(null::errand.task_filter, p_filter);
begin
    if p_filter ? 'q' and filter.patterns is null then
        filter.patterns := nullif(errand.search_patterns(p_filter ->> 'q'), '{}');
    end if;
    return errand.filter_in_zone(filter, p_filter ->> 'time_zone');
end
$$;

grant execute on function
    errand.filter_of,
    errand.keep_key,
    errand.replay,
    errand.search_patterns,
    errand.unindexed_tasks,
    errand.write_all,
    errand.write_for_older,
    errand.written_of
    to errand_app;
