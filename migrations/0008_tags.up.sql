-- Tags are in Normalization Form C, without white space around them, and different ones then. Those that are not yet become so.
--
-- In a migration of its own: it keeps everybody from the tasks while it reads them, and a write that has an account must not wait for
-- it while it waits for the account.

-- Unicode's property White_Space.
create or replace function errand.white_space() returns text
language sql immutable as $$
    select E'\t\n\u000b\f\r \u0085\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000'
$$;

alter table errand.task no force row level security;
update errand.task as t
set tags = array(
    select tidied.tag
    from unnest(t.tags) with ordinality as given (tag, place),
        lateral (values (btrim(normalize(given.tag, nfc), errand.white_space()))) as tidied (tag)
    where tidied.tag <> ''
    group by tidied.tag
    order by min(given.place))
where exists (
    select from unnest(t.tags) as given (tag)
    where given.tag <> btrim(normalize(given.tag, nfc), errand.white_space()));
alter table errand.task force row level security;
drop function errand.white_space();
