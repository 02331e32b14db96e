-- The template of migrations/functions/errand/task_orders.sql, for `cargo xtask sql`. A part begins with a line `--- name`.

-- The caller's tasks from a position on, in one order.
--
-- It uses row comparison over the columns of an index, so page cost is independent of the position. CASE rather than coalesce(): coalesce()
-- is not leakproof, so the planner would apply the RLS filter first and scan from the start of the index. The limit is a constant, so that
-- the planner expects few rows.
--- walk
select {columns}, t.{key} as key
from errand.task as t
where (t.{key}, t.id) {beyond} (
        case when ({start}).key is null then {first} else ({start}).key::{type} end,
        case when ({start}).id is null then {first_id} else ({start}).id end) {conditions}
order by t.{key} {direction}, t.id {direction}
limit {limit};

-- Latest first, with tasks without a due date last: two index scans, and the second begins only after the end of the first. Only one
-- comparison sets the start of the first scan. With a second one, the scan might start at the wrong entry of the index, and pass every
-- task without a due date.
--- walk_due_desc
(select {columns}, t.due_key as key
from errand.task as t
where (({start}).key is null or ({start}).key::timestamptz < 'infinity')
    and (t.due_key, t.id) < (
        case when ({start}).key is null then 'infinity' else ({start}).key::timestamptz end,
        case when ({start}).id is null then {least_id} else ({start}).id end) {conditions}
order by t.due_key desc, t.id desc
limit {limit})
union all
(select {columns}, t.due_key as key
from errand.task as t
where t.due_key >= 'infinity'
    and (t.due_key, t.id) <= (
        'infinity', case when ({start}).key::timestamptz = 'infinity' then ({start}).id else {greatest_id} end)
    and (({start}).key is null or ({start}).key::timestamptz < 'infinity' or t.id < ({start}).id) {conditions}
order by t.due_key desc, t.id desc
limit {limit})
limit {limit};

-- The candidates of a search from a position on, in one order. They are few, so they are sorted.
--- found
select t.json, t.seq, t.id, t.{key} as key
from errand.task as t
where t.id = any (by_candidates)
    and (t.{key}, t.id) {beyond} (
        case when ({start}).key is null then {first} else ({start}).key::{type} end,
        case when ({start}).id is null then {first_id} else ({start}).id end) {conditions}
order by t.{key} {direction}, t.id {direction}
limit {look_ahead};

--- found_due_desc
select t.json, t.seq, t.id, t.due_key as key
from errand.task as t
where t.id = any (by_candidates)
    and case
        when ({start}).key is null then true
        when ({start}).key::timestamptz = 'infinity' then t.due_key = 'infinity' and t.id < ({start}).id
        else t.due_key = 'infinity' or (t.due_key, t.id) < (({start}).key::timestamptz, ({start}).id)
    end {conditions}
order by t.due_key = 'infinity', t.due_key desc, t.id desc
limit {look_ahead};

-- A bounded walk: {conditions} select from the tasks that it scans.
--- chosen
select t.json, t.seq, t.id, t.key
from (
    {walk}) as t
where true {conditions}
limit {look_ahead};

-- The columns that a page reads.
--- columns
t.json, t.seq, t.id;

-- The columns for the conditions of a bounded walk. There are no others, because each column is copied for each scanned task.
--- columns_of_bounded
t.json, t.seq, t.id, t.completed, t.priority, t.tags, t.title_text, t.tags_text, t.description_text, t.words, t.due_date, t.due_at,
    t.due_key, t.updated_at;

-- The filters of a short walk.
--- short_conditions
and (by_completed is null or t.completed = by_completed)
and (by_priorities is null or t.priority = any (by_priorities));

-- The filters of the other pages with a cached plan. The first word is looked for in one text after the other, because to concatenate
-- them, and to match a pattern, costs more for a task that lacks the word.
--- conditions
{short_conditions}
and (by_tags is null or t.tags @> by_tags)
and (
    by_patterns is null
    or coalesce(
        (strpos(t.title_text, by_word) > 0 or strpos(t.tags_text, by_word) > 0 or strpos(t.description_text, by_word) > 0)
            and (
                cardinality(by_patterns) = 1
                or (t.title_text || t.tags_text || t.description_text) like all (by_patterns)),
        t.words @@ by_query));

-- A page. The query reads one row more than the page has, to know whether there is a next page. PostgreSQL knows the length of a long text
-- without reading it from the TOAST table, so texts outside of the page are not read.
--
-- A page ends at 1 MiB of JSON, but has at least one task. 500 tasks of 2 kB fit without measuring. If a task is longer, the unmeasured
-- page has NULL for the tasks, and the measured page is read, which costs twice as much.
--- page
select row (
    case when page.lengthy then null
        else coalesce(array_to_string(page.numbers[:page.size], ' ') || chr(10) || page.lines, '') end,
    case when page.found > page.size then page.keys[page.size]::text end,
    case when page.found > page.size then page.ids[page.size]::text end)::api.task_page
from (
    {measure}) as page;

--- unmeasured
select count(*) as found, ({start}).size as size, bool_or(octet_length(task.json) > 2096) as lengthy,
    string_agg(case when octet_length(task.json) <= 2096 then task.json end, chr(10)) as lines,
    array_agg(task.seq) as numbers, array_agg(task.key) as keys, array_agg(task.id) as ids
from (select source.* from (
    {source}) as source limit ({start}).size + 1) as task;

--- measured
select count(*) as found, least(({start}).size, count(*) filter (where task.fits))::int as size, false as lengthy,
    string_agg(task.json, chr(10)) filter (where task.fits) as lines,
    array_agg(task.seq) filter (where task.fits) as numbers, array_agg(task.key) as keys, array_agg(task.id) as ids
from (
    select source.*,
        sum(octet_length(source.json)) over (rows unbounded preceding)
            <= greatest(1048576, octet_length(source.json)) as fits
    from (select endless.* from (
        {source}) as endless limit ({start}).size + 1) as source
) as task;

-- Three functions for each order. The plan is for any user and any filters, so it expects few rows, and the planner would sort them:
-- `enable_sort` is off for the walks. The filters are variables, because a field of a composite value is looked up again for every row. A
-- list without filters has queries without conditions, and an account that fits one walk has queries without a bound.
--- functions
create or replace function errand.page_by_{order}(p_start api.task_page_start, p_filter errand.task_filter, p_ends boolean)
returns api.task_page language plpgsql stable set enable_sort = off as $$
declare
    answer api.task_page;
begin
    if p_filter is null then
        answer := (
            {all});
        if answer.tasks is null then
            answer := (
                {all_measured});
        end if;
        return answer;
    end if;
    declare
        by_completed constant boolean := p_filter.completed;
        by_priorities constant smallint[] := p_filter.priorities;
        by_tags constant text[] := p_filter.tags;
        by_patterns constant text[] := p_filter.patterns;
        by_word constant text := errand.word_of(p_filter.patterns[1]);
        by_query constant tsquery := p_filter.query;
    begin
        if p_ends then
            answer := (
                {bounded});
            if answer.tasks is null then
                answer := (
                    {bounded_measured});
            end if;
            return answer;
        end if;
        answer := (
            {unbounded});
        if answer.tasks is null then
            answer := (
                {unbounded_measured});
        end if;
        return answer;
    end;
end
$$;

create or replace function errand.short_page_by_{order}(p_start api.task_page_start, p_filter errand.task_filter)
returns api.task_page language plpgsql stable set enable_sort = off as $$
declare
    answer api.task_page;
    by_completed constant boolean := p_filter.completed;
    by_priorities constant smallint[] := p_filter.priorities;
begin
    answer := (
        {short});
    if answer.tasks is null then
        answer := (
            {short_measured});
    end if;
    if answer.last_id is null and exists (select from (
        {short_walk}) as walk offset {short_walk_last}) then
        answer.tasks := null;
    end if;
    return answer;
end
$$;

create or replace function errand.found_page_by_{order}(p_start api.task_page_start, p_filter errand.task_filter)
returns api.task_page language plpgsql stable as $$
declare
    answer api.task_page;
    by_candidates constant uuid[] := p_filter.candidates;
    by_completed constant boolean := p_filter.completed;
    by_priorities constant smallint[] := p_filter.priorities;
    by_tags constant text[] := p_filter.tags;
    by_patterns constant text[] := p_filter.patterns;
    by_word constant text := errand.word_of(p_filter.patterns[1]);
    by_query constant tsquery := p_filter.query;
begin
    answer := (
        {found});
    if answer.tasks is null then
        answer := (
            {found_measured});
    end if;
    return answer;
end
$$;

-- The functions that api.show_tasks calls.
--- common
-- An account with so few writes has no candidates for a search, because a walk along all its tasks costs less.
create or replace function errand.smallest_search() returns int
language sql immutable as $$
    select 100
$$;

-- The maximum number of tasks that a page with filters scans.
create or replace function errand.longest_walk() returns int
language sql immutable as $$
    select {longest_walk_size}
$$;

-- The maximum number of tasks that a list with filters scans over the shared pool.
create or replace function errand.short_walk() returns int
language sql immutable as $$
    select {short_walk_size}
$$;

-- A page with a plan that stays cached in the session: without filters, or with filters that no other index serves (p_filter). With p_ends
-- the walk is bounded by errand.longest_walk().
create or replace function errand.page_in_order(
    p_order text, p_start api.task_page_start, p_filter errand.task_filter, p_ends boolean) returns api.task_page
language plpgsql stable as $$
begin
    if p_filter.candidates is not null then
        case p_order
            {found_page_cases}
        end case;
    end if;
    case p_order
        {tasks_cases}
    end case;
end
$$;

-- errand.page_in_order with a short walk, for the filters `completed` and `priorities`. `tasks` is NULL if the page is not full and there
-- may be more tasks after the walk.
create or replace function errand.short_page_in_order(p_order text, p_start api.task_page_start, p_filter errand.task_filter)
returns api.task_page
language plpgsql stable as $$
begin
    case p_order
        {short_page_cases}
    end case;
end
$$;

-- The query for a walk in one order: p_limit tasks for which p_conditions hold. $1 is an api.task_page_start, and $2 an errand.task_filter
-- for the conditions.
create or replace function errand.walk_text(p_order text, p_columns text, p_conditions text, p_limit int) returns text
language plpgsql immutable as $$
begin
    return format(
        case p_order
            {walk_cases}
        end,
        p_columns, p_conditions, p_limit);
end
$$;

-- The query for a page in one order, with the same parameters. With p_range, it is a walk of errand.longest_walk() tasks for which p_range
-- holds, and p_conditions select from them.
create or replace function errand.page_text(p_order text, p_range text, p_conditions text, p_measured boolean) returns text
language plpgsql immutable as $$
declare
    source constant text := case
        when p_range is null then errand.walk_text(p_order, '{columns}', p_conditions, {look_ahead})
        else format(
            '{chosen_text}',
            errand.walk_text(p_order, '{columns_of_bounded}', p_range, errand.longest_walk()),
            p_conditions)
    end;
begin
    return format(
        case
            when p_measured then '
                {measured_text}'
            else '
                {unmeasured_text}'
        end,
        source);
end
$$;

grant execute on function
    errand.longest_walk, errand.short_walk, errand.smallest_search, errand.walk_text, errand.page_text,
    errand.page_in_order, errand.short_page_in_order,
    {granted}
    to errand_app;
