-- Fails unless the component can serve: the schema exists, row-level security applies to the role, the role cannot act as the owner (who
-- could disable row-level security), and statements and lock waits have timeouts.
create or replace function api.ready() returns boolean
language plpgsql stable as $$
declare
    caller constant text := errand.announce('');
begin
    if pg_has_role((select c.relowner from pg_catalog.pg_class as c where c.oid = 'errand.task'::regclass), 'member') then
        raise exception using errcode = 'insufficient_privilege',
            message = 'the role owns the tables, or is a member of their owner',
            hint = 'The component must log in as errand_app.';
    end if;
    if '0' in (current_setting('statement_timeout'), current_setting('lock_timeout')) then
        raise exception using errcode = 'insufficient_privilege',
            message = 'the role has no statement_timeout, or no lock_timeout',
            hint = 'They are settings of errand_app; log in anew after they were set.';
    end if;
    perform from errand.account limit 1;
    return true;
end
$$;
