-- Idempotency keys. A record has the key that the client chose, the fingerprint of its request, and the ids and statuses of the writes.
-- It has no text of a resource.

-- Locks a key for this transaction without waiting, because requests with the same key must not run at the same time.
--
-- The name of the lock is the account's number and a hash of the key, so a client can block only its own requests. A user without an
-- account has no number. The name is then a digest that includes the secret epoch.
create or replace function errand.try_claim(p_key text, out claimed boolean, out keys bigint, out forgotten bigint)
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
        -- Another request may have created the account meanwhile, and hold the key by the account's number.
        select account.number, account.keys, account.forgotten into account_number, keys, forgotten from errand.account;
    end if;
    -- Numbers below 0 name slots (errand.take_slot).
    claimed := account_number is null or pg_try_advisory_xact_lock(account_number, hashtext(p_key) & 2147483647);
end
$$;

-- errand.try_claim, with retries if the request may wait (errand.may_go_on). The component may have sent it after a lock timeout, and
-- PostgreSQL reports an error a moment before it releases the locks of the failed transaction.
create or replace function errand.claim(p_key text, out claimed boolean, out keys bigint, out forgotten bigint)
language plpgsql as $$
declare
    pause float8;
begin
    select * into claimed, keys, forgotten from errand.try_claim(p_key);
    if not claimed and current_setting('lock_timeout') <> '1ms' then
        foreach pause in array array[0.01, 0.02, 0.05]::float8[] loop
            perform pg_sleep(pause);
            select * into claimed, keys, forgotten from errand.try_claim(p_key);
            exit when claimed;
        end loop;
    end if;
end
$$;

-- Locks a key and looks it up. The outcome is `replayed` if an earlier request did the writes (with their ids and statuses), `key_reused`
-- if the key belongs to another request, `in_flight` if the first request still runs, and NULL if the key is new.
--
-- A key expires after a day, or after 10,000 later keys. Each call deletes at most 50 expired keys, which bounds its cost.
create or replace function errand.find_key(
    p_key text, p_fingerprint text, out outcome text, out ids uuid[], out statuses smallint[])
language plpgsql as $$
declare
    claim constant record := errand.claim(p_key);
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
    -- A key from before migration 0013 has the answered task instead of ids.
    select case when i.fingerprint = p_fingerprint then 'replayed' else 'key_reused' end,
        coalesce(i.ids, array[(i.task::jsonb ->> 'id')::uuid]), i.statuses
    into outcome, find_key.ids, find_key.statuses
    from errand.idempotency as i
    where i.key = p_key;
end
$$;

-- Stores the key of a request in the transaction of its writes, unless all writes were refused or undone. The transaction has the turn
-- (errand.try_turn), so no other transaction numbers a key of this user at the same time. p_lines has the lines of api.run_writes for the
-- writes.
create or replace function errand.store_key(
    p_key text, p_fingerprint text, p_atomic boolean, p_lines text[]) returns void
language plpgsql as $$
declare
    ids uuid[];
    statuses smallint[];
    key_number bigint;
begin
    for place in 1 .. cardinality(p_lines) loop
        statuses := statuses || errand.status_of(split_part(p_lines[place], ' ', 1));
        ids := ids || split_part(p_lines[place], ' ', 2)::uuid;
    end loop;
    -- A refused write ends an atomic request, and undoes the earlier writes.
    if 300 <= all (statuses) or p_atomic and statuses[cardinality(statuses)] >= 300 then
        return;
    end if;
    update errand.account as account
    set keys = account.keys + 1,
        forgotten = coalesce(
            (select min(i.number) from errand.idempotency as i where i.number > account.forgotten) - 1, account.keys)
    returning account.keys into key_number;
    insert into errand.idempotency (user_id, key, fingerprint, created_at, ids, statuses, number)
    values (current_setting('errand.user_id'), p_key, p_fingerprint, now(), ids, statuses, key_number);
end
$$;

grant execute on function
    errand.claim,
    errand.find_key,
    errand.store_key,
    errand.try_claim
    to errand_app;
