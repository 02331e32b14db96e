-- A page of the caller's tasks.
--
-- Each order has an index. A page without filters, or with filters that select many tasks, is a walk along it. A page of a search or of a
-- tag that few tasks have is read from its candidates (errand.search_candidates). Those queries are in functions (errand.page_in_order), so
-- that the session caches their plans. Filters by time are planned for each call (errand.page_text), because another index may be better
-- for their values.
--
-- A page begins with a line of numbers, separated by blanks: the numbers of the latest writes of its tasks. The component makes the entity
-- tags from them. A line for each task follows: its JSON without the member `etag`. The JSON has no line feeds. Lines beyond the
-- numbers are not part of the page. The component drops them, because slicing the array costs more here.
--
-- The types are those of migration 0005.

-- p_list: {order, limit, after: {key, id}, known: [etag] or true, count, filter, search, slot, short}. `search` has what the component
-- derives from the filters `q` and `tags`: `patterns` for LIKE, and `terms`. `known` has the entity tags of the lists
-- that the client has. If one of them is current, the outcome is `unchanged`, otherwise `page`. With `slot`, the list needs a slot of the
-- caller, and the outcome is `busy` if none is free. With `short`, the list reads at most errand.short_walk() tasks, and the outcome is
-- `long` if the page is not full and there may be more tasks. `short` allows only the filters `completed` and `priorities`. The function
-- is stable, so it reads everything from one snapshot, including the number of the latest write.
--
-- The position of the next page is marked with the epoch, the user and the account: its key is `9f86d081884c7d65-0` (the digest of
-- entity tags, and the upper bits of the account's numbers), a blank, and the key of the order. A position with another mark is refused. It
-- is from before a restore, which moves tasks back to earlier positions, or from before an erasure. The client would miss tasks. The order
-- by due date has a mark of its own, because its keys were others before migration 0014.
--
-- With filters, a page may end early, or even be empty. Its walk then ends at its last scanned task, and the next page continues there.
-- An account has no such pages while it has had so few writes that one walk scans all its tasks.
--
-- The result is text, as that of api.run_writes. The lines of the page come first. The last line is the outcome. With `unchanged` and
-- `page`, the number of the account's latest write and the epoch follow. With `page`, the total number of tasks follows, or `-` without
-- `count`. If there are more tasks, the id and the key (as JSON) of the next page's position follow.
create or replace function api.show_tasks(p_caller text, p_list jsonb) returns text
language plpgsql stable as $$
declare
    caller constant text := errand.announce(p_caller);
    list_order constant text := p_list ->> 'order';
    filters constant jsonb := p_list -> 'filter';
    after_key text := p_list #>> '{after,key}';
    mark text;
    start api.task_page_start;
    page api.task_page;
    filter errand.task_filter;
    measured boolean;
    latest_seq bigint;
    total bigint;
    -- How many writes the account has had: the lower 40 bits of the latest number (migration 0012).
    writes bigint;
    account_number int;
    -- Whether there are filters by time, which are planned for each call.
    dynamic constant boolean :=
        filters ?| array['due_before_date', 'due_before_at', 'due_after_date', 'due_after_at', 'overdue', 'updated_since'];
    -- Whether all tasks of the account have folded texts and terms (migration 0014).
    folded boolean;
    indexed_at timestamptz;
    -- The longest term of the search, how many tasks have it according to the first rows of the index, and the maximum of candidates.
    first_term constant text := p_list #>> '{search,terms,0}';
    counted bigint;
    most int;
    -- Whether the account may have more tasks than a walk scans.
    ends boolean := false;
    -- Whether the list is short and the account may have more tasks than a short walk.
    short boolean;
begin
    if first_term is null then
        select account.seq, account.number, account.folded, account.indexed_at
        into latest_seq, account_number, folded, indexed_at from errand.account;
    else
        -- The search reads on only if its term is rare. It finds out here, because a query of its own costs more than it reads. No term
        -- has U+10FFFF (crates/text).
        select account.seq, account.number, account.folded, account.indexed_at, (
            select coalesce(sum(cardinality(first_rows.ids)), 0) from (
                select t.ids from errand.task_term as t
                where t.term >= first_term and t.term < first_term || U&'\+10FFFF'
                limit 10) as first_rows)
        into latest_seq, account_number, folded, indexed_at, counted from errand.account;
    end if;
    latest_seq := coalesce(latest_seq, 0);
    if p_list ? 'known' then
        if p_list -> 'known' = 'true' or p_list -> 'known' @> to_jsonb(errand.tag_base(caller) || latest_seq) then
            return 'unchanged ' || latest_seq || ' ' || errand.epoch();
        end if;
    end if;
    -- Only a list with `slot` takes one.
    if (p_list -> 'slot')::boolean then
        if not errand.take_slot(account_number) then
            return 'busy';
        end if;
    end if;
    if after_key is not null then
        mark := errand.tag_base(caller) || (latest_seq >> 40) || case when list_order ^@ 'due_' then ' day ' else ' ' end;
        if not starts_with(after_key, mark) then
            raise exception using errcode = 'invalid_text_representation',
                message = 'the cursor is from before a restore, an erasure or migration 0014';
        end if;
        after_key := substr(after_key, length(mark) + 1);
    end if;
    start := (after_key, (p_list #>> '{after,id}')::uuid, (p_list -> 'limit')::int);
    if filters is not null then
        filter := jsonb_populate_record(null::errand.task_filter, filters || coalesce(p_list -> 'search', '{}'));
        writes := latest_seq & 1099511627775;
        if filters ?| array['due_before_date', 'due_after_date', 'overdue', 'time_zone'] then
            filter := errand.filter_in_zone(filter, filters ->> 'time_zone');
        end if;
        if not folded and filter.patterns is not null then
            filter.query := errand.search_query(filters ->> 'q');
        elsif folded and first_term is not null and writes > errand.smallest_search() then
            -- A walk to a full page scans (tasks / candidates) * limit tasks, and costs less than more candidates would.
            most := least(2000, sqrt(writes * (start.size + 1)));
            if counted <= most or p_list #> '{search,terms,1}' is not null then
                filter.candidates := errand.search_candidates(p_list #> '{search,terms}', indexed_at, most);
            end if;
        end if;
        short := writes > errand.short_walk() and (p_list -> 'short')::boolean;
        if writes > errand.longest_walk() and filter.candidates is null then
            ends := true;
        end if;
    end if;
    if short then
        page := errand.short_page_in_order(list_order, start, filter);
        if page.tasks is null then
            return 'long';
        end if;
    elsif dynamic then
        foreach measured in array array[false, true] loop
            execute format(
                'select (page).* from (%s) as query (page)',
                errand.page_text(
                    list_order, case when ends then errand.filter_range(list_order, filter) end,
                    errand.filter_conditions(filter), measured)) into page using start, filter;
            exit when page.tasks is not null;
        end loop;
    else
        page := errand.page_in_order(list_order, start, filter, ends);
    end if;
    if ends and page.last_id is null then
        execute format(
            'select walk.key::text, walk.id::text from (%s) as walk offset %s limit 1',
            errand.walk_text(list_order, 't.id', errand.filter_range(list_order, filter), errand.longest_walk()),
            errand.longest_walk() - 1)
            into page.last_key, page.last_id using start, filter;
    end if;
    if page.last_id is not null then
        if mark is null then
            mark := errand.tag_base(caller) || (latest_seq >> 40) || case when list_order ^@ 'due_' then ' day ' else ' ' end;
        end if;
        page.last_key := to_json(mark || page.last_key)::text;
    end if;
    if (p_list -> 'count')::boolean then
        execute 'select count(*) from errand.task as t where true' || errand.filter_conditions(filter)
            into total using start, filter;
    end if;
    -- One concatenation with the tasks, because each copies them.
    return page.tasks || concat_ws(
        ' ', chr(10) || 'page', latest_seq, errand.epoch(), coalesce(total::text, '-'), page.last_id, page.last_key);
end
$$;

-- api.show_tasks for a batch of calls; see api.show_task_of_each.
create or replace function api.show_tasks_of_each(p_callers text[], p_lists text[])
returns table (number bigint, caller text, answer text)
language plpgsql stable as $$
begin
    return query
        select call.number, call.caller, api.show_tasks(call.caller, call.list::jsonb)
        from unnest(p_callers, p_lists) with ordinality as call (caller, list, number);
end
$$;
