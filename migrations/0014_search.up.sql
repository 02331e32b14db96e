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

-- When the folded texts changed: the time of the write.
alter table errand.task add column if not exists words_at timestamptz;

-- Whether all tasks of the account are folded, and until when. The index of terms has the words that changed until `indexed_at`.
alter table errand.account
    add column if not exists folded boolean not null default false,
    add column if not exists indexed_at timestamptz not null default '-infinity';

-- The index of terms: the tasks with each term, one row for each term of a batch of tasks. A search reads a range of terms. Comparisons of
-- text are leakproof, so a range is an index condition under row-level security, and no operator of full text search is.
--
-- A write inserts no row. Every 128th write of an account adds the words of the last ones as one batch (errand.index_words), because a row
-- costs about as much for many tasks as for one. A row stays when a task is changed or deleted, and a search compares the texts of each
-- task that it finds here.
create table if not exists errand.task_term (
    user_id text collate "C" not null,
    term text collate "C" not null,
    batch bigint not null,
    ids uuid[] not null,
    constraint task_term_pkey primary key (user_id, term, batch)
);
-- A frequent term has 128 ids, which are not worth to be compressed or stored elsewhere.
alter table errand.task_term alter ids set storage external;
alter table errand.task_term set (toast_tuple_target = 8160);
alter table errand.task_term enable row level security;
alter table errand.task_term force row level security;
drop policy if exists own on errand.task_term;
create policy own on errand.task_term
    using (user_id = (select nullif(current_setting('errand.user_id', true), '')))
    with check (user_id = nullif(current_setting('errand.user_id', true), ''));
grant select, insert on errand.task_term to errand_app;

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
