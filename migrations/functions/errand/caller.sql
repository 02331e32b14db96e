-- Functions that the functions of schema `api` share: the caller, slots, turns, numbers and entity tags.

-- Fails the statement of a role that bypasses row-level security.
create or replace function errand.refuse_role() returns text
language plpgsql stable as $$
begin
    raise exception using errcode = 'insufficient_privilege',
        message = 'row-level security does not hold this role',
        detail = format('The role is %I.', current_user),
        hint = 'The component must log in as errand_app.';
end
$$;

-- Announces the caller for the current transaction: row-level security then shows the rows of this user and no others.
-- It refuses a role that bypasses row-level security (a superuser, BYPASSRLS), because a wrong connection string would otherwise
-- show all accounts to every user. It returns the caller, so that functions can call it in a declaration: an expression costs less
-- than a statement. It is an SQL function, because the planner inlines those.
create or replace function errand.announce(p_caller text) returns text
language sql as $$
    select case
        when row_security_active('errand.task'::regclass) then set_config('errand.user_id', p_caller, true)
        else errand.refuse_role()
    end
$$;

-- Takes the caller's next sequence number and the time of the write, and locks the account until this transaction ends. So numbers
-- and times become visible in their order.
create or replace function errand.next_write(p_caller text) returns errand.stamp
language plpgsql as $$
declare
    stamp errand.stamp;
    lock_timeout text;
begin
    -- api.write draws the account's number after the insert, because a sequence does not roll back: a refused write would lose one.
    -- A new account begins behind the numbers of all erased ones (migration 0012). A plain update would compute its time before it waits
    -- for the row.
    -- A user id of more than 255 characters becomes NULL, and row-level security refuses that row. A CHECK constraint would cost each
    -- write more than this expression (errand.derive_task).
    -- A new account has no unfolded task.
    insert into errand.account as account (user_id, seq, last_at, number, folded)
    values (
        case when char_length(p_caller) <= 255 then p_caller end, errand.account_start() + 1, clock_timestamp(), null, true)
    on conflict (user_id) do update
    set seq = account.seq + 1,
        last_at = greatest(clock_timestamp(), account.last_at + interval '1 microsecond')
    -- The account is locked, so no other write of this user can block this one. The limit is raised, because PostgreSQL also locks a
    -- table while it extends it: a wait for that would fail the write, and all its work would be repeated.
    returning account.seq, account.last_at, set_config('lock_timeout', '3s', true)
    into stamp.seq, stamp.at, lock_timeout;
    return stamp;
end
$$;

-- Takes one of the caller's three slots for this transaction, and returns whether one was free. The slots limit how many statements of
-- a user run at the same time that may read all data of the user or wait for another write. A user without an account has nothing to
-- read or to wait for.
create or replace function errand.take_slot(p_account_number int) returns boolean
language plpgsql as $$
begin
    -- The first free slot. Numbers from 0 on name keys (errand.try_claim).
    return case
        when p_account_number is null then true
        when pg_try_advisory_xact_lock(p_account_number, -1) then true
        when pg_try_advisory_xact_lock(p_account_number, -2) then true
        else pg_try_advisory_xact_lock(p_account_number, -3)
    end;
end
$$;

-- errand.take_slot for the caller's account.
create or replace function errand.take_own_slot() returns boolean
language plpgsql as $$
begin
    return errand.take_slot((select account.number from errand.account));
end
$$;

-- Prepares the locks of a write, and returns whether it may go on. Over the shared pool (p_wait is false), the write waits at most a
-- millisecond for a lock until it has the lock of its account (errand.next_write), and not at all for its turn (errand.try_turn). After
-- a millisecond PostgreSQL fails it with 55P03, and the component sends it again over the dedicated pool. There (p_wait is true) it
-- takes a slot and may wait. The functions for older components pass NULL: such a write waits without a slot.
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

-- The name of the advisory lock that is the turn of a user. Other users cannot compute it, because the epoch is secret.
create or replace function errand.turn_of(p_user text) returns bigint
language sql stable as $$
    select hashtextextended(errand.epoch() || ' turn ' || p_user, 0)
$$;

-- Waits for the caller's turn, and returns true. Returns false immediately if the write may not wait (p_wait is false).
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

-- Takes the caller's turn for this transaction, because the writes of a user run one after the other. Returns false if another write
-- has the turn and this write may not wait. The row lock of the account would also stop the write, but at the cost of an error, a log
-- line, and the work before it.
create or replace function errand.try_turn(p_user text, p_wait boolean) returns boolean
language sql as $$
    select pg_try_advisory_xact_lock(errand.turn_of(p_user)) or errand.await_turn(p_user, p_wait)
$$;

-- The beginning of every entity tag of a user: a digest of the user, of the format of the representations (the 2) and of the
-- database's epoch. The number of a write follows. Numbers do not repeat within an epoch, so a tag names one state.
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
