-- What every other function of this schema begins with, and what they share.

-- Announces the caller, for the current transaction alone: row-level security shows this user's rows and no others.
-- A role that row-level security does not hold (a superuser, BYPASSRLS) is turned away, so that a mistaken connection
-- string cannot open every account to everyone. Returns the caller: a function begins by declaring it, because an
-- expression costs less than a statement.
create or replace function api.announce(p_caller text) returns text
language plpgsql as $$
begin
    if not row_security_active('errand.task'::regclass) then
        raise exception using errcode = 'insufficient_privilege',
            message = 'row-level security does not hold this role',
            hint = 'The component must log in as errand_app.';
    end if;
    return set_config('errand.user_id', p_caller, true);
end
$$;

-- Takes the caller's next sequence number and the time of the write, and keeps the caller's other writes waiting until
-- this transaction ends: numbers and times become visible in their order.
create or replace function api.next_write(p_caller text, out seq bigint, out at timestamptz)
language plpgsql as $$
begin
    insert into errand.account as account (user_id, seq, last_at)
    values (p_caller, 1, clock_timestamp())
    on conflict (user_id) do update
    set seq = account.seq + 1,
        last_at = greatest(clock_timestamp(), account.last_at + interval '1 microsecond')
    returning account.seq, account.last_at into next_write.seq, next_write.at;
end
$$;

-- What every entity tag of a user's begins with: a digest of the user, of the format of the representations (the 2) and of
-- the database's epoch. The number of a write, which the user never gets again in this epoch, makes it the tag of one state.
create or replace function api.tag_base(p_user text) returns text
language sql stable as $$
    select encode(substr(sha256(convert_to(errand.epoch() || ' 2 ' || p_user, 'UTF8')), 1, 8), 'hex') || '-'
$$;

-- Text as searches and sorts see it: without case and without accents.
create or replace function api.fold(p_text text) returns text
language sql immutable as $$
    select translate(
        regexp_replace(normalize(lower(p_text), nfkd), '[\u0300-\u036f]', '', 'g'), 'øłđðħıŧßæœþ', 'olddhitsaot')
$$;

-- Whether the component can serve: the schema is there, and row-level security holds the role.
create or replace function api.ready() returns boolean
language plpgsql stable as $$
declare
    caller constant text := api.announce('');
begin
    perform from errand.account limit 1;
    return true;
end
$$;
