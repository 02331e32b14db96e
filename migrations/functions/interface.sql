-- Which components the database serves. A component has one number (`INTERFACE` in src/data.rs). The current number grows by one with
-- each set of functions that components call and an older database does not have; the oldest grows when functions are dropped
-- that components of a lower number call. Interface 1 is that of the components that do not ask.
--
-- Each number has a type, `api.interface_N`, which a numbered migration makes, and another one drops when the number is served no longer.
-- Every statement of a component names its own, so it fails with undefined_object instead of calling functions that mean something else.
create or replace function api.interface(out current bigint, out oldest bigint)
language plpgsql stable as $$
begin
    perform api.ready();
    current := 3;
    oldest := 1;
end
$$;
