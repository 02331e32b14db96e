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
-- The position of the next page is marked with the epoch, the user and the account: `last_key` is `9f86d081884c7d65-0` (the digest of
-- entity tags, and the upper bits of the account's numbers), a blank, and the key. A position with another mark is refused. It is from
-- before a restore, which moves tasks back to earlier positions, or from before an erasure. The client would miss tasks. The order by due
-- date has a mark of its own, because its keys were others before migration 0014.
--
-- With filters, a page may end early, or even be empty. Its walk then ends at its last scanned task, and the next page continues there.
-- An account has no such pages while it has had so few writes that one walk scans all its tasks.
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
    filter errand.task_filter;
    measured boolean;
    latest_seq bigint;
    -- How many writes the account has had: the lower 40 bits of the latest number (migration 0012).
    writes bigint;
    account_number int;
    -- Whether there are filters by time, which are planned for each call.
    dynamic constant boolean :=
        filters ?| array['due_before_date', 'due_before_at', 'due_after_date', 'due_after_at', 'overdue', 'updated_since'];
    -- Whether all tasks of the account have folded texts and terms (migration 0014).
    folded boolean;
    indexed_at timestamptz;
    -- Whether the account may have more tasks than a walk scans, and the bounds of the walk.
    ends boolean := false;
    range text;
    -- Whether the list is short and the account may have more tasks than a short walk.
    short boolean;
begin
    select account.seq, account.number, account.folded, account.indexed_at
    into latest_seq, account_number, folded, indexed_at from errand.account;
    seq := coalesce(latest_seq, 0);
    epoch := errand.epoch();
    if p_list ? 'known' then
        if p_list -> 'known' = 'true' or p_list -> 'known' @> to_jsonb(errand.tag_base(caller) || seq) then
            outcome := 'unchanged';
            return;
        end if;
    end if;
    -- Only a list with `slot` takes one.
    if (p_list -> 'slot')::boolean then
        if not errand.take_slot(account_number) then
            outcome := 'busy';
            return;
        end if;
    end if;
    outcome := 'page';
    if after_key is not null then
        mark := errand.tag_base(caller) || (seq >> 40) || case when list_order ^@ 'due_' then ' day ' else ' ' end;
        if not starts_with(after_key, mark) then
            raise exception using errcode = 'invalid_text_representation',
                message = 'the cursor is from before a restore, an erasure or migration 0014';
        end if;
        after_key := substr(after_key, length(mark) + 1);
    end if;
    start := (after_key, (p_list #>> '{after,id}')::uuid, (p_list -> 'limit')::int);
    if filters is not null then
        filter := errand.filter_of(filters || coalesce(p_list -> 'search', '{}'));
        writes := latest_seq & 1099511627775;
        if not folded and filter.patterns is not null then
            filter.query := errand.search_query(filters ->> 'q');
        elsif folded and writes > errand.smallest_search() and p_list #> '{search,terms,0}' is not null then
            -- A walk to a full page scans (tasks / candidates) * limit tasks, and costs less than more candidates would.
            filter.candidates := errand.search_candidates(
                p_list #> '{search,terms}', indexed_at, least(2000, sqrt(writes * (start.size + 1)))::int);
        end if;
        short := writes > errand.short_walk() and (p_list -> 'short')::boolean;
        if writes > errand.longest_walk() and filter.candidates is null then
            ends := true;
            range := errand.filter_range(list_order, filter);
        end if;
    end if;
    if short then
        page := errand.short_page_in_order(list_order, start, filter);
        if page.tasks is null then
            outcome := 'long';
            return;
        end if;
    elsif dynamic then
        foreach measured in array array[false, true] loop
            execute format(
                'select (page).* from (%s) as query (page)',
                errand.page_text(list_order, range, errand.filter_conditions(filter), measured)) into page using start, filter;
            exit when page.tasks is not null;
        end loop;
    else
        page := errand.page_in_order(list_order, start, filter, ends);
    end if;
    if ends and page.last_id is null then
        execute format(
            'select walk.key::text, walk.id::text from (%s) as walk offset %s limit 1',
            errand.walk_text(list_order, 't.id', range, errand.longest_walk()), errand.longest_walk() - 1)
            into page.last_key, page.last_id using start, filter;
    end if;
    tasks := page.tasks;
    if page.last_id is not null then
        if mark is null then
            mark := errand.tag_base(caller) || (seq >> 40) || case when list_order ^@ 'due_' then ' day ' else ' ' end;
        end if;
        last_key := mark || page.last_key;
        last_id := page.last_id;
    end if;
    if (p_list -> 'count')::boolean then
        execute 'select count(*) from errand.task as t where true' || errand.filter_conditions(filter)
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
