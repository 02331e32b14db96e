-- Accounts and tasks, fenced to their owner by row-level security, and the role that the component logs in as.

create schema errand;

-- Roles belong to the whole cluster: another database of it may have made this one already. It owns nothing, and it
-- cannot log in before `cargo xtask` (or an operator) gives it a password.
do $$
begin
    if not exists (select from pg_catalog.pg_roles where rolname = 'errand_app') then
        create role errand_app login noinherit nosuperuser nobypassrls nocreatedb nocreaterole;
    end if;
end
$$;

-- One row per user who has ever written. `seq` numbers the user's writes; the row lock makes the numbers commit in order.
create table errand.account (
    user_id text collate "C" not null,
    seq bigint not null,
    -- The time of the latest write. Times never run backwards for one user, whatever the server's clock does.
    last_at timestamptz not null,
    constraint account_pkey primary key (user_id),
    constraint account_user_id_length check (char_length(user_id) between 1 and 255)
)
-- Every write updates this row; the free space keeps those updates on its page (HOT, no index write).
with (fillfactor = 50);

create table errand.task (
    user_id text collate "C" not null,
    id uuid not null,
    seq bigint not null,
    version bigint not null default 1,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    completed_at timestamptz,
    -- Derived by errand.derive_task().
    due_at timestamptz,
    due_key timestamptz not null,
    due_date date,
    completed boolean not null,
    -- 0 none, 1 low, 2 medium, 3 high
    priority smallint not null,
    -- As the client wrote it, `HH:MM` or `HH:MM:SS`.
    due_time text collate "C",
    due_zone text collate "C",
    tags text[] not null,
    title text not null,
    description text,
    -- Derived by errand.derive_task().
    title_key text collate "C" not null,
    words tsvector not null,
    json text not null,
    constraint task_pkey primary key (user_id, id),
    constraint task_title_length check (char_length(title) between 1 and 255),
    constraint task_description_length check (char_length(description) <= 10000),
    constraint task_priority_range check (priority between 0 and 3),
    constraint task_tags_count check (cardinality(tags) <= 20),
    constraint task_due_parts check (
        case
            when due_date is null then due_time is null and due_zone is null
            else (due_time is null) = (due_zone is null)
        end
    ),
    constraint task_completed_at check (completed = (completed_at is not null))
);

-- One index for each order that a list can have; `id` breaks ties, so that a cursor names exactly one place.
create index task_created_at_idx on errand.task (user_id, created_at, id);
create index task_updated_at_idx on errand.task (user_id, updated_at, id);
create index task_due_idx on errand.task (user_id, due_key, id);
create index task_priority_idx on errand.task (user_id, priority, id);
create index task_title_idx on errand.task (user_id, title_key, id);

-- What follows from the other columns is computed here, once per write, so that no function can forget it and no read
-- pays for it: the instant that is due, the keys that lists sort and search by, and the JSON that clients get.
create function errand.derive_task() returns trigger
language plpgsql as $$
declare
    local_due timestamp;
begin
    if tg_op = 'INSERT'
        or (new.due_date, new.due_time, new.due_zone) is distinct from (old.due_date, old.due_time, old.due_zone)
    then
        new.due_at := null;
        if new.due_time is not null then
            local_due := new.due_date + new.due_time::time;
            begin
                new.due_at := local_due at time zone new.due_zone;
            exception when invalid_parameter_value then
                raise exception using errcode = 'check_violation', constraint = 'task_due_zone_known',
                    message = 'unknown time zone';
            end;
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
        -- api.fold is the same expression for the words of a search.
        new.title_key := left(translate(regexp_replace(
            normalize(lower(new.title), nfkd), '[\u0300-\u036f]', '', 'g'), 'øłđðħıŧßæœþ', 'olddhitsaot'), 128);
        -- Bounded in length: a lexeme may have 2 kB. The words of a search are cut to the same length.
        new.words := array_to_tsvector(array(
            select distinct left(word, 64)
            from regexp_split_to_table(translate(regexp_replace(
                normalize(lower(concat_ws(' ', new.title, new.description, array_to_string(new.tags, ' '))), nfkd),
                '[\u0300-\u036f]', '', 'g'), 'øłđðħıŧßæœþ', 'olddhitsaot'), '[^[:alnum:]]+') as word
            where word <> ''));
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
revoke all on function errand.derive_task() from public;

create trigger derive before insert or update on errand.task
    for each row execute function errand.derive_task();

-- The wall. FORCE: even the owner of the tables is fenced. A caller who was not announced is NULL (after a commit, an
-- unset custom setting reads as ''), and NULL equals nothing: without a caller there are no rows.
alter table errand.account enable row level security;
alter table errand.account force row level security;
create policy own on errand.account
    using (user_id = nullif(current_setting('errand.user_id', true), ''))
    with check (user_id = nullif(current_setting('errand.user_id', true), ''));

alter table errand.task enable row level security;
alter table errand.task force row level security;
create policy own on errand.task
    using (user_id = nullif(current_setting('errand.user_id', true), ''))
    with check (user_id = nullif(current_setting('errand.user_id', true), ''));

grant usage on schema errand to errand_app;
grant select, insert, update on errand.account to errand_app;
grant select, insert, update, delete on errand.task to errand_app;

-- On the role, not in the session: such settings survive a pooler in transaction mode.
alter role errand_app set statement_timeout = '4s';
alter role errand_app set lock_timeout = '3s';
alter role errand_app set idle_in_transaction_session_timeout = '10s';
alter role errand_app set timezone = 'UTC';
-- The statements of the functions are written so that one plan is good for all parameters; planning them again and again
-- would cost as much as running them.
alter role errand_app set plan_cache_mode = 'force_generic_plan';
