-- The filters of a list, as values and as SQL.

-- The query for the words of a search. Each matches the words that begin with it. NULL if the text has no words. Only the first 16
-- distinct words count, because the decomposition of a single character may give many words.
create or replace function errand.search_query(p_text text) returns tsquery
language plpgsql immutable as $$
declare
    words text[] := errand.words(p_text);
begin
    if cardinality(words) > 16 then
        words := array(
            select term.word
            from unnest(words) with ordinality as term (word, place)
            group by term.word
            order by min(term.place)
            limit 16);
    end if;
    return (
        select string_agg(distinct quote_literal(term.word) || ':*', ' & ')::tsquery from unnest(words) as term (word));
end
$$;

-- The text that a pattern of LIKE looks for, as crates/text makes such patterns.
create or replace function errand.word_of(p_pattern text) returns text
language sql immutable as $$
    select regexp_replace(substr(p_pattern, 2, length(p_pattern) - 2), '\\(.)', '\1', 'g')
$$;

-- The filters with the instants and dates of a time zone, for filters by dates.
create or replace function errand.filter_in_zone(filter errand.task_filter, p_zone text) returns errand.task_filter
language plpgsql stable as $$
declare
    zone constant text := errand.time_zones() ->> lower(coalesce(p_zone, 'UTC'));
begin
    if zone is null then
        raise exception using errcode = 'check_violation', constraint = 'list_time_zone_known',
            message = 'unknown time zone';
    end if;
    filter.due_before_midnight := filter.due_before_date::timestamp at time zone zone;
    filter.due_after_midnight := (filter.due_after_date + 1)::timestamp at time zone zone;
    filter.today := (now() at time zone zone)::date;
    return filter;
end
$$;

-- The conditions of the filters that are set, as SQL. Those on `due_key` hold for all tasks that the others select. They bound a scan of the
-- order by due date, which other orders may use, too (errand.filter_range has them for walks).
--
-- A task with a time is compared by its instant, and a whole day by its date. For an instant, a whole day counts as its end in UTC.
create or replace function errand.filter_conditions(filter errand.task_filter) returns text
language plpgsql immutable as $$
declare
    due constant text :=
        'coalesce(t.due_at, (t.due_date + time ''24:00'') at time zone ''UTC'' - interval ''1 microsecond'')';
    past constant text :=
        'case when t.due_at is not null then t.due_at < now() else t.due_date < ($2).today end';
begin
    return concat(
        case when filter.completed is not null then ' and t.completed = ($2).completed' end,
        case when filter.priorities is not null then ' and t.priority = any (($2).priorities)' end,
        case when filter.tags is not null then ' and t.tags @> ($2).tags' end,
        case when filter.due_before_date is not null then
            ' and case when t.due_at is not null then t.due_at < ($2).due_before_midnight'
            ' else t.due_date < ($2).due_before_date end' end,
        case when filter.due_before_at is not null then ' and ' || due || ' < ($2).due_before_at' end,
        case when filter.due_after_date is not null then
            ' and case when t.due_at is not null then t.due_at >= ($2).due_after_midnight'
            ' else t.due_date > ($2).due_after_date end' end,
        case when filter.due_after_at is not null then ' and ' || due || ' > ($2).due_after_at' end,
        case when filter.overdue then ' and not t.completed and ' || past end,
        case when not filter.overdue then ' and (not t.completed and ' || past || ') is not true' end,
        errand.due_range(filter),
        case when filter.updated_since is not null then ' and t.updated_at >= ($2).updated_since' end,
        case when filter.candidates is not null then ' and t.id = any (($2).candidates)' end,
        case when filter.patterns is not null then format(
            ' and coalesce((strpos(t.title_text, %1$s) > 0 or strpos(t.tags_text, %1$s) > 0 or strpos(t.description_text, %1$s) > 0)'
            ' and (cardinality(($2).patterns) = 1'
            ' or (t.title_text || t.tags_text || t.description_text) like all (($2).patterns)), t.words @@ ($2).query)',
            'errand.word_of(($2).patterns[1])')
        end);
end
$$;

-- The bounds of `due_key` for all tasks that the filters select, as SQL. A local day begins and ends up to 16 hours before or after the
-- same day in UTC, and a key is within the day of the task.
create or replace function errand.due_range(filter errand.task_filter) returns text
language plpgsql immutable as $$
begin
    return concat(
        case when filter.due_before_date is not null
            then ' and t.due_key < (($2).due_before_date + 2)::timestamp at time zone ''UTC''' end,
        case when filter.due_before_at is not null then ' and t.due_key < ($2).due_before_at + interval ''2 days''' end,
        case when filter.due_after_date is not null
            then ' and t.due_key > (($2).due_after_date - 2)::timestamp at time zone ''UTC''' end,
        case when filter.due_after_at is not null
            then ' and t.due_key > ($2).due_after_at - interval ''2 days'' and t.due_key < ''infinity''' end,
        case when filter.overdue then ' and t.due_key < now() + interval ''2 days''' end);
end
$$;

-- The conditions that bound the keys of an order, so that a walk begins and ends there. Each holds for all tasks that the filters
-- select.
create or replace function errand.filter_range(p_order text, filter errand.task_filter) returns text
language plpgsql immutable as $$
begin
    return concat(
        case when p_order like 'due_%' then errand.due_range(filter) end,
        case when p_order like 'updated_at_%' and filter.updated_since is not null
            then ' and t.updated_at >= ($2).updated_since' end);
end
$$;

-- The ids of all tasks that a search may find, and perhaps of others. NULL if there are more than p_most.
--
-- p_terms: beginnings of terms. A task that the search finds has terms with each of them, so the rarest one decides. A task with the term
-- U+0001 has further words in its texts.
create or replace function errand.search_candidates(p_terms jsonb, p_indexed_at timestamptz, p_most int) returns uuid[]
language plpgsql stable as $$
declare
    first_term text;
    rarest text;
    most int := p_most;
    counted int;
    more int;
    candidates uuid[];
    long_tasks uuid[];
    new_tasks uuid[];
begin
    for place in 0 .. jsonb_array_length(p_terms) - 1 loop
        first_term := p_terms ->> place;
        counted := 0;
        -- A frequent term has many ids in few rows. The loop reads ten rows, and then 50 at a time.
        for more in
            select cardinality(t.ids) from errand.task_term as t
            -- No term has U+10FFFF (crates/text).
            where t.term >= first_term and t.term < first_term || U&'\+10FFFF'
            limit p_most + 1
        loop
            counted := counted + more;
            exit when counted > most;
        end loop;
        if counted <= most then
            rarest := first_term;
            most := counted;
        end if;
    end loop;
    if rarest is null then
        return null;
    end if;
    candidates := array(
        select unnest(t.ids) from errand.task_term as t where t.term >= rarest and t.term < rarest || U&'\+10FFFF');
    long_tasks := array(select unnest(t.ids) from errand.task_term as t where t.term = E'\u0001' limit p_most + 1);
    new_tasks := errand.new_tasks(p_indexed_at, greatest(p_most, 256) + 1);
    return case
        when cardinality(long_tasks) <= p_most and cardinality(new_tasks) <= greatest(p_most, 256)
            then candidates || long_tasks || new_tasks
    end;
end
$$;

grant execute on function
    errand.due_range,
    errand.search_candidates,
    errand.search_query,
    errand.filter_conditions,
    errand.filter_in_zone,
    errand.filter_range,
    errand.word_of
    to errand_app;
