-- The queries for a page of a list, for each order that has an index. Written by `cargo xtask sql` from xtask/src/sql/task_orders.sql,
-- which says why they are as they are.

create or replace function errand.page_by_created_at_desc(p_start api.task_page_start, p_filter errand.task_filter, p_ends boolean)
returns api.task_page language plpgsql stable set enable_sort = off as $$
declare
    answer api.task_page;
begin
    if p_filter is null then
        answer := (
            select row (
                case when page.lengthy then null
                    else coalesce(array_to_string(page.numbers[:page.size], ' ') || chr(10) || page.lines, '') end,
                case when page.found > page.size then page.keys[page.size]::text end,
                case when page.found > page.size then page.ids[page.size]::text end)::api.task_page
            from (
                select count(*) as found, (p_start).size as size, bool_or(octet_length(task.json) > 2096) as lengthy,
                    string_agg(case when octet_length(task.json) <= 2096 then task.json end, chr(10)) as lines,
                    array_agg(task.seq) as numbers, array_agg(task.key) as keys, array_agg(task.id) as ids
                from (select source.* from (
                    select t.json, t.seq, t.id, t.created_at as key
                    from errand.task as t
                    where (t.created_at, t.id) < (
                            case when (p_start).key is null then 'infinity' else (p_start).key::timestamptz end,
                            case when (p_start).id is null then 'ffffffff-ffff-ffff-ffff-ffffffffffff' else (p_start).id end)
                    order by t.created_at desc, t.id desc
                    limit 501) as source limit (p_start).size + 1) as task) as page);
        if answer.tasks is null then
            answer := (
                select row (
                    case when page.lengthy then null
                        else coalesce(array_to_string(page.numbers[:page.size], ' ') || chr(10) || page.lines, '') end,
                    case when page.found > page.size then page.keys[page.size]::text end,
                    case when page.found > page.size then page.ids[page.size]::text end)::api.task_page
                from (
                    select count(*) as found, least((p_start).size, count(*) filter (where task.fits))::int as size, false as lengthy,
                        string_agg(task.json, chr(10)) filter (where task.fits) as lines,
                        array_agg(task.seq) filter (where task.fits) as numbers, array_agg(task.key) as keys, array_agg(task.id) as ids
                    from (
                        select source.*,
                            sum(octet_length(source.json)) over (rows unbounded preceding)
                                <= greatest(1048576, octet_length(source.json)) as fits
                        from (select endless.* from (
                            select t.json, t.seq, t.id, t.created_at as key
                            from errand.task as t
                            where (t.created_at, t.id) < (
                                    case when (p_start).key is null then 'infinity' else (p_start).key::timestamptz end,
                                    case when (p_start).id is null then 'ffffffff-ffff-ffff-ffff-ffffffffffff' else (p_start).id end)
                            order by t.created_at desc, t.id desc
                            limit 501) as endless limit (p_start).size + 1) as source
                    ) as task) as page);
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
                select row (
                    case when page.lengthy then null
                        else coalesce(array_to_string(page.numbers[:page.size], ' ') || chr(10) || page.lines, '') end,
                    case when page.found > page.size then page.keys[page.size]::text end,
                    case when page.found > page.size then page.ids[page.size]::text end)::api.task_page
                from (
                    select count(*) as found, (p_start).size as size, bool_or(octet_length(task.json) > 2096) as lengthy,
                        string_agg(case when octet_length(task.json) <= 2096 then task.json end, chr(10)) as lines,
                        array_agg(task.seq) as numbers, array_agg(task.key) as keys, array_agg(task.id) as ids
                    from (select source.* from (
                        select t.json, t.seq, t.id, t.key
                        from (
                            select t.json, t.seq, t.id, t.completed, t.priority, t.tags, t.title_text, t.tags_text, t.description_text, t.words, t.due_date, t.due_at,
                                t.due_key, t.updated_at, t.created_at as key
                            from errand.task as t
                            where (t.created_at, t.id) < (
                                    case when (p_start).key is null then 'infinity' else (p_start).key::timestamptz end,
                                    case when (p_start).id is null then 'ffffffff-ffff-ffff-ffff-ffffffffffff' else (p_start).id end)
                            order by t.created_at desc, t.id desc
                            limit 20000) as t
                        where true and (by_completed is null or t.completed = by_completed)
                        and (by_priorities is null or t.priority = any (by_priorities))
                        and (by_tags is null or t.tags @> by_tags)
                        and (
                            by_patterns is null
                            or coalesce(
                                (strpos(t.title_text, by_word) > 0 or strpos(t.tags_text, by_word) > 0 or strpos(t.description_text, by_word) > 0)
                                    and (
                                        cardinality(by_patterns) = 1
                                        or (t.title_text || t.tags_text || t.description_text) like all (by_patterns)),
                                t.words @@ by_query))
                        limit 501) as source limit (p_start).size + 1) as task) as page);
            if answer.tasks is null then
                answer := (
                    select row (
                        case when page.lengthy then null
                            else coalesce(array_to_string(page.numbers[:page.size], ' ') || chr(10) || page.lines, '') end,
                        case when page.found > page.size then page.keys[page.size]::text end,
                        case when page.found > page.size then page.ids[page.size]::text end)::api.task_page
                    from (
                        select count(*) as found, least((p_start).size, count(*) filter (where task.fits))::int as size, false as lengthy,
                            string_agg(task.json, chr(10)) filter (where task.fits) as lines,
                            array_agg(task.seq) filter (where task.fits) as numbers, array_agg(task.key) as keys, array_agg(task.id) as ids
                        from (
                            select source.*,
                                sum(octet_length(source.json)) over (rows unbounded preceding)
                                    <= greatest(1048576, octet_length(source.json)) as fits
                            from (select endless.* from (
                                select t.json, t.seq, t.id, t.key
                                from (
                                    select t.json, t.seq, t.id, t.completed, t.priority, t.tags, t.title_text, t.tags_text, t.description_text, t.words, t.due_date, t.due_at,
                                        t.due_key, t.updated_at, t.created_at as key
                                    from errand.task as t
                                    where (t.created_at, t.id) < (
                                            case when (p_start).key is null then 'infinity' else (p_start).key::timestamptz end,
                                            case when (p_start).id is null then 'ffffffff-ffff-ffff-ffff-ffffffffffff' else (p_start).id end)
                                    order by t.created_at desc, t.id desc
                                    limit 20000) as t
                                where true and (by_completed is null or t.completed = by_completed)
                                and (by_priorities is null or t.priority = any (by_priorities))
                                and (by_tags is null or t.tags @> by_tags)
                                and (
                                    by_patterns is null
                                    or coalesce(
                                        (strpos(t.title_text, by_word) > 0 or strpos(t.tags_text, by_word) > 0 or strpos(t.description_text, by_word) > 0)
                                            and (
                                                cardinality(by_patterns) = 1
                                                or (t.title_text || t.tags_text || t.description_text) like all (by_patterns)),
                                        t.words @@ by_query))
                                limit 501) as endless limit (p_start).size + 1) as source
                        ) as task) as page);
            end if;
            return answer;
        end if;
        answer := (
            select row (
                case when page.lengthy then null
                    else coalesce(array_to_string(page.numbers[:page.size], ' ') || chr(10) || page.lines, '') end,
                case when page.found > page.size then page.keys[page.size]::text end,
                case when page.found > page.size then page.ids[page.size]::text end)::api.task_page
            from (
                select count(*) as found, (p_start).size as size, bool_or(octet_length(task.json) > 2096) as lengthy,
                    string_agg(case when octet_length(task.json) <= 2096 then task.json end, chr(10)) as lines,
                    array_agg(task.seq) as numbers, array_agg(task.key) as keys, array_agg(task.id) as ids
                from (select source.* from (
                    select t.json, t.seq, t.id, t.created_at as key
                    from errand.task as t
                    where (t.created_at, t.id) < (
                            case when (p_start).key is null then 'infinity' else (p_start).key::timestamptz end,
                            case when (p_start).id is null then 'ffffffff-ffff-ffff-ffff-ffffffffffff' else (p_start).id end) and (by_completed is null or t.completed = by_completed)
                            and (by_priorities is null or t.priority = any (by_priorities))
                            and (by_tags is null or t.tags @> by_tags)
                            and (
                                by_patterns is null
                                or coalesce(
                                    (strpos(t.title_text, by_word) > 0 or strpos(t.tags_text, by_word) > 0 or strpos(t.description_text, by_word) > 0)
                                        and (
                                            cardinality(by_patterns) = 1
                                            or (t.title_text || t.tags_text || t.description_text) like all (by_patterns)),
                                    t.words @@ by_query))
                    order by t.created_at desc, t.id desc
                    limit 501) as source limit (p_start).size + 1) as task) as page);
        if answer.tasks is null then
            answer := (
                select row (
                    case when page.lengthy then null
                        else coalesce(array_to_string(page.numbers[:page.size], ' ') || chr(10) || page.lines, '') end,
                    case when page.found > page.size then page.keys[page.size]::text end,
                    case when page.found > page.size then page.ids[page.size]::text end)::api.task_page
                from (
                    select count(*) as found, least((p_start).size, count(*) filter (where task.fits))::int as size, false as lengthy,
                        string_agg(task.json, chr(10)) filter (where task.fits) as lines,
                        array_agg(task.seq) filter (where task.fits) as numbers, array_agg(task.key) as keys, array_agg(task.id) as ids
                    from (
                        select source.*,
                            sum(octet_length(source.json)) over (rows unbounded preceding)
                                <= greatest(1048576, octet_length(source.json)) as fits
                        from (select endless.* from (
                            select t.json, t.seq, t.id, t.created_at as key
                            from errand.task as t
                            where (t.created_at, t.id) < (
                                    case when (p_start).key is null then 'infinity' else (p_start).key::timestamptz end,
                                    case when (p_start).id is null then 'ffffffff-ffff-ffff-ffff-ffffffffffff' else (p_start).id end) and (by_completed is null or t.completed = by_completed)
                                    and (by_priorities is null or t.priority = any (by_priorities))
                                    and (by_tags is null or t.tags @> by_tags)
                                    and (
                                        by_patterns is null
                                        or coalesce(
                                            (strpos(t.title_text, by_word) > 0 or strpos(t.tags_text, by_word) > 0 or strpos(t.description_text, by_word) > 0)
                                                and (
                                                    cardinality(by_patterns) = 1
                                                    or (t.title_text || t.tags_text || t.description_text) like all (by_patterns)),
                                            t.words @@ by_query))
                            order by t.created_at desc, t.id desc
                            limit 501) as endless limit (p_start).size + 1) as source
                    ) as task) as page);
        end if;
        return answer;
    end;
end
$$;

create or replace function errand.short_page_by_created_at_desc(p_start api.task_page_start, p_filter errand.task_filter)
returns api.task_page language plpgsql stable set enable_sort = off as $$
declare
    answer api.task_page;
    by_completed constant boolean := p_filter.completed;
    by_priorities constant smallint[] := p_filter.priorities;
begin
    answer := (
        select row (
            case when page.lengthy then null
                else coalesce(array_to_string(page.numbers[:page.size], ' ') || chr(10) || page.lines, '') end,
            case when page.found > page.size then page.keys[page.size]::text end,
            case when page.found > page.size then page.ids[page.size]::text end)::api.task_page
        from (
            select count(*) as found, (p_start).size as size, bool_or(octet_length(task.json) > 2096) as lengthy,
                string_agg(case when octet_length(task.json) <= 2096 then task.json end, chr(10)) as lines,
                array_agg(task.seq) as numbers, array_agg(task.key) as keys, array_agg(task.id) as ids
            from (select source.* from (
                select t.json, t.seq, t.id, t.key
                from (
                    select t.json, t.seq, t.id, t.completed, t.priority, t.tags, t.title_text, t.tags_text, t.description_text, t.words, t.due_date, t.due_at,
                        t.due_key, t.updated_at, t.created_at as key
                    from errand.task as t
                    where (t.created_at, t.id) < (
                            case when (p_start).key is null then 'infinity' else (p_start).key::timestamptz end,
                            case when (p_start).id is null then 'ffffffff-ffff-ffff-ffff-ffffffffffff' else (p_start).id end)
                    order by t.created_at desc, t.id desc
                    limit 500) as t
                where true and (by_completed is null or t.completed = by_completed)
                and (by_priorities is null or t.priority = any (by_priorities))
                limit 501) as source limit (p_start).size + 1) as task) as page);
    if answer.tasks is null then
        answer := (
            select row (
                case when page.lengthy then null
                    else coalesce(array_to_string(page.numbers[:page.size], ' ') || chr(10) || page.lines, '') end,
                case when page.found > page.size then page.keys[page.size]::text end,
                case when page.found > page.size then page.ids[page.size]::text end)::api.task_page
            from (
                select count(*) as found, least((p_start).size, count(*) filter (where task.fits))::int as size, false as lengthy,
                    string_agg(task.json, chr(10)) filter (where task.fits) as lines,
                    array_agg(task.seq) filter (where task.fits) as numbers, array_agg(task.key) as keys, array_agg(task.id) as ids
                from (
                    select source.*,
                        sum(octet_length(source.json)) over (rows unbounded preceding)
                            <= greatest(1048576, octet_length(source.json)) as fits
                    from (select endless.* from (
                        select t.json, t.seq, t.id, t.key
                        from (
                            select t.json, t.seq, t.id, t.completed, t.priority, t.tags, t.title_text, t.tags_text, t.description_text, t.words, t.due_date, t.due_at,
                                t.due_key, t.updated_at, t.created_at as key
                            from errand.task as t
                            where (t.created_at, t.id) < (
                                    case when (p_start).key is null then 'infinity' else (p_start).key::timestamptz end,
                                    case when (p_start).id is null then 'ffffffff-ffff-ffff-ffff-ffffffffffff' else (p_start).id end)
                            order by t.created_at desc, t.id desc
                            limit 500) as t
                        where true and (by_completed is null or t.completed = by_completed)
                        and (by_priorities is null or t.priority = any (by_priorities))
                        limit 501) as endless limit (p_start).size + 1) as source
                ) as task) as page);
    end if;
    if answer.last_id is null and exists (select from (
        select t.id, t.created_at as key
        from errand.task as t
        where (t.created_at, t.id) < (
                case when (p_start).key is null then 'infinity' else (p_start).key::timestamptz end,
                case when (p_start).id is null then 'ffffffff-ffff-ffff-ffff-ffffffffffff' else (p_start).id end)
        order by t.created_at desc, t.id desc
        limit 500) as walk offset 499) then
        answer.tasks := null;
    end if;
    return answer;
end
$$;

create or replace function errand.found_page_by_created_at_desc(p_start api.task_page_start, p_filter errand.task_filter)
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
        select row (
            case when page.lengthy then null
                else coalesce(array_to_string(page.numbers[:page.size], ' ') || chr(10) || page.lines, '') end,
            case when page.found > page.size then page.keys[page.size]::text end,
            case when page.found > page.size then page.ids[page.size]::text end)::api.task_page
        from (
            select count(*) as found, (p_start).size as size, bool_or(octet_length(task.json) > 2096) as lengthy,
                string_agg(case when octet_length(task.json) <= 2096 then task.json end, chr(10)) as lines,
                array_agg(task.seq) as numbers, array_agg(task.key) as keys, array_agg(task.id) as ids
            from (select source.* from (
                select t.json, t.seq, t.id, t.created_at as key
                from errand.task as t
                where t.id = any (by_candidates)
                    and (t.created_at, t.id) < (
                        case when (p_start).key is null then 'infinity' else (p_start).key::timestamptz end,
                        case when (p_start).id is null then 'ffffffff-ffff-ffff-ffff-ffffffffffff' else (p_start).id end) and (by_completed is null or t.completed = by_completed)
                        and (by_priorities is null or t.priority = any (by_priorities))
                        and (by_tags is null or t.tags @> by_tags)
                        and (
                            by_patterns is null
                            or coalesce(
                                (strpos(t.title_text, by_word) > 0 or strpos(t.tags_text, by_word) > 0 or strpos(t.description_text, by_word) > 0)
                                    and (
                                        cardinality(by_patterns) = 1
                                        or (t.title_text || t.tags_text || t.description_text) like all (by_patterns)),
                                t.words @@ by_query))
                order by t.created_at desc, t.id desc
                limit 501) as source limit (p_start).size + 1) as task) as page);
    if answer.tasks is null then
        answer := (
            select row (
                case when page.lengthy then null
                    else coalesce(array_to_string(page.numbers[:page.size], ' ') || chr(10) || page.lines, '') end,
                case when page.found > page.size then page.keys[page.size]::text end,
                case when page.found > page.size then page.ids[page.size]::text end)::api.task_page
            from (
                select count(*) as found, least((p_start).size, count(*) filter (where task.fits))::int as size, false as lengthy,
                    string_agg(task.json, chr(10)) filter (where task.fits) as lines,
                    array_agg(task.seq) filter (where task.fits) as numbers, array_agg(task.key) as keys, array_agg(task.id) as ids
                from (
                    select source.*,
                        sum(octet_length(source.json)) over (rows unbounded preceding)
                            <= greatest(1048576, octet_length(source.json)) as fits
                    from (select endless.* from (
                        select t.json, t.seq, t.id, t.created_at as key
                        from errand.task as t
                        where t.id = any (by_candidates)
                            and (t.created_at, t.id) < (
                                case when (p_start).key is null then 'infinity' else (p_start).key::timestamptz end,
                                case when (p_start).id is null then 'ffffffff-ffff-ffff-ffff-ffffffffffff' else (p_start).id end) and (by_completed is null or t.completed = by_completed)
                                and (by_priorities is null or t.priority = any (by_priorities))
                                and (by_tags is null or t.tags @> by_tags)
                                and (
                                    by_patterns is null
                                    or coalesce(
                                        (strpos(t.title_text, by_word) > 0 or strpos(t.tags_text, by_word) > 0 or strpos(t.description_text, by_word) > 0)
                                            and (
                                                cardinality(by_patterns) = 1
                                                or (t.title_text || t.tags_text || t.description_text) like all (by_patterns)),
                                        t.words @@ by_query))
                        order by t.created_at desc, t.id desc
                        limit 501) as endless limit (p_start).size + 1) as source
                ) as task) as page);
    end if;
    return answer;
end
$$;

create or replace function errand.page_by_created_at_asc(p_start api.task_page_start, p_filter errand.task_filter, p_ends boolean)
returns api.task_page language plpgsql stable set enable_sort = off as $$
declare
    answer api.task_page;
begin
    if p_filter is null then
        answer := (
            select row (
                case when page.lengthy then null
                    else coalesce(array_to_string(page.numbers[:page.size], ' ') || chr(10) || page.lines, '') end,
                case when page.found > page.size then page.keys[page.size]::text end,
                case when page.found > page.size then page.ids[page.size]::text end)::api.task_page
            from (
                select count(*) as found, (p_start).size as size, bool_or(octet_length(task.json) > 2096) as lengthy,
                    string_agg(case when octet_length(task.json) <= 2096 then task.json end, chr(10)) as lines,
                    array_agg(task.seq) as numbers, array_agg(task.key) as keys, array_agg(task.id) as ids
                from (select source.* from (
                    select t.json, t.seq, t.id, t.created_at as key
                    from errand.task as t
                    where (t.created_at, t.id) > (
                            case when (p_start).key is null then '-infinity' else (p_start).key::timestamptz end,
                            case when (p_start).id is null then '00000000-0000-0000-0000-000000000000' else (p_start).id end)
                    order by t.created_at asc, t.id asc
                    limit 501) as source limit (p_start).size + 1) as task) as page);
        if answer.tasks is null then
            answer := (
                select row (
                    case when page.lengthy then null
                        else coalesce(array_to_string(page.numbers[:page.size], ' ') || chr(10) || page.lines, '') end,
                    case when page.found > page.size then page.keys[page.size]::text end,
                    case when page.found > page.size then page.ids[page.size]::text end)::api.task_page
                from (
                    select count(*) as found, least((p_start).size, count(*) filter (where task.fits))::int as size, false as lengthy,
                        string_agg(task.json, chr(10)) filter (where task.fits) as lines,
                        array_agg(task.seq) filter (where task.fits) as numbers, array_agg(task.key) as keys, array_agg(task.id) as ids
                    from (
                        select source.*,
                            sum(octet_length(source.json)) over (rows unbounded preceding)
                                <= greatest(1048576, octet_length(source.json)) as fits
                        from (select endless.* from (
                            select t.json, t.seq, t.id, t.created_at as key
                            from errand.task as t
                            where (t.created_at, t.id) > (
                                    case when (p_start).key is null then '-infinity' else (p_start).key::timestamptz end,
                                    case when (p_start).id is null then '00000000-0000-0000-0000-000000000000' else (p_start).id end)
                            order by t.created_at asc, t.id asc
                            limit 501) as endless limit (p_start).size + 1) as source
                    ) as task) as page);
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
                select row (
                    case when page.lengthy then null
                        else coalesce(array_to_string(page.numbers[:page.size], ' ') || chr(10) || page.lines, '') end,
                    case when page.found > page.size then page.keys[page.size]::text end,
                    case when page.found > page.size then page.ids[page.size]::text end)::api.task_page
                from (
                    select count(*) as found, (p_start).size as size, bool_or(octet_length(task.json) > 2096) as lengthy,
                        string_agg(case when octet_length(task.json) <= 2096 then task.json end, chr(10)) as lines,
                        array_agg(task.seq) as numbers, array_agg(task.key) as keys, array_agg(task.id) as ids
                    from (select source.* from (
                        select t.json, t.seq, t.id, t.key
                        from (
                            select t.json, t.seq, t.id, t.completed, t.priority, t.tags, t.title_text, t.tags_text, t.description_text, t.words, t.due_date, t.due_at,
                                t.due_key, t.updated_at, t.created_at as key
                            from errand.task as t
                            where (t.created_at, t.id) > (
                                    case when (p_start).key is null then '-infinity' else (p_start).key::timestamptz end,
                                    case when (p_start).id is null then '00000000-0000-0000-0000-000000000000' else (p_start).id end)
                            order by t.created_at asc, t.id asc
                            limit 20000) as t
                        where true and (by_completed is null or t.completed = by_completed)
                        and (by_priorities is null or t.priority = any (by_priorities))
                        and (by_tags is null or t.tags @> by_tags)
                        and (
                            by_patterns is null
                            or coalesce(
                                (strpos(t.title_text, by_word) > 0 or strpos(t.tags_text, by_word) > 0 or strpos(t.description_text, by_word) > 0)
                                    and (
                                        cardinality(by_patterns) = 1
                                        or (t.title_text || t.tags_text || t.description_text) like all (by_patterns)),
                                t.words @@ by_query))
                        limit 501) as source limit (p_start).size + 1) as task) as page);
            if answer.tasks is null then
                answer := (
                    select row (
                        case when page.lengthy then null
                            else coalesce(array_to_string(page.numbers[:page.size], ' ') || chr(10) || page.lines, '') end,
                        case when page.found > page.size then page.keys[page.size]::text end,
                        case when page.found > page.size then page.ids[page.size]::text end)::api.task_page
                    from (
                        select count(*) as found, least((p_start).size, count(*) filter (where task.fits))::int as size, false as lengthy,
                            string_agg(task.json, chr(10)) filter (where task.fits) as lines,
                            array_agg(task.seq) filter (where task.fits) as numbers, array_agg(task.key) as keys, array_agg(task.id) as ids
                        from (
                            select source.*,
                                sum(octet_length(source.json)) over (rows unbounded preceding)
                                    <= greatest(1048576, octet_length(source.json)) as fits
                            from (select endless.* from (
                                select t.json, t.seq, t.id, t.key
                                from (
                                    select t.json, t.seq, t.id, t.completed, t.priority, t.tags, t.title_text, t.tags_text, t.description_text, t.words, t.due_date, t.due_at,
                                        t.due_key, t.updated_at, t.created_at as key
                                    from errand.task as t
                                    where (t.created_at, t.id) > (
                                            case when (p_start).key is null then '-infinity' else (p_start).key::timestamptz end,
                                            case when (p_start).id is null then '00000000-0000-0000-0000-000000000000' else (p_start).id end)
                                    order by t.created_at asc, t.id asc
                                    limit 20000) as t
                                where true and (by_completed is null or t.completed = by_completed)
                                and (by_priorities is null or t.priority = any (by_priorities))
                                and (by_tags is null or t.tags @> by_tags)
                                and (
                                    by_patterns is null
                                    or coalesce(
                                        (strpos(t.title_text, by_word) > 0 or strpos(t.tags_text, by_word) > 0 or strpos(t.description_text, by_word) > 0)
                                            and (
                                                cardinality(by_patterns) = 1
                                                or (t.title_text || t.tags_text || t.description_text) like all (by_patterns)),
                                        t.words @@ by_query))
                                limit 501) as endless limit (p_start).size + 1) as source
                        ) as task) as page);
            end if;
            return answer;
        end if;
        answer := (
            select row (
                case when page.lengthy then null
                    else coalesce(array_to_string(page.numbers[:page.size], ' ') || chr(10) || page.lines, '') end,
                case when page.found > page.size then page.keys[page.size]::text end,
                case when page.found > page.size then page.ids[page.size]::text end)::api.task_page
            from (
                select count(*) as found, (p_start).size as size, bool_or(octet_length(task.json) > 2096) as lengthy,
                    string_agg(case when octet_length(task.json) <= 2096 then task.json end, chr(10)) as lines,
                    array_agg(task.seq) as numbers, array_agg(task.key) as keys, array_agg(task.id) as ids
                from (select source.* from (
                    select t.json, t.seq, t.id, t.created_at as key
                    from errand.task as t
                    where (t.created_at, t.id) > (
                            case when (p_start).key is null then '-infinity' else (p_start).key::timestamptz end,
                            case when (p_start).id is null then '00000000-0000-0000-0000-000000000000' else (p_start).id end) and (by_completed is null or t.completed = by_completed)
                            and (by_priorities is null or t.priority = any (by_priorities))
                            and (by_tags is null or t.tags @> by_tags)
                            and (
                                by_patterns is null
                                or coalesce(
                                    (strpos(t.title_text, by_word) > 0 or strpos(t.tags_text, by_word) > 0 or strpos(t.description_text, by_word) > 0)
                                        and (
                                            cardinality(by_patterns) = 1
                                            or (t.title_text || t.tags_text || t.description_text) like all (by_patterns)),
                                    t.words @@ by_query))
                    order by t.created_at asc, t.id asc
                    limit 501) as source limit (p_start).size + 1) as task) as page);
        if answer.tasks is null then
            answer := (
                select row (
                    case when page.lengthy then null
                        else coalesce(array_to_string(page.numbers[:page.size], ' ') || chr(10) || page.lines, '') end,
                    case when page.found > page.size then page.keys[page.size]::text end,
                    case when page.found > page.size then page.ids[page.size]::text end)::api.task_page
                from (
                    select count(*) as found, least((p_start).size, count(*) filter (where task.fits))::int as size, false as lengthy,
                        string_agg(task.json, chr(10)) filter (where task.fits) as lines,
                        array_agg(task.seq) filter (where task.fits) as numbers, array_agg(task.key) as keys, array_agg(task.id) as ids
                    from (
                        select source.*,
                            sum(octet_length(source.json)) over (rows unbounded preceding)
                                <= greatest(1048576, octet_length(source.json)) as fits
                        from (select endless.* from (
                            select t.json, t.seq, t.id, t.created_at as key
                            from errand.task as t
                            where (t.created_at, t.id) > (
                                    case when (p_start).key is null then '-infinity' else (p_start).key::timestamptz end,
                                    case when (p_start).id is null then '00000000-0000-0000-0000-000000000000' else (p_start).id end) and (by_completed is null or t.completed = by_completed)
                                    and (by_priorities is null or t.priority = any (by_priorities))
                                    and (by_tags is null or t.tags @> by_tags)
                                    and (
                                        by_patterns is null
                                        or coalesce(
                                            (strpos(t.title_text, by_word) > 0 or strpos(t.tags_text, by_word) > 0 or strpos(t.description_text, by_word) > 0)
                                                and (
                                                    cardinality(by_patterns) = 1
                                                    or (t.title_text || t.tags_text || t.description_text) like all (by_patterns)),
                                            t.words @@ by_query))
                            order by t.created_at asc, t.id asc
                            limit 501) as endless limit (p_start).size + 1) as source
                    ) as task) as page);
        end if;
        return answer;
    end;
end
$$;

create or replace function errand.short_page_by_created_at_asc(p_start api.task_page_start, p_filter errand.task_filter)
returns api.task_page language plpgsql stable set enable_sort = off as $$
declare
    answer api.task_page;
    by_completed constant boolean := p_filter.completed;
    by_priorities constant smallint[] := p_filter.priorities;
begin
    answer := (
        select row (
            case when page.lengthy then null
                else coalesce(array_to_string(page.numbers[:page.size], ' ') || chr(10) || page.lines, '') end,
            case when page.found > page.size then page.keys[page.size]::text end,
            case when page.found > page.size then page.ids[page.size]::text end)::api.task_page
        from (
            select count(*) as found, (p_start).size as size, bool_or(octet_length(task.json) > 2096) as lengthy,
                string_agg(case when octet_length(task.json) <= 2096 then task.json end, chr(10)) as lines,
                array_agg(task.seq) as numbers, array_agg(task.key) as keys, array_agg(task.id) as ids
            from (select source.* from (
                select t.json, t.seq, t.id, t.key
                from (
                    select t.json, t.seq, t.id, t.completed, t.priority, t.tags, t.title_text, t.tags_text, t.description_text, t.words, t.due_date, t.due_at,
                        t.due_key, t.updated_at, t.created_at as key
                    from errand.task as t
                    where (t.created_at, t.id) > (
                            case when (p_start).key is null then '-infinity' else (p_start).key::timestamptz end,
                            case when (p_start).id is null then '00000000-0000-0000-0000-000000000000' else (p_start).id end)
                    order by t.created_at asc, t.id asc
                    limit 500) as t
                where true and (by_completed is null or t.completed = by_completed)
                and (by_priorities is null or t.priority = any (by_priorities))
                limit 501) as source limit (p_start).size + 1) as task) as page);
    if answer.tasks is null then
        answer := (
            select row (
                case when page.lengthy then null
                    else coalesce(array_to_string(page.numbers[:page.size], ' ') || chr(10) || page.lines, '') end,
                case when page.found > page.size then page.keys[page.size]::text end,
                case when page.found > page.size then page.ids[page.size]::text end)::api.task_page
            from (
                select count(*) as found, least((p_start).size, count(*) filter (where task.fits))::int as size, false as lengthy,
                    string_agg(task.json, chr(10)) filter (where task.fits) as lines,
                    array_agg(task.seq) filter (where task.fits) as numbers, array_agg(task.key) as keys, array_agg(task.id) as ids
                from (
                    select source.*,
                        sum(octet_length(source.json)) over (rows unbounded preceding)
                            <= greatest(1048576, octet_length(source.json)) as fits
                    from (select endless.* from (
                        select t.json, t.seq, t.id, t.key
                        from (
                            select t.json, t.seq, t.id, t.completed, t.priority, t.tags, t.title_text, t.tags_text, t.description_text, t.words, t.due_date, t.due_at,
                                t.due_key, t.updated_at, t.created_at as key
                            from errand.task as t
                            where (t.created_at, t.id) > (
                                    case when (p_start).key is null then '-infinity' else (p_start).key::timestamptz end,
                                    case when (p_start).id is null then '00000000-0000-0000-0000-000000000000' else (p_start).id end)
                            order by t.created_at asc, t.id asc
                            limit 500) as t
                        where true and (by_completed is null or t.completed = by_completed)
                        and (by_priorities is null or t.priority = any (by_priorities))
                        limit 501) as endless limit (p_start).size + 1) as source
                ) as task) as page);
    end if;
    if answer.last_id is null and exists (select from (
        select t.id, t.created_at as key
        from errand.task as t
        where (t.created_at, t.id) > (
                case when (p_start).key is null then '-infinity' else (p_start).key::timestamptz end,
                case when (p_start).id is null then '00000000-0000-0000-0000-000000000000' else (p_start).id end)
        order by t.created_at asc, t.id asc
        limit 500) as walk offset 499) then
        answer.tasks := null;
    end if;
    return answer;
end
$$;

create or replace function errand.found_page_by_created_at_asc(p_start api.task_page_start, p_filter errand.task_filter)
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
        select row (
            case when page.lengthy then null
                else coalesce(array_to_string(page.numbers[:page.size], ' ') || chr(10) || page.lines, '') end,
            case when page.found > page.size then page.keys[page.size]::text end,
            case when page.found > page.size then page.ids[page.size]::text end)::api.task_page
        from (
            select count(*) as found, (p_start).size as size, bool_or(octet_length(task.json) > 2096) as lengthy,
                string_agg(case when octet_length(task.json) <= 2096 then task.json end, chr(10)) as lines,
                array_agg(task.seq) as numbers, array_agg(task.key) as keys, array_agg(task.id) as ids
            from (select source.* from (
                select t.json, t.seq, t.id, t.created_at as key
                from errand.task as t
                where t.id = any (by_candidates)
                    and (t.created_at, t.id) > (
                        case when (p_start).key is null then '-infinity' else (p_start).key::timestamptz end,
                        case when (p_start).id is null then '00000000-0000-0000-0000-000000000000' else (p_start).id end) and (by_completed is null or t.completed = by_completed)
                        and (by_priorities is null or t.priority = any (by_priorities))
                        and (by_tags is null or t.tags @> by_tags)
                        and (
                            by_patterns is null
                            or coalesce(
                                (strpos(t.title_text, by_word) > 0 or strpos(t.tags_text, by_word) > 0 or strpos(t.description_text, by_word) > 0)
                                    and (
                                        cardinality(by_patterns) = 1
                                        or (t.title_text || t.tags_text || t.description_text) like all (by_patterns)),
                                t.words @@ by_query))
                order by t.created_at asc, t.id asc
                limit 501) as source limit (p_start).size + 1) as task) as page);
    if answer.tasks is null then
        answer := (
            select row (
                case when page.lengthy then null
                    else coalesce(array_to_string(page.numbers[:page.size], ' ') || chr(10) || page.lines, '') end,
                case when page.found > page.size then page.keys[page.size]::text end,
                case when page.found > page.size then page.ids[page.size]::text end)::api.task_page
            from (
                select count(*) as found, least((p_start).size, count(*) filter (where task.fits))::int as size, false as lengthy,
                    string_agg(task.json, chr(10)) filter (where task.fits) as lines,
                    array_agg(task.seq) filter (where task.fits) as numbers, array_agg(task.key) as keys, array_agg(task.id) as ids
                from (
                    select source.*,
                        sum(octet_length(source.json)) over (rows unbounded preceding)
                            <= greatest(1048576, octet_length(source.json)) as fits
                    from (select endless.* from (
                        select t.json, t.seq, t.id, t.created_at as key
                        from errand.task as t
                        where t.id = any (by_candidates)
                            and (t.created_at, t.id) > (
                                case when (p_start).key is null then '-infinity' else (p_start).key::timestamptz end,
                                case when (p_start).id is null then '00000000-0000-0000-0000-000000000000' else (p_start).id end) and (by_completed is null or t.completed = by_completed)
                                and (by_priorities is null or t.priority = any (by_priorities))
                                and (by_tags is null or t.tags @> by_tags)
                                and (
                                    by_patterns is null
                                    or coalesce(
                                        (strpos(t.title_text, by_word) > 0 or strpos(t.tags_text, by_word) > 0 or strpos(t.description_text, by_word) > 0)
                                            and (
                                                cardinality(by_patterns) = 1
                                                or (t.title_text || t.tags_text || t.description_text) like all (by_patterns)),
                                        t.words @@ by_query))
                        order by t.created_at asc, t.id asc
                        limit 501) as endless limit (p_start).size + 1) as source
                ) as task) as page);
    end if;
    return answer;
end
$$;

create or replace function errand.page_by_updated_at_desc(p_start api.task_page_start, p_filter errand.task_filter, p_ends boolean)
returns api.task_page language plpgsql stable set enable_sort = off as $$
declare
    answer api.task_page;
begin
    if p_filter is null then
        answer := (
            select row (
                case when page.lengthy then null
                    else coalesce(array_to_string(page.numbers[:page.size], ' ') || chr(10) || page.lines, '') end,
                case when page.found > page.size then page.keys[page.size]::text end,
                case when page.found > page.size then page.ids[page.size]::text end)::api.task_page
            from (
                select count(*) as found, (p_start).size as size, bool_or(octet_length(task.json) > 2096) as lengthy,
                    string_agg(case when octet_length(task.json) <= 2096 then task.json end, chr(10)) as lines,
                    array_agg(task.seq) as numbers, array_agg(task.key) as keys, array_agg(task.id) as ids
                from (select source.* from (
                    select t.json, t.seq, t.id, t.updated_at as key
                    from errand.task as t
                    where (t.updated_at, t.id) < (
                            case when (p_start).key is null then 'infinity' else (p_start).key::timestamptz end,
                            case when (p_start).id is null then 'ffffffff-ffff-ffff-ffff-ffffffffffff' else (p_start).id end)
                    order by t.updated_at desc, t.id desc
                    limit 501) as source limit (p_start).size + 1) as task) as page);
        if answer.tasks is null then
            answer := (
                select row (
                    case when page.lengthy then null
                        else coalesce(array_to_string(page.numbers[:page.size], ' ') || chr(10) || page.lines, '') end,
                    case when page.found > page.size then page.keys[page.size]::text end,
                    case when page.found > page.size then page.ids[page.size]::text end)::api.task_page
                from (
                    select count(*) as found, least((p_start).size, count(*) filter (where task.fits))::int as size, false as lengthy,
                        string_agg(task.json, chr(10)) filter (where task.fits) as lines,
                        array_agg(task.seq) filter (where task.fits) as numbers, array_agg(task.key) as keys, array_agg(task.id) as ids
                    from (
                        select source.*,
                            sum(octet_length(source.json)) over (rows unbounded preceding)
                                <= greatest(1048576, octet_length(source.json)) as fits
                        from (select endless.* from (
                            select t.json, t.seq, t.id, t.updated_at as key
                            from errand.task as t
                            where (t.updated_at, t.id) < (
                                    case when (p_start).key is null then 'infinity' else (p_start).key::timestamptz end,
                                    case when (p_start).id is null then 'ffffffff-ffff-ffff-ffff-ffffffffffff' else (p_start).id end)
                            order by t.updated_at desc, t.id desc
                            limit 501) as endless limit (p_start).size + 1) as source
                    ) as task) as page);
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
                select row (
                    case when page.lengthy then null
                        else coalesce(array_to_string(page.numbers[:page.size], ' ') || chr(10) || page.lines, '') end,
                    case when page.found > page.size then page.keys[page.size]::text end,
                    case when page.found > page.size then page.ids[page.size]::text end)::api.task_page
                from (
                    select count(*) as found, (p_start).size as size, bool_or(octet_length(task.json) > 2096) as lengthy,
                        string_agg(case when octet_length(task.json) <= 2096 then task.json end, chr(10)) as lines,
                        array_agg(task.seq) as numbers, array_agg(task.key) as keys, array_agg(task.id) as ids
                    from (select source.* from (
                        select t.json, t.seq, t.id, t.key
                        from (
                            select t.json, t.seq, t.id, t.completed, t.priority, t.tags, t.title_text, t.tags_text, t.description_text, t.words, t.due_date, t.due_at,
                                t.due_key, t.updated_at, t.updated_at as key
                            from errand.task as t
                            where (t.updated_at, t.id) < (
                                    case when (p_start).key is null then 'infinity' else (p_start).key::timestamptz end,
                                    case when (p_start).id is null then 'ffffffff-ffff-ffff-ffff-ffffffffffff' else (p_start).id end)
                            order by t.updated_at desc, t.id desc
                            limit 20000) as t
                        where true and (by_completed is null or t.completed = by_completed)
                        and (by_priorities is null or t.priority = any (by_priorities))
                        and (by_tags is null or t.tags @> by_tags)
                        and (
                            by_patterns is null
                            or coalesce(
                                (strpos(t.title_text, by_word) > 0 or strpos(t.tags_text, by_word) > 0 or strpos(t.description_text, by_word) > 0)
                                    and (
                                        cardinality(by_patterns) = 1
                                        or (t.title_text || t.tags_text || t.description_text) like all (by_patterns)),
                                t.words @@ by_query))
                        limit 501) as source limit (p_start).size + 1) as task) as page);
            if answer.tasks is null then
                answer := (
                    select row (
                        case when page.lengthy then null
                            else coalesce(array_to_string(page.numbers[:page.size], ' ') || chr(10) || page.lines, '') end,
                        case when page.found > page.size then page.keys[page.size]::text end,
                        case when page.found > page.size then page.ids[page.size]::text end)::api.task_page
                    from (
                        select count(*) as found, least((p_start).size, count(*) filter (where task.fits))::int as size, false as lengthy,
                            string_agg(task.json, chr(10)) filter (where task.fits) as lines,
                            array_agg(task.seq) filter (where task.fits) as numbers, array_agg(task.key) as keys, array_agg(task.id) as ids
                        from (
                            select source.*,
                                sum(octet_length(source.json)) over (rows unbounded preceding)
                                    <= greatest(1048576, octet_length(source.json)) as fits
                            from (select endless.* from (
                                select t.json, t.seq, t.id, t.key
                                from (
                                    select t.json, t.seq, t.id, t.completed, t.priority, t.tags, t.title_text, t.tags_text, t.description_text, t.words, t.due_date, t.due_at,
                                        t.due_key, t.updated_at, t.updated_at as key
                                    from errand.task as t
                                    where (t.updated_at, t.id) < (
                                            case when (p_start).key is null then 'infinity' else (p_start).key::timestamptz end,
                                            case when (p_start).id is null then 'ffffffff-ffff-ffff-ffff-ffffffffffff' else (p_start).id end)
                                    order by t.updated_at desc, t.id desc
                                    limit 20000) as t
                                where true and (by_completed is null or t.completed = by_completed)
                                and (by_priorities is null or t.priority = any (by_priorities))
                                and (by_tags is null or t.tags @> by_tags)
                                and (
                                    by_patterns is null
                                    or coalesce(
                                        (strpos(t.title_text, by_word) > 0 or strpos(t.tags_text, by_word) > 0 or strpos(t.description_text, by_word) > 0)
                                            and (
                                                cardinality(by_patterns) = 1
                                                or (t.title_text || t.tags_text || t.description_text) like all (by_patterns)),
                                        t.words @@ by_query))
                                limit 501) as endless limit (p_start).size + 1) as source
                        ) as task) as page);
            end if;
            return answer;
        end if;
        answer := (
            select row (
                case when page.lengthy then null
                    else coalesce(array_to_string(page.numbers[:page.size], ' ') || chr(10) || page.lines, '') end,
                case when page.found > page.size then page.keys[page.size]::text end,
                case when page.found > page.size then page.ids[page.size]::text end)::api.task_page
            from (
                select count(*) as found, (p_start).size as size, bool_or(octet_length(task.json) > 2096) as lengthy,
                    string_agg(case when octet_length(task.json) <= 2096 then task.json end, chr(10)) as lines,
                    array_agg(task.seq) as numbers, array_agg(task.key) as keys, array_agg(task.id) as ids
                from (select source.* from (
                    select t.json, t.seq, t.id, t.updated_at as key
                    from errand.task as t
                    where (t.updated_at, t.id) < (
                            case when (p_start).key is null then 'infinity' else (p_start).key::timestamptz end,
                            case when (p_start).id is null then 'ffffffff-ffff-ffff-ffff-ffffffffffff' else (p_start).id end) and (by_completed is null or t.completed = by_completed)
                            and (by_priorities is null or t.priority = any (by_priorities))
                            and (by_tags is null or t.tags @> by_tags)
                            and (
                                by_patterns is null
                                or coalesce(
                                    (strpos(t.title_text, by_word) > 0 or strpos(t.tags_text, by_word) > 0 or strpos(t.description_text, by_word) > 0)
                                        and (
                                            cardinality(by_patterns) = 1
                                            or (t.title_text || t.tags_text || t.description_text) like all (by_patterns)),
                                    t.words @@ by_query))
                    order by t.updated_at desc, t.id desc
                    limit 501) as source limit (p_start).size + 1) as task) as page);
        if answer.tasks is null then
            answer := (
                select row (
                    case when page.lengthy then null
                        else coalesce(array_to_string(page.numbers[:page.size], ' ') || chr(10) || page.lines, '') end,
                    case when page.found > page.size then page.keys[page.size]::text end,
                    case when page.found > page.size then page.ids[page.size]::text end)::api.task_page
                from (
                    select count(*) as found, least((p_start).size, count(*) filter (where task.fits))::int as size, false as lengthy,
                        string_agg(task.json, chr(10)) filter (where task.fits) as lines,
                        array_agg(task.seq) filter (where task.fits) as numbers, array_agg(task.key) as keys, array_agg(task.id) as ids
                    from (
                        select source.*,
                            sum(octet_length(source.json)) over (rows unbounded preceding)
                                <= greatest(1048576, octet_length(source.json)) as fits
                        from (select endless.* from (
                            select t.json, t.seq, t.id, t.updated_at as key
                            from errand.task as t
                            where (t.updated_at, t.id) < (
                                    case when (p_start).key is null then 'infinity' else (p_start).key::timestamptz end,
                                    case when (p_start).id is null then 'ffffffff-ffff-ffff-ffff-ffffffffffff' else (p_start).id end) and (by_completed is null or t.completed = by_completed)
                                    and (by_priorities is null or t.priority = any (by_priorities))
                                    and (by_tags is null or t.tags @> by_tags)
                                    and (
                                        by_patterns is null
                                        or coalesce(
                                            (strpos(t.title_text, by_word) > 0 or strpos(t.tags_text, by_word) > 0 or strpos(t.description_text, by_word) > 0)
                                                and (
                                                    cardinality(by_patterns) = 1
                                                    or (t.title_text || t.tags_text || t.description_text) like all (by_patterns)),
                                            t.words @@ by_query))
                            order by t.updated_at desc, t.id desc
                            limit 501) as endless limit (p_start).size + 1) as source
                    ) as task) as page);
        end if;
        return answer;
    end;
end
$$;

create or replace function errand.short_page_by_updated_at_desc(p_start api.task_page_start, p_filter errand.task_filter)
returns api.task_page language plpgsql stable set enable_sort = off as $$
declare
    answer api.task_page;
    by_completed constant boolean := p_filter.completed;
    by_priorities constant smallint[] := p_filter.priorities;
begin
    answer := (
        select row (
            case when page.lengthy then null
                else coalesce(array_to_string(page.numbers[:page.size], ' ') || chr(10) || page.lines, '') end,
            case when page.found > page.size then page.keys[page.size]::text end,
            case when page.found > page.size then page.ids[page.size]::text end)::api.task_page
        from (
            select count(*) as found, (p_start).size as size, bool_or(octet_length(task.json) > 2096) as lengthy,
                string_agg(case when octet_length(task.json) <= 2096 then task.json end, chr(10)) as lines,
                array_agg(task.seq) as numbers, array_agg(task.key) as keys, array_agg(task.id) as ids
            from (select source.* from (
                select t.json, t.seq, t.id, t.key
                from (
                    select t.json, t.seq, t.id, t.completed, t.priority, t.tags, t.title_text, t.tags_text, t.description_text, t.words, t.due_date, t.due_at,
                        t.due_key, t.updated_at, t.updated_at as key
                    from errand.task as t
                    where (t.updated_at, t.id) < (
                            case when (p_start).key is null then 'infinity' else (p_start).key::timestamptz end,
                            case when (p_start).id is null then 'ffffffff-ffff-ffff-ffff-ffffffffffff' else (p_start).id end)
                    order by t.updated_at desc, t.id desc
                    limit 500) as t
                where true and (by_completed is null or t.completed = by_completed)
                and (by_priorities is null or t.priority = any (by_priorities))
                limit 501) as source limit (p_start).size + 1) as task) as page);
    if answer.tasks is null then
        answer := (
            select row (
                case when page.lengthy then null
                    else coalesce(array_to_string(page.numbers[:page.size], ' ') || chr(10) || page.lines, '') end,
                case when page.found > page.size then page.keys[page.size]::text end,
                case when page.found > page.size then page.ids[page.size]::text end)::api.task_page
            from (
                select count(*) as found, least((p_start).size, count(*) filter (where task.fits))::int as size, false as lengthy,
                    string_agg(task.json, chr(10)) filter (where task.fits) as lines,
                    array_agg(task.seq) filter (where task.fits) as numbers, array_agg(task.key) as keys, array_agg(task.id) as ids
                from (
                    select source.*,
                        sum(octet_length(source.json)) over (rows unbounded preceding)
                            <= greatest(1048576, octet_length(source.json)) as fits
                    from (select endless.* from (
                        select t.json, t.seq, t.id, t.key
                        from (
                            select t.json, t.seq, t.id, t.completed, t.priority, t.tags, t.title_text, t.tags_text, t.description_text, t.words, t.due_date, t.due_at,
                                t.due_key, t.updated_at, t.updated_at as key
                            from errand.task as t
                            where (t.updated_at, t.id) < (
                                    case when (p_start).key is null then 'infinity' else (p_start).key::timestamptz end,
                                    case when (p_start).id is null then 'ffffffff-ffff-ffff-ffff-ffffffffffff' else (p_start).id end)
                            order by t.updated_at desc, t.id desc
                            limit 500) as t
                        where true and (by_completed is null or t.completed = by_completed)
                        and (by_priorities is null or t.priority = any (by_priorities))
                        limit 501) as endless limit (p_start).size + 1) as source
                ) as task) as page);
    end if;
    if answer.last_id is null and exists (select from (
        select t.id, t.updated_at as key
        from errand.task as t
        where (t.updated_at, t.id) < (
                case when (p_start).key is null then 'infinity' else (p_start).key::timestamptz end,
                case when (p_start).id is null then 'ffffffff-ffff-ffff-ffff-ffffffffffff' else (p_start).id end)
        order by t.updated_at desc, t.id desc
        limit 500) as walk offset 499) then
        answer.tasks := null;
    end if;
    return answer;
end
$$;

create or replace function errand.found_page_by_updated_at_desc(p_start api.task_page_start, p_filter errand.task_filter)
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
        select row (
            case when page.lengthy then null
                else coalesce(array_to_string(page.numbers[:page.size], ' ') || chr(10) || page.lines, '') end,
            case when page.found > page.size then page.keys[page.size]::text end,
            case when page.found > page.size then page.ids[page.size]::text end)::api.task_page
        from (
            select count(*) as found, (p_start).size as size, bool_or(octet_length(task.json) > 2096) as lengthy,
                string_agg(case when octet_length(task.json) <= 2096 then task.json end, chr(10)) as lines,
                array_agg(task.seq) as numbers, array_agg(task.key) as keys, array_agg(task.id) as ids
            from (select source.* from (
                select t.json, t.seq, t.id, t.updated_at as key
                from errand.task as t
                where t.id = any (by_candidates)
                    and (t.updated_at, t.id) < (
                        case when (p_start).key is null then 'infinity' else (p_start).key::timestamptz end,
                        case when (p_start).id is null then 'ffffffff-ffff-ffff-ffff-ffffffffffff' else (p_start).id end) and (by_completed is null or t.completed = by_completed)
                        and (by_priorities is null or t.priority = any (by_priorities))
                        and (by_tags is null or t.tags @> by_tags)
                        and (
                            by_patterns is null
                            or coalesce(
                                (strpos(t.title_text, by_word) > 0 or strpos(t.tags_text, by_word) > 0 or strpos(t.description_text, by_word) > 0)
                                    and (
                                        cardinality(by_patterns) = 1
                                        or (t.title_text || t.tags_text || t.description_text) like all (by_patterns)),
                                t.words @@ by_query))
                order by t.updated_at desc, t.id desc
                limit 501) as source limit (p_start).size + 1) as task) as page);
    if answer.tasks is null then
        answer := (
            select row (
                case when page.lengthy then null
                    else coalesce(array_to_string(page.numbers[:page.size], ' ') || chr(10) || page.lines, '') end,
                case when page.found > page.size then page.keys[page.size]::text end,
                case when page.found > page.size then page.ids[page.size]::text end)::api.task_page
            from (
                select count(*) as found, least((p_start).size, count(*) filter (where task.fits))::int as size, false as lengthy,
                    string_agg(task.json, chr(10)) filter (where task.fits) as lines,
                    array_agg(task.seq) filter (where task.fits) as numbers, array_agg(task.key) as keys, array_agg(task.id) as ids
                from (
                    select source.*,
                        sum(octet_length(source.json)) over (rows unbounded preceding)
                            <= greatest(1048576, octet_length(source.json)) as fits
                    from (select endless.* from (
                        select t.json, t.seq, t.id, t.updated_at as key
                        from errand.task as t
                        where t.id = any (by_candidates)
                            and (t.updated_at, t.id) < (
                                case when (p_start).key is null then 'infinity' else (p_start).key::timestamptz end,
                                case when (p_start).id is null then 'ffffffff-ffff-ffff-ffff-ffffffffffff' else (p_start).id end) and (by_completed is null or t.completed = by_completed)
                                and (by_priorities is null or t.priority = any (by_priorities))
                                and (by_tags is null or t.tags @> by_tags)
                                and (
                                    by_patterns is null
                                    or coalesce(
                                        (strpos(t.title_text, by_word) > 0 or strpos(t.tags_text, by_word) > 0 or strpos(t.description_text, by_word) > 0)
                                            and (
                                                cardinality(by_patterns) = 1
                                                or (t.title_text || t.tags_text || t.description_text) like all (by_patterns)),
                                        t.words @@ by_query))
                        order by t.updated_at desc, t.id desc
                        limit 501) as endless limit (p_start).size + 1) as source
                ) as task) as page);
    end if;
    return answer;
end
$$;

create or replace function errand.page_by_updated_at_asc(p_start api.task_page_start, p_filter errand.task_filter, p_ends boolean)
returns api.task_page language plpgsql stable set enable_sort = off as $$
declare
    answer api.task_page;
begin
    if p_filter is null then
        answer := (
            select row (
                case when page.lengthy then null
                    else coalesce(array_to_string(page.numbers[:page.size], ' ') || chr(10) || page.lines, '') end,
                case when page.found > page.size then page.keys[page.size]::text end,
                case when page.found > page.size then page.ids[page.size]::text end)::api.task_page
            from (
                select count(*) as found, (p_start).size as size, bool_or(octet_length(task.json) > 2096) as lengthy,
                    string_agg(case when octet_length(task.json) <= 2096 then task.json end, chr(10)) as lines,
                    array_agg(task.seq) as numbers, array_agg(task.key) as keys, array_agg(task.id) as ids
                from (select source.* from (
                    select t.json, t.seq, t.id, t.updated_at as key
                    from errand.task as t
                    where (t.updated_at, t.id) > (
                            case when (p_start).key is null then '-infinity' else (p_start).key::timestamptz end,
                            case when (p_start).id is null then '00000000-0000-0000-0000-000000000000' else (p_start).id end)
                    order by t.updated_at asc, t.id asc
                    limit 501) as source limit (p_start).size + 1) as task) as page);
        if answer.tasks is null then
            answer := (
                select row (
                    case when page.lengthy then null
                        else coalesce(array_to_string(page.numbers[:page.size], ' ') || chr(10) || page.lines, '') end,
                    case when page.found > page.size then page.keys[page.size]::text end,
                    case when page.found > page.size then page.ids[page.size]::text end)::api.task_page
                from (
                    select count(*) as found, least((p_start).size, count(*) filter (where task.fits))::int as size, false as lengthy,
                        string_agg(task.json, chr(10)) filter (where task.fits) as lines,
                        array_agg(task.seq) filter (where task.fits) as numbers, array_agg(task.key) as keys, array_agg(task.id) as ids
                    from (
                        select source.*,
                            sum(octet_length(source.json)) over (rows unbounded preceding)
                                <= greatest(1048576, octet_length(source.json)) as fits
                        from (select endless.* from (
                            select t.json, t.seq, t.id, t.updated_at as key
                            from errand.task as t
                            where (t.updated_at, t.id) > (
                                    case when (p_start).key is null then '-infinity' else (p_start).key::timestamptz end,
                                    case when (p_start).id is null then '00000000-0000-0000-0000-000000000000' else (p_start).id end)
                            order by t.updated_at asc, t.id asc
                            limit 501) as endless limit (p_start).size + 1) as source
                    ) as task) as page);
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
                select row (
                    case when page.lengthy then null
                        else coalesce(array_to_string(page.numbers[:page.size], ' ') || chr(10) || page.lines, '') end,
                    case when page.found > page.size then page.keys[page.size]::text end,
                    case when page.found > page.size then page.ids[page.size]::text end)::api.task_page
                from (
                    select count(*) as found, (p_start).size as size, bool_or(octet_length(task.json) > 2096) as lengthy,
                        string_agg(case when octet_length(task.json) <= 2096 then task.json end, chr(10)) as lines,
                        array_agg(task.seq) as numbers, array_agg(task.key) as keys, array_agg(task.id) as ids
                    from (select source.* from (
                        select t.json, t.seq, t.id, t.key
                        from (
                            select t.json, t.seq, t.id, t.completed, t.priority, t.tags, t.title_text, t.tags_text, t.description_text, t.words, t.due_date, t.due_at,
                                t.due_key, t.updated_at, t.updated_at as key
                            from errand.task as t
                            where (t.updated_at, t.id) > (
                                    case when (p_start).key is null then '-infinity' else (p_start).key::timestamptz end,
                                    case when (p_start).id is null then '00000000-0000-0000-0000-000000000000' else (p_start).id end)
                            order by t.updated_at asc, t.id asc
                            limit 20000) as t
                        where true and (by_completed is null or t.completed = by_completed)
                        and (by_priorities is null or t.priority = any (by_priorities))
                        and (by_tags is null or t.tags @> by_tags)
                        and (
                            by_patterns is null
                            or coalesce(
                                (strpos(t.title_text, by_word) > 0 or strpos(t.tags_text, by_word) > 0 or strpos(t.description_text, by_word) > 0)
                                    and (
                                        cardinality(by_patterns) = 1
                                        or (t.title_text || t.tags_text || t.description_text) like all (by_patterns)),
                                t.words @@ by_query))
                        limit 501) as source limit (p_start).size + 1) as task) as page);
            if answer.tasks is null then
                answer := (
                    select row (
                        case when page.lengthy then null
                            else coalesce(array_to_string(page.numbers[:page.size], ' ') || chr(10) || page.lines, '') end,
                        case when page.found > page.size then page.keys[page.size]::text end,
                        case when page.found > page.size then page.ids[page.size]::text end)::api.task_page
                    from (
                        select count(*) as found, least((p_start).size, count(*) filter (where task.fits))::int as size, false as lengthy,
                            string_agg(task.json, chr(10)) filter (where task.fits) as lines,
                            array_agg(task.seq) filter (where task.fits) as numbers, array_agg(task.key) as keys, array_agg(task.id) as ids
                        from (
                            select source.*,
                                sum(octet_length(source.json)) over (rows unbounded preceding)
                                    <= greatest(1048576, octet_length(source.json)) as fits
                            from (select endless.* from (
                                select t.json, t.seq, t.id, t.key
                                from (
                                    select t.json, t.seq, t.id, t.completed, t.priority, t.tags, t.title_text, t.tags_text, t.description_text, t.words, t.due_date, t.due_at,
                                        t.due_key, t.updated_at, t.updated_at as key
                                    from errand.task as t
                                    where (t.updated_at, t.id) > (
                                            case when (p_start).key is null then '-infinity' else (p_start).key::timestamptz end,
                                            case when (p_start).id is null then '00000000-0000-0000-0000-000000000000' else (p_start).id end)
                                    order by t.updated_at asc, t.id asc
                                    limit 20000) as t
                                where true and (by_completed is null or t.completed = by_completed)
                                and (by_priorities is null or t.priority = any (by_priorities))
                                and (by_tags is null or t.tags @> by_tags)
                                and (
                                    by_patterns is null
                                    or coalesce(
                                        (strpos(t.title_text, by_word) > 0 or strpos(t.tags_text, by_word) > 0 or strpos(t.description_text, by_word) > 0)
                                            and (
                                                cardinality(by_patterns) = 1
                                                or (t.title_text || t.tags_text || t.description_text) like all (by_patterns)),
                                        t.words @@ by_query))
                                limit 501) as endless limit (p_start).size + 1) as source
                        ) as task) as page);
            end if;
            return answer;
        end if;
        answer := (
            select row (
                case when page.lengthy then null
                    else coalesce(array_to_string(page.numbers[:page.size], ' ') || chr(10) || page.lines, '') end,
                case when page.found > page.size then page.keys[page.size]::text end,
                case when page.found > page.size then page.ids[page.size]::text end)::api.task_page
            from (
                select count(*) as found, (p_start).size as size, bool_or(octet_length(task.json) > 2096) as lengthy,
                    string_agg(case when octet_length(task.json) <= 2096 then task.json end, chr(10)) as lines,
                    array_agg(task.seq) as numbers, array_agg(task.key) as keys, array_agg(task.id) as ids
                from (select source.* from (
                    select t.json, t.seq, t.id, t.updated_at as key
                    from errand.task as t
                    where (t.updated_at, t.id) > (
                            case when (p_start).key is null then '-infinity' else (p_start).key::timestamptz end,
                            case when (p_start).id is null then '00000000-0000-0000-0000-000000000000' else (p_start).id end) and (by_completed is null or t.completed = by_completed)
                            and (by_priorities is null or t.priority = any (by_priorities))
                            and (by_tags is null or t.tags @> by_tags)
                            and (
                                by_patterns is null
                                or coalesce(
                                    (strpos(t.title_text, by_word) > 0 or strpos(t.tags_text, by_word) > 0 or strpos(t.description_text, by_word) > 0)
                                        and (
                                            cardinality(by_patterns) = 1
                                            or (t.title_text || t.tags_text || t.description_text) like all (by_patterns)),
                                    t.words @@ by_query))
                    order by t.updated_at asc, t.id asc
                    limit 501) as source limit (p_start).size + 1) as task) as page);
        if answer.tasks is null then
            answer := (
                select row (
                    case when page.lengthy then null
                        else coalesce(array_to_string(page.numbers[:page.size], ' ') || chr(10) || page.lines, '') end,
                    case when page.found > page.size then page.keys[page.size]::text end,
                    case when page.found > page.size then page.ids[page.size]::text end)::api.task_page
                from (
                    select count(*) as found, least((p_start).size, count(*) filter (where task.fits))::int as size, false as lengthy,
                        string_agg(task.json, chr(10)) filter (where task.fits) as lines,
                        array_agg(task.seq) filter (where task.fits) as numbers, array_agg(task.key) as keys, array_agg(task.id) as ids
                    from (
                        select source.*,
                            sum(octet_length(source.json)) over (rows unbounded preceding)
                                <= greatest(1048576, octet_length(source.json)) as fits
                        from (select endless.* from (
                            select t.json, t.seq, t.id, t.updated_at as key
                            from errand.task as t
                            where (t.updated_at, t.id) > (
                                    case when (p_start).key is null then '-infinity' else (p_start).key::timestamptz end,
                                    case when (p_start).id is null then '00000000-0000-0000-0000-000000000000' else (p_start).id end) and (by_completed is null or t.completed = by_completed)
                                    and (by_priorities is null or t.priority = any (by_priorities))
                                    and (by_tags is null or t.tags @> by_tags)
                                    and (
                                        by_patterns is null
                                        or coalesce(
                                            (strpos(t.title_text, by_word) > 0 or strpos(t.tags_text, by_word) > 0 or strpos(t.description_text, by_word) > 0)
                                                and (
                                                    cardinality(by_patterns) = 1
                                                    or (t.title_text || t.tags_text || t.description_text) like all (by_patterns)),
                                            t.words @@ by_query))
                            order by t.updated_at asc, t.id asc
                            limit 501) as endless limit (p_start).size + 1) as source
                    ) as task) as page);
        end if;
        return answer;
    end;
end
$$;

create or replace function errand.short_page_by_updated_at_asc(p_start api.task_page_start, p_filter errand.task_filter)
returns api.task_page language plpgsql stable set enable_sort = off as $$
declare
    answer api.task_page;
    by_completed constant boolean := p_filter.completed;
    by_priorities constant smallint[] := p_filter.priorities;
begin
    answer := (
        select row (
            case when page.lengthy then null
                else coalesce(array_to_string(page.numbers[:page.size], ' ') || chr(10) || page.lines, '') end,
            case when page.found > page.size then page.keys[page.size]::text end,
            case when page.found > page.size then page.ids[page.size]::text end)::api.task_page
        from (
            select count(*) as found, (p_start).size as size, bool_or(octet_length(task.json) > 2096) as lengthy,
                string_agg(case when octet_length(task.json) <= 2096 then task.json end, chr(10)) as lines,
                array_agg(task.seq) as numbers, array_agg(task.key) as keys, array_agg(task.id) as ids
            from (select source.* from (
                select t.json, t.seq, t.id, t.key
                from (
                    select t.json, t.seq, t.id, t.completed, t.priority, t.tags, t.title_text, t.tags_text, t.description_text, t.words, t.due_date, t.due_at,
                        t.due_key, t.updated_at, t.updated_at as key
                    from errand.task as t
                    where (t.updated_at, t.id) > (
                            case when (p_start).key is null then '-infinity' else (p_start).key::timestamptz end,
                            case when (p_start).id is null then '00000000-0000-0000-0000-000000000000' else (p_start).id end)
                    order by t.updated_at asc, t.id asc
                    limit 500) as t
                where true and (by_completed is null or t.completed = by_completed)
                and (by_priorities is null or t.priority = any (by_priorities))
                limit 501) as source limit (p_start).size + 1) as task) as page);
    if answer.tasks is null then
        answer := (
            select row (
                case when page.lengthy then null
                    else coalesce(array_to_string(page.numbers[:page.size], ' ') || chr(10) || page.lines, '') end,
                case when page.found > page.size then page.keys[page.size]::text end,
                case when page.found > page.size then page.ids[page.size]::text end)::api.task_page
            from (
                select count(*) as found, least((p_start).size, count(*) filter (where task.fits))::int as size, false as lengthy,
                    string_agg(task.json, chr(10)) filter (where task.fits) as lines,
                    array_agg(task.seq) filter (where task.fits) as numbers, array_agg(task.key) as keys, array_agg(task.id) as ids
                from (
                    select source.*,
                        sum(octet_length(source.json)) over (rows unbounded preceding)
                            <= greatest(1048576, octet_length(source.json)) as fits
                    from (select endless.* from (
                        select t.json, t.seq, t.id, t.key
                        from (
                            select t.json, t.seq, t.id, t.completed, t.priority, t.tags, t.title_text, t.tags_text, t.description_text, t.words, t.due_date, t.due_at,
                                t.due_key, t.updated_at, t.updated_at as key
                            from errand.task as t
                            where (t.updated_at, t.id) > (
                                    case when (p_start).key is null then '-infinity' else (p_start).key::timestamptz end,
                                    case when (p_start).id is null then '00000000-0000-0000-0000-000000000000' else (p_start).id end)
                            order by t.updated_at asc, t.id asc
                            limit 500) as t
                        where true and (by_completed is null or t.completed = by_completed)
                        and (by_priorities is null or t.priority = any (by_priorities))
                        limit 501) as endless limit (p_start).size + 1) as source
                ) as task) as page);
    end if;
    if answer.last_id is null and exists (select from (
        select t.id, t.updated_at as key
        from errand.task as t
        where (t.updated_at, t.id) > (
                case when (p_start).key is null then '-infinity' else (p_start).key::timestamptz end,
                case when (p_start).id is null then '00000000-0000-0000-0000-000000000000' else (p_start).id end)
        order by t.updated_at asc, t.id asc
        limit 500) as walk offset 499) then
        answer.tasks := null;
    end if;
    return answer;
end
$$;

create or replace function errand.found_page_by_updated_at_asc(p_start api.task_page_start, p_filter errand.task_filter)
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
        select row (
            case when page.lengthy then null
                else coalesce(array_to_string(page.numbers[:page.size], ' ') || chr(10) || page.lines, '') end,
            case when page.found > page.size then page.keys[page.size]::text end,
            case when page.found > page.size then page.ids[page.size]::text end)::api.task_page
        from (
            select count(*) as found, (p_start).size as size, bool_or(octet_length(task.json) > 2096) as lengthy,
                string_agg(case when octet_length(task.json) <= 2096 then task.json end, chr(10)) as lines,
                array_agg(task.seq) as numbers, array_agg(task.key) as keys, array_agg(task.id) as ids
            from (select source.* from (
                select t.json, t.seq, t.id, t.updated_at as key
                from errand.task as t
                where t.id = any (by_candidates)
                    and (t.updated_at, t.id) > (
                        case when (p_start).key is null then '-infinity' else (p_start).key::timestamptz end,
                        case when (p_start).id is null then '00000000-0000-0000-0000-000000000000' else (p_start).id end) and (by_completed is null or t.completed = by_completed)
                        and (by_priorities is null or t.priority = any (by_priorities))
                        and (by_tags is null or t.tags @> by_tags)
                        and (
                            by_patterns is null
                            or coalesce(
                                (strpos(t.title_text, by_word) > 0 or strpos(t.tags_text, by_word) > 0 or strpos(t.description_text, by_word) > 0)
                                    and (
                                        cardinality(by_patterns) = 1
                                        or (t.title_text || t.tags_text || t.description_text) like all (by_patterns)),
                                t.words @@ by_query))
                order by t.updated_at asc, t.id asc
                limit 501) as source limit (p_start).size + 1) as task) as page);
    if answer.tasks is null then
        answer := (
            select row (
                case when page.lengthy then null
                    else coalesce(array_to_string(page.numbers[:page.size], ' ') || chr(10) || page.lines, '') end,
                case when page.found > page.size then page.keys[page.size]::text end,
                case when page.found > page.size then page.ids[page.size]::text end)::api.task_page
            from (
                select count(*) as found, least((p_start).size, count(*) filter (where task.fits))::int as size, false as lengthy,
                    string_agg(task.json, chr(10)) filter (where task.fits) as lines,
                    array_agg(task.seq) filter (where task.fits) as numbers, array_agg(task.key) as keys, array_agg(task.id) as ids
                from (
                    select source.*,
                        sum(octet_length(source.json)) over (rows unbounded preceding)
                            <= greatest(1048576, octet_length(source.json)) as fits
                    from (select endless.* from (
                        select t.json, t.seq, t.id, t.updated_at as key
                        from errand.task as t
                        where t.id = any (by_candidates)
                            and (t.updated_at, t.id) > (
                                case when (p_start).key is null then '-infinity' else (p_start).key::timestamptz end,
                                case when (p_start).id is null then '00000000-0000-0000-0000-000000000000' else (p_start).id end) and (by_completed is null or t.completed = by_completed)
                                and (by_priorities is null or t.priority = any (by_priorities))
                                and (by_tags is null or t.tags @> by_tags)
                                and (
                                    by_patterns is null
                                    or coalesce(
                                        (strpos(t.title_text, by_word) > 0 or strpos(t.tags_text, by_word) > 0 or strpos(t.description_text, by_word) > 0)
                                            and (
                                                cardinality(by_patterns) = 1
                                                or (t.title_text || t.tags_text || t.description_text) like all (by_patterns)),
                                        t.words @@ by_query))
                        order by t.updated_at asc, t.id asc
                        limit 501) as endless limit (p_start).size + 1) as source
                ) as task) as page);
    end if;
    return answer;
end
$$;

create or replace function errand.page_by_due_desc(p_start api.task_page_start, p_filter errand.task_filter, p_ends boolean)
returns api.task_page language plpgsql stable set enable_sort = off as $$
declare
    answer api.task_page;
begin
    if p_filter is null then
        answer := (
            select row (
                case when page.lengthy then null
                    else coalesce(array_to_string(page.numbers[:page.size], ' ') || chr(10) || page.lines, '') end,
                case when page.found > page.size then page.keys[page.size]::text end,
                case when page.found > page.size then page.ids[page.size]::text end)::api.task_page
            from (
                select count(*) as found, (p_start).size as size, bool_or(octet_length(task.json) > 2096) as lengthy,
                    string_agg(case when octet_length(task.json) <= 2096 then task.json end, chr(10)) as lines,
                    array_agg(task.seq) as numbers, array_agg(task.key) as keys, array_agg(task.id) as ids
                from (select source.* from (
                    (select t.json, t.seq, t.id, t.due_key as key
                    from errand.task as t
                    where ((p_start).key is null or (p_start).key::timestamptz < 'infinity')
                        and (t.due_key, t.id) < (
                            case when (p_start).key is null then 'infinity' else (p_start).key::timestamptz end,
                            case when (p_start).id is null then '00000000-0000-0000-0000-000000000000' else (p_start).id end)
                    order by t.due_key desc, t.id desc
                    limit 501)
                    union all
                    (select t.json, t.seq, t.id, t.due_key as key
                    from errand.task as t
                    where t.due_key >= 'infinity'
                        and (t.due_key, t.id) <= (
                            'infinity', case when (p_start).key::timestamptz = 'infinity' then (p_start).id else 'ffffffff-ffff-ffff-ffff-ffffffffffff' end)
                        and ((p_start).key is null or (p_start).key::timestamptz < 'infinity' or t.id < (p_start).id)
                    order by t.due_key desc, t.id desc
                    limit 501)
                    limit 501) as source limit (p_start).size + 1) as task) as page);
        if answer.tasks is null then
            answer := (
                select row (
                    case when page.lengthy then null
                        else coalesce(array_to_string(page.numbers[:page.size], ' ') || chr(10) || page.lines, '') end,
                    case when page.found > page.size then page.keys[page.size]::text end,
                    case when page.found > page.size then page.ids[page.size]::text end)::api.task_page
                from (
                    select count(*) as found, least((p_start).size, count(*) filter (where task.fits))::int as size, false as lengthy,
                        string_agg(task.json, chr(10)) filter (where task.fits) as lines,
                        array_agg(task.seq) filter (where task.fits) as numbers, array_agg(task.key) as keys, array_agg(task.id) as ids
                    from (
                        select source.*,
                            sum(octet_length(source.json)) over (rows unbounded preceding)
                                <= greatest(1048576, octet_length(source.json)) as fits
                        from (select endless.* from (
                            (select t.json, t.seq, t.id, t.due_key as key
                            from errand.task as t
                            where ((p_start).key is null or (p_start).key::timestamptz < 'infinity')
                                and (t.due_key, t.id) < (
                                    case when (p_start).key is null then 'infinity' else (p_start).key::timestamptz end,
                                    case when (p_start).id is null then '00000000-0000-0000-0000-000000000000' else (p_start).id end)
                            order by t.due_key desc, t.id desc
                            limit 501)
                            union all
                            (select t.json, t.seq, t.id, t.due_key as key
                            from errand.task as t
                            where t.due_key >= 'infinity'
                                and (t.due_key, t.id) <= (
                                    'infinity', case when (p_start).key::timestamptz = 'infinity' then (p_start).id else 'ffffffff-ffff-ffff-ffff-ffffffffffff' end)
                                and ((p_start).key is null or (p_start).key::timestamptz < 'infinity' or t.id < (p_start).id)
                            order by t.due_key desc, t.id desc
                            limit 501)
                            limit 501) as endless limit (p_start).size + 1) as source
                    ) as task) as page);
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
                select row (
                    case when page.lengthy then null
                        else coalesce(array_to_string(page.numbers[:page.size], ' ') || chr(10) || page.lines, '') end,
                    case when page.found > page.size then page.keys[page.size]::text end,
                    case when page.found > page.size then page.ids[page.size]::text end)::api.task_page
                from (
                    select count(*) as found, (p_start).size as size, bool_or(octet_length(task.json) > 2096) as lengthy,
                        string_agg(case when octet_length(task.json) <= 2096 then task.json end, chr(10)) as lines,
                        array_agg(task.seq) as numbers, array_agg(task.key) as keys, array_agg(task.id) as ids
                    from (select source.* from (
                        select t.json, t.seq, t.id, t.key
                        from (
                            (select t.json, t.seq, t.id, t.completed, t.priority, t.tags, t.title_text, t.tags_text, t.description_text, t.words, t.due_date, t.due_at,
                                t.due_key, t.updated_at, t.due_key as key
                            from errand.task as t
                            where ((p_start).key is null or (p_start).key::timestamptz < 'infinity')
                                and (t.due_key, t.id) < (
                                    case when (p_start).key is null then 'infinity' else (p_start).key::timestamptz end,
                                    case when (p_start).id is null then '00000000-0000-0000-0000-000000000000' else (p_start).id end)
                            order by t.due_key desc, t.id desc
                            limit 20000)
                            union all
                            (select t.json, t.seq, t.id, t.completed, t.priority, t.tags, t.title_text, t.tags_text, t.description_text, t.words, t.due_date, t.due_at,
                                t.due_key, t.updated_at, t.due_key as key
                            from errand.task as t
                            where t.due_key >= 'infinity'
                                and (t.due_key, t.id) <= (
                                    'infinity', case when (p_start).key::timestamptz = 'infinity' then (p_start).id else 'ffffffff-ffff-ffff-ffff-ffffffffffff' end)
                                and ((p_start).key is null or (p_start).key::timestamptz < 'infinity' or t.id < (p_start).id)
                            order by t.due_key desc, t.id desc
                            limit 20000)
                            limit 20000) as t
                        where true and (by_completed is null or t.completed = by_completed)
                        and (by_priorities is null or t.priority = any (by_priorities))
                        and (by_tags is null or t.tags @> by_tags)
                        and (
                            by_patterns is null
                            or coalesce(
                                (strpos(t.title_text, by_word) > 0 or strpos(t.tags_text, by_word) > 0 or strpos(t.description_text, by_word) > 0)
                                    and (
                                        cardinality(by_patterns) = 1
                                        or (t.title_text || t.tags_text || t.description_text) like all (by_patterns)),
                                t.words @@ by_query))
                        limit 501) as source limit (p_start).size + 1) as task) as page);
            if answer.tasks is null then
                answer := (
                    select row (
                        case when page.lengthy then null
                            else coalesce(array_to_string(page.numbers[:page.size], ' ') || chr(10) || page.lines, '') end,
                        case when page.found > page.size then page.keys[page.size]::text end,
                        case when page.found > page.size then page.ids[page.size]::text end)::api.task_page
                    from (
                        select count(*) as found, least((p_start).size, count(*) filter (where task.fits))::int as size, false as lengthy,
                            string_agg(task.json, chr(10)) filter (where task.fits) as lines,
                            array_agg(task.seq) filter (where task.fits) as numbers, array_agg(task.key) as keys, array_agg(task.id) as ids
                        from (
                            select source.*,
                                sum(octet_length(source.json)) over (rows unbounded preceding)
                                    <= greatest(1048576, octet_length(source.json)) as fits
                            from (select endless.* from (
                                select t.json, t.seq, t.id, t.key
                                from (
                                    (select t.json, t.seq, t.id, t.completed, t.priority, t.tags, t.title_text, t.tags_text, t.description_text, t.words, t.due_date, t.due_at,
                                        t.due_key, t.updated_at, t.due_key as key
                                    from errand.task as t
                                    where ((p_start).key is null or (p_start).key::timestamptz < 'infinity')
                                        and (t.due_key, t.id) < (
                                            case when (p_start).key is null then 'infinity' else (p_start).key::timestamptz end,
                                            case when (p_start).id is null then '00000000-0000-0000-0000-000000000000' else (p_start).id end)
                                    order by t.due_key desc, t.id desc
                                    limit 20000)
                                    union all
                                    (select t.json, t.seq, t.id, t.completed, t.priority, t.tags, t.title_text, t.tags_text, t.description_text, t.words, t.due_date, t.due_at,
                                        t.due_key, t.updated_at, t.due_key as key
                                    from errand.task as t
                                    where t.due_key >= 'infinity'
                                        and (t.due_key, t.id) <= (
                                            'infinity', case when (p_start).key::timestamptz = 'infinity' then (p_start).id else 'ffffffff-ffff-ffff-ffff-ffffffffffff' end)
                                        and ((p_start).key is null or (p_start).key::timestamptz < 'infinity' or t.id < (p_start).id)
                                    order by t.due_key desc, t.id desc
                                    limit 20000)
                                    limit 20000) as t
                                where true and (by_completed is null or t.completed = by_completed)
                                and (by_priorities is null or t.priority = any (by_priorities))
                                and (by_tags is null or t.tags @> by_tags)
                                and (
                                    by_patterns is null
                                    or coalesce(
                                        (strpos(t.title_text, by_word) > 0 or strpos(t.tags_text, by_word) > 0 or strpos(t.description_text, by_word) > 0)
                                            and (
                                                cardinality(by_patterns) = 1
                                                or (t.title_text || t.tags_text || t.description_text) like all (by_patterns)),
                                        t.words @@ by_query))
                                limit 501) as endless limit (p_start).size + 1) as source
                        ) as task) as page);
            end if;
            return answer;
        end if;
        answer := (
            select row (
                case when page.lengthy then null
                    else coalesce(array_to_string(page.numbers[:page.size], ' ') || chr(10) || page.lines, '') end,
                case when page.found > page.size then page.keys[page.size]::text end,
                case when page.found > page.size then page.ids[page.size]::text end)::api.task_page
            from (
                select count(*) as found, (p_start).size as size, bool_or(octet_length(task.json) > 2096) as lengthy,
                    string_agg(case when octet_length(task.json) <= 2096 then task.json end, chr(10)) as lines,
                    array_agg(task.seq) as numbers, array_agg(task.key) as keys, array_agg(task.id) as ids
                from (select source.* from (
                    (select t.json, t.seq, t.id, t.due_key as key
                    from errand.task as t
                    where ((p_start).key is null or (p_start).key::timestamptz < 'infinity')
                        and (t.due_key, t.id) < (
                            case when (p_start).key is null then 'infinity' else (p_start).key::timestamptz end,
                            case when (p_start).id is null then '00000000-0000-0000-0000-000000000000' else (p_start).id end) and (by_completed is null or t.completed = by_completed)
                            and (by_priorities is null or t.priority = any (by_priorities))
                            and (by_tags is null or t.tags @> by_tags)
                            and (
                                by_patterns is null
                                or coalesce(
                                    (strpos(t.title_text, by_word) > 0 or strpos(t.tags_text, by_word) > 0 or strpos(t.description_text, by_word) > 0)
                                        and (
                                            cardinality(by_patterns) = 1
                                            or (t.title_text || t.tags_text || t.description_text) like all (by_patterns)),
                                    t.words @@ by_query))
                    order by t.due_key desc, t.id desc
                    limit 501)
                    union all
                    (select t.json, t.seq, t.id, t.due_key as key
                    from errand.task as t
                    where t.due_key >= 'infinity'
                        and (t.due_key, t.id) <= (
                            'infinity', case when (p_start).key::timestamptz = 'infinity' then (p_start).id else 'ffffffff-ffff-ffff-ffff-ffffffffffff' end)
                        and ((p_start).key is null or (p_start).key::timestamptz < 'infinity' or t.id < (p_start).id) and (by_completed is null or t.completed = by_completed)
                        and (by_priorities is null or t.priority = any (by_priorities))
                        and (by_tags is null or t.tags @> by_tags)
                        and (
                            by_patterns is null
                            or coalesce(
                                (strpos(t.title_text, by_word) > 0 or strpos(t.tags_text, by_word) > 0 or strpos(t.description_text, by_word) > 0)
                                    and (
                                        cardinality(by_patterns) = 1
                                        or (t.title_text || t.tags_text || t.description_text) like all (by_patterns)),
                                t.words @@ by_query))
                    order by t.due_key desc, t.id desc
                    limit 501)
                    limit 501) as source limit (p_start).size + 1) as task) as page);
        if answer.tasks is null then
            answer := (
                select row (
                    case when page.lengthy then null
                        else coalesce(array_to_string(page.numbers[:page.size], ' ') || chr(10) || page.lines, '') end,
                    case when page.found > page.size then page.keys[page.size]::text end,
                    case when page.found > page.size then page.ids[page.size]::text end)::api.task_page
                from (
                    select count(*) as found, least((p_start).size, count(*) filter (where task.fits))::int as size, false as lengthy,
                        string_agg(task.json, chr(10)) filter (where task.fits) as lines,
                        array_agg(task.seq) filter (where task.fits) as numbers, array_agg(task.key) as keys, array_agg(task.id) as ids
                    from (
                        select source.*,
                            sum(octet_length(source.json)) over (rows unbounded preceding)
                                <= greatest(1048576, octet_length(source.json)) as fits
                        from (select endless.* from (
                            (select t.json, t.seq, t.id, t.due_key as key
                            from errand.task as t
                            where ((p_start).key is null or (p_start).key::timestamptz < 'infinity')
                                and (t.due_key, t.id) < (
                                    case when (p_start).key is null then 'infinity' else (p_start).key::timestamptz end,
                                    case when (p_start).id is null then '00000000-0000-0000-0000-000000000000' else (p_start).id end) and (by_completed is null or t.completed = by_completed)
                                    and (by_priorities is null or t.priority = any (by_priorities))
                                    and (by_tags is null or t.tags @> by_tags)
                                    and (
                                        by_patterns is null
                                        or coalesce(
                                            (strpos(t.title_text, by_word) > 0 or strpos(t.tags_text, by_word) > 0 or strpos(t.description_text, by_word) > 0)
                                                and (
                                                    cardinality(by_patterns) = 1
                                                    or (t.title_text || t.tags_text || t.description_text) like all (by_patterns)),
                                            t.words @@ by_query))
                            order by t.due_key desc, t.id desc
                            limit 501)
                            union all
                            (select t.json, t.seq, t.id, t.due_key as key
                            from errand.task as t
                            where t.due_key >= 'infinity'
                                and (t.due_key, t.id) <= (
                                    'infinity', case when (p_start).key::timestamptz = 'infinity' then (p_start).id else 'ffffffff-ffff-ffff-ffff-ffffffffffff' end)
                                and ((p_start).key is null or (p_start).key::timestamptz < 'infinity' or t.id < (p_start).id) and (by_completed is null or t.completed = by_completed)
                                and (by_priorities is null or t.priority = any (by_priorities))
                                and (by_tags is null or t.tags @> by_tags)
                                and (
                                    by_patterns is null
                                    or coalesce(
                                        (strpos(t.title_text, by_word) > 0 or strpos(t.tags_text, by_word) > 0 or strpos(t.description_text, by_word) > 0)
                                            and (
                                                cardinality(by_patterns) = 1
                                                or (t.title_text || t.tags_text || t.description_text) like all (by_patterns)),
                                        t.words @@ by_query))
                            order by t.due_key desc, t.id desc
                            limit 501)
                            limit 501) as endless limit (p_start).size + 1) as source
                    ) as task) as page);
        end if;
        return answer;
    end;
end
$$;

create or replace function errand.short_page_by_due_desc(p_start api.task_page_start, p_filter errand.task_filter)
returns api.task_page language plpgsql stable set enable_sort = off as $$
declare
    answer api.task_page;
    by_completed constant boolean := p_filter.completed;
    by_priorities constant smallint[] := p_filter.priorities;
begin
    answer := (
        select row (
            case when page.lengthy then null
                else coalesce(array_to_string(page.numbers[:page.size], ' ') || chr(10) || page.lines, '') end,
            case when page.found > page.size then page.keys[page.size]::text end,
            case when page.found > page.size then page.ids[page.size]::text end)::api.task_page
        from (
            select count(*) as found, (p_start).size as size, bool_or(octet_length(task.json) > 2096) as lengthy,
                string_agg(case when octet_length(task.json) <= 2096 then task.json end, chr(10)) as lines,
                array_agg(task.seq) as numbers, array_agg(task.key) as keys, array_agg(task.id) as ids
            from (select source.* from (
                select t.json, t.seq, t.id, t.key
                from (
                    (select t.json, t.seq, t.id, t.completed, t.priority, t.tags, t.title_text, t.tags_text, t.description_text, t.words, t.due_date, t.due_at,
                        t.due_key, t.updated_at, t.due_key as key
                    from errand.task as t
                    where ((p_start).key is null or (p_start).key::timestamptz < 'infinity')
                        and (t.due_key, t.id) < (
                            case when (p_start).key is null then 'infinity' else (p_start).key::timestamptz end,
                            case when (p_start).id is null then '00000000-0000-0000-0000-000000000000' else (p_start).id end)
                    order by t.due_key desc, t.id desc
                    limit 500)
                    union all
                    (select t.json, t.seq, t.id, t.completed, t.priority, t.tags, t.title_text, t.tags_text, t.description_text, t.words, t.due_date, t.due_at,
                        t.due_key, t.updated_at, t.due_key as key
                    from errand.task as t
                    where t.due_key >= 'infinity'
                        and (t.due_key, t.id) <= (
                            'infinity', case when (p_start).key::timestamptz = 'infinity' then (p_start).id else 'ffffffff-ffff-ffff-ffff-ffffffffffff' end)
                        and ((p_start).key is null or (p_start).key::timestamptz < 'infinity' or t.id < (p_start).id)
                    order by t.due_key desc, t.id desc
                    limit 500)
                    limit 500) as t
                where true and (by_completed is null or t.completed = by_completed)
                and (by_priorities is null or t.priority = any (by_priorities))
                limit 501) as source limit (p_start).size + 1) as task) as page);
    if answer.tasks is null then
        answer := (
            select row (
                case when page.lengthy then null
                    else coalesce(array_to_string(page.numbers[:page.size], ' ') || chr(10) || page.lines, '') end,
                case when page.found > page.size then page.keys[page.size]::text end,
                case when page.found > page.size then page.ids[page.size]::text end)::api.task_page
            from (
                select count(*) as found, least((p_start).size, count(*) filter (where task.fits))::int as size, false as lengthy,
                    string_agg(task.json, chr(10)) filter (where task.fits) as lines,
                    array_agg(task.seq) filter (where task.fits) as numbers, array_agg(task.key) as keys, array_agg(task.id) as ids
                from (
                    select source.*,
                        sum(octet_length(source.json)) over (rows unbounded preceding)
                            <= greatest(1048576, octet_length(source.json)) as fits
                    from (select endless.* from (
                        select t.json, t.seq, t.id, t.key
                        from (
                            (select t.json, t.seq, t.id, t.completed, t.priority, t.tags, t.title_text, t.tags_text, t.description_text, t.words, t.due_date, t.due_at,
                                t.due_key, t.updated_at, t.due_key as key
                            from errand.task as t
                            where ((p_start).key is null or (p_start).key::timestamptz < 'infinity')
                                and (t.due_key, t.id) < (
                                    case when (p_start).key is null then 'infinity' else (p_start).key::timestamptz end,
                                    case when (p_start).id is null then '00000000-0000-0000-0000-000000000000' else (p_start).id end)
                            order by t.due_key desc, t.id desc
                            limit 500)
                            union all
                            (select t.json, t.seq, t.id, t.completed, t.priority, t.tags, t.title_text, t.tags_text, t.description_text, t.words, t.due_date, t.due_at,
                                t.due_key, t.updated_at, t.due_key as key
                            from errand.task as t
                            where t.due_key >= 'infinity'
                                and (t.due_key, t.id) <= (
                                    'infinity', case when (p_start).key::timestamptz = 'infinity' then (p_start).id else 'ffffffff-ffff-ffff-ffff-ffffffffffff' end)
                                and ((p_start).key is null or (p_start).key::timestamptz < 'infinity' or t.id < (p_start).id)
                            order by t.due_key desc, t.id desc
                            limit 500)
                            limit 500) as t
                        where true and (by_completed is null or t.completed = by_completed)
                        and (by_priorities is null or t.priority = any (by_priorities))
                        limit 501) as endless limit (p_start).size + 1) as source
                ) as task) as page);
    end if;
    if answer.last_id is null and exists (select from (
        (select t.id, t.due_key as key
        from errand.task as t
        where ((p_start).key is null or (p_start).key::timestamptz < 'infinity')
            and (t.due_key, t.id) < (
                case when (p_start).key is null then 'infinity' else (p_start).key::timestamptz end,
                case when (p_start).id is null then '00000000-0000-0000-0000-000000000000' else (p_start).id end)
        order by t.due_key desc, t.id desc
        limit 500)
        union all
        (select t.id, t.due_key as key
        from errand.task as t
        where t.due_key >= 'infinity'
            and (t.due_key, t.id) <= (
                'infinity', case when (p_start).key::timestamptz = 'infinity' then (p_start).id else 'ffffffff-ffff-ffff-ffff-ffffffffffff' end)
            and ((p_start).key is null or (p_start).key::timestamptz < 'infinity' or t.id < (p_start).id)
        order by t.due_key desc, t.id desc
        limit 500)
        limit 500) as walk offset 499) then
        answer.tasks := null;
    end if;
    return answer;
end
$$;

create or replace function errand.found_page_by_due_desc(p_start api.task_page_start, p_filter errand.task_filter)
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
        select row (
            case when page.lengthy then null
                else coalesce(array_to_string(page.numbers[:page.size], ' ') || chr(10) || page.lines, '') end,
            case when page.found > page.size then page.keys[page.size]::text end,
            case when page.found > page.size then page.ids[page.size]::text end)::api.task_page
        from (
            select count(*) as found, (p_start).size as size, bool_or(octet_length(task.json) > 2096) as lengthy,
                string_agg(case when octet_length(task.json) <= 2096 then task.json end, chr(10)) as lines,
                array_agg(task.seq) as numbers, array_agg(task.key) as keys, array_agg(task.id) as ids
            from (select source.* from (
                select t.json, t.seq, t.id, t.due_key as key
                from errand.task as t
                where t.id = any (by_candidates)
                    and case
                        when (p_start).key is null then true
                        when (p_start).key::timestamptz = 'infinity' then t.due_key = 'infinity' and t.id < (p_start).id
                        else t.due_key = 'infinity' or (t.due_key, t.id) < ((p_start).key::timestamptz, (p_start).id)
                    end and (by_completed is null or t.completed = by_completed)
                    and (by_priorities is null or t.priority = any (by_priorities))
                    and (by_tags is null or t.tags @> by_tags)
                    and (
                        by_patterns is null
                        or coalesce(
                            (strpos(t.title_text, by_word) > 0 or strpos(t.tags_text, by_word) > 0 or strpos(t.description_text, by_word) > 0)
                                and (
                                    cardinality(by_patterns) = 1
                                    or (t.title_text || t.tags_text || t.description_text) like all (by_patterns)),
                            t.words @@ by_query))
                order by t.due_key = 'infinity', t.due_key desc, t.id desc
                limit 501) as source limit (p_start).size + 1) as task) as page);
    if answer.tasks is null then
        answer := (
            select row (
                case when page.lengthy then null
                    else coalesce(array_to_string(page.numbers[:page.size], ' ') || chr(10) || page.lines, '') end,
                case when page.found > page.size then page.keys[page.size]::text end,
                case when page.found > page.size then page.ids[page.size]::text end)::api.task_page
            from (
                select count(*) as found, least((p_start).size, count(*) filter (where task.fits))::int as size, false as lengthy,
                    string_agg(task.json, chr(10)) filter (where task.fits) as lines,
                    array_agg(task.seq) filter (where task.fits) as numbers, array_agg(task.key) as keys, array_agg(task.id) as ids
                from (
                    select source.*,
                        sum(octet_length(source.json)) over (rows unbounded preceding)
                            <= greatest(1048576, octet_length(source.json)) as fits
                    from (select endless.* from (
                        select t.json, t.seq, t.id, t.due_key as key
                        from errand.task as t
                        where t.id = any (by_candidates)
                            and case
                                when (p_start).key is null then true
                                when (p_start).key::timestamptz = 'infinity' then t.due_key = 'infinity' and t.id < (p_start).id
                                else t.due_key = 'infinity' or (t.due_key, t.id) < ((p_start).key::timestamptz, (p_start).id)
                            end and (by_completed is null or t.completed = by_completed)
                            and (by_priorities is null or t.priority = any (by_priorities))
                            and (by_tags is null or t.tags @> by_tags)
                            and (
                                by_patterns is null
                                or coalesce(
                                    (strpos(t.title_text, by_word) > 0 or strpos(t.tags_text, by_word) > 0 or strpos(t.description_text, by_word) > 0)
                                        and (
                                            cardinality(by_patterns) = 1
                                            or (t.title_text || t.tags_text || t.description_text) like all (by_patterns)),
                                    t.words @@ by_query))
                        order by t.due_key = 'infinity', t.due_key desc, t.id desc
                        limit 501) as endless limit (p_start).size + 1) as source
                ) as task) as page);
    end if;
    return answer;
end
$$;

create or replace function errand.page_by_due_asc(p_start api.task_page_start, p_filter errand.task_filter, p_ends boolean)
returns api.task_page language plpgsql stable set enable_sort = off as $$
declare
    answer api.task_page;
begin
    if p_filter is null then
        answer := (
            select row (
                case when page.lengthy then null
                    else coalesce(array_to_string(page.numbers[:page.size], ' ') || chr(10) || page.lines, '') end,
                case when page.found > page.size then page.keys[page.size]::text end,
                case when page.found > page.size then page.ids[page.size]::text end)::api.task_page
            from (
                select count(*) as found, (p_start).size as size, bool_or(octet_length(task.json) > 2096) as lengthy,
                    string_agg(case when octet_length(task.json) <= 2096 then task.json end, chr(10)) as lines,
                    array_agg(task.seq) as numbers, array_agg(task.key) as keys, array_agg(task.id) as ids
                from (select source.* from (
                    select t.json, t.seq, t.id, t.due_key as key
                    from errand.task as t
                    where (t.due_key, t.id) > (
                            case when (p_start).key is null then '-infinity' else (p_start).key::timestamptz end,
                            case when (p_start).id is null then '00000000-0000-0000-0000-000000000000' else (p_start).id end)
                    order by t.due_key asc, t.id asc
                    limit 501) as source limit (p_start).size + 1) as task) as page);
        if answer.tasks is null then
            answer := (
                select row (
                    case when page.lengthy then null
                        else coalesce(array_to_string(page.numbers[:page.size], ' ') || chr(10) || page.lines, '') end,
                    case when page.found > page.size then page.keys[page.size]::text end,
                    case when page.found > page.size then page.ids[page.size]::text end)::api.task_page
                from (
                    select count(*) as found, least((p_start).size, count(*) filter (where task.fits))::int as size, false as lengthy,
                        string_agg(task.json, chr(10)) filter (where task.fits) as lines,
                        array_agg(task.seq) filter (where task.fits) as numbers, array_agg(task.key) as keys, array_agg(task.id) as ids
                    from (
                        select source.*,
                            sum(octet_length(source.json)) over (rows unbounded preceding)
                                <= greatest(1048576, octet_length(source.json)) as fits
                        from (select endless.* from (
                            select t.json, t.seq, t.id, t.due_key as key
                            from errand.task as t
                            where (t.due_key, t.id) > (
                                    case when (p_start).key is null then '-infinity' else (p_start).key::timestamptz end,
                                    case when (p_start).id is null then '00000000-0000-0000-0000-000000000000' else (p_start).id end)
                            order by t.due_key asc, t.id asc
                            limit 501) as endless limit (p_start).size + 1) as source
                    ) as task) as page);
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
                select row (
                    case when page.lengthy then null
                        else coalesce(array_to_string(page.numbers[:page.size], ' ') || chr(10) || page.lines, '') end,
                    case when page.found > page.size then page.keys[page.size]::text end,
                    case when page.found > page.size then page.ids[page.size]::text end)::api.task_page
                from (
                    select count(*) as found, (p_start).size as size, bool_or(octet_length(task.json) > 2096) as lengthy,
                        string_agg(case when octet_length(task.json) <= 2096 then task.json end, chr(10)) as lines,
                        array_agg(task.seq) as numbers, array_agg(task.key) as keys, array_agg(task.id) as ids
                    from (select source.* from (
                        select t.json, t.seq, t.id, t.key
                        from (
                            select t.json, t.seq, t.id, t.completed, t.priority, t.tags, t.title_text, t.tags_text, t.description_text, t.words, t.due_date, t.due_at,
                                t.due_key, t.updated_at, t.due_key as key
                            from errand.task as t
                            where (t.due_key, t.id) > (
                                    case when (p_start).key is null then '-infinity' else (p_start).key::timestamptz end,
                                    case when (p_start).id is null then '00000000-0000-0000-0000-000000000000' else (p_start).id end)
                            order by t.due_key asc, t.id asc
                            limit 20000) as t
                        where true and (by_completed is null or t.completed = by_completed)
                        and (by_priorities is null or t.priority = any (by_priorities))
                        and (by_tags is null or t.tags @> by_tags)
                        and (
                            by_patterns is null
                            or coalesce(
                                (strpos(t.title_text, by_word) > 0 or strpos(t.tags_text, by_word) > 0 or strpos(t.description_text, by_word) > 0)
                                    and (
                                        cardinality(by_patterns) = 1
                                        or (t.title_text || t.tags_text || t.description_text) like all (by_patterns)),
                                t.words @@ by_query))
                        limit 501) as source limit (p_start).size + 1) as task) as page);
            if answer.tasks is null then
                answer := (
                    select row (
                        case when page.lengthy then null
                            else coalesce(array_to_string(page.numbers[:page.size], ' ') || chr(10) || page.lines, '') end,
                        case when page.found > page.size then page.keys[page.size]::text end,
                        case when page.found > page.size then page.ids[page.size]::text end)::api.task_page
                    from (
                        select count(*) as found, least((p_start).size, count(*) filter (where task.fits))::int as size, false as lengthy,
                            string_agg(task.json, chr(10)) filter (where task.fits) as lines,
                            array_agg(task.seq) filter (where task.fits) as numbers, array_agg(task.key) as keys, array_agg(task.id) as ids
                        from (
                            select source.*,
                                sum(octet_length(source.json)) over (rows unbounded preceding)
                                    <= greatest(1048576, octet_length(source.json)) as fits
                            from (select endless.* from (
                                select t.json, t.seq, t.id, t.key
                                from (
                                    select t.json, t.seq, t.id, t.completed, t.priority, t.tags, t.title_text, t.tags_text, t.description_text, t.words, t.due_date, t.due_at,
                                        t.due_key, t.updated_at, t.due_key as key
                                    from errand.task as t
                                    where (t.due_key, t.id) > (
                                            case when (p_start).key is null then '-infinity' else (p_start).key::timestamptz end,
                                            case when (p_start).id is null then '00000000-0000-0000-0000-000000000000' else (p_start).id end)
                                    order by t.due_key asc, t.id asc
                                    limit 20000) as t
                                where true and (by_completed is null or t.completed = by_completed)
                                and (by_priorities is null or t.priority = any (by_priorities))
                                and (by_tags is null or t.tags @> by_tags)
                                and (
                                    by_patterns is null
                                    or coalesce(
                                        (strpos(t.title_text, by_word) > 0 or strpos(t.tags_text, by_word) > 0 or strpos(t.description_text, by_word) > 0)
                                            and (
                                                cardinality(by_patterns) = 1
                                                or (t.title_text || t.tags_text || t.description_text) like all (by_patterns)),
                                        t.words @@ by_query))
                                limit 501) as endless limit (p_start).size + 1) as source
                        ) as task) as page);
            end if;
            return answer;
        end if;
        answer := (
            select row (
                case when page.lengthy then null
                    else coalesce(array_to_string(page.numbers[:page.size], ' ') || chr(10) || page.lines, '') end,
                case when page.found > page.size then page.keys[page.size]::text end,
                case when page.found > page.size then page.ids[page.size]::text end)::api.task_page
            from (
                select count(*) as found, (p_start).size as size, bool_or(octet_length(task.json) > 2096) as lengthy,
                    string_agg(case when octet_length(task.json) <= 2096 then task.json end, chr(10)) as lines,
                    array_agg(task.seq) as numbers, array_agg(task.key) as keys, array_agg(task.id) as ids
                from (select source.* from (
                    select t.json, t.seq, t.id, t.due_key as key
                    from errand.task as t
                    where (t.due_key, t.id) > (
                            case when (p_start).key is null then '-infinity' else (p_start).key::timestamptz end,
                            case when (p_start).id is null then '00000000-0000-0000-0000-000000000000' else (p_start).id end) and (by_completed is null or t.completed = by_completed)
                            and (by_priorities is null or t.priority = any (by_priorities))
                            and (by_tags is null or t.tags @> by_tags)
                            and (
                                by_patterns is null
                                or coalesce(
                                    (strpos(t.title_text, by_word) > 0 or strpos(t.tags_text, by_word) > 0 or strpos(t.description_text, by_word) > 0)
                                        and (
                                            cardinality(by_patterns) = 1
                                            or (t.title_text || t.tags_text || t.description_text) like all (by_patterns)),
                                    t.words @@ by_query))
                    order by t.due_key asc, t.id asc
                    limit 501) as source limit (p_start).size + 1) as task) as page);
        if answer.tasks is null then
            answer := (
                select row (
                    case when page.lengthy then null
                        else coalesce(array_to_string(page.numbers[:page.size], ' ') || chr(10) || page.lines, '') end,
                    case when page.found > page.size then page.keys[page.size]::text end,
                    case when page.found > page.size then page.ids[page.size]::text end)::api.task_page
                from (
                    select count(*) as found, least((p_start).size, count(*) filter (where task.fits))::int as size, false as lengthy,
                        string_agg(task.json, chr(10)) filter (where task.fits) as lines,
                        array_agg(task.seq) filter (where task.fits) as numbers, array_agg(task.key) as keys, array_agg(task.id) as ids
                    from (
                        select source.*,
                            sum(octet_length(source.json)) over (rows unbounded preceding)
                                <= greatest(1048576, octet_length(source.json)) as fits
                        from (select endless.* from (
                            select t.json, t.seq, t.id, t.due_key as key
                            from errand.task as t
                            where (t.due_key, t.id) > (
                                    case when (p_start).key is null then '-infinity' else (p_start).key::timestamptz end,
                                    case when (p_start).id is null then '00000000-0000-0000-0000-000000000000' else (p_start).id end) and (by_completed is null or t.completed = by_completed)
                                    and (by_priorities is null or t.priority = any (by_priorities))
                                    and (by_tags is null or t.tags @> by_tags)
                                    and (
                                        by_patterns is null
                                        or coalesce(
                                            (strpos(t.title_text, by_word) > 0 or strpos(t.tags_text, by_word) > 0 or strpos(t.description_text, by_word) > 0)
                                                and (
                                                    cardinality(by_patterns) = 1
                                                    or (t.title_text || t.tags_text || t.description_text) like all (by_patterns)),
                                            t.words @@ by_query))
                            order by t.due_key asc, t.id asc
                            limit 501) as endless limit (p_start).size + 1) as source
                    ) as task) as page);
        end if;
        return answer;
    end;
end
$$;

create or replace function errand.short_page_by_due_asc(p_start api.task_page_start, p_filter errand.task_filter)
returns api.task_page language plpgsql stable set enable_sort = off as $$
declare
    answer api.task_page;
    by_completed constant boolean := p_filter.completed;
    by_priorities constant smallint[] := p_filter.priorities;
begin
    answer := (
        select row (
            case when page.lengthy then null
                else coalesce(array_to_string(page.numbers[:page.size], ' ') || chr(10) || page.lines, '') end,
            case when page.found > page.size then page.keys[page.size]::text end,
            case when page.found > page.size then page.ids[page.size]::text end)::api.task_page
        from (
            select count(*) as found, (p_start).size as size, bool_or(octet_length(task.json) > 2096) as lengthy,
                string_agg(case when octet_length(task.json) <= 2096 then task.json end, chr(10)) as lines,
                array_agg(task.seq) as numbers, array_agg(task.key) as keys, array_agg(task.id) as ids
            from (select source.* from (
                select t.json, t.seq, t.id, t.key
                from (
                    select t.json, t.seq, t.id, t.completed, t.priority, t.tags, t.title_text, t.tags_text, t.description_text, t.words, t.due_date, t.due_at,
                        t.due_key, t.updated_at, t.due_key as key
                    from errand.task as t
                    where (t.due_key, t.id) > (
                            case when (p_start).key is null then '-infinity' else (p_start).key::timestamptz end,
                            case when (p_start).id is null then '00000000-0000-0000-0000-000000000000' else (p_start).id end)
                    order by t.due_key asc, t.id asc
                    limit 500) as t
                where true and (by_completed is null or t.completed = by_completed)
                and (by_priorities is null or t.priority = any (by_priorities))
                limit 501) as source limit (p_start).size + 1) as task) as page);
    if answer.tasks is null then
        answer := (
            select row (
                case when page.lengthy then null
                    else coalesce(array_to_string(page.numbers[:page.size], ' ') || chr(10) || page.lines, '') end,
                case when page.found > page.size then page.keys[page.size]::text end,
                case when page.found > page.size then page.ids[page.size]::text end)::api.task_page
            from (
                select count(*) as found, least((p_start).size, count(*) filter (where task.fits))::int as size, false as lengthy,
                    string_agg(task.json, chr(10)) filter (where task.fits) as lines,
                    array_agg(task.seq) filter (where task.fits) as numbers, array_agg(task.key) as keys, array_agg(task.id) as ids
                from (
                    select source.*,
                        sum(octet_length(source.json)) over (rows unbounded preceding)
                            <= greatest(1048576, octet_length(source.json)) as fits
                    from (select endless.* from (
                        select t.json, t.seq, t.id, t.key
                        from (
                            select t.json, t.seq, t.id, t.completed, t.priority, t.tags, t.title_text, t.tags_text, t.description_text, t.words, t.due_date, t.due_at,
                                t.due_key, t.updated_at, t.due_key as key
                            from errand.task as t
                            where (t.due_key, t.id) > (
                                    case when (p_start).key is null then '-infinity' else (p_start).key::timestamptz end,
                                    case when (p_start).id is null then '00000000-0000-0000-0000-000000000000' else (p_start).id end)
                            order by t.due_key asc, t.id asc
                            limit 500) as t
                        where true and (by_completed is null or t.completed = by_completed)
                        and (by_priorities is null or t.priority = any (by_priorities))
                        limit 501) as endless limit (p_start).size + 1) as source
                ) as task) as page);
    end if;
    if answer.last_id is null and exists (select from (
        select t.id, t.due_key as key
        from errand.task as t
        where (t.due_key, t.id) > (
                case when (p_start).key is null then '-infinity' else (p_start).key::timestamptz end,
                case when (p_start).id is null then '00000000-0000-0000-0000-000000000000' else (p_start).id end)
        order by t.due_key asc, t.id asc
        limit 500) as walk offset 499) then
        answer.tasks := null;
    end if;
    return answer;
end
$$;

create or replace function errand.found_page_by_due_asc(p_start api.task_page_start, p_filter errand.task_filter)
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
        select row (
            case when page.lengthy then null
                else coalesce(array_to_string(page.numbers[:page.size], ' ') || chr(10) || page.lines, '') end,
            case when page.found > page.size then page.keys[page.size]::text end,
            case when page.found > page.size then page.ids[page.size]::text end)::api.task_page
        from (
            select count(*) as found, (p_start).size as size, bool_or(octet_length(task.json) > 2096) as lengthy,
                string_agg(case when octet_length(task.json) <= 2096 then task.json end, chr(10)) as lines,
                array_agg(task.seq) as numbers, array_agg(task.key) as keys, array_agg(task.id) as ids
            from (select source.* from (
                select t.json, t.seq, t.id, t.due_key as key
                from errand.task as t
                where t.id = any (by_candidates)
                    and (t.due_key, t.id) > (
                        case when (p_start).key is null then '-infinity' else (p_start).key::timestamptz end,
                        case when (p_start).id is null then '00000000-0000-0000-0000-000000000000' else (p_start).id end) and (by_completed is null or t.completed = by_completed)
                        and (by_priorities is null or t.priority = any (by_priorities))
                        and (by_tags is null or t.tags @> by_tags)
                        and (
                            by_patterns is null
                            or coalesce(
                                (strpos(t.title_text, by_word) > 0 or strpos(t.tags_text, by_word) > 0 or strpos(t.description_text, by_word) > 0)
                                    and (
                                        cardinality(by_patterns) = 1
                                        or (t.title_text || t.tags_text || t.description_text) like all (by_patterns)),
                                t.words @@ by_query))
                order by t.due_key asc, t.id asc
                limit 501) as source limit (p_start).size + 1) as task) as page);
    if answer.tasks is null then
        answer := (
            select row (
                case when page.lengthy then null
                    else coalesce(array_to_string(page.numbers[:page.size], ' ') || chr(10) || page.lines, '') end,
                case when page.found > page.size then page.keys[page.size]::text end,
                case when page.found > page.size then page.ids[page.size]::text end)::api.task_page
            from (
                select count(*) as found, least((p_start).size, count(*) filter (where task.fits))::int as size, false as lengthy,
                    string_agg(task.json, chr(10)) filter (where task.fits) as lines,
                    array_agg(task.seq) filter (where task.fits) as numbers, array_agg(task.key) as keys, array_agg(task.id) as ids
                from (
                    select source.*,
                        sum(octet_length(source.json)) over (rows unbounded preceding)
                            <= greatest(1048576, octet_length(source.json)) as fits
                    from (select endless.* from (
                        select t.json, t.seq, t.id, t.due_key as key
                        from errand.task as t
                        where t.id = any (by_candidates)
                            and (t.due_key, t.id) > (
                                case when (p_start).key is null then '-infinity' else (p_start).key::timestamptz end,
                                case when (p_start).id is null then '00000000-0000-0000-0000-000000000000' else (p_start).id end) and (by_completed is null or t.completed = by_completed)
                                and (by_priorities is null or t.priority = any (by_priorities))
                                and (by_tags is null or t.tags @> by_tags)
                                and (
                                    by_patterns is null
                                    or coalesce(
                                        (strpos(t.title_text, by_word) > 0 or strpos(t.tags_text, by_word) > 0 or strpos(t.description_text, by_word) > 0)
                                            and (
                                                cardinality(by_patterns) = 1
                                                or (t.title_text || t.tags_text || t.description_text) like all (by_patterns)),
                                        t.words @@ by_query))
                        order by t.due_key asc, t.id asc
                        limit 501) as endless limit (p_start).size + 1) as source
                ) as task) as page);
    end if;
    return answer;
end
$$;

create or replace function errand.page_by_priority_desc(p_start api.task_page_start, p_filter errand.task_filter, p_ends boolean)
returns api.task_page language plpgsql stable set enable_sort = off as $$
declare
    answer api.task_page;
begin
    if p_filter is null then
        answer := (
            select row (
                case when page.lengthy then null
                    else coalesce(array_to_string(page.numbers[:page.size], ' ') || chr(10) || page.lines, '') end,
                case when page.found > page.size then page.keys[page.size]::text end,
                case when page.found > page.size then page.ids[page.size]::text end)::api.task_page
            from (
                select count(*) as found, (p_start).size as size, bool_or(octet_length(task.json) > 2096) as lengthy,
                    string_agg(case when octet_length(task.json) <= 2096 then task.json end, chr(10)) as lines,
                    array_agg(task.seq) as numbers, array_agg(task.key) as keys, array_agg(task.id) as ids
                from (select source.* from (
                    select t.json, t.seq, t.id, t.priority as key
                    from errand.task as t
                    where (t.priority, t.id) < (
                            case when (p_start).key is null then '4' else (p_start).key::smallint end,
                            case when (p_start).id is null then 'ffffffff-ffff-ffff-ffff-ffffffffffff' else (p_start).id end)
                    order by t.priority desc, t.id desc
                    limit 501) as source limit (p_start).size + 1) as task) as page);
        if answer.tasks is null then
            answer := (
                select row (
                    case when page.lengthy then null
                        else coalesce(array_to_string(page.numbers[:page.size], ' ') || chr(10) || page.lines, '') end,
                    case when page.found > page.size then page.keys[page.size]::text end,
                    case when page.found > page.size then page.ids[page.size]::text end)::api.task_page
                from (
                    select count(*) as found, least((p_start).size, count(*) filter (where task.fits))::int as size, false as lengthy,
                        string_agg(task.json, chr(10)) filter (where task.fits) as lines,
                        array_agg(task.seq) filter (where task.fits) as numbers, array_agg(task.key) as keys, array_agg(task.id) as ids
                    from (
                        select source.*,
                            sum(octet_length(source.json)) over (rows unbounded preceding)
                                <= greatest(1048576, octet_length(source.json)) as fits
                        from (select endless.* from (
                            select t.json, t.seq, t.id, t.priority as key
                            from errand.task as t
                            where (t.priority, t.id) < (
                                    case when (p_start).key is null then '4' else (p_start).key::smallint end,
                                    case when (p_start).id is null then 'ffffffff-ffff-ffff-ffff-ffffffffffff' else (p_start).id end)
                            order by t.priority desc, t.id desc
                            limit 501) as endless limit (p_start).size + 1) as source
                    ) as task) as page);
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
                select row (
                    case when page.lengthy then null
                        else coalesce(array_to_string(page.numbers[:page.size], ' ') || chr(10) || page.lines, '') end,
                    case when page.found > page.size then page.keys[page.size]::text end,
                    case when page.found > page.size then page.ids[page.size]::text end)::api.task_page
                from (
                    select count(*) as found, (p_start).size as size, bool_or(octet_length(task.json) > 2096) as lengthy,
                        string_agg(case when octet_length(task.json) <= 2096 then task.json end, chr(10)) as lines,
                        array_agg(task.seq) as numbers, array_agg(task.key) as keys, array_agg(task.id) as ids
                    from (select source.* from (
                        select t.json, t.seq, t.id, t.key
                        from (
                            select t.json, t.seq, t.id, t.completed, t.priority, t.tags, t.title_text, t.tags_text, t.description_text, t.words, t.due_date, t.due_at,
                                t.due_key, t.updated_at, t.priority as key
                            from errand.task as t
                            where (t.priority, t.id) < (
                                    case when (p_start).key is null then '4' else (p_start).key::smallint end,
                                    case when (p_start).id is null then 'ffffffff-ffff-ffff-ffff-ffffffffffff' else (p_start).id end)
                            order by t.priority desc, t.id desc
                            limit 20000) as t
                        where true and (by_completed is null or t.completed = by_completed)
                        and (by_priorities is null or t.priority = any (by_priorities))
                        and (by_tags is null or t.tags @> by_tags)
                        and (
                            by_patterns is null
                            or coalesce(
                                (strpos(t.title_text, by_word) > 0 or strpos(t.tags_text, by_word) > 0 or strpos(t.description_text, by_word) > 0)
                                    and (
                                        cardinality(by_patterns) = 1
                                        or (t.title_text || t.tags_text || t.description_text) like all (by_patterns)),
                                t.words @@ by_query))
                        limit 501) as source limit (p_start).size + 1) as task) as page);
            if answer.tasks is null then
                answer := (
                    select row (
                        case when page.lengthy then null
                            else coalesce(array_to_string(page.numbers[:page.size], ' ') || chr(10) || page.lines, '') end,
                        case when page.found > page.size then page.keys[page.size]::text end,
                        case when page.found > page.size then page.ids[page.size]::text end)::api.task_page
                    from (
                        select count(*) as found, least((p_start).size, count(*) filter (where task.fits))::int as size, false as lengthy,
                            string_agg(task.json, chr(10)) filter (where task.fits) as lines,
                            array_agg(task.seq) filter (where task.fits) as numbers, array_agg(task.key) as keys, array_agg(task.id) as ids
                        from (
                            select source.*,
                                sum(octet_length(source.json)) over (rows unbounded preceding)
                                    <= greatest(1048576, octet_length(source.json)) as fits
                            from (select endless.* from (
                                select t.json, t.seq, t.id, t.key
                                from (
                                    select t.json, t.seq, t.id, t.completed, t.priority, t.tags, t.title_text, t.tags_text, t.description_text, t.words, t.due_date, t.due_at,
                                        t.due_key, t.updated_at, t.priority as key
                                    from errand.task as t
                                    where (t.priority, t.id) < (
                                            case when (p_start).key is null then '4' else (p_start).key::smallint end,
                                            case when (p_start).id is null then 'ffffffff-ffff-ffff-ffff-ffffffffffff' else (p_start).id end)
                                    order by t.priority desc, t.id desc
                                    limit 20000) as t
                                where true and (by_completed is null or t.completed = by_completed)
                                and (by_priorities is null or t.priority = any (by_priorities))
                                and (by_tags is null or t.tags @> by_tags)
                                and (
                                    by_patterns is null
                                    or coalesce(
                                        (strpos(t.title_text, by_word) > 0 or strpos(t.tags_text, by_word) > 0 or strpos(t.description_text, by_word) > 0)
                                            and (
                                                cardinality(by_patterns) = 1
                                                or (t.title_text || t.tags_text || t.description_text) like all (by_patterns)),
                                        t.words @@ by_query))
                                limit 501) as endless limit (p_start).size + 1) as source
                        ) as task) as page);
            end if;
            return answer;
        end if;
        answer := (
            select row (
                case when page.lengthy then null
                    else coalesce(array_to_string(page.numbers[:page.size], ' ') || chr(10) || page.lines, '') end,
                case when page.found > page.size then page.keys[page.size]::text end,
                case when page.found > page.size then page.ids[page.size]::text end)::api.task_page
            from (
                select count(*) as found, (p_start).size as size, bool_or(octet_length(task.json) > 2096) as lengthy,
                    string_agg(case when octet_length(task.json) <= 2096 then task.json end, chr(10)) as lines,
                    array_agg(task.seq) as numbers, array_agg(task.key) as keys, array_agg(task.id) as ids
                from (select source.* from (
                    select t.json, t.seq, t.id, t.priority as key
                    from errand.task as t
                    where (t.priority, t.id) < (
                            case when (p_start).key is null then '4' else (p_start).key::smallint end,
                            case when (p_start).id is null then 'ffffffff-ffff-ffff-ffff-ffffffffffff' else (p_start).id end) and (by_completed is null or t.completed = by_completed)
                            and (by_priorities is null or t.priority = any (by_priorities))
                            and (by_tags is null or t.tags @> by_tags)
                            and (
                                by_patterns is null
                                or coalesce(
                                    (strpos(t.title_text, by_word) > 0 or strpos(t.tags_text, by_word) > 0 or strpos(t.description_text, by_word) > 0)
                                        and (
                                            cardinality(by_patterns) = 1
                                            or (t.title_text || t.tags_text || t.description_text) like all (by_patterns)),
                                    t.words @@ by_query))
                    order by t.priority desc, t.id desc
                    limit 501) as source limit (p_start).size + 1) as task) as page);
        if answer.tasks is null then
            answer := (
                select row (
                    case when page.lengthy then null
                        else coalesce(array_to_string(page.numbers[:page.size], ' ') || chr(10) || page.lines, '') end,
                    case when page.found > page.size then page.keys[page.size]::text end,
                    case when page.found > page.size then page.ids[page.size]::text end)::api.task_page
                from (
                    select count(*) as found, least((p_start).size, count(*) filter (where task.fits))::int as size, false as lengthy,
                        string_agg(task.json, chr(10)) filter (where task.fits) as lines,
                        array_agg(task.seq) filter (where task.fits) as numbers, array_agg(task.key) as keys, array_agg(task.id) as ids
                    from (
                        select source.*,
                            sum(octet_length(source.json)) over (rows unbounded preceding)
                                <= greatest(1048576, octet_length(source.json)) as fits
                        from (select endless.* from (
                            select t.json, t.seq, t.id, t.priority as key
                            from errand.task as t
                            where (t.priority, t.id) < (
                                    case when (p_start).key is null then '4' else (p_start).key::smallint end,
                                    case when (p_start).id is null then 'ffffffff-ffff-ffff-ffff-ffffffffffff' else (p_start).id end) and (by_completed is null or t.completed = by_completed)
                                    and (by_priorities is null or t.priority = any (by_priorities))
                                    and (by_tags is null or t.tags @> by_tags)
                                    and (
                                        by_patterns is null
                                        or coalesce(
                                            (strpos(t.title_text, by_word) > 0 or strpos(t.tags_text, by_word) > 0 or strpos(t.description_text, by_word) > 0)
                                                and (
                                                    cardinality(by_patterns) = 1
                                                    or (t.title_text || t.tags_text || t.description_text) like all (by_patterns)),
                                            t.words @@ by_query))
                            order by t.priority desc, t.id desc
                            limit 501) as endless limit (p_start).size + 1) as source
                    ) as task) as page);
        end if;
        return answer;
    end;
end
$$;

create or replace function errand.short_page_by_priority_desc(p_start api.task_page_start, p_filter errand.task_filter)
returns api.task_page language plpgsql stable set enable_sort = off as $$
declare
    answer api.task_page;
    by_completed constant boolean := p_filter.completed;
    by_priorities constant smallint[] := p_filter.priorities;
begin
    answer := (
        select row (
            case when page.lengthy then null
                else coalesce(array_to_string(page.numbers[:page.size], ' ') || chr(10) || page.lines, '') end,
            case when page.found > page.size then page.keys[page.size]::text end,
            case when page.found > page.size then page.ids[page.size]::text end)::api.task_page
        from (
            select count(*) as found, (p_start).size as size, bool_or(octet_length(task.json) > 2096) as lengthy,
                string_agg(case when octet_length(task.json) <= 2096 then task.json end, chr(10)) as lines,
                array_agg(task.seq) as numbers, array_agg(task.key) as keys, array_agg(task.id) as ids
            from (select source.* from (
                select t.json, t.seq, t.id, t.key
                from (
                    select t.json, t.seq, t.id, t.completed, t.priority, t.tags, t.title_text, t.tags_text, t.description_text, t.words, t.due_date, t.due_at,
                        t.due_key, t.updated_at, t.priority as key
                    from errand.task as t
                    where (t.priority, t.id) < (
                            case when (p_start).key is null then '4' else (p_start).key::smallint end,
                            case when (p_start).id is null then 'ffffffff-ffff-ffff-ffff-ffffffffffff' else (p_start).id end)
                    order by t.priority desc, t.id desc
                    limit 500) as t
                where true and (by_completed is null or t.completed = by_completed)
                and (by_priorities is null or t.priority = any (by_priorities))
                limit 501) as source limit (p_start).size + 1) as task) as page);
    if answer.tasks is null then
        answer := (
            select row (
                case when page.lengthy then null
                    else coalesce(array_to_string(page.numbers[:page.size], ' ') || chr(10) || page.lines, '') end,
                case when page.found > page.size then page.keys[page.size]::text end,
                case when page.found > page.size then page.ids[page.size]::text end)::api.task_page
            from (
                select count(*) as found, least((p_start).size, count(*) filter (where task.fits))::int as size, false as lengthy,
                    string_agg(task.json, chr(10)) filter (where task.fits) as lines,
                    array_agg(task.seq) filter (where task.fits) as numbers, array_agg(task.key) as keys, array_agg(task.id) as ids
                from (
                    select source.*,
                        sum(octet_length(source.json)) over (rows unbounded preceding)
                            <= greatest(1048576, octet_length(source.json)) as fits
                    from (select endless.* from (
                        select t.json, t.seq, t.id, t.key
                        from (
                            select t.json, t.seq, t.id, t.completed, t.priority, t.tags, t.title_text, t.tags_text, t.description_text, t.words, t.due_date, t.due_at,
                                t.due_key, t.updated_at, t.priority as key
                            from errand.task as t
                            where (t.priority, t.id) < (
                                    case when (p_start).key is null then '4' else (p_start).key::smallint end,
                                    case when (p_start).id is null then 'ffffffff-ffff-ffff-ffff-ffffffffffff' else (p_start).id end)
                            order by t.priority desc, t.id desc
                            limit 500) as t
                        where true and (by_completed is null or t.completed = by_completed)
                        and (by_priorities is null or t.priority = any (by_priorities))
                        limit 501) as endless limit (p_start).size + 1) as source
                ) as task) as page);
    end if;
    if answer.last_id is null and exists (select from (
        select t.id, t.priority as key
        from errand.task as t
        where (t.priority, t.id) < (
                case when (p_start).key is null then '4' else (p_start).key::smallint end,
                case when (p_start).id is null then 'ffffffff-ffff-ffff-ffff-ffffffffffff' else (p_start).id end)
        order by t.priority desc, t.id desc
        limit 500) as walk offset 499) then
        answer.tasks := null;
    end if;
    return answer;
end
$$;

create or replace function errand.found_page_by_priority_desc(p_start api.task_page_start, p_filter errand.task_filter)
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
        select row (
            case when page.lengthy then null
                else coalesce(array_to_string(page.numbers[:page.size], ' ') || chr(10) || page.lines, '') end,
            case when page.found > page.size then page.keys[page.size]::text end,
            case when page.found > page.size then page.ids[page.size]::text end)::api.task_page
        from (
            select count(*) as found, (p_start).size as size, bool_or(octet_length(task.json) > 2096) as lengthy,
                string_agg(case when octet_length(task.json) <= 2096 then task.json end, chr(10)) as lines,
                array_agg(task.seq) as numbers, array_agg(task.key) as keys, array_agg(task.id) as ids
            from (select source.* from (
                select t.json, t.seq, t.id, t.priority as key
                from errand.task as t
                where t.id = any (by_candidates)
                    and (t.priority, t.id) < (
                        case when (p_start).key is null then '4' else (p_start).key::smallint end,
                        case when (p_start).id is null then 'ffffffff-ffff-ffff-ffff-ffffffffffff' else (p_start).id end) and (by_completed is null or t.completed = by_completed)
                        and (by_priorities is null or t.priority = any (by_priorities))
                        and (by_tags is null or t.tags @> by_tags)
                        and (
                            by_patterns is null
                            or coalesce(
                                (strpos(t.title_text, by_word) > 0 or strpos(t.tags_text, by_word) > 0 or strpos(t.description_text, by_word) > 0)
                                    and (
                                        cardinality(by_patterns) = 1
                                        or (t.title_text || t.tags_text || t.description_text) like all (by_patterns)),
                                t.words @@ by_query))
                order by t.priority desc, t.id desc
                limit 501) as source limit (p_start).size + 1) as task) as page);
    if answer.tasks is null then
        answer := (
            select row (
                case when page.lengthy then null
                    else coalesce(array_to_string(page.numbers[:page.size], ' ') || chr(10) || page.lines, '') end,
                case when page.found > page.size then page.keys[page.size]::text end,
                case when page.found > page.size then page.ids[page.size]::text end)::api.task_page
            from (
                select count(*) as found, least((p_start).size, count(*) filter (where task.fits))::int as size, false as lengthy,
                    string_agg(task.json, chr(10)) filter (where task.fits) as lines,
                    array_agg(task.seq) filter (where task.fits) as numbers, array_agg(task.key) as keys, array_agg(task.id) as ids
                from (
                    select source.*,
                        sum(octet_length(source.json)) over (rows unbounded preceding)
                            <= greatest(1048576, octet_length(source.json)) as fits
                    from (select endless.* from (
                        select t.json, t.seq, t.id, t.priority as key
                        from errand.task as t
                        where t.id = any (by_candidates)
                            and (t.priority, t.id) < (
                                case when (p_start).key is null then '4' else (p_start).key::smallint end,
                                case when (p_start).id is null then 'ffffffff-ffff-ffff-ffff-ffffffffffff' else (p_start).id end) and (by_completed is null or t.completed = by_completed)
                                and (by_priorities is null or t.priority = any (by_priorities))
                                and (by_tags is null or t.tags @> by_tags)
                                and (
                                    by_patterns is null
                                    or coalesce(
                                        (strpos(t.title_text, by_word) > 0 or strpos(t.tags_text, by_word) > 0 or strpos(t.description_text, by_word) > 0)
                                            and (
                                                cardinality(by_patterns) = 1
                                                or (t.title_text || t.tags_text || t.description_text) like all (by_patterns)),
                                        t.words @@ by_query))
                        order by t.priority desc, t.id desc
                        limit 501) as endless limit (p_start).size + 1) as source
                ) as task) as page);
    end if;
    return answer;
end
$$;

create or replace function errand.page_by_priority_asc(p_start api.task_page_start, p_filter errand.task_filter, p_ends boolean)
returns api.task_page language plpgsql stable set enable_sort = off as $$
declare
    answer api.task_page;
begin
    if p_filter is null then
        answer := (
            select row (
                case when page.lengthy then null
                    else coalesce(array_to_string(page.numbers[:page.size], ' ') || chr(10) || page.lines, '') end,
                case when page.found > page.size then page.keys[page.size]::text end,
                case when page.found > page.size then page.ids[page.size]::text end)::api.task_page
            from (
                select count(*) as found, (p_start).size as size, bool_or(octet_length(task.json) > 2096) as lengthy,
                    string_agg(case when octet_length(task.json) <= 2096 then task.json end, chr(10)) as lines,
                    array_agg(task.seq) as numbers, array_agg(task.key) as keys, array_agg(task.id) as ids
                from (select source.* from (
                    select t.json, t.seq, t.id, t.priority as key
                    from errand.task as t
                    where (t.priority, t.id) > (
                            case when (p_start).key is null then '-1' else (p_start).key::smallint end,
                            case when (p_start).id is null then '00000000-0000-0000-0000-000000000000' else (p_start).id end)
                    order by t.priority asc, t.id asc
                    limit 501) as source limit (p_start).size + 1) as task) as page);
        if answer.tasks is null then
            answer := (
                select row (
                    case when page.lengthy then null
                        else coalesce(array_to_string(page.numbers[:page.size], ' ') || chr(10) || page.lines, '') end,
                    case when page.found > page.size then page.keys[page.size]::text end,
                    case when page.found > page.size then page.ids[page.size]::text end)::api.task_page
                from (
                    select count(*) as found, least((p_start).size, count(*) filter (where task.fits))::int as size, false as lengthy,
                        string_agg(task.json, chr(10)) filter (where task.fits) as lines,
                        array_agg(task.seq) filter (where task.fits) as numbers, array_agg(task.key) as keys, array_agg(task.id) as ids
                    from (
                        select source.*,
                            sum(octet_length(source.json)) over (rows unbounded preceding)
                                <= greatest(1048576, octet_length(source.json)) as fits
                        from (select endless.* from (
                            select t.json, t.seq, t.id, t.priority as key
                            from errand.task as t
                            where (t.priority, t.id) > (
                                    case when (p_start).key is null then '-1' else (p_start).key::smallint end,
                                    case when (p_start).id is null then '00000000-0000-0000-0000-000000000000' else (p_start).id end)
                            order by t.priority asc, t.id asc
                            limit 501) as endless limit (p_start).size + 1) as source
                    ) as task) as page);
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
                select row (
                    case when page.lengthy then null
                        else coalesce(array_to_string(page.numbers[:page.size], ' ') || chr(10) || page.lines, '') end,
                    case when page.found > page.size then page.keys[page.size]::text end,
                    case when page.found > page.size then page.ids[page.size]::text end)::api.task_page
                from (
                    select count(*) as found, (p_start).size as size, bool_or(octet_length(task.json) > 2096) as lengthy,
                        string_agg(case when octet_length(task.json) <= 2096 then task.json end, chr(10)) as lines,
                        array_agg(task.seq) as numbers, array_agg(task.key) as keys, array_agg(task.id) as ids
                    from (select source.* from (
                        select t.json, t.seq, t.id, t.key
                        from (
                            select t.json, t.seq, t.id, t.completed, t.priority, t.tags, t.title_text, t.tags_text, t.description_text, t.words, t.due_date, t.due_at,
                                t.due_key, t.updated_at, t.priority as key
                            from errand.task as t
                            where (t.priority, t.id) > (
                                    case when (p_start).key is null then '-1' else (p_start).key::smallint end,
                                    case when (p_start).id is null then '00000000-0000-0000-0000-000000000000' else (p_start).id end)
                            order by t.priority asc, t.id asc
                            limit 20000) as t
                        where true and (by_completed is null or t.completed = by_completed)
                        and (by_priorities is null or t.priority = any (by_priorities))
                        and (by_tags is null or t.tags @> by_tags)
                        and (
                            by_patterns is null
                            or coalesce(
                                (strpos(t.title_text, by_word) > 0 or strpos(t.tags_text, by_word) > 0 or strpos(t.description_text, by_word) > 0)
                                    and (
                                        cardinality(by_patterns) = 1
                                        or (t.title_text || t.tags_text || t.description_text) like all (by_patterns)),
                                t.words @@ by_query))
                        limit 501) as source limit (p_start).size + 1) as task) as page);
            if answer.tasks is null then
                answer := (
                    select row (
                        case when page.lengthy then null
                            else coalesce(array_to_string(page.numbers[:page.size], ' ') || chr(10) || page.lines, '') end,
                        case when page.found > page.size then page.keys[page.size]::text end,
                        case when page.found > page.size then page.ids[page.size]::text end)::api.task_page
                    from (
                        select count(*) as found, least((p_start).size, count(*) filter (where task.fits))::int as size, false as lengthy,
                            string_agg(task.json, chr(10)) filter (where task.fits) as lines,
                            array_agg(task.seq) filter (where task.fits) as numbers, array_agg(task.key) as keys, array_agg(task.id) as ids
                        from (
                            select source.*,
                                sum(octet_length(source.json)) over (rows unbounded preceding)
                                    <= greatest(1048576, octet_length(source.json)) as fits
                            from (select endless.* from (
                                select t.json, t.seq, t.id, t.key
                                from (
                                    select t.json, t.seq, t.id, t.completed, t.priority, t.tags, t.title_text, t.tags_text, t.description_text, t.words, t.due_date, t.due_at,
                                        t.due_key, t.updated_at, t.priority as key
                                    from errand.task as t
                                    where (t.priority, t.id) > (
                                            case when (p_start).key is null then '-1' else (p_start).key::smallint end,
                                            case when (p_start).id is null then '00000000-0000-0000-0000-000000000000' else (p_start).id end)
                                    order by t.priority asc, t.id asc
                                    limit 20000) as t
                                where true and (by_completed is null or t.completed = by_completed)
                                and (by_priorities is null or t.priority = any (by_priorities))
                                and (by_tags is null or t.tags @> by_tags)
                                and (
                                    by_patterns is null
                                    or coalesce(
                                        (strpos(t.title_text, by_word) > 0 or strpos(t.tags_text, by_word) > 0 or strpos(t.description_text, by_word) > 0)
                                            and (
                                                cardinality(by_patterns) = 1
                                                or (t.title_text || t.tags_text || t.description_text) like all (by_patterns)),
                                        t.words @@ by_query))
                                limit 501) as endless limit (p_start).size + 1) as source
                        ) as task) as page);
            end if;
            return answer;
        end if;
        answer := (
            select row (
                case when page.lengthy then null
                    else coalesce(array_to_string(page.numbers[:page.size], ' ') || chr(10) || page.lines, '') end,
                case when page.found > page.size then page.keys[page.size]::text end,
                case when page.found > page.size then page.ids[page.size]::text end)::api.task_page
            from (
                select count(*) as found, (p_start).size as size, bool_or(octet_length(task.json) > 2096) as lengthy,
                    string_agg(case when octet_length(task.json) <= 2096 then task.json end, chr(10)) as lines,
                    array_agg(task.seq) as numbers, array_agg(task.key) as keys, array_agg(task.id) as ids
                from (select source.* from (
                    select t.json, t.seq, t.id, t.priority as key
                    from errand.task as t
                    where (t.priority, t.id) > (
                            case when (p_start).key is null then '-1' else (p_start).key::smallint end,
                            case when (p_start).id is null then '00000000-0000-0000-0000-000000000000' else (p_start).id end) and (by_completed is null or t.completed = by_completed)
                            and (by_priorities is null or t.priority = any (by_priorities))
                            and (by_tags is null or t.tags @> by_tags)
                            and (
                                by_patterns is null
                                or coalesce(
                                    (strpos(t.title_text, by_word) > 0 or strpos(t.tags_text, by_word) > 0 or strpos(t.description_text, by_word) > 0)
                                        and (
                                            cardinality(by_patterns) = 1
                                            or (t.title_text || t.tags_text || t.description_text) like all (by_patterns)),
                                    t.words @@ by_query))
                    order by t.priority asc, t.id asc
                    limit 501) as source limit (p_start).size + 1) as task) as page);
        if answer.tasks is null then
            answer := (
                select row (
                    case when page.lengthy then null
                        else coalesce(array_to_string(page.numbers[:page.size], ' ') || chr(10) || page.lines, '') end,
                    case when page.found > page.size then page.keys[page.size]::text end,
                    case when page.found > page.size then page.ids[page.size]::text end)::api.task_page
                from (
                    select count(*) as found, least((p_start).size, count(*) filter (where task.fits))::int as size, false as lengthy,
                        string_agg(task.json, chr(10)) filter (where task.fits) as lines,
                        array_agg(task.seq) filter (where task.fits) as numbers, array_agg(task.key) as keys, array_agg(task.id) as ids
                    from (
                        select source.*,
                            sum(octet_length(source.json)) over (rows unbounded preceding)
                                <= greatest(1048576, octet_length(source.json)) as fits
                        from (select endless.* from (
                            select t.json, t.seq, t.id, t.priority as key
                            from errand.task as t
                            where (t.priority, t.id) > (
                                    case when (p_start).key is null then '-1' else (p_start).key::smallint end,
                                    case when (p_start).id is null then '00000000-0000-0000-0000-000000000000' else (p_start).id end) and (by_completed is null or t.completed = by_completed)
                                    and (by_priorities is null or t.priority = any (by_priorities))
                                    and (by_tags is null or t.tags @> by_tags)
                                    and (
                                        by_patterns is null
                                        or coalesce(
                                            (strpos(t.title_text, by_word) > 0 or strpos(t.tags_text, by_word) > 0 or strpos(t.description_text, by_word) > 0)
                                                and (
                                                    cardinality(by_patterns) = 1
                                                    or (t.title_text || t.tags_text || t.description_text) like all (by_patterns)),
                                            t.words @@ by_query))
                            order by t.priority asc, t.id asc
                            limit 501) as endless limit (p_start).size + 1) as source
                    ) as task) as page);
        end if;
        return answer;
    end;
end
$$;

create or replace function errand.short_page_by_priority_asc(p_start api.task_page_start, p_filter errand.task_filter)
returns api.task_page language plpgsql stable set enable_sort = off as $$
declare
    answer api.task_page;
    by_completed constant boolean := p_filter.completed;
    by_priorities constant smallint[] := p_filter.priorities;
begin
    answer := (
        select row (
            case when page.lengthy then null
                else coalesce(array_to_string(page.numbers[:page.size], ' ') || chr(10) || page.lines, '') end,
            case when page.found > page.size then page.keys[page.size]::text end,
            case when page.found > page.size then page.ids[page.size]::text end)::api.task_page
        from (
            select count(*) as found, (p_start).size as size, bool_or(octet_length(task.json) > 2096) as lengthy,
                string_agg(case when octet_length(task.json) <= 2096 then task.json end, chr(10)) as lines,
                array_agg(task.seq) as numbers, array_agg(task.key) as keys, array_agg(task.id) as ids
            from (select source.* from (
                select t.json, t.seq, t.id, t.key
                from (
                    select t.json, t.seq, t.id, t.completed, t.priority, t.tags, t.title_text, t.tags_text, t.description_text, t.words, t.due_date, t.due_at,
                        t.due_key, t.updated_at, t.priority as key
                    from errand.task as t
                    where (t.priority, t.id) > (
                            case when (p_start).key is null then '-1' else (p_start).key::smallint end,
                            case when (p_start).id is null then '00000000-0000-0000-0000-000000000000' else (p_start).id end)
                    order by t.priority asc, t.id asc
                    limit 500) as t
                where true and (by_completed is null or t.completed = by_completed)
                and (by_priorities is null or t.priority = any (by_priorities))
                limit 501) as source limit (p_start).size + 1) as task) as page);
    if answer.tasks is null then
        answer := (
            select row (
                case when page.lengthy then null
                    else coalesce(array_to_string(page.numbers[:page.size], ' ') || chr(10) || page.lines, '') end,
                case when page.found > page.size then page.keys[page.size]::text end,
                case when page.found > page.size then page.ids[page.size]::text end)::api.task_page
            from (
                select count(*) as found, least((p_start).size, count(*) filter (where task.fits))::int as size, false as lengthy,
                    string_agg(task.json, chr(10)) filter (where task.fits) as lines,
                    array_agg(task.seq) filter (where task.fits) as numbers, array_agg(task.key) as keys, array_agg(task.id) as ids
                from (
                    select source.*,
                        sum(octet_length(source.json)) over (rows unbounded preceding)
                            <= greatest(1048576, octet_length(source.json)) as fits
                    from (select endless.* from (
                        select t.json, t.seq, t.id, t.key
                        from (
                            select t.json, t.seq, t.id, t.completed, t.priority, t.tags, t.title_text, t.tags_text, t.description_text, t.words, t.due_date, t.due_at,
                                t.due_key, t.updated_at, t.priority as key
                            from errand.task as t
                            where (t.priority, t.id) > (
                                    case when (p_start).key is null then '-1' else (p_start).key::smallint end,
                                    case when (p_start).id is null then '00000000-0000-0000-0000-000000000000' else (p_start).id end)
                            order by t.priority asc, t.id asc
                            limit 500) as t
                        where true and (by_completed is null or t.completed = by_completed)
                        and (by_priorities is null or t.priority = any (by_priorities))
                        limit 501) as endless limit (p_start).size + 1) as source
                ) as task) as page);
    end if;
    if answer.last_id is null and exists (select from (
        select t.id, t.priority as key
        from errand.task as t
        where (t.priority, t.id) > (
                case when (p_start).key is null then '-1' else (p_start).key::smallint end,
                case when (p_start).id is null then '00000000-0000-0000-0000-000000000000' else (p_start).id end)
        order by t.priority asc, t.id asc
        limit 500) as walk offset 499) then
        answer.tasks := null;
    end if;
    return answer;
end
$$;

create or replace function errand.found_page_by_priority_asc(p_start api.task_page_start, p_filter errand.task_filter)
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
        select row (
            case when page.lengthy then null
                else coalesce(array_to_string(page.numbers[:page.size], ' ') || chr(10) || page.lines, '') end,
            case when page.found > page.size then page.keys[page.size]::text end,
            case when page.found > page.size then page.ids[page.size]::text end)::api.task_page
        from (
            select count(*) as found, (p_start).size as size, bool_or(octet_length(task.json) > 2096) as lengthy,
                string_agg(case when octet_length(task.json) <= 2096 then task.json end, chr(10)) as lines,
                array_agg(task.seq) as numbers, array_agg(task.key) as keys, array_agg(task.id) as ids
            from (select source.* from (
                select t.json, t.seq, t.id, t.priority as key
                from errand.task as t
                where t.id = any (by_candidates)
                    and (t.priority, t.id) > (
                        case when (p_start).key is null then '-1' else (p_start).key::smallint end,
                        case when (p_start).id is null then '00000000-0000-0000-0000-000000000000' else (p_start).id end) and (by_completed is null or t.completed = by_completed)
                        and (by_priorities is null or t.priority = any (by_priorities))
                        and (by_tags is null or t.tags @> by_tags)
                        and (
                            by_patterns is null
                            or coalesce(
                                (strpos(t.title_text, by_word) > 0 or strpos(t.tags_text, by_word) > 0 or strpos(t.description_text, by_word) > 0)
                                    and (
                                        cardinality(by_patterns) = 1
                                        or (t.title_text || t.tags_text || t.description_text) like all (by_patterns)),
                                t.words @@ by_query))
                order by t.priority asc, t.id asc
                limit 501) as source limit (p_start).size + 1) as task) as page);
    if answer.tasks is null then
        answer := (
            select row (
                case when page.lengthy then null
                    else coalesce(array_to_string(page.numbers[:page.size], ' ') || chr(10) || page.lines, '') end,
                case when page.found > page.size then page.keys[page.size]::text end,
                case when page.found > page.size then page.ids[page.size]::text end)::api.task_page
            from (
                select count(*) as found, least((p_start).size, count(*) filter (where task.fits))::int as size, false as lengthy,
                    string_agg(task.json, chr(10)) filter (where task.fits) as lines,
                    array_agg(task.seq) filter (where task.fits) as numbers, array_agg(task.key) as keys, array_agg(task.id) as ids
                from (
                    select source.*,
                        sum(octet_length(source.json)) over (rows unbounded preceding)
                            <= greatest(1048576, octet_length(source.json)) as fits
                    from (select endless.* from (
                        select t.json, t.seq, t.id, t.priority as key
                        from errand.task as t
                        where t.id = any (by_candidates)
                            and (t.priority, t.id) > (
                                case when (p_start).key is null then '-1' else (p_start).key::smallint end,
                                case when (p_start).id is null then '00000000-0000-0000-0000-000000000000' else (p_start).id end) and (by_completed is null or t.completed = by_completed)
                                and (by_priorities is null or t.priority = any (by_priorities))
                                and (by_tags is null or t.tags @> by_tags)
                                and (
                                    by_patterns is null
                                    or coalesce(
                                        (strpos(t.title_text, by_word) > 0 or strpos(t.tags_text, by_word) > 0 or strpos(t.description_text, by_word) > 0)
                                            and (
                                                cardinality(by_patterns) = 1
                                                or (t.title_text || t.tags_text || t.description_text) like all (by_patterns)),
                                        t.words @@ by_query))
                        order by t.priority asc, t.id asc
                        limit 501) as endless limit (p_start).size + 1) as source
                ) as task) as page);
    end if;
    return answer;
end
$$;

create or replace function errand.page_by_title_desc(p_start api.task_page_start, p_filter errand.task_filter, p_ends boolean)
returns api.task_page language plpgsql stable set enable_sort = off as $$
declare
    answer api.task_page;
begin
    if p_filter is null then
        answer := (
            select row (
                case when page.lengthy then null
                    else coalesce(array_to_string(page.numbers[:page.size], ' ') || chr(10) || page.lines, '') end,
                case when page.found > page.size then page.keys[page.size]::text end,
                case when page.found > page.size then page.ids[page.size]::text end)::api.task_page
            from (
                select count(*) as found, (p_start).size as size, bool_or(octet_length(task.json) > 2096) as lengthy,
                    string_agg(case when octet_length(task.json) <= 2096 then task.json end, chr(10)) as lines,
                    array_agg(task.seq) as numbers, array_agg(task.key) as keys, array_agg(task.id) as ids
                from (select source.* from (
                    select t.json, t.seq, t.id, t.title_key as key
                    from errand.task as t
                    where (t.title_key, t.id) < (
                            case when (p_start).key is null then repeat(chr(1114111), 401) else (p_start).key::text end,
                            case when (p_start).id is null then 'ffffffff-ffff-ffff-ffff-ffffffffffff' else (p_start).id end)
                    order by t.title_key desc, t.id desc
                    limit 501) as source limit (p_start).size + 1) as task) as page);
        if answer.tasks is null then
            answer := (
                select row (
                    case when page.lengthy then null
                        else coalesce(array_to_string(page.numbers[:page.size], ' ') || chr(10) || page.lines, '') end,
                    case when page.found > page.size then page.keys[page.size]::text end,
                    case when page.found > page.size then page.ids[page.size]::text end)::api.task_page
                from (
                    select count(*) as found, least((p_start).size, count(*) filter (where task.fits))::int as size, false as lengthy,
                        string_agg(task.json, chr(10)) filter (where task.fits) as lines,
                        array_agg(task.seq) filter (where task.fits) as numbers, array_agg(task.key) as keys, array_agg(task.id) as ids
                    from (
                        select source.*,
                            sum(octet_length(source.json)) over (rows unbounded preceding)
                                <= greatest(1048576, octet_length(source.json)) as fits
                        from (select endless.* from (
                            select t.json, t.seq, t.id, t.title_key as key
                            from errand.task as t
                            where (t.title_key, t.id) < (
                                    case when (p_start).key is null then repeat(chr(1114111), 401) else (p_start).key::text end,
                                    case when (p_start).id is null then 'ffffffff-ffff-ffff-ffff-ffffffffffff' else (p_start).id end)
                            order by t.title_key desc, t.id desc
                            limit 501) as endless limit (p_start).size + 1) as source
                    ) as task) as page);
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
                select row (
                    case when page.lengthy then null
                        else coalesce(array_to_string(page.numbers[:page.size], ' ') || chr(10) || page.lines, '') end,
                    case when page.found > page.size then page.keys[page.size]::text end,
                    case when page.found > page.size then page.ids[page.size]::text end)::api.task_page
                from (
                    select count(*) as found, (p_start).size as size, bool_or(octet_length(task.json) > 2096) as lengthy,
                        string_agg(case when octet_length(task.json) <= 2096 then task.json end, chr(10)) as lines,
                        array_agg(task.seq) as numbers, array_agg(task.key) as keys, array_agg(task.id) as ids
                    from (select source.* from (
                        select t.json, t.seq, t.id, t.key
                        from (
                            select t.json, t.seq, t.id, t.completed, t.priority, t.tags, t.title_text, t.tags_text, t.description_text, t.words, t.due_date, t.due_at,
                                t.due_key, t.updated_at, t.title_key as key
                            from errand.task as t
                            where (t.title_key, t.id) < (
                                    case when (p_start).key is null then repeat(chr(1114111), 401) else (p_start).key::text end,
                                    case when (p_start).id is null then 'ffffffff-ffff-ffff-ffff-ffffffffffff' else (p_start).id end)
                            order by t.title_key desc, t.id desc
                            limit 20000) as t
                        where true and (by_completed is null or t.completed = by_completed)
                        and (by_priorities is null or t.priority = any (by_priorities))
                        and (by_tags is null or t.tags @> by_tags)
                        and (
                            by_patterns is null
                            or coalesce(
                                (strpos(t.title_text, by_word) > 0 or strpos(t.tags_text, by_word) > 0 or strpos(t.description_text, by_word) > 0)
                                    and (
                                        cardinality(by_patterns) = 1
                                        or (t.title_text || t.tags_text || t.description_text) like all (by_patterns)),
                                t.words @@ by_query))
                        limit 501) as source limit (p_start).size + 1) as task) as page);
            if answer.tasks is null then
                answer := (
                    select row (
                        case when page.lengthy then null
                            else coalesce(array_to_string(page.numbers[:page.size], ' ') || chr(10) || page.lines, '') end,
                        case when page.found > page.size then page.keys[page.size]::text end,
                        case when page.found > page.size then page.ids[page.size]::text end)::api.task_page
                    from (
                        select count(*) as found, least((p_start).size, count(*) filter (where task.fits))::int as size, false as lengthy,
                            string_agg(task.json, chr(10)) filter (where task.fits) as lines,
                            array_agg(task.seq) filter (where task.fits) as numbers, array_agg(task.key) as keys, array_agg(task.id) as ids
                        from (
                            select source.*,
                                sum(octet_length(source.json)) over (rows unbounded preceding)
                                    <= greatest(1048576, octet_length(source.json)) as fits
                            from (select endless.* from (
                                select t.json, t.seq, t.id, t.key
                                from (
                                    select t.json, t.seq, t.id, t.completed, t.priority, t.tags, t.title_text, t.tags_text, t.description_text, t.words, t.due_date, t.due_at,
                                        t.due_key, t.updated_at, t.title_key as key
                                    from errand.task as t
                                    where (t.title_key, t.id) < (
                                            case when (p_start).key is null then repeat(chr(1114111), 401) else (p_start).key::text end,
                                            case when (p_start).id is null then 'ffffffff-ffff-ffff-ffff-ffffffffffff' else (p_start).id end)
                                    order by t.title_key desc, t.id desc
                                    limit 20000) as t
                                where true and (by_completed is null or t.completed = by_completed)
                                and (by_priorities is null or t.priority = any (by_priorities))
                                and (by_tags is null or t.tags @> by_tags)
                                and (
                                    by_patterns is null
                                    or coalesce(
                                        (strpos(t.title_text, by_word) > 0 or strpos(t.tags_text, by_word) > 0 or strpos(t.description_text, by_word) > 0)
                                            and (
                                                cardinality(by_patterns) = 1
                                                or (t.title_text || t.tags_text || t.description_text) like all (by_patterns)),
                                        t.words @@ by_query))
                                limit 501) as endless limit (p_start).size + 1) as source
                        ) as task) as page);
            end if;
            return answer;
        end if;
        answer := (
            select row (
                case when page.lengthy then null
                    else coalesce(array_to_string(page.numbers[:page.size], ' ') || chr(10) || page.lines, '') end,
                case when page.found > page.size then page.keys[page.size]::text end,
                case when page.found > page.size then page.ids[page.size]::text end)::api.task_page
            from (
                select count(*) as found, (p_start).size as size, bool_or(octet_length(task.json) > 2096) as lengthy,
                    string_agg(case when octet_length(task.json) <= 2096 then task.json end, chr(10)) as lines,
                    array_agg(task.seq) as numbers, array_agg(task.key) as keys, array_agg(task.id) as ids
                from (select source.* from (
                    select t.json, t.seq, t.id, t.title_key as key
                    from errand.task as t
                    where (t.title_key, t.id) < (
                            case when (p_start).key is null then repeat(chr(1114111), 401) else (p_start).key::text end,
                            case when (p_start).id is null then 'ffffffff-ffff-ffff-ffff-ffffffffffff' else (p_start).id end) and (by_completed is null or t.completed = by_completed)
                            and (by_priorities is null or t.priority = any (by_priorities))
                            and (by_tags is null or t.tags @> by_tags)
                            and (
                                by_patterns is null
                                or coalesce(
                                    (strpos(t.title_text, by_word) > 0 or strpos(t.tags_text, by_word) > 0 or strpos(t.description_text, by_word) > 0)
                                        and (
                                            cardinality(by_patterns) = 1
                                            or (t.title_text || t.tags_text || t.description_text) like all (by_patterns)),
                                    t.words @@ by_query))
                    order by t.title_key desc, t.id desc
                    limit 501) as source limit (p_start).size + 1) as task) as page);
        if answer.tasks is null then
            answer := (
                select row (
                    case when page.lengthy then null
                        else coalesce(array_to_string(page.numbers[:page.size], ' ') || chr(10) || page.lines, '') end,
                    case when page.found > page.size then page.keys[page.size]::text end,
                    case when page.found > page.size then page.ids[page.size]::text end)::api.task_page
                from (
                    select count(*) as found, least((p_start).size, count(*) filter (where task.fits))::int as size, false as lengthy,
                        string_agg(task.json, chr(10)) filter (where task.fits) as lines,
                        array_agg(task.seq) filter (where task.fits) as numbers, array_agg(task.key) as keys, array_agg(task.id) as ids
                    from (
                        select source.*,
                            sum(octet_length(source.json)) over (rows unbounded preceding)
                                <= greatest(1048576, octet_length(source.json)) as fits
                        from (select endless.* from (
                            select t.json, t.seq, t.id, t.title_key as key
                            from errand.task as t
                            where (t.title_key, t.id) < (
                                    case when (p_start).key is null then repeat(chr(1114111), 401) else (p_start).key::text end,
                                    case when (p_start).id is null then 'ffffffff-ffff-ffff-ffff-ffffffffffff' else (p_start).id end) and (by_completed is null or t.completed = by_completed)
                                    and (by_priorities is null or t.priority = any (by_priorities))
                                    and (by_tags is null or t.tags @> by_tags)
                                    and (
                                        by_patterns is null
                                        or coalesce(
                                            (strpos(t.title_text, by_word) > 0 or strpos(t.tags_text, by_word) > 0 or strpos(t.description_text, by_word) > 0)
                                                and (
                                                    cardinality(by_patterns) = 1
                                                    or (t.title_text || t.tags_text || t.description_text) like all (by_patterns)),
                                            t.words @@ by_query))
                            order by t.title_key desc, t.id desc
                            limit 501) as endless limit (p_start).size + 1) as source
                    ) as task) as page);
        end if;
        return answer;
    end;
end
$$;

create or replace function errand.short_page_by_title_desc(p_start api.task_page_start, p_filter errand.task_filter)
returns api.task_page language plpgsql stable set enable_sort = off as $$
declare
    answer api.task_page;
    by_completed constant boolean := p_filter.completed;
    by_priorities constant smallint[] := p_filter.priorities;
begin
    answer := (
        select row (
            case when page.lengthy then null
                else coalesce(array_to_string(page.numbers[:page.size], ' ') || chr(10) || page.lines, '') end,
            case when page.found > page.size then page.keys[page.size]::text end,
            case when page.found > page.size then page.ids[page.size]::text end)::api.task_page
        from (
            select count(*) as found, (p_start).size as size, bool_or(octet_length(task.json) > 2096) as lengthy,
                string_agg(case when octet_length(task.json) <= 2096 then task.json end, chr(10)) as lines,
                array_agg(task.seq) as numbers, array_agg(task.key) as keys, array_agg(task.id) as ids
            from (select source.* from (
                select t.json, t.seq, t.id, t.key
                from (
                    select t.json, t.seq, t.id, t.completed, t.priority, t.tags, t.title_text, t.tags_text, t.description_text, t.words, t.due_date, t.due_at,
                        t.due_key, t.updated_at, t.title_key as key
                    from errand.task as t
                    where (t.title_key, t.id) < (
                            case when (p_start).key is null then repeat(chr(1114111), 401) else (p_start).key::text end,
                            case when (p_start).id is null then 'ffffffff-ffff-ffff-ffff-ffffffffffff' else (p_start).id end)
                    order by t.title_key desc, t.id desc
                    limit 500) as t
                where true and (by_completed is null or t.completed = by_completed)
                and (by_priorities is null or t.priority = any (by_priorities))
                limit 501) as source limit (p_start).size + 1) as task) as page);
    if answer.tasks is null then
        answer := (
            select row (
                case when page.lengthy then null
                    else coalesce(array_to_string(page.numbers[:page.size], ' ') || chr(10) || page.lines, '') end,
                case when page.found > page.size then page.keys[page.size]::text end,
                case when page.found > page.size then page.ids[page.size]::text end)::api.task_page
            from (
                select count(*) as found, least((p_start).size, count(*) filter (where task.fits))::int as size, false as lengthy,
                    string_agg(task.json, chr(10)) filter (where task.fits) as lines,
                    array_agg(task.seq) filter (where task.fits) as numbers, array_agg(task.key) as keys, array_agg(task.id) as ids
                from (
                    select source.*,
                        sum(octet_length(source.json)) over (rows unbounded preceding)
                            <= greatest(1048576, octet_length(source.json)) as fits
                    from (select endless.* from (
                        select t.json, t.seq, t.id, t.key
                        from (
                            select t.json, t.seq, t.id, t.completed, t.priority, t.tags, t.title_text, t.tags_text, t.description_text, t.words, t.due_date, t.due_at,
                                t.due_key, t.updated_at, t.title_key as key
                            from errand.task as t
                            where (t.title_key, t.id) < (
                                    case when (p_start).key is null then repeat(chr(1114111), 401) else (p_start).key::text end,
                                    case when (p_start).id is null then 'ffffffff-ffff-ffff-ffff-ffffffffffff' else (p_start).id end)
                            order by t.title_key desc, t.id desc
                            limit 500) as t
                        where true and (by_completed is null or t.completed = by_completed)
                        and (by_priorities is null or t.priority = any (by_priorities))
                        limit 501) as endless limit (p_start).size + 1) as source
                ) as task) as page);
    end if;
    if answer.last_id is null and exists (select from (
        select t.id, t.title_key as key
        from errand.task as t
        where (t.title_key, t.id) < (
                case when (p_start).key is null then repeat(chr(1114111), 401) else (p_start).key::text end,
                case when (p_start).id is null then 'ffffffff-ffff-ffff-ffff-ffffffffffff' else (p_start).id end)
        order by t.title_key desc, t.id desc
        limit 500) as walk offset 499) then
        answer.tasks := null;
    end if;
    return answer;
end
$$;

create or replace function errand.found_page_by_title_desc(p_start api.task_page_start, p_filter errand.task_filter)
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
        select row (
            case when page.lengthy then null
                else coalesce(array_to_string(page.numbers[:page.size], ' ') || chr(10) || page.lines, '') end,
            case when page.found > page.size then page.keys[page.size]::text end,
            case when page.found > page.size then page.ids[page.size]::text end)::api.task_page
        from (
            select count(*) as found, (p_start).size as size, bool_or(octet_length(task.json) > 2096) as lengthy,
                string_agg(case when octet_length(task.json) <= 2096 then task.json end, chr(10)) as lines,
                array_agg(task.seq) as numbers, array_agg(task.key) as keys, array_agg(task.id) as ids
            from (select source.* from (
                select t.json, t.seq, t.id, t.title_key as key
                from errand.task as t
                where t.id = any (by_candidates)
                    and (t.title_key, t.id) < (
                        case when (p_start).key is null then repeat(chr(1114111), 401) else (p_start).key::text end,
                        case when (p_start).id is null then 'ffffffff-ffff-ffff-ffff-ffffffffffff' else (p_start).id end) and (by_completed is null or t.completed = by_completed)
                        and (by_priorities is null or t.priority = any (by_priorities))
                        and (by_tags is null or t.tags @> by_tags)
                        and (
                            by_patterns is null
                            or coalesce(
                                (strpos(t.title_text, by_word) > 0 or strpos(t.tags_text, by_word) > 0 or strpos(t.description_text, by_word) > 0)
                                    and (
                                        cardinality(by_patterns) = 1
                                        or (t.title_text || t.tags_text || t.description_text) like all (by_patterns)),
                                t.words @@ by_query))
                order by t.title_key desc, t.id desc
                limit 501) as source limit (p_start).size + 1) as task) as page);
    if answer.tasks is null then
        answer := (
            select row (
                case when page.lengthy then null
                    else coalesce(array_to_string(page.numbers[:page.size], ' ') || chr(10) || page.lines, '') end,
                case when page.found > page.size then page.keys[page.size]::text end,
                case when page.found > page.size then page.ids[page.size]::text end)::api.task_page
            from (
                select count(*) as found, least((p_start).size, count(*) filter (where task.fits))::int as size, false as lengthy,
                    string_agg(task.json, chr(10)) filter (where task.fits) as lines,
                    array_agg(task.seq) filter (where task.fits) as numbers, array_agg(task.key) as keys, array_agg(task.id) as ids
                from (
                    select source.*,
                        sum(octet_length(source.json)) over (rows unbounded preceding)
                            <= greatest(1048576, octet_length(source.json)) as fits
                    from (select endless.* from (
                        select t.json, t.seq, t.id, t.title_key as key
                        from errand.task as t
                        where t.id = any (by_candidates)
                            and (t.title_key, t.id) < (
                                case when (p_start).key is null then repeat(chr(1114111), 401) else (p_start).key::text end,
                                case when (p_start).id is null then 'ffffffff-ffff-ffff-ffff-ffffffffffff' else (p_start).id end) and (by_completed is null or t.completed = by_completed)
                                and (by_priorities is null or t.priority = any (by_priorities))
                                and (by_tags is null or t.tags @> by_tags)
                                and (
                                    by_patterns is null
                                    or coalesce(
                                        (strpos(t.title_text, by_word) > 0 or strpos(t.tags_text, by_word) > 0 or strpos(t.description_text, by_word) > 0)
                                            and (
                                                cardinality(by_patterns) = 1
                                                or (t.title_text || t.tags_text || t.description_text) like all (by_patterns)),
                                        t.words @@ by_query))
                        order by t.title_key desc, t.id desc
                        limit 501) as endless limit (p_start).size + 1) as source
                ) as task) as page);
    end if;
    return answer;
end
$$;

create or replace function errand.page_by_title_asc(p_start api.task_page_start, p_filter errand.task_filter, p_ends boolean)
returns api.task_page language plpgsql stable set enable_sort = off as $$
declare
    answer api.task_page;
begin
    if p_filter is null then
        answer := (
            select row (
                case when page.lengthy then null
                    else coalesce(array_to_string(page.numbers[:page.size], ' ') || chr(10) || page.lines, '') end,
                case when page.found > page.size then page.keys[page.size]::text end,
                case when page.found > page.size then page.ids[page.size]::text end)::api.task_page
            from (
                select count(*) as found, (p_start).size as size, bool_or(octet_length(task.json) > 2096) as lengthy,
                    string_agg(case when octet_length(task.json) <= 2096 then task.json end, chr(10)) as lines,
                    array_agg(task.seq) as numbers, array_agg(task.key) as keys, array_agg(task.id) as ids
                from (select source.* from (
                    select t.json, t.seq, t.id, t.title_key as key
                    from errand.task as t
                    where (t.title_key, t.id) > (
                            case when (p_start).key is null then '' else (p_start).key::text end,
                            case when (p_start).id is null then '00000000-0000-0000-0000-000000000000' else (p_start).id end)
                    order by t.title_key asc, t.id asc
                    limit 501) as source limit (p_start).size + 1) as task) as page);
        if answer.tasks is null then
            answer := (
                select row (
                    case when page.lengthy then null
                        else coalesce(array_to_string(page.numbers[:page.size], ' ') || chr(10) || page.lines, '') end,
                    case when page.found > page.size then page.keys[page.size]::text end,
                    case when page.found > page.size then page.ids[page.size]::text end)::api.task_page
                from (
                    select count(*) as found, least((p_start).size, count(*) filter (where task.fits))::int as size, false as lengthy,
                        string_agg(task.json, chr(10)) filter (where task.fits) as lines,
                        array_agg(task.seq) filter (where task.fits) as numbers, array_agg(task.key) as keys, array_agg(task.id) as ids
                    from (
                        select source.*,
                            sum(octet_length(source.json)) over (rows unbounded preceding)
                                <= greatest(1048576, octet_length(source.json)) as fits
                        from (select endless.* from (
                            select t.json, t.seq, t.id, t.title_key as key
                            from errand.task as t
                            where (t.title_key, t.id) > (
                                    case when (p_start).key is null then '' else (p_start).key::text end,
                                    case when (p_start).id is null then '00000000-0000-0000-0000-000000000000' else (p_start).id end)
                            order by t.title_key asc, t.id asc
                            limit 501) as endless limit (p_start).size + 1) as source
                    ) as task) as page);
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
                select row (
                    case when page.lengthy then null
                        else coalesce(array_to_string(page.numbers[:page.size], ' ') || chr(10) || page.lines, '') end,
                    case when page.found > page.size then page.keys[page.size]::text end,
                    case when page.found > page.size then page.ids[page.size]::text end)::api.task_page
                from (
                    select count(*) as found, (p_start).size as size, bool_or(octet_length(task.json) > 2096) as lengthy,
                        string_agg(case when octet_length(task.json) <= 2096 then task.json end, chr(10)) as lines,
                        array_agg(task.seq) as numbers, array_agg(task.key) as keys, array_agg(task.id) as ids
                    from (select source.* from (
                        select t.json, t.seq, t.id, t.key
                        from (
                            select t.json, t.seq, t.id, t.completed, t.priority, t.tags, t.title_text, t.tags_text, t.description_text, t.words, t.due_date, t.due_at,
                                t.due_key, t.updated_at, t.title_key as key
                            from errand.task as t
                            where (t.title_key, t.id) > (
                                    case when (p_start).key is null then '' else (p_start).key::text end,
                                    case when (p_start).id is null then '00000000-0000-0000-0000-000000000000' else (p_start).id end)
                            order by t.title_key asc, t.id asc
                            limit 20000) as t
                        where true and (by_completed is null or t.completed = by_completed)
                        and (by_priorities is null or t.priority = any (by_priorities))
                        and (by_tags is null or t.tags @> by_tags)
                        and (
                            by_patterns is null
                            or coalesce(
                                (strpos(t.title_text, by_word) > 0 or strpos(t.tags_text, by_word) > 0 or strpos(t.description_text, by_word) > 0)
                                    and (
                                        cardinality(by_patterns) = 1
                                        or (t.title_text || t.tags_text || t.description_text) like all (by_patterns)),
                                t.words @@ by_query))
                        limit 501) as source limit (p_start).size + 1) as task) as page);
            if answer.tasks is null then
                answer := (
                    select row (
                        case when page.lengthy then null
                            else coalesce(array_to_string(page.numbers[:page.size], ' ') || chr(10) || page.lines, '') end,
                        case when page.found > page.size then page.keys[page.size]::text end,
                        case when page.found > page.size then page.ids[page.size]::text end)::api.task_page
                    from (
                        select count(*) as found, least((p_start).size, count(*) filter (where task.fits))::int as size, false as lengthy,
                            string_agg(task.json, chr(10)) filter (where task.fits) as lines,
                            array_agg(task.seq) filter (where task.fits) as numbers, array_agg(task.key) as keys, array_agg(task.id) as ids
                        from (
                            select source.*,
                                sum(octet_length(source.json)) over (rows unbounded preceding)
                                    <= greatest(1048576, octet_length(source.json)) as fits
                            from (select endless.* from (
                                select t.json, t.seq, t.id, t.key
                                from (
                                    select t.json, t.seq, t.id, t.completed, t.priority, t.tags, t.title_text, t.tags_text, t.description_text, t.words, t.due_date, t.due_at,
                                        t.due_key, t.updated_at, t.title_key as key
                                    from errand.task as t
                                    where (t.title_key, t.id) > (
                                            case when (p_start).key is null then '' else (p_start).key::text end,
                                            case when (p_start).id is null then '00000000-0000-0000-0000-000000000000' else (p_start).id end)
                                    order by t.title_key asc, t.id asc
                                    limit 20000) as t
                                where true and (by_completed is null or t.completed = by_completed)
                                and (by_priorities is null or t.priority = any (by_priorities))
                                and (by_tags is null or t.tags @> by_tags)
                                and (
                                    by_patterns is null
                                    or coalesce(
                                        (strpos(t.title_text, by_word) > 0 or strpos(t.tags_text, by_word) > 0 or strpos(t.description_text, by_word) > 0)
                                            and (
                                                cardinality(by_patterns) = 1
                                                or (t.title_text || t.tags_text || t.description_text) like all (by_patterns)),
                                        t.words @@ by_query))
                                limit 501) as endless limit (p_start).size + 1) as source
                        ) as task) as page);
            end if;
            return answer;
        end if;
        answer := (
            select row (
                case when page.lengthy then null
                    else coalesce(array_to_string(page.numbers[:page.size], ' ') || chr(10) || page.lines, '') end,
                case when page.found > page.size then page.keys[page.size]::text end,
                case when page.found > page.size then page.ids[page.size]::text end)::api.task_page
            from (
                select count(*) as found, (p_start).size as size, bool_or(octet_length(task.json) > 2096) as lengthy,
                    string_agg(case when octet_length(task.json) <= 2096 then task.json end, chr(10)) as lines,
                    array_agg(task.seq) as numbers, array_agg(task.key) as keys, array_agg(task.id) as ids
                from (select source.* from (
                    select t.json, t.seq, t.id, t.title_key as key
                    from errand.task as t
                    where (t.title_key, t.id) > (
                            case when (p_start).key is null then '' else (p_start).key::text end,
                            case when (p_start).id is null then '00000000-0000-0000-0000-000000000000' else (p_start).id end) and (by_completed is null or t.completed = by_completed)
                            and (by_priorities is null or t.priority = any (by_priorities))
                            and (by_tags is null or t.tags @> by_tags)
                            and (
                                by_patterns is null
                                or coalesce(
                                    (strpos(t.title_text, by_word) > 0 or strpos(t.tags_text, by_word) > 0 or strpos(t.description_text, by_word) > 0)
                                        and (
                                            cardinality(by_patterns) = 1
                                            or (t.title_text || t.tags_text || t.description_text) like all (by_patterns)),
                                    t.words @@ by_query))
                    order by t.title_key asc, t.id asc
                    limit 501) as source limit (p_start).size + 1) as task) as page);
        if answer.tasks is null then
            answer := (
                select row (
                    case when page.lengthy then null
                        else coalesce(array_to_string(page.numbers[:page.size], ' ') || chr(10) || page.lines, '') end,
                    case when page.found > page.size then page.keys[page.size]::text end,
                    case when page.found > page.size then page.ids[page.size]::text end)::api.task_page
                from (
                    select count(*) as found, least((p_start).size, count(*) filter (where task.fits))::int as size, false as lengthy,
                        string_agg(task.json, chr(10)) filter (where task.fits) as lines,
                        array_agg(task.seq) filter (where task.fits) as numbers, array_agg(task.key) as keys, array_agg(task.id) as ids
                    from (
                        select source.*,
                            sum(octet_length(source.json)) over (rows unbounded preceding)
                                <= greatest(1048576, octet_length(source.json)) as fits
                        from (select endless.* from (
                            select t.json, t.seq, t.id, t.title_key as key
                            from errand.task as t
                            where (t.title_key, t.id) > (
                                    case when (p_start).key is null then '' else (p_start).key::text end,
                                    case when (p_start).id is null then '00000000-0000-0000-0000-000000000000' else (p_start).id end) and (by_completed is null or t.completed = by_completed)
                                    and (by_priorities is null or t.priority = any (by_priorities))
                                    and (by_tags is null or t.tags @> by_tags)
                                    and (
                                        by_patterns is null
                                        or coalesce(
                                            (strpos(t.title_text, by_word) > 0 or strpos(t.tags_text, by_word) > 0 or strpos(t.description_text, by_word) > 0)
                                                and (
                                                    cardinality(by_patterns) = 1
                                                    or (t.title_text || t.tags_text || t.description_text) like all (by_patterns)),
                                            t.words @@ by_query))
                            order by t.title_key asc, t.id asc
                            limit 501) as endless limit (p_start).size + 1) as source
                    ) as task) as page);
        end if;
        return answer;
    end;
end
$$;

create or replace function errand.short_page_by_title_asc(p_start api.task_page_start, p_filter errand.task_filter)
returns api.task_page language plpgsql stable set enable_sort = off as $$
declare
    answer api.task_page;
    by_completed constant boolean := p_filter.completed;
    by_priorities constant smallint[] := p_filter.priorities;
begin
    answer := (
        select row (
            case when page.lengthy then null
                else coalesce(array_to_string(page.numbers[:page.size], ' ') || chr(10) || page.lines, '') end,
            case when page.found > page.size then page.keys[page.size]::text end,
            case when page.found > page.size then page.ids[page.size]::text end)::api.task_page
        from (
            select count(*) as found, (p_start).size as size, bool_or(octet_length(task.json) > 2096) as lengthy,
                string_agg(case when octet_length(task.json) <= 2096 then task.json end, chr(10)) as lines,
                array_agg(task.seq) as numbers, array_agg(task.key) as keys, array_agg(task.id) as ids
            from (select source.* from (
                select t.json, t.seq, t.id, t.key
                from (
                    select t.json, t.seq, t.id, t.completed, t.priority, t.tags, t.title_text, t.tags_text, t.description_text, t.words, t.due_date, t.due_at,
                        t.due_key, t.updated_at, t.title_key as key
                    from errand.task as t
                    where (t.title_key, t.id) > (
                            case when (p_start).key is null then '' else (p_start).key::text end,
                            case when (p_start).id is null then '00000000-0000-0000-0000-000000000000' else (p_start).id end)
                    order by t.title_key asc, t.id asc
                    limit 500) as t
                where true and (by_completed is null or t.completed = by_completed)
                and (by_priorities is null or t.priority = any (by_priorities))
                limit 501) as source limit (p_start).size + 1) as task) as page);
    if answer.tasks is null then
        answer := (
            select row (
                case when page.lengthy then null
                    else coalesce(array_to_string(page.numbers[:page.size], ' ') || chr(10) || page.lines, '') end,
                case when page.found > page.size then page.keys[page.size]::text end,
                case when page.found > page.size then page.ids[page.size]::text end)::api.task_page
            from (
                select count(*) as found, least((p_start).size, count(*) filter (where task.fits))::int as size, false as lengthy,
                    string_agg(task.json, chr(10)) filter (where task.fits) as lines,
                    array_agg(task.seq) filter (where task.fits) as numbers, array_agg(task.key) as keys, array_agg(task.id) as ids
                from (
                    select source.*,
                        sum(octet_length(source.json)) over (rows unbounded preceding)
                            <= greatest(1048576, octet_length(source.json)) as fits
                    from (select endless.* from (
                        select t.json, t.seq, t.id, t.key
                        from (
                            select t.json, t.seq, t.id, t.completed, t.priority, t.tags, t.title_text, t.tags_text, t.description_text, t.words, t.due_date, t.due_at,
                                t.due_key, t.updated_at, t.title_key as key
                            from errand.task as t
                            where (t.title_key, t.id) > (
                                    case when (p_start).key is null then '' else (p_start).key::text end,
                                    case when (p_start).id is null then '00000000-0000-0000-0000-000000000000' else (p_start).id end)
                            order by t.title_key asc, t.id asc
                            limit 500) as t
                        where true and (by_completed is null or t.completed = by_completed)
                        and (by_priorities is null or t.priority = any (by_priorities))
                        limit 501) as endless limit (p_start).size + 1) as source
                ) as task) as page);
    end if;
    if answer.last_id is null and exists (select from (
        select t.id, t.title_key as key
        from errand.task as t
        where (t.title_key, t.id) > (
                case when (p_start).key is null then '' else (p_start).key::text end,
                case when (p_start).id is null then '00000000-0000-0000-0000-000000000000' else (p_start).id end)
        order by t.title_key asc, t.id asc
        limit 500) as walk offset 499) then
        answer.tasks := null;
    end if;
    return answer;
end
$$;

create or replace function errand.found_page_by_title_asc(p_start api.task_page_start, p_filter errand.task_filter)
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
        select row (
            case when page.lengthy then null
                else coalesce(array_to_string(page.numbers[:page.size], ' ') || chr(10) || page.lines, '') end,
            case when page.found > page.size then page.keys[page.size]::text end,
            case when page.found > page.size then page.ids[page.size]::text end)::api.task_page
        from (
            select count(*) as found, (p_start).size as size, bool_or(octet_length(task.json) > 2096) as lengthy,
                string_agg(case when octet_length(task.json) <= 2096 then task.json end, chr(10)) as lines,
                array_agg(task.seq) as numbers, array_agg(task.key) as keys, array_agg(task.id) as ids
            from (select source.* from (
                select t.json, t.seq, t.id, t.title_key as key
                from errand.task as t
                where t.id = any (by_candidates)
                    and (t.title_key, t.id) > (
                        case when (p_start).key is null then '' else (p_start).key::text end,
                        case when (p_start).id is null then '00000000-0000-0000-0000-000000000000' else (p_start).id end) and (by_completed is null or t.completed = by_completed)
                        and (by_priorities is null or t.priority = any (by_priorities))
                        and (by_tags is null or t.tags @> by_tags)
                        and (
                            by_patterns is null
                            or coalesce(
                                (strpos(t.title_text, by_word) > 0 or strpos(t.tags_text, by_word) > 0 or strpos(t.description_text, by_word) > 0)
                                    and (
                                        cardinality(by_patterns) = 1
                                        or (t.title_text || t.tags_text || t.description_text) like all (by_patterns)),
                                t.words @@ by_query))
                order by t.title_key asc, t.id asc
                limit 501) as source limit (p_start).size + 1) as task) as page);
    if answer.tasks is null then
        answer := (
            select row (
                case when page.lengthy then null
                    else coalesce(array_to_string(page.numbers[:page.size], ' ') || chr(10) || page.lines, '') end,
                case when page.found > page.size then page.keys[page.size]::text end,
                case when page.found > page.size then page.ids[page.size]::text end)::api.task_page
            from (
                select count(*) as found, least((p_start).size, count(*) filter (where task.fits))::int as size, false as lengthy,
                    string_agg(task.json, chr(10)) filter (where task.fits) as lines,
                    array_agg(task.seq) filter (where task.fits) as numbers, array_agg(task.key) as keys, array_agg(task.id) as ids
                from (
                    select source.*,
                        sum(octet_length(source.json)) over (rows unbounded preceding)
                            <= greatest(1048576, octet_length(source.json)) as fits
                    from (select endless.* from (
                        select t.json, t.seq, t.id, t.title_key as key
                        from errand.task as t
                        where t.id = any (by_candidates)
                            and (t.title_key, t.id) > (
                                case when (p_start).key is null then '' else (p_start).key::text end,
                                case when (p_start).id is null then '00000000-0000-0000-0000-000000000000' else (p_start).id end) and (by_completed is null or t.completed = by_completed)
                                and (by_priorities is null or t.priority = any (by_priorities))
                                and (by_tags is null or t.tags @> by_tags)
                                and (
                                    by_patterns is null
                                    or coalesce(
                                        (strpos(t.title_text, by_word) > 0 or strpos(t.tags_text, by_word) > 0 or strpos(t.description_text, by_word) > 0)
                                            and (
                                                cardinality(by_patterns) = 1
                                                or (t.title_text || t.tags_text || t.description_text) like all (by_patterns)),
                                        t.words @@ by_query))
                        order by t.title_key asc, t.id asc
                        limit 501) as endless limit (p_start).size + 1) as source
                ) as task) as page);
    end if;
    return answer;
end
$$;

-- An account with so few writes has no candidates for a search, because a walk along all its tasks costs less.
create or replace function errand.smallest_search() returns int
language sql immutable as $$
    select 100
$$;

-- The maximum number of tasks that a page with filters scans.
create or replace function errand.longest_walk() returns int
language sql immutable as $$
    select 20000
$$;

-- The maximum number of tasks that a list with filters scans over the shared pool.
create or replace function errand.short_walk() returns int
language sql immutable as $$
    select 500
$$;

-- A page with a plan that stays cached in the session: without filters, or with filters that no other index serves (p_filter). With p_ends
-- the walk is bounded by errand.longest_walk().
create or replace function errand.page_in_order(
    p_order text, p_start api.task_page_start, p_filter errand.task_filter, p_ends boolean) returns api.task_page
language plpgsql stable as $$
begin
    if p_filter.candidates is not null then
        case p_order
            when 'created_at_desc' then return errand.found_page_by_created_at_desc(p_start, p_filter);
            when 'created_at_asc' then return errand.found_page_by_created_at_asc(p_start, p_filter);
            when 'updated_at_desc' then return errand.found_page_by_updated_at_desc(p_start, p_filter);
            when 'updated_at_asc' then return errand.found_page_by_updated_at_asc(p_start, p_filter);
            when 'due_desc' then return errand.found_page_by_due_desc(p_start, p_filter);
            when 'due_asc' then return errand.found_page_by_due_asc(p_start, p_filter);
            when 'priority_desc' then return errand.found_page_by_priority_desc(p_start, p_filter);
            when 'priority_asc' then return errand.found_page_by_priority_asc(p_start, p_filter);
            when 'title_desc' then return errand.found_page_by_title_desc(p_start, p_filter);
            when 'title_asc' then return errand.found_page_by_title_asc(p_start, p_filter);
        end case;
    end if;
    case p_order
        when 'created_at_desc' then return errand.page_by_created_at_desc(p_start, p_filter, p_ends);
        when 'created_at_asc' then return errand.page_by_created_at_asc(p_start, p_filter, p_ends);
        when 'updated_at_desc' then return errand.page_by_updated_at_desc(p_start, p_filter, p_ends);
        when 'updated_at_asc' then return errand.page_by_updated_at_asc(p_start, p_filter, p_ends);
        when 'due_desc' then return errand.page_by_due_desc(p_start, p_filter, p_ends);
        when 'due_asc' then return errand.page_by_due_asc(p_start, p_filter, p_ends);
        when 'priority_desc' then return errand.page_by_priority_desc(p_start, p_filter, p_ends);
        when 'priority_asc' then return errand.page_by_priority_asc(p_start, p_filter, p_ends);
        when 'title_desc' then return errand.page_by_title_desc(p_start, p_filter, p_ends);
        when 'title_asc' then return errand.page_by_title_asc(p_start, p_filter, p_ends);
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
        when 'created_at_desc' then return errand.short_page_by_created_at_desc(p_start, p_filter);
        when 'created_at_asc' then return errand.short_page_by_created_at_asc(p_start, p_filter);
        when 'updated_at_desc' then return errand.short_page_by_updated_at_desc(p_start, p_filter);
        when 'updated_at_asc' then return errand.short_page_by_updated_at_asc(p_start, p_filter);
        when 'due_desc' then return errand.short_page_by_due_desc(p_start, p_filter);
        when 'due_asc' then return errand.short_page_by_due_asc(p_start, p_filter);
        when 'priority_desc' then return errand.short_page_by_priority_desc(p_start, p_filter);
        when 'priority_asc' then return errand.short_page_by_priority_asc(p_start, p_filter);
        when 'title_desc' then return errand.short_page_by_title_desc(p_start, p_filter);
        when 'title_asc' then return errand.short_page_by_title_asc(p_start, p_filter);
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
            when 'created_at_desc' then '
                select %1$s, t.created_at as key
                from errand.task as t
                where (t.created_at, t.id) < (
                        case when ($1).key is null then ''infinity'' else ($1).key::timestamptz end,
                        case when ($1).id is null then ''ffffffff-ffff-ffff-ffff-ffffffffffff'' else ($1).id end) %2$s
                order by t.created_at desc, t.id desc
                limit %3$s'
            when 'created_at_asc' then '
                select %1$s, t.created_at as key
                from errand.task as t
                where (t.created_at, t.id) > (
                        case when ($1).key is null then ''-infinity'' else ($1).key::timestamptz end,
                        case when ($1).id is null then ''00000000-0000-0000-0000-000000000000'' else ($1).id end) %2$s
                order by t.created_at asc, t.id asc
                limit %3$s'
            when 'updated_at_desc' then '
                select %1$s, t.updated_at as key
                from errand.task as t
                where (t.updated_at, t.id) < (
                        case when ($1).key is null then ''infinity'' else ($1).key::timestamptz end,
                        case when ($1).id is null then ''ffffffff-ffff-ffff-ffff-ffffffffffff'' else ($1).id end) %2$s
                order by t.updated_at desc, t.id desc
                limit %3$s'
            when 'updated_at_asc' then '
                select %1$s, t.updated_at as key
                from errand.task as t
                where (t.updated_at, t.id) > (
                        case when ($1).key is null then ''-infinity'' else ($1).key::timestamptz end,
                        case when ($1).id is null then ''00000000-0000-0000-0000-000000000000'' else ($1).id end) %2$s
                order by t.updated_at asc, t.id asc
                limit %3$s'
            when 'due_desc' then '
                (select %1$s, t.due_key as key
                from errand.task as t
                where (($1).key is null or ($1).key::timestamptz < ''infinity'')
                    and (t.due_key, t.id) < (
                        case when ($1).key is null then ''infinity'' else ($1).key::timestamptz end,
                        case when ($1).id is null then ''00000000-0000-0000-0000-000000000000'' else ($1).id end) %2$s
                order by t.due_key desc, t.id desc
                limit %3$s)
                union all
                (select %1$s, t.due_key as key
                from errand.task as t
                where t.due_key >= ''infinity''
                    and (t.due_key, t.id) <= (
                        ''infinity'', case when ($1).key::timestamptz = ''infinity'' then ($1).id else ''ffffffff-ffff-ffff-ffff-ffffffffffff'' end)
                    and (($1).key is null or ($1).key::timestamptz < ''infinity'' or t.id < ($1).id) %2$s
                order by t.due_key desc, t.id desc
                limit %3$s)
                limit %3$s'
            when 'due_asc' then '
                select %1$s, t.due_key as key
                from errand.task as t
                where (t.due_key, t.id) > (
                        case when ($1).key is null then ''-infinity'' else ($1).key::timestamptz end,
                        case when ($1).id is null then ''00000000-0000-0000-0000-000000000000'' else ($1).id end) %2$s
                order by t.due_key asc, t.id asc
                limit %3$s'
            when 'priority_desc' then '
                select %1$s, t.priority as key
                from errand.task as t
                where (t.priority, t.id) < (
                        case when ($1).key is null then ''4'' else ($1).key::smallint end,
                        case when ($1).id is null then ''ffffffff-ffff-ffff-ffff-ffffffffffff'' else ($1).id end) %2$s
                order by t.priority desc, t.id desc
                limit %3$s'
            when 'priority_asc' then '
                select %1$s, t.priority as key
                from errand.task as t
                where (t.priority, t.id) > (
                        case when ($1).key is null then ''-1'' else ($1).key::smallint end,
                        case when ($1).id is null then ''00000000-0000-0000-0000-000000000000'' else ($1).id end) %2$s
                order by t.priority asc, t.id asc
                limit %3$s'
            when 'title_desc' then '
                select %1$s, t.title_key as key
                from errand.task as t
                where (t.title_key, t.id) < (
                        case when ($1).key is null then repeat(chr(1114111), 401) else ($1).key::text end,
                        case when ($1).id is null then ''ffffffff-ffff-ffff-ffff-ffffffffffff'' else ($1).id end) %2$s
                order by t.title_key desc, t.id desc
                limit %3$s'
            when 'title_asc' then '
                select %1$s, t.title_key as key
                from errand.task as t
                where (t.title_key, t.id) > (
                        case when ($1).key is null then '''' else ($1).key::text end,
                        case when ($1).id is null then ''00000000-0000-0000-0000-000000000000'' else ($1).id end) %2$s
                order by t.title_key asc, t.id asc
                limit %3$s'
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
        when p_range is null then errand.walk_text(p_order, 't.json, t.seq, t.id', p_conditions, 501)
        else format(
            'select t.json, t.seq, t.id, t.key
            from (
                %s) as t
            where true %s
            limit 501',
            errand.walk_text(p_order, 't.json, t.seq, t.id, t.completed, t.priority, t.tags, t.title_text, t.tags_text, t.description_text, t.words, t.due_date, t.due_at,
                t.due_key, t.updated_at', p_range, errand.longest_walk()),
            p_conditions)
    end;
begin
    return format(
        case
            when p_measured then '
                select row (
                    case when page.lengthy then null
                        else coalesce(array_to_string(page.numbers[:page.size], '' '') || chr(10) || page.lines, '''') end,
                    case when page.found > page.size then page.keys[page.size]::text end,
                    case when page.found > page.size then page.ids[page.size]::text end)::api.task_page
                from (
                    select count(*) as found, least(($1).size, count(*) filter (where task.fits))::int as size, false as lengthy,
                        string_agg(task.json, chr(10)) filter (where task.fits) as lines,
                        array_agg(task.seq) filter (where task.fits) as numbers, array_agg(task.key) as keys, array_agg(task.id) as ids
                    from (
                        select source.*,
                            sum(octet_length(source.json)) over (rows unbounded preceding)
                                <= greatest(1048576, octet_length(source.json)) as fits
                        from (select endless.* from (
                            %s) as endless limit ($1).size + 1) as source
                    ) as task) as page'
            else '
                select row (
                    case when page.lengthy then null
                        else coalesce(array_to_string(page.numbers[:page.size], '' '') || chr(10) || page.lines, '''') end,
                    case when page.found > page.size then page.keys[page.size]::text end,
                    case when page.found > page.size then page.ids[page.size]::text end)::api.task_page
                from (
                    select count(*) as found, ($1).size as size, bool_or(octet_length(task.json) > 2096) as lengthy,
                        string_agg(case when octet_length(task.json) <= 2096 then task.json end, chr(10)) as lines,
                        array_agg(task.seq) as numbers, array_agg(task.key) as keys, array_agg(task.id) as ids
                    from (select source.* from (
                        %s) as source limit ($1).size + 1) as task) as page'
        end,
        source);
end
$$;

grant execute on function
    errand.longest_walk, errand.short_walk, errand.smallest_search, errand.walk_text, errand.page_text,
    errand.page_in_order, errand.short_page_in_order,
    errand.found_page_by_created_at_desc, errand.short_page_by_created_at_desc, errand.page_by_created_at_desc,
    errand.found_page_by_created_at_asc, errand.short_page_by_created_at_asc, errand.page_by_created_at_asc,
    errand.found_page_by_updated_at_desc, errand.short_page_by_updated_at_desc, errand.page_by_updated_at_desc,
    errand.found_page_by_updated_at_asc, errand.short_page_by_updated_at_asc, errand.page_by_updated_at_asc,
    errand.found_page_by_due_desc, errand.short_page_by_due_desc, errand.page_by_due_desc,
    errand.found_page_by_due_asc, errand.short_page_by_due_asc, errand.page_by_due_asc,
    errand.found_page_by_priority_desc, errand.short_page_by_priority_desc, errand.page_by_priority_desc,
    errand.found_page_by_priority_asc, errand.short_page_by_priority_asc, errand.page_by_priority_asc,
    errand.found_page_by_title_desc, errand.short_page_by_title_desc, errand.page_by_title_desc,
    errand.found_page_by_title_asc, errand.short_page_by_title_asc, errand.page_by_title_asc
    to errand_app;
