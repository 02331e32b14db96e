-- The interface that components of number 2 call. Each of their statements names this type, so it fails where the number is not served.
-- A type and not a function: to find it costs the least of what a statement can name.
create type api.interface_2 as enum ('served');
