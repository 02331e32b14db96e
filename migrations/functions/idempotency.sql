-- Writes that can be repeated: a key, chosen by the client, and a fingerprint of the request that it stands for.

-- Takes a key for this transaction, at once or not at all: no two requests with one key are done at the same time.
--
-- The lock's name is the account's number and a hash of the key, so that a client can meet no lock but its own. An account
-- that is not there yet has no number: then the name is a digest that the epoch makes unknown to everybody.
create or replace function api.try_claim(p_key text, out claimed boolean, out keys bigint, out forgotten bigint)
language plpgsql as $$
declare
    account_number int;
begin
    select account.number, account.keys, account.forgotten into account_number, keys, forgotten from errand.account;
    if account_number is null then
        claimed := pg_try_advisory_xact_lock(('x' || encode(substr(sha256(convert_to(
            errand.epoch() || ' key ' || current_setting('errand.user_id') || chr(10) || p_key, 'UTF8')), 1, 8), 'hex'))::bit(64)::bigint);
        if not claimed then
            return;
        end if;
        -- Made meanwhile, perhaps, by a request that has the key by its number.
        select account.number, account.keys, account.forgotten into account_number, keys, forgotten from errand.account;
    end if;
    -- Numbers below 0 name slots (api.take_slot).
    claimed := account_number is null or pg_try_advisory_xact_lock(account_number, hashtext(p_key) & 2147483647);
end
$$;

-- The same, a few times where a request may wait (api.may_go_on): it may come from a try that met a lock, and PostgreSQL tells of an
-- error a moment before it lets go of what the transaction held.
create or replace function api.claim(p_key text, out claimed boolean, out keys bigint, out forgotten bigint)
language plpgsql as $$
declare
    pause float8;
begin
    select * into claimed, keys, forgotten from api.try_claim(p_key);
    if not claimed and current_setting('lock_timeout') <> '1ms' then
        foreach pause in array array[0.01, 0.02, 0.05]::float8[] loop
            perform pg_sleep(pause);
            select * into claimed, keys, forgotten from api.try_claim(p_key);
            exit when claimed;
        end loop;
    end if;
end
$$;

-- What is known of a write that comes with a key. NULL, if nothing; else the outcome in the place of doing it again:
-- `replayed`, the first answer; `key_reused`, where the key stands for another request; `in_flight`, where the first one
-- is still being done.
--
-- A key is forgotten when it is a day old, or when 10,000 have come after it. Each call clears at most 50 away, so that no write
-- pays for all that has gathered.
create or replace function api.find_answer(
    p_key text, p_fingerprint text, out outcome text, out task text, out seq bigint, out epoch text)
language plpgsql as $$
declare
    claim constant record := api.claim(p_key);
    last_forgotten constant bigint := claim.keys - 10000;
begin
    if not claim.claimed then
        outcome := 'in_flight';
        return;
    end if;
    delete from errand.idempotency as i
    where i.key = any (p_key || array(
            select oldest.key
            from (
                select o.key, o.created_at, o.number from errand.idempotency as o
                where o.number > claim.forgotten order by o.number limit 50) as oldest
            where oldest.created_at < now() - interval '24 hours' or oldest.number <= last_forgotten))
        and (i.created_at < now() - interval '24 hours' or i.number <= last_forgotten);
    -- No state of a task has the number 0: an answer from before there were numbers has a tag that matches nothing.
    select case when i.fingerprint = p_fingerprint then 'replayed' else 'key_reused' end, i.task,
        coalesce(i.seq, 0), errand.epoch()
    into outcome, task, find_answer.seq, epoch
    from errand.idempotency as i
    where i.key = p_key;
end
$$;

-- Keeps the answer to a write in the transaction of the write. The transaction has the turn (api.try_turn), so no other
-- transaction numbers a key of this user at the same time.
create or replace function api.keep_answer(
    p_key text, p_fingerprint text, p_task text, p_version bigint, p_seq bigint) returns void
language plpgsql as $$
declare
    key_number bigint;
begin
    update errand.account as account
    set keys = account.keys + 1,
        forgotten = coalesce(
            (select min(i.number) from errand.idempotency as i where i.number > account.forgotten) - 1, account.keys)
    returning account.keys into key_number;
    insert into errand.idempotency (user_id, key, fingerprint, created_at, task, version, seq, number)
    values (current_setting('errand.user_id'), p_key, p_fingerprint, now(), p_task, p_version, p_seq, key_number);
end
$$;
