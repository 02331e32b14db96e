-- The database's epoch, which every entity tag is made with, and the number of the write that an idempotency key stands for.

-- A restore from a backup gives numbers out again that were given out before. So it begins another epoch, and what a client
-- kept from before matches nothing. `cargo xtask db restored` calls this function.
--
-- The epoch is the text of a function, because reading it costs nothing then: the planner puts the text in the place of the
-- call. Replacing the function reaches the plans that sessions keep.
create or replace function errand.begin_epoch() returns void
language plpgsql as $$
begin
    execute format(
        'create or replace function errand.epoch() returns text language sql stable as %L',
        format('select text %L', gen_random_uuid()));
end
$$;
revoke all on function errand.begin_epoch() from public;

do $$
begin
    -- It is there where this migration was taken back and comes again.
    if to_regprocedure('errand.epoch()') is null then
        perform errand.begin_epoch();
    end if;
end
$$;
revoke all on function errand.epoch() from public;
grant execute on function errand.epoch() to errand_app;

-- NULL for an answer from before this migration.
alter table errand.idempotency add column if not exists seq bigint;
