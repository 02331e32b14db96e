-- The range of interfaces that the database serves. A component has one number (`INTERFACE` in src/data.rs). The current number grows by
-- one with each set of functions that components call and that an older database does not have. The oldest number grows when functions
-- are dropped that components of a lower number call. Interface 1 is that of the components that do not call this function.
--
-- Each number has a type, `api.interface_N`. A numbered migration creates it, and another one drops it when the number is no longer
-- served. Every statement of a component names its own type. So it fails with undefined_object instead of calling functions with
-- another meaning.
create or replace function api.interface(out current bigint, out oldest bigint)
language plpgsql stable as $$
begin
    perform api.ready();
    current := 5;
    oldest := 1;
end
$$;
