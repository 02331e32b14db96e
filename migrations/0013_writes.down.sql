drop type api.interface_3;

-- The functions of before answer a replay with the text that they kept, and know nothing of keys without one: such a request would be done
-- again. The functions of now go on until the next `migrate` replaces them, so `task` and `version` stay nullable.
alter table errand.idempotency no force row level security;
delete from errand.idempotency where task is null;
alter table errand.idempotency force row level security;
