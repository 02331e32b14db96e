-- Derived columns and writes of tasks.

-- The instant of a local time in a zone. Fails with a check violation if there is none.
create or replace function errand.due_instant(p_local timestamp, p_zone text) returns timestamptz
language plpgsql stable as $$
declare
    due timestamptz := p_local at time zone p_zone;
    first_due timestamptz;
begin
    -- The UTC offset of the day before is the same, and the year is in range. PL/pgSQL initializes each expression in each transaction, so
    -- most instants need one.
    if (due - interval '1 day') at time zone p_zone = p_local - interval '1 day' and due at time zone p_zone = p_local
        and due >= '0001-01-01 00:00+00' and due < '10000-01-01 00:00+00'
    then
        return due;
    end if;
    -- A repeated local time means its first occurrence (RFC 5545, section 3.3.5); PostgreSQL takes the second. The
    -- first occurrence has the UTC offset of the day before. If the instant has the same offset, it is the first.
    if (due - interval '1 day') at time zone p_zone <> p_local - interval '1 day' then
        first_due := p_local at time zone 'UTC' - (
            (due - interval '1 day') at time zone p_zone - (due - interval '1 day') at time zone 'UTC');
        if first_due < due and first_due at time zone p_zone = p_local then
            due := first_due;
        end if;
    end if;
    -- A local time in the gap of a clock change has no instant. PostgreSQL returns that of another local time.
    if due at time zone p_zone <> p_local then
        raise exception using errcode = 'check_violation', constraint = 'task_due_time_exists',
            message = 'no such local time';
    end if;
    if due < '0001-01-01 00:00+00' or due >= '10000-01-01 00:00+00' then
        raise exception using errcode = 'check_violation', constraint = 'task_due_range',
            message = 'due instant outside of years 1 to 9999';
    end if;
    return due;
end
$$;

-- The key of the order by due date: by date as written, then tasks with a time before whole days, then by instant. It is an instant of
-- the date in UTC. The instant of a local time is less than 16 hours before the date in UTC begins, and less than 40 hours after. A third
-- of that range fits before the last microsecond of the date, which is the key of the whole day. A task without a due date comes last.
--
-- It is STABLE, because the planner does not inline an immutable function with stable operators.
create or replace function errand.due_key(p_date date, p_at timestamptz) returns timestamptz
language sql stable as $$
    select case
        when p_date is null then 'infinity'
        when p_at is null then (p_date + time '23:59:59.999999') at time zone 'UTC'
        else (p_date + (p_at at time zone 'UTC' - p_date::timestamp + interval '16 hours') / 3) at time zone 'UTC'
    end
$$;

-- A task without folded texts, as older components write it: it has words instead. The account gets its mark, so that searches read `words`
-- and `errand-db` folds the task.
create or replace function errand.unfolded_task(p_task errand.task) returns errand.task
language plpgsql as $$
declare
    task errand.task := p_task;
begin
    task.title_text := null;
    task.tags_text := null;
    task.description_text := null;
    task.words_at := null;
    task.title_key := coalesce(task.title_key, nullif(left(errand.fold(task.title), 128), ''), task.title);
    task.words := array_to_tsvector(
        errand.words(concat_ws(' ', task.title, task.description, array_to_string(task.tags, ' '))));
    update errand.account as a set folded = false where a.user_id = p_task.user_id and a.folded;
    return task;
end
$$;

-- The rule that a row breaks, or NULL.
create or replace function errand.broken_rule(p_task errand.task) returns text
language sql stable as $$
    select case
        when char_length(p_task.title) not between 1 and 255 then 'task_title_length'
        -- The number of bytes is known without reading a long text.
        when octet_length(p_task.description) > 10000 and char_length(p_task.description) > 10000
            then 'task_description_length'
        when p_task.completed <> (p_task.completed_at is not null) then 'task_completed_at'
        when p_task.priority not between 0 and 3 then 'task_priority_range'
        -- A date may stand alone. A time needs a date and a zone.
        when (p_task.due_time is null) <> (p_task.due_zone is null)
            or p_task.due_date is null and p_task.due_time is not null
            then 'task_due_parts'
        when cardinality(p_task.tags) > 20 then 'task_tags_count'
    end
$$;

-- Checks the rules of a row, and computes the derived columns: the due instant, the key for sorting by it, and the JSON for clients. A
-- trigger does it once per write, so no function can forget it, and reads cost less.
--
-- The rules have the names of constraints. They are no CHECK constraints, because PostgreSQL parses and plans the text of each constraint
-- in each statement that writes. PL/pgSQL plans an expression once per session.
--
-- PL/pgSQL initializes an expression in each transaction in which it is evaluated, so a new task needs few of them.
create or replace function errand.derive_task() returns trigger
language plpgsql as $$
declare
    -- NULL for a new task.
    due_changed boolean;
    words_changed boolean;
begin
    if errand.broken_rule(new) is not null then
        raise exception using errcode = 'check_violation', schema = 'errand', table = 'task',
            constraint = errand.broken_rule(new), message = 'the task breaks the rule ' || errand.broken_rule(new);
    end if;

    if tg_op = 'UPDATE' then
        due_changed := (new.due_date, new.due_time, new.due_zone, new.due_at)
            is distinct from (old.due_date, old.due_time, old.due_zone, old.due_at);
        words_changed := (new.title, new.tags, new.description, new.title_text is null)
            is distinct from (old.title, old.tags, old.description, old.title_text is null);
    end if;

    if due_changed is not false then
        if new.due_time is null then
            new.due_at := null;
        else
            -- The spelling of the database. A link (an alias) stays: it is not replaced by the zone that it names.
            new.due_zone := errand.time_zones() ->> lower(new.due_zone);
            if new.due_zone is null then
                raise exception using errcode = 'check_violation', constraint = 'task_due_zone_known',
                    message = 'unknown time zone';
            end if;
            new.due_at := errand.due_instant(new.due_date + new.due_time::time, new.due_zone);
        end if;
        new.due_key := errand.due_key(new.due_date, new.due_at);
    end if;

    if words_changed is not false then
        if new.title_text is null or new.tags_text is null or new.description_text is null then
            new := errand.unfolded_task(new);
        else
            new.words_at := new.updated_at;
            if words_changed then
                new.words := null;
            end if;
        end if;
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

-- Locks a task, and returns its state and the changes that a write makes to it. `seq` is NULL if the task does not exist, and `changes`
-- if the write changes nothing. A deletion needs only the number.
create or replace function errand.plan_task(p_id uuid, p_operation text, p_document jsonb) returns errand.plan
language plpgsql as $$
declare
    held errand.task;
    changes jsonb := p_document;
begin
    if p_operation = 'task.delete' then
        return (select row (t.seq, null, null, '{}')::errand.plan from errand.task as t where t.id = p_id for update);
    end if;
    select t.* into held from errand.task as t where t.id = p_id for update;
    if p_document ? 'due_zone' then
        -- A time zone that differs only in case is the same zone and keeps its spelling.
        if lower(p_document ->> 'due_zone') = lower(held.due_zone) then
            changes := changes - 'due_zone';
        end if;
    elsif p_operation = 'task.complete' then
        changes := jsonb_build_object('completed', coalesce((p_document -> 'completed')::boolean, not held.completed));
    end if;
    -- The columns that a client may change come first in the row, so the comparison seldom reaches a long text. What the component derives
    -- from them is not compared.
    if jsonb_populate_record(held, changes - array['title_key', 'title_text', 'tags_text', 'description_text'])
        is not distinct from held
    then
        return row (held.seq, held.version, held.json, null)::errand.plan;
    end if;
    return row (held.seq, null, null, case when held.seq is not null then changes end)::errand.plan;
end
$$;

-- The array of a JSON array of strings. A subquery in the statement that needs it would be prepared for each write, named or not.
create or replace function errand.texts(p_texts jsonb) returns text[]
language plpgsql immutable as $$
begin
    return array(select jsonb_array_elements_text(p_texts));
end
$$;

-- Creates a task from a document with every column that a client may write. Any other column in the document is overwritten here or by
-- errand.derive_task.
create or replace function errand.create_task(
    p_id uuid, p_document jsonb, p_seq bigint, p_at timestamptz)
returns errand.state language plpgsql as $$
declare
    state errand.state;
begin
    insert into errand.task as t (
        user_id, id, seq, version, created_at, updated_at, completed_at,
        completed, priority, due_date, due_time, due_zone, tags, title, description,
        title_key, title_text, tags_text, description_text)
    select
        current_setting('errand.user_id'), p_id, p_seq, 1, p_at, p_at, case when d.completed then p_at end,
        d.completed, d.priority, d.due_date, d.due_time, d.due_zone, d.tags, d.title, d.description,
        d.title_key, d.title_text, d.tags_text, d.description_text
    from jsonb_populate_record(null::errand.task, p_document) as d
    returning t.version, t.json into state;
    return state;
end
$$;

-- Changes only the columns that are in the document, because PostgreSQL stores a long text again if a statement assigns it. For a column
-- that may be NULL, `?` distinguishes null from absent.
create or replace function errand.change_task(p_id uuid, p_document jsonb, p_seq bigint, p_at timestamptz)
returns errand.state language plpgsql as $$
declare
    state errand.state;
begin
    update errand.task as t
    set seq = p_seq,
        version = t.version + 1,
        updated_at = p_at,
        completed = coalesce((p_document -> 'completed')::boolean, t.completed),
        completed_at = case
            when coalesce((p_document -> 'completed')::boolean, t.completed) then coalesce(t.completed_at, p_at)
        end,
        due_date = case when p_document ? 'due_date' then (p_document ->> 'due_date')::date else t.due_date end,
        due_time = case when p_document ? 'due_time' then p_document ->> 'due_time' else t.due_time end,
        due_zone = case when p_document ? 'due_zone' then p_document ->> 'due_zone' else t.due_zone end,
        priority = coalesce((p_document -> 'priority')::smallint, t.priority),
        tags = case when p_document ? 'tags' then errand.texts(p_document -> 'tags') else t.tags end,
        title = coalesce(p_document ->> 'title', t.title),
        description = case when p_document ? 'description' then p_document ->> 'description' else t.description end,
        -- An older component sends no folded texts.
        title_key = case when p_document ? 'title' then p_document ->> 'title_key' else t.title_key end,
        title_text = case when p_document ? 'title' then p_document ->> 'title_text' else t.title_text end,
        tags_text = case when p_document ? 'tags' then p_document ->> 'tags_text' else t.tags_text end,
        description_text = case
            when p_document ? 'description' then p_document ->> 'description_text' else t.description_text
        end
    where t.id = p_id
    returning t.version, t.json into state;
    return state;
end
$$;

-- Deletes a task, and returns its last version without a body.
create or replace function errand.delete_task(p_id uuid) returns errand.state
language plpgsql as $$
declare
    state errand.state;
begin
    delete from errand.task as t where t.id = p_id returning t.version, null into state;
    return state;
end
$$;

-- The current state of a task, without changes. All columns are NULL if the task does not exist.
create or replace function errand.current_task(p_id uuid) returns errand.plan
language plpgsql stable as $$
declare
    current errand.plan;
begin
    select t.seq, t.version, t.json, null::jsonb into current from errand.task as t where t.id = p_id;
    return current;
end
$$;

grant execute on function
    errand.broken_rule,
    errand.change_task,
    errand.create_task,
    errand.current_task,
    errand.delete_task,
    errand.due_instant,
    errand.due_key,
    errand.plan_task,
    errand.texts,
    errand.unfolded_task
    to errand_app;
