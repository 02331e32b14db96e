-- What the functions of schema `api` begin with, and what they share.

-- Ends a statement of a role that row-level security does not hold.
create or replace function errand.refuse_role() returns text
language plpgsql stable as $$
begin
    raise exception using errcode = 'insufficient_privilege',
        message = 'row-level security does not hold this role',
        detail = format('The role is %I.', current_user),
        hint = 'The component must log in as errand_app.';
end
$$;

-- Announces the caller, for the current transaction alone: row-level security shows this user's rows and no others.
-- A role that row-level security does not hold (a superuser, BYPASSRLS) is turned away, so that a mistaken connection
-- string cannot open every account to everyone. Returns the caller: a function begins by declaring it, because an
-- expression costs less than a statement. It is an SQL function, because the planner inlines those.
create or replace function errand.announce(p_caller text) returns text
language sql as $$
    select case
        when row_security_active('errand.task'::regclass) then set_config('errand.user_id', p_caller, true)
        else errand.refuse_role()
    end
$$;

-- Takes the caller's next sequence number and the time of the write, and keeps the caller's other writes waiting until
-- this transaction ends: numbers and times become visible in their order.
create or replace function errand.next_write(p_caller text) returns errand.stamp
language plpgsql as $$
declare
    stamp errand.stamp;
    lock_timeout text;
begin
    -- api.write draws the account's number after the insert, because a sequence does not roll back: a refused write would lose one.
    -- A new account begins behind the numbers of all erased ones (migration 0012). A plain update would compute its time before it waits
    -- for the row.
    insert into errand.account as account (user_id, seq, last_at, number)
    values (p_caller, errand.account_start() + 1, clock_timestamp(), null)
    on conflict (user_id) do update
    set seq = account.seq + 1,
        last_at = greatest(clock_timestamp(), account.last_at + interval '1 microsecond')
    -- The account is locked, so no other write of this user can block this one. The short limit would still refuse the write while
    -- PostgreSQL extends a table for another user, and all its work would be repeated.
    returning account.seq, account.last_at, set_config('lock_timeout', '3s', true)
    into stamp.seq, stamp.at, lock_timeout;
    return stamp;
end
$$;

-- Takes one of the caller's three slots for this transaction, if one is free: so many statements of a user that may read all that
-- the user has, or wait for another write, are run at the same time. Who has no account has nothing to read or to wait for.
create or replace function errand.take_slot(p_account_number int) returns boolean
language plpgsql as $$
begin
    -- The first that is free. Numbers from 0 on name keys (errand.claim).
    return case
        when p_account_number is null then true
        when pg_try_advisory_xact_lock(p_account_number, -1) then true
        when pg_try_advisory_xact_lock(p_account_number, -2) then true
        else pg_try_advisory_xact_lock(p_account_number, -3)
    end;
end
$$;

-- The same, by the number of the caller's account.
create or replace function errand.take_own_slot() returns boolean
language plpgsql as $$
begin
    return errand.take_slot((select account.number from errand.account));
end
$$;

-- Whether a write may go on. Over a connection that it shares with others (p_wait is false) it waits for no lock longer than a
-- millisecond until it has that of its account (errand.next_write). Then PostgreSQL refuses it with 55P03, and it is asked again over
-- a connection of its own, where it may wait (true), in a slot. For its turn it does not wait at all (errand.try_turn). The functions
-- for older components pass NULL, which also waits.
--
-- PL/pgSQL initializes an expression in each transaction, and the cost grows with the number of its function calls. The planner
-- inlines this function and errand.try_turn into such expressions, so both have few calls.
create or replace function errand.may_go_on(p_wait boolean) returns boolean
language sql as $$
    select case
        when p_wait then errand.take_own_slot()
        when p_wait is null then true
        else set_config('lock_timeout', '1ms', true) is not null
    end
$$;

-- The name of the lock that is a user's turn to write. Other users cannot compute it, because the epoch is secret.
create or replace function errand.turn_of(p_user text) returns bigint
language sql stable as $$
    select hashtextextended(errand.epoch() || ' turn ' || p_user, 0)
$$;

-- Waits for the caller's turn to write, and returns true. Returns false at once if the write may not wait (p_wait is false).
create or replace function errand.await_turn(p_user text, p_wait boolean) returns boolean
language plpgsql as $$
begin
    if p_wait is false then
        return false;
    end if;
    perform pg_advisory_xact_lock(errand.turn_of(p_user));
    return true;
end
$$;

-- Takes the caller's turn to write for this transaction, because the writes of a user run one after the other. Returns false if
-- another write has the turn and this write may not wait. The row lock of the account would also refuse the write, but it costs an
-- error, a log line, and the work before it.
create or replace function errand.try_turn(p_user text, p_wait boolean) returns boolean
language sql as $$
    select pg_try_advisory_xact_lock(errand.turn_of(p_user)) or errand.await_turn(p_user, p_wait)
$$;

-- What every entity tag of a user's begins with: a digest of the user, of the format of the representations (the 2) and of
-- the database's epoch. The number of a write, which the user never gets again in this epoch, makes it the tag of one state.
-- The component makes the same digest for its answers (`EntityTag::of_state`). PostgreSQL makes it to compare a precondition.
create or replace function errand.tag_base(p_user text) returns text
language sql stable as $$
    select encode(substr(sha256(convert_to(errand.epoch() || ' 2 ' || p_user, 'UTF8')), 1, 8), 'hex') || '-'
$$;

grant execute on function
    errand.announce,
    errand.await_turn,
    errand.may_go_on,
    errand.next_write,
    errand.refuse_role,
    errand.tag_base,
    errand.take_own_slot,
    errand.take_slot,
    errand.try_turn,
    errand.turn_of
    to errand_app;
