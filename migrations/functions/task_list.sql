-- A page of the caller's tasks.
--
-- One page function for each order that a list can have, made from one template: with the order in the text, each has
-- an index that serves it and a plan that stays cached in the session. A condition whose filter is NULL holds.

create type api.task_filter as (
    completed boolean,
    priorities smallint[],
    tags text[],
    due_before_date date,
    due_before_at timestamptz,
    due_after_date date,
    due_after_at timestamptz,
    overdue boolean,
    updated_since timestamptz,
    query tsquery
);

do $install$
declare
    conditions constant text := $conditions$
            and (filter.completed is null or t.completed = filter.completed)
            and (filter.priorities is null or t.priority = any (filter.priorities))
            and (filter.tags is null or t.tags @> filter.tags)
            and (filter.due_before_date is null or t.due_date < filter.due_before_date)
            and (filter.due_before_at is null or t.due_key < filter.due_before_at)
            and (filter.due_after_date is null or t.due_date > filter.due_after_date)
            and (filter.due_after_at is null or t.due_date is not null and t.due_key > filter.due_after_at)
            and (filter.overdue is null or filter.overdue = (not t.completed and t.due_key < now()))
            and (filter.updated_since is null or t.updated_at >= filter.updated_since)
            and (filter.query is null or t.words @@ filter.query)
    $conditions$;
    page constant text := $page$
create function api.task_page_%1$s_%2$s(
    after_key %3$s, after_id uuid, page_size int, filter api.task_filter,
    out tasks text, out taken bigint, out last_key %3$s, out last_id text)
language plpgsql stable as $body$
begin
    -- One row more than the page has says whether there is a next one.
    select
        string_agg(ordered.json, ',') filter (where ordered.n <= page_size),
        count(*),
        min(ordered.key) filter (where ordered.n = page_size),
        min(ordered.id::text) filter (where ordered.n = page_size)
    into tasks, taken, last_key, last_id
    from (select source.*, row_number() over () as n from (%4$s) as source) as ordered;
end
$body$
    $page$;
    -- Row comparison, and a column list that is an index: a page in the middle costs what the first one does.
    source constant text := $source$
        select t.json, t.%1$s as key, t.id
        from errand.task as t
        where (t.%1$s, t.id) %2$s (coalesce(after_key, %3$L), coalesce(after_id, %4$L))
        %5$s
        order by t.%1$s %6$s, t.id %6$s
        limit page_size + 1
    $source$;
    -- Latest first, and still no due date last: two index scans, the second begun only when the first has run out.
    source_due_desc constant text := $source$
        (select t.json, t.due_key as key, t.id
        from errand.task as t
        where (after_key is null or after_key < 'infinity')
            and t.due_key < 'infinity'
            and (t.due_key, t.id) < (coalesce(after_key, 'infinity'), coalesce(after_id, 'ffffffff-ffff-ffff-ffff-ffffffffffff'))
        %1$s
        order by t.due_key desc, t.id desc
        limit page_size + 1)
        union all
        (select t.json, t.due_key as key, t.id
        from errand.task as t
        where t.due_key = 'infinity'
            and (after_key is null or after_key < 'infinity' or t.id < after_id)
        %1$s
        order by t.due_key desc, t.id desc
        limit page_size + 1)
        limit page_size + 1
    $source$;
    least_id constant text := '00000000-0000-0000-0000-000000000000';
    greatest_id constant text := 'ffffffff-ffff-ffff-ffff-ffffffffffff';
    sort record;
begin
    for sort in
        select * from (values
            ('created_at', 'timestamptz', '-infinity', 'infinity'),
            ('updated_at', 'timestamptz', '-infinity', 'infinity'),
            ('due_key', 'timestamptz', '-infinity', null),
            ('priority', 'smallint', '-1', '4'),
            ('title_key', 'text', '', null)
        ) as sorts (key, type, least, greatest)
    loop
        execute format(page, sort.key, 'asc', sort.type,
            format(source, sort.key, '>', sort.least, least_id, conditions, 'asc'));
        if sort.key = 'due_key' then
            execute format(page, sort.key, 'desc', sort.type, format(source_due_desc, conditions));
        elsif sort.key = 'title_key' then
            -- Text has no greatest value: U+10FFFF sorts behind every title in the C collation.
            execute format(page, sort.key, 'desc', sort.type,
                format(source, sort.key, '<', repeat(chr(1114111), 129), greatest_id, conditions, 'desc'));
        else
            execute format(page, sort.key, 'desc', sort.type,
                format(source, sort.key, '<', sort.greatest, greatest_id, conditions, 'desc'));
        end if;
    end loop;
    execute format($count$
create function api.task_count(filter api.task_filter) returns bigint
language plpgsql stable as $body$
begin
    return (select count(*) from errand.task as t where true %s);
end
$body$
    $count$, conditions);
end
$install$;

-- The words of a search, each of which may be the beginning of a word; NULL where there are none.
create function api.search_query(p_text text) returns tsquery
language sql immutable as $$
    select string_agg(quote_literal(left(word, 64)) || ':*', ' & ')::tsquery
    from regexp_split_to_table(api.fold(p_text), '[^[:alnum:]]+') as word
    where word <> ''
$$;

-- p_list: {sort, descending, limit, after: {key, id}, known: [seq] or true, count, and the filters}. `known` are the
-- sequence numbers that the client has the list of; if one is current there is nothing to build. Stable: everything is
-- read from one snapshot, the sequence number too.
create function api.task_list(p_caller text, p_list jsonb)
returns table (unchanged boolean, seq bigint, tasks text, last_key text, last_id text, total bigint)
language plpgsql stable as $$
declare
    page_size constant int := p_list -> 'limit';
    after_id constant uuid := p_list #>> '{after,id}';
    after_key constant text := p_list #>> '{after,key}';
    filter api.task_filter;
    page record;
begin
    perform api.announce(p_caller);
    seq := coalesce((select account.seq from errand.account), 0);
    unchanged := coalesce(p_list -> 'known' @> to_jsonb(seq) or p_list -> 'known' = 'true', false);
    if unchanged then
        return next;
        return;
    end if;
    if p_list ? 'filter' then
        filter := (
            (p_list #> '{filter,completed}')::boolean,
            (select array_agg(value::smallint) from jsonb_array_elements_text(p_list #> '{filter,priorities}')),
            (select array_agg(value) from jsonb_array_elements_text(p_list #> '{filter,tags}')),
            (p_list #>> '{filter,due_before_date}')::date,
            (p_list #>> '{filter,due_before_at}')::timestamptz,
            (p_list #>> '{filter,due_after_date}')::date,
            (p_list #>> '{filter,due_after_at}')::timestamptz,
            (p_list #> '{filter,overdue}')::boolean,
            (p_list #>> '{filter,updated_since}')::timestamptz,
            api.search_query(p_list #>> '{filter,q}'));
    end if;
    case p_list ->> 'order'
        when 'created_at_desc' then
            page := api.task_page_created_at_desc(after_key::timestamptz, after_id, page_size, filter);
        when 'created_at_asc' then
            page := api.task_page_created_at_asc(after_key::timestamptz, after_id, page_size, filter);
        when 'updated_at_desc' then
            page := api.task_page_updated_at_desc(after_key::timestamptz, after_id, page_size, filter);
        when 'updated_at_asc' then
            page := api.task_page_updated_at_asc(after_key::timestamptz, after_id, page_size, filter);
        when 'due_asc' then
            page := api.task_page_due_key_asc(after_key::timestamptz, after_id, page_size, filter);
        when 'due_desc' then
            page := api.task_page_due_key_desc(after_key::timestamptz, after_id, page_size, filter);
        when 'priority_desc' then
            page := api.task_page_priority_desc(after_key::smallint, after_id, page_size, filter);
        when 'priority_asc' then
            page := api.task_page_priority_asc(after_key::smallint, after_id, page_size, filter);
        when 'title_asc' then
            page := api.task_page_title_key_asc(after_key, after_id, page_size, filter);
        when 'title_desc' then
            page := api.task_page_title_key_desc(after_key, after_id, page_size, filter);
    end case;
    tasks := coalesce(page.tasks, '');
    if page.taken > page_size then
        last_key := page.last_key;
        last_id := page.last_id;
    end if;
    if (p_list -> 'count')::boolean then
        total := api.task_count(filter);
    end if;
    return next;
end
$$;
