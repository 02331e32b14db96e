-- A page of the caller's tasks.
--
-- Each order has an index that serves it, and one text of a query, made by api.task_page_sql. Without filters, or with
-- `completed` alone, the query is a function of its own, whose plan stays cached in the session. With other filters it is
-- planned anew for the filters at hand: a plan for any filters would have to expect all of them, and reads the whole
-- account instead of one page.

-- Where a page begins, how long it is, and whether it has the tasks that are done, those that are not, or (NULL) both.
create type api.task_page_start as (key text, id uuid, size int, completed boolean);

-- What a page has: the JSON of its tasks with commas between them, and where the next one begins, if there is one.
create type api.task_page as (tasks text, last_key text, last_id text);

-- The query for one order. The parameter $1 is an api.task_page_start, $2 an api.task_filter.
create function api.task_page_sql(p_order text, p_conditions text) returns text
language plpgsql immutable as $$
declare
    least_id constant text := '00000000-0000-0000-0000-000000000000';
    greatest_id constant text := 'ffffffff-ffff-ffff-ffff-ffffffffffff';
    -- Row comparison, over columns that are those of an index: a page in the middle costs what the first one does. The
    -- constant limit tells the planner that only few rows are wanted; the other one ends the scan.
    source constant text := '
        select t.json, t.%1$s as key, t.id
        from errand.task as t
        where (t.%1$s, t.id) %2$s (coalesce(($1).key::%3$s, %4$L), coalesce(($1).id, %5$L)) %7$s
        order by t.%1$s %6$s, t.id %6$s
        limit 501';
    -- Latest first, and still no due date last: two index scans, the second begun only when the first has run out.
    due_desc constant text := '
        (select t.json, t.due_key as key, t.id
        from errand.task as t
        where (($1).key is null or ($1).key::timestamptz < ''infinity'')
            and t.due_key < ''infinity''
            and (t.due_key, t.id) < (coalesce(($1).key::timestamptz, ''infinity''), coalesce(($1).id, %1$L)) %2$s
        order by t.due_key desc, t.id desc
        limit 501)
        union all
        (select t.json, t.due_key as key, t.id
        from errand.task as t
        where t.due_key = ''infinity''
            and (($1).key is null or ($1).key::timestamptz < ''infinity'' or t.id < ($1).id) %2$s
        order by t.due_key desc, t.id desc
        limit 501)';
    -- One row more than the page has says whether there is a next one.
    page constant text := '
        select row (
            string_agg(page.json, '','') filter (where page.n <= ($1).size),
            (min(page.key) filter (where page.n = ($1).size and page.more))::text,
            min(page.id::text) filter (where page.n = ($1).size and page.more))::api.task_page
        from (
            select source.*, row_number() over () as n, count(*) over () > ($1).size as more
            from (select source.* from (%s) as source limit ($1).size + 1) as source
        ) as page';
begin
    return format(page, case p_order
        when 'created_at_desc' then
            format(source, 'created_at', '<', 'timestamptz', 'infinity', greatest_id, 'desc', p_conditions)
        when 'created_at_asc' then
            format(source, 'created_at', '>', 'timestamptz', '-infinity', least_id, 'asc', p_conditions)
        when 'updated_at_desc' then
            format(source, 'updated_at', '<', 'timestamptz', 'infinity', greatest_id, 'desc', p_conditions)
        when 'updated_at_asc' then
            format(source, 'updated_at', '>', 'timestamptz', '-infinity', least_id, 'asc', p_conditions)
        when 'due_asc' then
            format(source, 'due_key', '>', 'timestamptz', '-infinity', least_id, 'asc', p_conditions)
        when 'due_desc' then
            format(due_desc, greatest_id, p_conditions)
        when 'priority_desc' then
            format(source, 'priority', '<', 'smallint', '4', greatest_id, 'desc', p_conditions)
        when 'priority_asc' then
            format(source, 'priority', '>', 'smallint', '-1', least_id, 'asc', p_conditions)
        when 'title_desc' then
            -- Text has no greatest value: in the C collation, this is behind every key that a title can have.
            format(source, 'title_key', '<', 'text', repeat(chr(1114111), 129), greatest_id, 'desc', p_conditions)
        when 'title_asc' then
            format(source, 'title_key', '>', 'text', '', least_id, 'asc', p_conditions)
    end);
end
$$;

do $install$
declare
    list_order text;
begin
    foreach list_order in array array['created_at_desc', 'created_at_asc', 'updated_at_desc', 'updated_at_asc', 'due_desc',
        'due_asc', 'priority_desc', 'priority_asc', 'title_desc', 'title_asc']
    loop
        execute format(
            'create function api.task_page_%s(p_start api.task_page_start) returns api.task_page language plpgsql stable '
            'as $body$ begin return (%s); end $body$',
            list_order,
            -- CASE keeps the planner from guessing: it counts on every second row, and on the index of the order.
            replace(
                api.task_page_sql(
                    list_order,
                    'and case when ($1).completed is null then true else t.completed = ($1).completed end'),
                '($1)', '(p_start)'));
    end loop;
end
$install$;

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

-- The words of a search, each of which may be the beginning of a word; NULL where there are none.
create function api.search_query(p_text text) returns tsquery
language sql immutable as $$
    select string_agg(quote_literal(left(word, 64)) || ':*', ' & ')::tsquery
    from regexp_split_to_table(api.fold(p_text), '[^[:alnum:]]+') as word
    where word <> ''
$$;

-- The filters of a list as typed values.
create function api.task_filter(p_filter jsonb) returns api.task_filter
language sql immutable as $$
    select row (
        (p_filter -> 'completed')::boolean,
        (select array_agg(value::smallint) from jsonb_array_elements_text(p_filter -> 'priorities')),
        (select array_agg(value) from jsonb_array_elements_text(p_filter -> 'tags')),
        (p_filter ->> 'due_before_date')::date,
        (p_filter ->> 'due_before_at')::timestamptz,
        (p_filter ->> 'due_after_date')::date,
        (p_filter ->> 'due_after_at')::timestamptz,
        (p_filter -> 'overdue')::boolean,
        (p_filter ->> 'updated_since')::timestamptz,
        api.search_query(p_filter ->> 'q'))::api.task_filter
$$;

-- The conditions of the filters that are set, as SQL.
create function api.task_conditions(filter api.task_filter) returns text
language sql immutable as $$
    select concat(
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
        case when filter.query is not null then ' and t.words @@ ($2).query' end)
$$;

-- p_list: {order, limit, after: {key, id}, known: [seq] or true, count, filter}. `known` are the sequence numbers that
-- the client has the list of; if one is current there is nothing to build. Stable: everything is read from one
-- snapshot, the sequence number too.
create function api.task_list(p_caller text, p_list jsonb)
returns table (unchanged boolean, seq bigint, tasks text, last_key text, last_id text, total bigint)
language plpgsql stable as $$
declare
    list_order constant text := p_list ->> 'order';
    filters constant jsonb := coalesce(p_list -> 'filter', '{}');
    start api.task_page_start;
    page api.task_page;
    filter api.task_filter;
    conditions text := '';
begin
    perform api.announce(p_caller);
    seq := coalesce((select account.seq from errand.account), 0);
    unchanged := coalesce(p_list -> 'known' @> to_jsonb(seq) or p_list -> 'known' = 'true', false);
    if unchanged then
        return next;
        return;
    end if;
    start := (p_list #>> '{after,key}', (p_list #>> '{after,id}')::uuid, (p_list -> 'limit')::int,
        (filters -> 'completed')::boolean);
    if filters <> '{}' then
        filter := api.task_filter(filters);
        conditions := api.task_conditions(filter);
    end if;
    if filters - 'completed' <> '{}' then
        execute format('select (page).* from (%s) as query (page)', api.task_page_sql(list_order, conditions))
            into page using start, filter;
    else
        case list_order
            when 'created_at_desc' then page := api.task_page_created_at_desc(start);
            when 'created_at_asc' then page := api.task_page_created_at_asc(start);
            when 'updated_at_desc' then page := api.task_page_updated_at_desc(start);
            when 'updated_at_asc' then page := api.task_page_updated_at_asc(start);
            when 'due_desc' then page := api.task_page_due_desc(start);
            when 'due_asc' then page := api.task_page_due_asc(start);
            when 'priority_desc' then page := api.task_page_priority_desc(start);
            when 'priority_asc' then page := api.task_page_priority_asc(start);
            when 'title_desc' then page := api.task_page_title_desc(start);
            when 'title_asc' then page := api.task_page_title_asc(start);
        end case;
    end if;
    tasks := coalesce(page.tasks, '');
    last_key := page.last_key;
    last_id := page.last_id;
    if (p_list -> 'count')::boolean then
        execute 'select count(*) from errand.task as t where true' || conditions into total using start, filter;
    end if;
    return next;
end
$$;
