-- Writes that can be repeated: a key, chosen by the client, and a fingerprint of the request that it stands for.

-- What is known of a write that comes with a key. NULL, if nothing; else the outcome in the place of doing it again:
-- `replayed`, the first answer; `key_reused`, where the key stands for another request; `in_flight`, where the first one
-- is still being done. Keys older than a day are forgotten here, so that nobody has to come and clean up.
create or replace function api.recall(
    p_key text, p_fingerprint text, p_tag_base text, out outcome text, out task text, out etag text)
language plpgsql as $$
begin
    -- Held until the transaction ends. Where the hashes of two keys collide, one write sees an `in_flight` that passes.
    if not pg_try_advisory_xact_lock(hashtextextended(current_setting('errand.user_id') || chr(10) || p_key, 0)) then
        outcome := 'in_flight';
        return;
    end if;
    delete from errand.idempotency as i where i.created_at < now() - interval '24 hours';
    -- No state of a task has the number 0: an answer from before there were numbers has a tag that matches nothing.
    select case when i.fingerprint = p_fingerprint then 'replayed' else 'key_reused' end, i.task,
        p_tag_base || coalesce(i.seq, 0)
    into outcome, task, etag
    from errand.idempotency as i
    where i.key = p_key;
end
$$;

-- Keeps the answer to a write, in the transaction of the write itself.
create or replace function api.keep_answer(
    p_key text, p_fingerprint text, p_task text, p_version bigint, p_seq bigint) returns void
language sql as $$
    insert into errand.idempotency (user_id, key, fingerprint, created_at, task, version, seq)
    values (current_setting('errand.user_id'), p_key, p_fingerprint, now(), p_task, p_version, p_seq)
$$;
