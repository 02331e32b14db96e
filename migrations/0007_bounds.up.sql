-- Bounds on what one user's rows cost others: words that cost no more than their length, numbers of accounts and of keys, and
-- a role that clears away what is old.

-- Text as searches and sorts see it: without case and without accents. What is ASCII has neither accents nor other forms.
create or replace function errand.fold(p_text text) returns text
language plpgsql immutable as $$
begin
    if octet_length(p_text) = char_length(p_text) then
        return lower(p_text);
    end if;
    return translate(
        regexp_replace(normalize(lower(p_text), nfkd), '[\u0300-\u036f]', '', 'g'), 'øłđðħıŧßæœþ', 'olddhitsaot');
end
$$;

-- The words of a text in their order, folded, each cut to 64 characters: a lexeme may have 2 kB.
--
-- A row of marks costs the square of its length to normalize. So the text is split where no word goes on (at ASCII's and the
-- most common other punctuation and spaces), and cut, before it is folded; folding may make several words of one piece.
create or replace function errand.words(p_text text) returns text[]
language plpgsql immutable as $$
begin
    if octet_length(p_text) = char_length(p_text) then
        return array(
            select left(word, 64)
            from regexp_split_to_table(lower(p_text), '[^[:alnum:]]+') as word
            where word <> '');
    end if;
    return array(
        select left(word, 64)
        from regexp_split_to_table(
            (
                select string_agg(errand.fold(left(piece, 256)), ' ')
                from regexp_split_to_table(p_text, '[\u0001-/:-@\[-`{-\u00a0\u2000-\u206f\u3000-\u303f]+') as piece
            ),
            '[^[:alnum:]]+') as word
        where word <> '');
end
$$;
revoke all on function errand.fold(text), errand.words(text) from public;
grant execute on function errand.fold(text), errand.words(text) to errand_app;

-- The time zones that a task may have. Those of pg_timezone_names, which reads hundreds of files each time that it is asked. Not
-- those that are no zones of people's, nor abbreviations whose clocks change: PostgreSQL takes CET for one hour ahead of UTC, in
-- summer too.
-- The key is a column: row-level security lets no index serve the comparison of what is made of one. It has the collation of the zones
-- of tasks: another one lets no index serve either.
create table if not exists errand.time_zone (folded text collate "C" primary key, name text not null);
-- Nobody's data: who has the right to read a row may read all.
alter table errand.time_zone enable row level security;
alter table errand.time_zone force row level security;
drop policy if exists everyone on errand.time_zone;
create policy everyone on errand.time_zone using (true) with check (true);
grant select on errand.time_zone to errand_app;

-- Adds those that the server has learned of since. The migrator calls it; what a task may have once stays.
create or replace function errand.learn_time_zones() returns void
language plpgsql set timezone from current as $$
declare
    zone record;
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
end
$$;
revoke all on function errand.learn_time_zones() from public;
select errand.learn_time_zones();

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
            new.due_zone := (select zone.name from errand.time_zone as zone where zone.folded = lower(new.due_zone));
            if new.due_zone is null then
                raise exception using errcode = 'check_violation', constraint = 'task_due_zone_known',
                    message = 'unknown time zone';
            end if;
            new.due_at := local_due at time zone new.due_zone;
            -- A time that is there twice is the first one (RFC 5545, section 3.3.5); PostgreSQL takes the second. The first
            -- has the offset of the day before.
            first_due := local_due at time zone 'UTC' - (
                (new.due_at - interval '1 day') at time zone new.due_zone
                - (new.due_at - interval '1 day') at time zone 'UTC');
            if first_due < new.due_at and first_due at time zone new.due_zone = local_due then
                new.due_at := first_due;
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

    new.json := (
        select row_to_json(task)::text
        from (
            select
                new.id as id,
                new.user_id as owner_id,
                new.title as title,
                new.description as description,
                new.completed as completed,
                to_char(new.completed_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as completed_at,
                (array['none', 'low', 'medium', 'high'])[new.priority + 1] as priority,
                case
                    when new.due_date is null then null
                    when new.due_time is null then
                        (select row_to_json(due) from (select to_char(new.due_date, 'YYYY-MM-DD') as date) as due)
                    else
                        (select row_to_json(due) from (
                            select to_char(new.due_date, 'YYYY-MM-DD') as date, new.due_time as time,
                                new.due_zone as time_zone) as due)
                end as due,
                to_char(new.due_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') as due_at,
                new.tags as tags,
                new.version as version,
                to_char(new.created_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as created_at,
                to_char(new.updated_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as updated_at
        ) as task);
    return new;
end
$$;

-- Names an account among the locks of the database. There are two billion: api.create_task draws one when the account's
-- first write is done, and not for each write.
create sequence if not exists errand.account_number as int;
-- In the order in which a write takes them, so that neither waits for the other.
lock table errand.idempotency in access exclusive mode;
lock table errand.account in access exclusive mode;
-- Each write changes the row of its account: with room beside it the new version stays in its page, and no index is written. The
-- table is written anew for the next column, and gets that room.
alter table errand.account set (fillfactor = 50);
alter table errand.account add column if not exists number int default nextval('errand.account_number');
create unique index if not exists account_number_idx on errand.account (number);
-- How many keys the user has sent: the number of the latest.
alter table errand.account add column if not exists keys bigint not null default 0;
-- The number up to which they are forgotten, for the search for old ones to begin at: rows that were deleted a moment ago are
-- passed one by one until no statement can see them.
alter table errand.account add column if not exists forgotten bigint not null default 0;
grant usage on sequence errand.account_number to errand_app;

-- In the order of its age, so that the oldest keys are found however many there are.
alter table errand.idempotency add column if not exists number bigint;
-- The owner, who runs this, sees no rows of a table that forces row-level security.
alter table errand.idempotency no force row level security;
alter table errand.account no force row level security;
update errand.idempotency as i
set number = ordered.number
from (
    select user_id, key, row_number() over (partition by user_id order by created_at) as number
    from errand.idempotency
) as ordered
where (i.user_id, i.key) = (ordered.user_id, ordered.key);
update errand.account as account
set keys = counted.keys, forgotten = 0
from (select user_id, count(*) as keys from errand.idempotency group by user_id) as counted
where counted.user_id = account.user_id;
alter table errand.account force row level security;
alter table errand.idempotency force row level security;
create index if not exists idempotency_number_idx on errand.idempotency (user_id, number);

-- Clears away for all users what is old. It has no BYPASSRLS: a policy of its own shows it expired keys, and nothing else.
do $$
begin
    if not exists (select from pg_catalog.pg_roles where rolname = 'errand_maintenance') then
        create role errand_maintenance nologin noinherit nosuperuser nobypassrls nocreatedb nocreaterole;
    end if;
    -- Whoever migrates can take the role on. Where another owner made it for a database of theirs, an administrator says so.
    begin
        execute format('grant errand_maintenance to %I', current_user);
    exception when insufficient_privilege then
        raise warning '% cannot take on errand_maintenance', current_user;
    end;
end
$$;
-- A caller that it announced would show it that user's other keys.
alter policy own on errand.idempotency to errand_app;
create policy expired on errand.idempotency to errand_maintenance
    using (created_at < now() - interval '24 hours');
drop index errand.idempotency_created_at_idx;
create index idempotency_created_at_idx on errand.idempotency (created_at);
grant usage on schema errand to errand_maintenance;
grant select (user_id, key, created_at), delete on errand.idempotency to errand_maintenance;

-- Deletes up to so many expired keys, the oldest first, and says how many: to be called again until that is 0. For a clock of the
-- operator's: `cargo xtask db tidy`, or `set role errand_maintenance; select errand.tidy(10000)`.
create function errand.tidy(p_most int) returns bigint
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
revoke all on function errand.tidy(int) from public;
grant execute on function errand.tidy(int) to errand_maintenance;

-- A second login of the component's, with the rights of the first: its password changes while the other one is in use.
do $$
begin
    if not exists (select from pg_catalog.pg_roles where rolname = 'errand_app_2') then
        create role errand_app_2 nologin nosuperuser nobypassrls nocreatedb nocreaterole;
    end if;
    grant errand_app to errand_app_2;
exception when insufficient_privilege then
    raise warning '% cannot give errand_app_2 the rights of errand_app', current_user;
end
$$;
