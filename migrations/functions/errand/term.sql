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

-- The number of pieces of a text, of which at most 64 are in the index.
create or replace function errand.piece_count(p_text text) returns int
language sql immutable as $$
    select case
        when octet_length(p_text) > 2048 then 64
        else least(64, octet_length(p_text) - octet_length(replace(p_text, E'\u0001', '')))
    end
$$;

-- The next batch of an account: the tasks whose words changed after this time, the earliest changes first. A batch has at most 256 tasks, and
-- ends when it has p_pieces, because a piece is what costs. `until` is its last change, and `rest` says whether more tasks may be left.
--
-- The plan is for any time, so the planner expects a ninth of all tasks, and would read the whole table.
create or replace function errand.next_batch(
    p_indexed_at timestamptz, p_pieces int, out ids uuid[], out until timestamptz, out rest boolean)
language plpgsql stable set enable_seqscan = off set enable_bitmapscan = off as $$
begin
    select
        array_agg(task.id order by task.words_at) filter (where task.pieces_before < p_pieces),
        max(task.words_at) filter (where task.pieces_before < p_pieces),
        count(*) = 256 or coalesce(bool_or(task.pieces_before >= p_pieces), false)
    into ids, until, rest
    from (
        select changed.id, changed.words_at,
            sum(changed.pieces) over (order by changed.words_at rows unbounded preceding) - changed.pieces as pieces_before
        from (
            select t.id, t.words_at,
                errand.piece_count(t.title_text) + errand.piece_count(t.tags_text) + errand.piece_count(t.description_text) as pieces
            from errand.task as t
            where t.updated_at > p_indexed_at and t.words_at > p_indexed_at
            order by t.words_at
            limit 256) as changed
    ) as task;
end
$$;

-- The tasks whose words changed after this time, in no order and at most p_most, for a search. Its plan is as that of errand.next_batch.
create or replace function errand.new_tasks(p_indexed_at timestamptz, p_most int) returns uuid[]
language plpgsql stable set enable_seqscan = off set enable_bitmapscan = off as $$
begin
    return array(
        select t.id from errand.task as t
        where t.updated_at > p_indexed_at and t.words_at > p_indexed_at
        limit p_most);
end
$$;

-- Adds a batch to the index. The caller has the lock of the account, and p_seq and p_at are of its latest write.
--
-- A batch costs about 10 µs for each piece, and a request of another user may wait behind it on the same connection. So a batch has about
-- 4,096 pieces at most. If tasks are left, each 16th write continues. That is more than the tasks between can add, which have 192 pieces each.
create or replace function errand.index_words(p_user text, p_seq bigint, p_at timestamptz) returns void
language plpgsql as $$
declare
    account record;
    batch record;
begin
    select a.folded, a.indexed_at, a.index_behind into account from errand.account as a where a.user_id = p_user;
    if account.folded and (account.index_behind or p_seq & 127 = 0) then
        batch := errand.next_batch(account.indexed_at, 4096);
        perform errand.add_batch(p_user, p_seq, batch.ids);
        update errand.account as a
        set indexed_at = case when batch.rest then batch.until else p_at end, index_behind = batch.rest
        where a.user_id = p_user;
    end if;
end
$$;

grant execute on function
    errand.add_batch,
    errand.index_words,
    errand.new_tasks,
    errand.next_batch,
    errand.piece_count,
    errand.pieces,
    errand.some_task_pieces,
    errand.task_pieces
    to errand_app;
