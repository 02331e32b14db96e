-- Who may call the functions: the component's role, and nobody by default. The last file of the unit.

revoke all on all functions in schema api from public;
grant usage on schema api to errand_app;
grant execute on all functions in schema api to errand_app;
