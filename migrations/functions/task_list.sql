-- A page of the caller's tasks.
--
-- Each order has an index that serves it, and one text of a query, made by api.tasks_sql. Filters that no index can
-- serve (row-level security lets none serve words and tags) leave that index the best way: then the query is a function
-- of its own, whose plan stays cached in the session. Filters by time are planned anew each time, because there another
-- index may be the better way.
--
-- A page begins with a line of numbers with blanks between: those of the latest writes of its tasks, which the component makes
-- their tags of. Then there is a line for each task, its JSON without the member `etag`; JSON has no line feeds of its own. Lines
-- beyond the numbers are not part of the page; the component drops them, because slicing the array costs more here.
--
-- The types are those of migration 0005.

-- The caller's tasks from a place on, in one order: as many as p_limit, of those for which p_conditions hold. The parameter
-- $1 is an api.task_page_start, $2 an api.task_filter.
create or replace function api.walk_sql(p_order text, p_columns text, p_conditions text, p_limit int) returns text
language plpgsql immutable as $$
declare
    ascending constant boolean := p_order like '%_asc';
    least_id constant text := '00000000-0000-0000-0000-000000000000';
    greatest_id constant text := 'ffffffff-ffff-ffff-ffff-ffffffffffff';
    -- Row comparison, over columns that are those of an index: a page in the middle costs what the first one does. With
    -- CASE, because the planner takes coalesce() for leaky, and would compare only what row-level security has let
    -- through, from the first row on. The limit is a constant, which tells the planner that few rows are wanted.
    walk constant text := '
        select %1$s, t.%4$s as key
        from errand.task as t
        where (t.%4$s, t.id) %5$s (
                case when ($1).key is null then %7$L else ($1).key::%6$s end,
                case when ($1).id is null then %8$L else ($1).id end) %2$s
        order by t.%4$s %9$s, t.id %9$s
        limit %3$s';
    -- Latest first, and still no due date last: two index scans, the second begun only when the first has run out. One
    -- comparison says where the first begins: beside a second one the index might be entered at the wrong place, and
    -- every task without a due date be passed.
    due_desc constant text := '
        (select %1$s, t.due_key as key
        from errand.task as t
        where (($1).key is null or ($1).key::timestamptz < ''infinity'')
            and (t.due_key, t.id) < (
                case when ($1).key is null then ''infinity'' else ($1).key::timestamptz end,
                case when ($1).id is null then %4$L else ($1).id end) %2$s
        order by t.due_key desc, t.id desc
        limit %3$s)
        union all
        (select %1$s, t.due_key as key
        from errand.task as t
        where t.due_key >= ''infinity''
            and (t.due_key, t.id) <= (
                ''infinity'', case when ($1).key::timestamptz = ''infinity'' then ($1).id else %5$L end)
            and (($1).key is null or ($1).key::timestamptz < ''infinity'' or t.id < ($1).id) %2$s
        order by t.due_key desc, t.id desc
        limit %3$s)
        limit %3$s';
    wanted record;
begin
    if p_order = 'due_desc' then
        return format(due_desc, p_columns, p_conditions, p_limit, least_id, greatest_id);
    end if;
    select orders.key, orders.type, case when ascending then orders.before else orders.behind end as start
    into strict wanted
    from (values
        ('created_at', 'created_at', 'timestamptz', '-infinity', 'infinity'),
        ('updated_at', 'updated_at', 'timestamptz', '-infinity', 'infinity'),
        ('due', 'due_key', 'timestamptz', '-infinity', 'infinity'),
        ('priority', 'priority', 'smallint', '-1', '4'),
        -- Text has no greatest value: in the C collation, this is behind every key that a title can have.
        ('title', 'title_key', 'text', '', repeat(chr(1114111), 129))
    ) as orders (name, key, type, before, behind)
    where orders.name = regexp_replace(p_order, '_(asc|desc)$', '');
    return format(
        walk, p_columns, p_conditions, p_limit, wanted.key, case when ascending then '>' else '<' end, wanted.type, wanted.start,
        case when ascending then least_id else greatest_id end, case when ascending then 'asc' else 'desc' end);
end
$$;

-- How many tasks a page passes at most, where filters choose among them.
create or replace function api.longest_walk() returns int
language sql immutable as $$
    select 20000
$$;

-- The maximum number of tasks that a list with filters reads over a shared connection.
create or replace function api.short_walk() returns int
language sql immutable as $$
    select 500
$$;

-- The query for a page in one order, with the parameters of api.walk_sql. With p_range the walk is a bounded one: it passes
-- p_walk tasks for which p_range holds, and p_conditions choose among these.
--
-- A page ends at 1 MiB of JSON, but has a task in any case. 500 tasks of 2 kB fit without counting: where there is a longer one,
-- the query of p_measured = false has NULL for the tasks, and the other one counts. That one costs twice as much.
create or replace function api.page_sql(
    p_order text, p_range text, p_walk int, p_conditions text, p_measured boolean) returns text
language plpgsql immutable as $$
declare
    source constant text := case
        when p_range is null then api.walk_sql(p_order, 't.json, t.seq, t.id', p_conditions, 501)
        else format(
            'select t.json, t.seq, t.id, t.key from (%s) as t where true %s limit 501',
            -- What conditions may name, and no more: each column is copied for each task that is passed.
            api.walk_sql(
                p_order,
                't.json, t.seq, t.id, t.completed, t.priority, t.tags, t.words, t.due_date, t.due_key, t.updated_at',
                p_range,
                p_walk),
            p_conditions)
    end;
    -- One row more than the page has says whether there is a next one. The length of a text is known without reading it from
    -- where PostgreSQL keeps long ones: what is not in the page is not read.
    page constant text := '
        select row (
            case when page.lengthy then null
                else coalesce(array_to_string(page.numbers[:page.size], '' '') || (chr(10) || page.lines), '''') end,
            case when page.found > page.size then page.keys[page.size]::text end,
            case when page.found > page.size then page.ids[page.size]::text end)::api.task_page
        from (%s) as page';
    unmeasured constant text := '
        select count(*) as found, ($1).size as size, bool_or(octet_length(task.json) > 2096) as lengthy,
            string_agg(case when octet_length(task.json) <= 2096 then task.json end, chr(10)) as lines,
            array_agg(task.seq) as numbers, array_agg(task.key) as keys, array_agg(task.id) as ids
        from (select source.* from (%s) as source limit ($1).size + 1) as task';
    measured constant text := '
        select count(*) as found, least(($1).size, count(*) filter (where task.fits))::int as size, false as lengthy,
            string_agg(task.json, chr(10)) filter (where task.fits) as lines,
            array_agg(task.seq) filter (where task.fits) as numbers, array_agg(task.key) as keys, array_agg(task.id) as ids
        from (
            select source.*,
                sum(octet_length(source.json)) over (rows unbounded preceding)
                    <= greatest(1048576, octet_length(source.json)) as fits
            from (select endless.* from (%s) as endless limit ($1).size + 1) as source
        ) as task';
begin
    return format(page, format(case when p_measured then measured else unmeasured end, source));
end
$$;

-- api.page_sql with the longest walk.
create or replace function api.tasks_sql(p_order text, p_range text, p_conditions text, p_measured boolean) returns text
language sql immutable as $$
    select api.page_sql(p_order, p_range, api.longest_walk(), p_conditions, p_measured)
$$;

do $install$
declare
    list_order text;
    short_conditions constant text :=
        'and (by_completed is null or t.completed = by_completed) '
        'and (by_priorities is null or t.priority = any (by_priorities)) ';
    conditions constant text := short_conditions ||
        'and (by_tags is null or t.tags @> by_tags) '
        'and (by_query is null or t.words @@ by_query)';
begin
    foreach list_order in array array['created_at_desc', 'created_at_asc', 'updated_at_desc', 'updated_at_asc', 'due_desc',
        'due_asc', 'priority_desc', 'priority_asc', 'title_desc', 'title_asc']
    loop
        execute format(
            -- The plan is for any user and any filters, and expects few rows of either: sorting them would look cheap.
            -- The filters are variables, because a field of a composite value is looked up again for every row. Without filters
            -- none of that is needed, and where all of an account is one walk, none needs to end.
            'create or replace function api.tasks_by_%s(p_start api.task_page_start, p_filter api.task_filter, p_ends boolean) '
            'returns api.task_page language plpgsql stable set enable_sort = off as $body$ '
            'declare answer api.task_page; '
            'begin '
            'if p_filter is null then '
            'answer := (%s); if answer.tasks is null then answer := (%s); end if; return answer; '
            'end if; '
            'declare '
            'by_completed constant boolean := p_filter.completed; '
            'by_priorities constant smallint[] := p_filter.priorities; '
            'by_tags constant text[] := p_filter.tags; '
            'by_query constant tsquery := p_filter.query; '
            'begin '
            'if p_ends then '
            'answer := (%s); if answer.tasks is null then answer := (%s); end if; return answer; '
            'end if; '
            'answer := (%s); if answer.tasks is null then answer := (%s); end if; return answer; '
            'end; end $body$',
            list_order,
            replace(api.tasks_sql(list_order, null, '', false), '($1)', '(p_start)'),
            replace(api.tasks_sql(list_order, null, '', true), '($1)', '(p_start)'),
            replace(api.tasks_sql(list_order, '', conditions, false), '($1)', '(p_start)'),
            replace(api.tasks_sql(list_order, '', conditions, true), '($1)', '(p_start)'),
            replace(api.tasks_sql(list_order, null, conditions, false), '($1)', '(p_start)'),
            replace(api.tasks_sql(list_order, null, conditions, true), '($1)', '(p_start)'));
        -- Returns no tasks (NULL) if the page is not full and there may be more tasks after the walk.
        execute format(
            'create or replace function api.near_tasks_by_%s(p_start api.task_page_start, p_filter api.task_filter) '
            'returns api.task_page language plpgsql stable set enable_sort = off as $body$ '
            'declare '
            'answer api.task_page; '
            'by_completed constant boolean := p_filter.completed; '
            'by_priorities constant smallint[] := p_filter.priorities; '
            'begin '
            'answer := (%s); if answer.tasks is null then answer := (%s); end if; '
            'if answer.last_id is null and exists (select from (%s) as walk offset %s) then answer.tasks := null; end if; '
            'return answer; '
            'end $body$',
            list_order,
            replace(api.page_sql(list_order, '', api.short_walk(), short_conditions, false), '($1)', '(p_start)'),
            replace(api.page_sql(list_order, '', api.short_walk(), short_conditions, true), '($1)', '(p_start)'),
            replace(api.walk_sql(list_order, 't.id', '', api.short_walk()), '($1)', '(p_start)'),
            api.short_walk() - 1);
    end loop;
end
$install$;

-- The words of a search, each of which may be the beginning of a word; NULL where there are none. The first 16 different
-- ones count: one character may come apart into many words.
create or replace function api.search_query(p_text text) returns tsquery
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
create or replace function api.task_filter(p_filter jsonb) returns api.task_filter
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
        filter.query := api.search_query(p_filter ->> 'q');
    end if;
    return filter;
end
$$;

-- The conditions of the filters that are set, as SQL.
create or replace function api.task_conditions(filter api.task_filter) returns text
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

-- Those of them that bound the keys of an order, for a walk to begin and to end at: each holds for all tasks that the filters
-- choose. A day is up to one day away from the same day in UTC.
create or replace function api.task_range(p_order text, filter api.task_filter) returns text
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

-- p_list: {order, limit, after: {key, id}, known: [etag] or true, count, filter, slot, short}. `known` are the entity tags of the
-- lists that the client has; if one is current there is nothing to build. With `slot` the list needs a slot of the caller's, and
-- the outcome is `busy` where none is free. With `short`, the list reads at most api.short_walk() tasks, and the outcome is `long` if
-- the page is not full and there may be more tasks. `short` allows the filters `completed` and `priorities` alone. Otherwise the
-- outcome is `unchanged` or `page`. Stable: everything is read from one snapshot, the number of the latest write too.
--
-- The place where the next page begins is marked with the epoch, the user and the account: `last_key` is `9f86d081884c7d65-0` (the digest
-- of entity tags, and the upper bits of the account's numbers), a blank, and the key. Behind a place of another mark there may be tasks
-- that the client has not seen and would miss: a restore moves tasks back to where they were. Such a place is refused.
--
-- With filters a page may end early, even empty, at the last task that its walk has passed. An account with so few writes that
-- one walk passes all its tasks has such pages never.
create or replace function api.read_tasks(
    p_caller text, p_list jsonb,
    out outcome text, out seq bigint, out epoch text, out tasks text, out last_key text, out last_id text, out total bigint)
language plpgsql stable as $$
declare
    caller constant text := errand.announce(p_caller);
    list_order constant text := p_list ->> 'order';
    filters constant jsonb := p_list -> 'filter';
    after_key text := p_list #>> '{after,key}';
    mark text;
    start api.task_page_start;
    page api.task_page;
    filter api.task_filter;
    measured boolean;
    latest_seq bigint;
    -- How many writes the account has had: the lower 40 bits of the latest number (migration 0012).
    writes bigint;
    account_number int;
    -- Whether one walk may be too short for all tasks, and what bounds it.
    ends boolean := false;
    range text;
    -- Whether the list is short and the account may have more tasks than a short walk.
    short boolean;
begin
    select account.seq, account.number into latest_seq, account_number from errand.account;
    seq := coalesce(latest_seq, 0);
    epoch := errand.epoch();
    if p_list ? 'known' then
        if p_list -> 'known' = 'true' or p_list -> 'known' @> to_jsonb(errand.tag_base(caller) || seq) then
            outcome := 'unchanged';
            return;
        end if;
    end if;
    -- A list without `slot` takes none.
    if (p_list -> 'slot')::boolean then
        if not errand.take_slot(account_number) then
            outcome := 'busy';
            return;
        end if;
    end if;
    outcome := 'page';
    if after_key is not null then
        mark := errand.tag_base(caller) || (seq >> 40) || ' ';
        if not starts_with(after_key, mark) then
            raise exception using errcode = 'invalid_text_representation',
                message = 'the cursor is from before a restore or an erasure';
        end if;
        after_key := substr(after_key, length(mark) + 1);
    end if;
    start := (after_key, (p_list #>> '{after,id}')::uuid, (p_list -> 'limit')::int);
    if filters is not null then
        filter := api.task_filter(filters);
        writes := latest_seq & 1099511627775;
        short := writes > api.short_walk() and (p_list -> 'short')::boolean;
        if writes > api.longest_walk() then
            ends := true;
            range := api.task_range(list_order, filter);
        end if;
    end if;
    if short then
        case list_order
            when 'created_at_desc' then page := api.near_tasks_by_created_at_desc(start, filter);
            when 'created_at_asc' then page := api.near_tasks_by_created_at_asc(start, filter);
            when 'updated_at_desc' then page := api.near_tasks_by_updated_at_desc(start, filter);
            when 'updated_at_asc' then page := api.near_tasks_by_updated_at_asc(start, filter);
            when 'due_desc' then page := api.near_tasks_by_due_desc(start, filter);
            when 'due_asc' then page := api.near_tasks_by_due_asc(start, filter);
            when 'priority_desc' then page := api.near_tasks_by_priority_desc(start, filter);
            when 'priority_asc' then page := api.near_tasks_by_priority_asc(start, filter);
            when 'title_desc' then page := api.near_tasks_by_title_desc(start, filter);
            when 'title_asc' then page := api.near_tasks_by_title_asc(start, filter);
        end case;
        if page.tasks is null then
            outcome := 'long';
            return;
        end if;
    elsif filters ?| array['due_before_date', 'due_before_at', 'due_after_date', 'due_after_at', 'overdue', 'updated_since'] then
        foreach measured in array array[false, true] loop
            execute format(
                'select (page).* from (%s) as query (page)',
                api.tasks_sql(list_order, range, api.task_conditions(filter), measured)) into page using start, filter;
            exit when page.tasks is not null;
        end loop;
    else
        case list_order
            when 'created_at_desc' then page := api.tasks_by_created_at_desc(start, filter, ends);
            when 'created_at_asc' then page := api.tasks_by_created_at_asc(start, filter, ends);
            when 'updated_at_desc' then page := api.tasks_by_updated_at_desc(start, filter, ends);
            when 'updated_at_asc' then page := api.tasks_by_updated_at_asc(start, filter, ends);
            when 'due_desc' then page := api.tasks_by_due_desc(start, filter, ends);
            when 'due_asc' then page := api.tasks_by_due_asc(start, filter, ends);
            when 'priority_desc' then page := api.tasks_by_priority_desc(start, filter, ends);
            when 'priority_asc' then page := api.tasks_by_priority_asc(start, filter, ends);
            when 'title_desc' then page := api.tasks_by_title_desc(start, filter, ends);
            when 'title_asc' then page := api.tasks_by_title_asc(start, filter, ends);
        end case;
    end if;
    if ends and page.last_id is null then
        execute format(
            'select walk.key::text, walk.id::text from (%s) as walk offset %s limit 1',
            api.walk_sql(list_order, 't.id', range, api.longest_walk()), api.longest_walk() - 1)
            into page.last_key, page.last_id using start, filter;
    end if;
    tasks := page.tasks;
    if page.last_id is not null then
        if mark is null then
            mark := errand.tag_base(caller) || (seq >> 40) || ' ';
        end if;
        last_key := mark || page.last_key;
        last_id := page.last_id;
    end if;
    if (p_list -> 'count')::boolean then
        execute 'select count(*) from errand.task as t where true' || api.task_conditions(filter)
            into total using start, filter;
    end if;
end
$$;

-- api.read_tasks for a batch of calls; see api.read_task_of_each.
create or replace function api.read_tasks_of_each(p_callers text[], p_lists text[])
returns table (
    number bigint, caller text,
    outcome text, seq bigint, epoch text, tasks text, last_key text, last_id text, total bigint)
language plpgsql stable as $$
begin
    return query
        select
            call.number, call.caller,
            list.outcome, list.seq, list.epoch, list.tasks, list.last_key, list.last_id, list.total
        from unnest(p_callers, p_lists) with ordinality as call (caller, list, number),
            api.read_tasks(call.caller, call.list::jsonb) as list;
end
$$;
