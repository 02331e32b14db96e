-- What the erasure of an account needs (`errand-db account erase`): numbers that no later account of the same user gets again, and
-- sight of the keys of one user.

-- A new account begins behind this number. An erased account leaves no row, so a later account of the same user would give the numbers
-- of the erased one out again, and with them its entity tags. The erasure raises this number above all of them.
--
-- It is a multiple of 2^40, because the lower 40 bits of a number then count the writes of its account, and because it tells nobody how
-- much an erased account had written. It is the text of a function, as the epoch is: reading it costs nothing.
do $$
begin
    -- It is there where this migration was taken back and comes again.
    if to_regprocedure('errand.account_start()') is null then
        create function errand.account_start() returns bigint language sql stable as 'select bigint ''0''';
    end if;
end
$$;
revoke all on function errand.account_start() from public;
grant execute on function errand.account_start() to errand_app;

-- Lets new accounts begin behind this number. The caller holds the turn of the user whose account had it (api.turn_of), so a write that
-- waits for the turn plans with the new text.
create or replace function errand.raise_account_start(p_seq bigint) returns void
language plpgsql as $$
declare
    -- A product, because it fails where a shift would drop bits.
    wanted constant bigint := ((p_seq >> 40) + 1) * 1099511627776;
begin
    -- Two erasures may end at the same time.
    perform pg_advisory_xact_lock(hashtextextended(errand.epoch() || ' account_start', 0));
    -- The catalog's text, because a call may have been planned before the other erasure ended.
    if wanted > (
        select substring(function.prosrc from '\d+')::bigint
        from pg_catalog.pg_proc as function
        where function.oid = 'errand.account_start()'::regprocedure)
    then
        execute format(
            'create or replace function errand.account_start() returns bigint language sql stable as %L',
            format('select bigint %L', wanted));
    end if;
end
$$;
revoke all on function errand.raise_account_start(bigint) from public;

-- The owner of the tables sees accounts and tasks of the announced user, and from now on the keys. errand_maintenance sees expired keys
-- alone, independent of the announced user. The owner may be a member of errand_maintenance, so the policy exempts the owner.
alter policy own on errand.idempotency to public;
create policy expired_alone on errand.idempotency as restrictive to errand_maintenance
    using (
        created_at < now() - interval '24 hours'
        or (
            select pg_has_role(class.relowner, 'usage')
            from pg_catalog.pg_class as class
            where class.oid = 'errand.idempotency'::regclass));
