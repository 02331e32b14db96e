-- The trigger of tasks runs fewer queries, because starting a query costs more than the expressions in it. The results are unchanged.

-- The composite types of a task's JSON and its due date. row_to_json() of a named type is one expression. An anonymous row has column
-- names only as the result of a query.
do $$
begin
    -- A rollback of this migration keeps the types.
    if to_regtype('errand.task_json') is null then
        create type errand.day_json as (date text);
        create type errand.time_json as (date text, time text, time_zone text);
        create type errand.task_json as (
            id uuid, owner_id text, title text, description text, completed boolean, completed_at text, priority text, due json,
            due_at text, tags text[], version bigint, created_at text, updated_at text);
    end if;
end
$$;

-- The words of a text in their order, folded, each cut to 64 characters: a lexeme may have 2 kB.
--
-- A row of marks costs the square of its length to normalize. So the text is split where no word goes on (at ASCII's and the
-- most common other punctuation and spaces), and cut, before it is folded; folding may make several words of one piece.
create or replace function errand.words(p_text text) returns text[]
language plpgsql immutable as $$
declare
    folded text;
begin
    if octet_length(p_text) = char_length(p_text) then
        folded := lower(p_text);
    else
        folded := (
            select string_agg(errand.fold(left(piece, 256)), ' ')
            from regexp_split_to_table(p_text, '[\u0001-/:-@\[-`{-\u00a0\u2000-\u206f\u3000-\u303f]+') as piece);
    end if;
    -- Few texts have a word to cut. The other texts need no query.
    if folded !~ '[[:alnum:]]{65}' then
        return array_remove(regexp_split_to_array(folded, '[^[:alnum:]]+'), '');
    end if;
    return array(
        select left(word, 64)
        from regexp_split_to_table(folded, '[^[:alnum:]]+') as word
        where word <> '');
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
select errand.learn_time_zones();
revoke all on function errand.time_zones() from public;
grant execute on function errand.time_zones() to errand_app;

-- What follows from the other columns is computed here, once per write, so that no function can forget it and no read
-- pays for it: the instant that is due, the keys that lists sort and search by, and the JSON that clients get.
create or replace function errand.derive_task() returns trigger
language plpgsql as $$
declare
    local_due timestamp;
    first_due timestamptz;
begin
    if tg_op = 'INSERT'
        or (new.due_date, new.due_time, new.due_zone) is distinct from (old.due_date, old.due_time, old.due_zone)
    then
        new.due_at := null;
        -- A time without a zone is refused by a constraint.
        if new.due_time is not null and new.due_zone is not null then
            local_due := new.due_date + new.due_time::time;
            -- In the database's spelling, but no other name: a link is a zone as good as the one that it leads to.
            new.due_zone := errand.time_zones() ->> lower(new.due_zone);
            if new.due_zone is null then
                raise exception using errcode = 'check_violation', constraint = 'task_due_zone_known',
                    message = 'unknown time zone';
            end if;
            new.due_at := local_due at time zone new.due_zone;
            -- A repeated local time means its first occurrence (RFC 5545, section 3.3.5); PostgreSQL takes the second. The
            -- first occurrence has the UTC offset of the day before. If due_at has the same offset, it is the first.
            if (new.due_at - interval '1 day') at time zone new.due_zone <> local_due - interval '1 day' then
                first_due := local_due at time zone 'UTC' - (
                    (new.due_at - interval '1 day') at time zone new.due_zone
                    - (new.due_at - interval '1 day') at time zone 'UTC');
                if first_due < new.due_at and first_due at time zone new.due_zone = local_due then
                    new.due_at := first_due;
                end if;
            end if;
            -- In the gap of a clock change there is no such instant; PostgreSQL would answer with another time of day.
            if new.due_at at time zone new.due_zone <> local_due then
                raise exception using errcode = 'check_violation', constraint = 'task_due_time_exists',
                    message = 'no such local time';
            end if;
            if new.due_at < '0001-01-01 00:00+00' or new.due_at >= '10000-01-01 00:00+00' then
                raise exception using errcode = 'check_violation', constraint = 'task_due_range',
                    message = 'due instant outside of years 1 to 9999';
            end if;
        end if;
        -- A day is past when it is over in UTC; no due date sorts behind every date.
        new.due_key := case
            when new.due_at is not null then new.due_at
            when new.due_date is not null then (new.due_date + time '24:00') at time zone 'UTC' - interval '1 microsecond'
            else 'infinity'
        end;
    end if;

    if tg_op = 'INSERT'
        or (new.title, new.description, new.tags) is distinct from (old.title, old.description, old.tags)
    then
        new.title_key := left(errand.fold(new.title), 128);
        new.words := array_to_tsvector(
            errand.words(concat_ws(' ', new.title, new.description, array_to_string(new.tags, ' '))));
    end if;

    new.json := row_to_json(row(
        new.id,
        new.user_id,
        new.title,
        new.description,
        new.completed,
        to_char(new.completed_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
        (array['none', 'low', 'medium', 'high'])[new.priority + 1],
        case
            when new.due_date is null then null
            when new.due_time is null then row_to_json(row(to_char(new.due_date, 'YYYY-MM-DD'))::errand.day_json)
            else row_to_json(
                row(to_char(new.due_date, 'YYYY-MM-DD'), new.due_time, new.due_zone)::errand.time_json)
        end,
        to_char(new.due_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'),
        new.tags,
        new.version,
        to_char(new.created_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
        to_char(new.updated_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'))::errand.task_json)::text;
    return new;
end
$$;
