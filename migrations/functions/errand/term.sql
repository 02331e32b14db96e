-- The index of terms (migration 0014).

-- The pieces of a folded text (crates/text), at most p_most. The first 33 characters of a piece are a term. A piece begins after U+0001.
create or replace function errand.pieces(p_text text, p_most int) returns text[]
language sql immutable as $$
    select (string_to_array(replace(rtrim(p_text), E' \u0001', E'\u0001'), E'\u0001'))[2:p_most + 1]
$$;

-- The pieces of a task with long texts: the first 64 of each text. If there are more, a piece is U+0001, and a search looks at the whole
-- text.
create or replace function errand.some_task_pieces(p_title text, p_tags text, p_description text) returns text[]
language plpgsql immutable as $$
declare
    title constant text[] := errand.pieces(p_title, 65);
    tags constant text[] := errand.pieces(replace(p_tags, ' ', E'\u0002'), 65);
    description constant text[] := errand.pieces(p_description, 65);
begin
    return title[:64] || tags[:64] || description[:64]
        || case when 65 in (cardinality(title), cardinality(tags), cardinality(description)) then array[E'\u0001'] end;
end
$$;

-- The pieces of a task. A blank ends a piece of a tag as U+0002, which distinguishes a whole tag from a word that begins like it. Short texts
-- have at most 64 pieces, because each has three characters. The planner inlines this function, and not errand.some_task_pieces.
create or replace function errand.task_pieces(p_title text, p_tags text, p_description text) returns text[]
language sql immutable as $$
    select case
        when octet_length(p_title) + octet_length(p_tags) + octet_length(p_description) < 192 then
            errand.pieces(rtrim(p_title || p_description) || replace(p_tags, ' ', E'\u0002'), 64)
        else errand.some_task_pieces(p_title, p_tags, p_description)
    end
$$;

-- Adds a batch to the index: the terms of these tasks. p_batch is a number that the account has not given to another batch.
create or replace function errand.add_batch(p_user text, p_batch bigint, p_ids uuid[]) returns void
language plpgsql as $$
begin
    insert into errand.task_term (user_id, term, batch, ids)
    select p_user, left(piece, 33), p_batch, array_agg(t.id)
    from errand.task as t,
        unnest(errand.task_pieces(t.title_text, t.tags_text, t.description_text)) as piece
    where t.user_id = p_user and t.id = any (p_ids)
    group by left(piece, 33);
end
$$;

-- The tasks whose words changed after this time, the earliest changes first: at most p_most. The plan is for any time, so the planner expects
-- a ninth of all tasks, and would read the whole table.
create or replace function errand.unindexed_tasks(p_indexed_at timestamptz, p_most int) returns uuid[]
language plpgsql stable set enable_seqscan = off set enable_bitmapscan = off as $$
begin
    return array(
        select t.id from errand.task as t
        where t.updated_at > p_indexed_at and t.words_at > p_indexed_at
        order by t.words_at
        limit p_most);
end
$$;

-- The same tasks in no order, for a search.
create or replace function errand.new_tasks(p_indexed_at timestamptz, p_most int) returns uuid[]
language plpgsql stable set enable_seqscan = off set enable_bitmapscan = off as $$
begin
    return array(
        select t.id from errand.task as t
        where t.updated_at > p_indexed_at and t.words_at > p_indexed_at
        limit p_most);
end
$$;

-- Adds the words of at most 256 tasks to the index. The caller has the lock of the account, and p_seq and p_at are of its latest write. It
-- is called after every 128th write, so more tasks are left only after `errand-db` has folded the account.
create or replace function errand.index_words(p_user text, p_seq bigint, p_at timestamptz) returns void
language plpgsql as $$
declare
    account record;
    ids uuid[];
begin
    select a.folded, a.indexed_at into account from errand.account as a where a.user_id = p_user;
    if account.folded then
        ids := errand.unindexed_tasks(account.indexed_at, 256);
        perform errand.add_batch(p_user, p_seq, ids);
        update errand.account as a
        set indexed_at = case
                when cardinality(ids) < 256 then p_at
                else (select max(t.words_at) from errand.task as t where t.user_id = p_user and t.id = any (ids))
            end
        where a.user_id = p_user;
    end if;
end
$$;

grant execute on function
    errand.add_batch,
    errand.index_words,
    errand.new_tasks,
    errand.pieces,
    errand.some_task_pieces,
    errand.task_pieces,
    errand.unindexed_tasks
    to errand_app;
