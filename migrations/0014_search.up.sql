-- The words of tasks, folded by the component (crates/text), and an index of their terms. The rows that are there, and those that an older
-- component writes, have no folded texts: `errand-db` folds them (errand.fold_tasks).
--
-- A rollback keeps what this migration adds, because the functions go on using it.

-- The interface of the components that send folded texts (migration 0011).
create type api.interface_4 as enum ('served');

-- The folded texts of a task, by field. All three are NULL if the task is not folded, and no other time. Then `words` has its words, as
-- errand.words() folds them; otherwise `words` is NULL.
alter table errand.task
    add column if not exists title_text text collate "C",
    add column if not exists tags_text text collate "C",
    add column if not exists description_text text collate "C",
    alter column words drop not null;

-- Whether all tasks of the account are folded. A new account has none.
alter table errand.account add column if not exists folded boolean not null default false;

-- The terms of folded tasks, as lexemes that begin with a digest of the user, so the index has a list of tasks for each term of each user.
--
-- PostgreSQL evaluates the condition of a policy before all conditions of a statement, except those with leakproof operators. `@@` is not
-- leakproof, so as a condition of a statement it can use no index. Here it is part of the policy: a caller sees those of the own rows that
-- the announced search (errand.search) matches, and none without a search. The user is compared in a form that no index serves, because
-- the planner would read all rows of the user.
--
-- No pending list: a write pays for its own terms, and a search reads no other ones.
create table if not exists errand.task_search (
    user_id text collate "C" not null,
    id uuid not null,
    terms tsvector not null,
    constraint task_search_pkey primary key (user_id, id)
);
create index if not exists task_search_terms_idx on errand.task_search using gin (terms) with (fastupdate = off);
alter table errand.task_search enable row level security;
alter table errand.task_search force row level security;
drop policy if exists own on errand.task_search;
create policy own on errand.task_search
    using (
        user_id is not distinct from (select nullif(current_setting('errand.user_id', true), ''))
        and terms @@ (select current_setting('errand.search', true)::tsquery))
    with check (user_id = nullif(current_setting('errand.user_id', true), ''));
grant select, insert, delete on errand.task_search to errand_app;

-- Deletes the terms of a deleted task. This body is a placeholder: the files of functions have the full one.
create or replace function errand.forget_terms() returns trigger
language plpgsql as $$
begin
    return old;
end
$$;
revoke all on function errand.forget_terms() from public;
create or replace trigger forget_terms before delete on errand.task
    for each row execute function errand.forget_terms();

-- The filters of a list; NULL where there is none. `patterns` and `candidates` are those of a search. The instants are those at which the
-- days of `due_before_date` and `due_after_date` begin and end in the client's time zone, and `today` is the current day there.
do $$
begin
    if to_regtype('errand.task_filter') is null then
        create type errand.task_filter as (
            completed boolean, priorities smallint[], tags text[],
            due_before_date date, due_before_midnight timestamptz, due_before_at timestamptz,
            due_after_date date, due_after_midnight timestamptz, due_after_at timestamptz,
            overdue boolean, today date, updated_since timestamptz,
            patterns text[], candidates uuid[], query tsquery);
    end if;
end
$$;
