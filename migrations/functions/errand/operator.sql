-- Functions for the operator and the migrator. The component may not call them.

-- Computes the instants of one user's tasks again, for at most p_most tasks with ids above p_after. It writes the changed ones, with a
-- number and a time as any other write. A task keeps its instant if its local time no longer exists.
create or replace function errand.refresh_due(
    p_user text, p_after uuid, p_most int, out last uuid, out changed bigint, out kept bigint)
language plpgsql as $$
declare
    task record;
    instant timestamptz;
    stamp record;
begin
    changed := 0;
    kept := 0;
    -- The policies apply to the owner of the tables, too.
    perform set_config('errand.user_id', p_user, true);
    -- The turn of the user: other writes of the user wait.
    perform pg_advisory_xact_lock(errand.turn_of(p_user));
    for task in
        select t.id, t.due_date + t.due_time::time as local_due, t.due_zone, t.due_at
        from errand.task as t
        where t.user_id = p_user and t.due_zone is not null and (p_after is null or t.id > p_after)
        order by t.id
        limit p_most
        for update
    loop
        last := task.id;
        begin
            instant := errand.due_instant(task.local_due, task.due_zone);
        exception when check_violation then
            kept := kept + 1;
            continue;
        end;
        if instant is distinct from task.due_at then
            update errand.account as a
            set seq = a.seq + 1,
                last_at = greatest(clock_timestamp(), a.last_at + interval '1 microsecond')
            where a.user_id = p_user
            returning a.seq, a.last_at into stamp;
            update errand.task as t
            set due_at = null, seq = stamp.seq, version = t.version + 1, updated_at = stamp.last_at
            where t.user_id = p_user and t.id = task.id;
            changed := changed + 1;
        end if;
    end loop;
end
$$;

-- Begins to fold the tasks of a user: removes at most p_most rows of the index, and returns whether none is left. Words that change from now
-- on are indexed by later writes. It takes the user's turn, so other writes of the user wait until this transaction ends.
create or replace function errand.begin_folding(p_user text, p_most int) returns boolean
language plpgsql as $$
declare
    removed int;
begin
    -- The policies apply to the owner of the tables, too.
    perform set_config('errand.user_id', p_user, true);
    perform pg_advisory_xact_lock(errand.turn_of(p_user));
    delete from errand.task_term as t
    where t.ctid = any (array(select other.ctid from errand.task_term as other where other.user_id = p_user limit p_most));
    get diagnostics removed = row_count;
    update errand.account as a set indexed_at = a.last_at where a.user_id = p_user;
    return removed < p_most;
end
$$;

-- The next tasks of a user, at most p_most with ids above p_after. `errand-db` folds their texts and calls errand.fold_tasks in the same
-- transaction, for which it takes the user's turn.
create or replace function errand.tasks_to_fold(p_user text, p_after uuid, p_most int)
returns table (id uuid, title text, tags text[], description text)
language plpgsql as $$
begin
    perform set_config('errand.user_id', p_user, true);
    perform pg_advisory_xact_lock(errand.turn_of(p_user));
    return query
        select t.id, t.title, t.tags, t.description
        from errand.task as t
        where t.user_id = p_user and (p_after is null or t.id > p_after)
        order by t.id
        limit p_most;
end
$$;

-- Stores the folded texts of these tasks where they are others, and adds their terms to the index. The tasks keep their number, their
-- version and their times, because clients see no change. With p_done, the account has no other task, and is folded unless an older
-- component has written one meanwhile.
create or replace function errand.fold_tasks(
    p_user text, p_ids uuid[], p_title_keys text[], p_title_texts text[], p_tags_texts text[], p_description_texts text[],
    p_done boolean)
returns void language plpgsql as $$
begin
    update errand.task as t
    set title_key = folded.title_key,
        title_text = folded.title_text,
        tags_text = folded.tags_text,
        description_text = folded.description_text,
        words = null,
        due_key = errand.due_key(t.due_date, t.due_at)
    from unnest(p_ids, p_title_keys, p_title_texts, p_tags_texts, p_description_texts)
        as folded (id, title_key, title_text, tags_text, description_text)
    where t.user_id = p_user and t.id = folded.id
        and (t.title_key, t.title_text, t.tags_text, t.description_text)
            is distinct from (folded.title_key, folded.title_text, folded.tags_text, folded.description_text);
    -- Batches of writes have positive numbers.
    perform errand.add_batch(p_user, -(extract(epoch from clock_timestamp()) * 1000000)::bigint, p_ids);
    if p_done then
        update errand.account as a
        set folded = not exists (select from errand.task as t where t.user_id = p_user and t.title_text is null)
        where a.user_id = p_user;
    end if;
end
$$;

-- Adds new time zones of the server. The migrator calls it. No zone is removed, because tasks may have it.
--
-- errand.time_zones() returns all zones by their lower-case names. The data is in the text of the function, as in errand.epoch(), so
-- a write needs no query.
create or replace function errand.learn_time_zones() returns void
language plpgsql set timezone from current as $$
declare
    zone record;
    known text;
begin
    for zone in
        select names.name, abbrevs.abbrev is not null as is_abbreviation
        from pg_catalog.pg_timezone_names as names
        left join pg_catalog.pg_timezone_abbrevs as abbrevs on upper(names.name) = upper(abbrevs.abbrev)
        where names.name !~ '^(posix|right)/' and names.name not in ('Factory', 'localtime', 'posixrules')
    loop
        if zone.is_abbreviation then
            perform set_config('timezone', zone.name, true);
            continue when extract(timezone from timestamptz '2026-01-01 00:00+00')
                <> extract(timezone from timestamptz '2026-07-01 00:00+00');
        end if;
        insert into errand.time_zone (folded, name) values (lower(zone.name), zone.name) on conflict do nothing;
    end loop;
    known := format('select %L::jsonb', (select jsonb_object_agg(zones.folded, zones.name) from errand.time_zone as zones));
    if known is distinct from (
        select function.prosrc from pg_catalog.pg_proc as function where function.oid = to_regprocedure('errand.time_zones()'))
    then
        execute format('create or replace function errand.time_zones() returns jsonb language sql immutable as %L', known);
    end if;
end
$$;

-- Deletes at most p_most expired keys of all users, the oldest first, and returns their number. `errand-db tidy` calls it until it
-- returns fewer than p_most. A scheduler in the database does the same: `set role errand_maintenance; select errand.tidy(10000)`.
create or replace function errand.tidy(p_most int) returns bigint
language plpgsql as $$
declare
    removed bigint;
begin
    delete from errand.idempotency as i
    using (
        select old.user_id, old.key
        from errand.idempotency as old
        where old.created_at < now() - interval '24 hours'
        order by old.created_at
        limit p_most
    ) as expired
    where i.user_id = expired.user_id and i.key = expired.key;
    get diagnostics removed = row_count;
    return removed;
end
$$;

grant execute on function errand.tidy to errand_maintenance;
