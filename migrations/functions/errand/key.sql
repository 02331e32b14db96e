-- Requests that a client may repeat: a key, chosen by the client, a fingerprint of the request that it stands for, and what became of the
-- request: the ids and the statuses of its writes, and no text of theirs.

-- Takes a key for this transaction, at once or not at all: no two requests with one key are done at the same time.
--
-- The lock's name is the account's number and a hash of the key, so that a client can meet no lock but its own. An account
-- that is not there yet has no number: then the name is a digest that the epoch makes unknown to everybody.
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
        -- Made meanwhile, perhaps, by a request that has the key by its number.
        select account.number, account.keys, account.forgotten into account_number, keys, forgotten from errand.account;
    end if;
    -- Numbers below 0 name slots (errand.take_slot).
    claimed := account_number is null or pg_try_advisory_xact_lock(account_number, hashtext(p_key) & 2147483647);
end
$$;

-- The same, a few times where a request may wait (errand.may_go_on): it may come from a try that met a lock, and PostgreSQL tells of an
-- error a moment before it lets go of what the transaction held.
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

-- What is known of a request that comes with a key: `replayed`, if an earlier one has done its writes, with their ids and statuses;
-- `key_reused`, if the key stands for another request; `in_flight`, if the first one still runs; NULL, if nothing is known.
--
-- A key is forgotten when it is a day old, or when 10,000 have come after it. Each call deletes at most 50 forgotten keys, so that no write
-- pays for all that have gathered.
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
    -- A key of before migration 0013 has the task as it was answered.
    select case when i.fingerprint = p_fingerprint then 'replayed' else 'key_reused' end,
        coalesce(i.ids, array[(i.task::jsonb ->> 'id')::uuid]), i.statuses
    into outcome, find_key.ids, find_key.statuses
    from errand.idempotency as i
    where i.key = p_key;
end
$$;

-- Keeps the key of a request in the transaction of its writes, unless all of them were refused or undone. The transaction has the turn
-- (errand.try_turn), so no other transaction numbers a key of this user at the same time.
create or replace function errand.keep_key(
    p_key text, p_fingerprint text, p_atomic boolean, p_outcomes text[], p_ids text[]) returns void
language plpgsql as $$
declare
    statuses constant smallint[] := array(
        select errand.status_of(done.outcome)
        from unnest(p_outcomes) with ordinality as done (outcome, place) order by done.place);
    key_number bigint;
begin
    -- A refused write ends an atomic request, and undoes those before it.
    if 300 <= all (statuses) or p_atomic and statuses[cardinality(statuses)] >= 300 then
        return;
    end if;
    update errand.account as account
    set keys = account.keys + 1,
        forgotten = coalesce(
            (select min(i.number) from errand.idempotency as i where i.number > account.forgotten) - 1, account.keys)
    returning account.keys into key_number;
    insert into errand.idempotency (user_id, key, fingerprint, created_at, ids, statuses, number)
    values (current_setting('errand.user_id'), p_key, p_fingerprint, now(), p_ids::uuid[], statuses, key_number);
end
$$;

grant execute on function
    errand.claim,
    errand.find_key,
    errand.keep_key,
    errand.try_claim
    to errand_app;
