-- What is kept of a request with a key: the ids and the statuses of its writes, and no text. The text that is there goes with its key,
-- within a day. A later migration drops its column, because functions of before write it until they are replaced.
alter table errand.idempotency add column if not exists ids uuid[];
alter table errand.idempotency add column if not exists statuses smallint[];
alter table errand.idempotency alter column task drop not null;
alter table errand.idempotency alter column version drop not null;

-- The interface of the components that call api.write (migration 0011).
create type api.interface_3 as enum ('served');

-- The results of the functions that writes call. A function with one RETURN costs less than one that assigns each of its OUT parameters,
-- because PL/pgSQL initializes each expression in each transaction.
do $$
begin
    -- A rollback of this migration keeps the types, because functions return them.
    if to_regtype('errand.plan') is null then
        -- The state of a resource that a write meets, and what the write changes in it.
        create type errand.plan as (seq bigint, version bigint, body text, changes jsonb);
        -- The number and the time of a write.
        create type errand.stamp as (seq bigint, at timestamptz);
        -- A resource after a write.
        create type errand.state as (version bigint, body text);
        -- All writes of a request, with a place in each array for each of them.
        create type api.written as (
            outcome text, epoch text, outcomes text[], ids text[], seqs bigint[], versions bigint[], bodies text[]);
    end if;
end
$$;

-- The functions check the rules of these constraints (errand.derive_task, errand.next_write). PostgreSQL parses and plans the text of a
-- CHECK constraint in each statement that writes, which costs more than the same expression in PL/pgSQL.
alter table errand.task
    drop constraint if exists task_title_length,
    drop constraint if exists task_description_length,
    drop constraint if exists task_priority_range,
    drop constraint if exists task_tags_count,
    drop constraint if exists task_due_parts,
    drop constraint if exists task_completed_at;
alter table errand.account drop constraint if exists account_user_id_length;

-- A subselect in WITH CHECK costs each write the start of a plan. It is evaluated once per row, as the expression is. USING keeps the
-- subselect (migration 0003).
alter policy own on errand.account
    with check (user_id = nullif(current_setting('errand.user_id', true), ''));
