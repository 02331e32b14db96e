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

-- The filters of a list as typed values.
create or replace function errand.task_filter(p_filter jsonb) returns api.task_filter
language plpgsql immutable as $$
declare
    filter api.task_filter;
begin
    filter.completed := (p_filter -> 'completed')::boolean;
    filter.due_before_date := (p_filter ->> 'due_before_date')::date;
    filter.due_before_at := (p_filter ->> 'due_before_at')::timestamptz;
    filter.due_after_date := (p_filter ->> 'due_after_date')::date;
    filter.due_after_at := (p_filter ->> 'due_after_at')::timestamptz;
    filter.overdue := (p_filter -> 'overdue')::boolean;
    filter.updated_since := (p_filter ->> 'updated_since')::timestamptz;
    if p_filter ? 'priorities' then
        filter.priorities := array(select value::smallint from jsonb_array_elements_text(p_filter -> 'priorities'));
    end if;
    if p_filter ? 'tags' then
        filter.tags := array(select jsonb_array_elements_text(p_filter -> 'tags'));
    end if;
    if p_filter ? 'q' then
        filter.query := errand.search_query(p_filter ->> 'q');
    end if;
    return filter;
end
$$;

-- The conditions of the filters that are set, as SQL.
create or replace function errand.task_conditions(filter api.task_filter) returns text
language plpgsql immutable as $$
begin
    return concat(
        case when filter.completed is not null then ' and t.completed = ($2).completed' end,
        case when filter.priorities is not null then ' and t.priority = any (($2).priorities)' end,
        case when filter.tags is not null then ' and t.tags @> ($2).tags' end,
        case when filter.due_before_date is not null then ' and t.due_date < ($2).due_before_date' end,
        case when filter.due_before_at is not null then ' and t.due_key < ($2).due_before_at' end,
        case when filter.due_after_date is not null then ' and t.due_date > ($2).due_after_date' end,
        case when filter.due_after_at is not null
            then ' and t.due_key > ($2).due_after_at and t.due_key < ''infinity''' end,
        case when filter.overdue then ' and not t.completed and t.due_key < now()' end,
        case when not filter.overdue then ' and not (not t.completed and t.due_key < now())' end,
        case when filter.updated_since is not null then ' and t.updated_at >= ($2).updated_since' end,
        case when filter.query is not null then ' and t.words @@ ($2).query' end);
end
$$;

-- The conditions that bound the keys of an order, so that a walk begins and ends there. Each holds for all tasks that the filters
-- select. A local day begins and ends up to one day before or after the same day in UTC.
create or replace function errand.task_range(p_order text, filter api.task_filter) returns text
language plpgsql immutable as $$
begin
    return concat(
        case when p_order like 'due_%' then concat(
            case when filter.due_before_date is not null then ' and t.due_key < (($2).due_before_date + 2)::timestamptz' end,
            case when filter.due_before_at is not null then ' and t.due_key < ($2).due_before_at' end,
            case when filter.due_after_date is not null then ' and t.due_key > (($2).due_after_date - 2)::timestamptz' end,
            case when filter.due_after_at is not null then ' and t.due_key > ($2).due_after_at' end,
            case when filter.overdue then ' and t.due_key < now()' end) end,
        case when p_order like 'updated_at_%' and filter.updated_since is not null
            then ' and t.updated_at >= ($2).updated_since' end);
end
$$;

grant execute on function
    errand.search_query,
    errand.task_conditions,
    errand.task_filter,
    errand.task_range
    to errand_app;
