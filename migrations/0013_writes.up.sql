-- What is kept of a request with a key: the ids and the statuses of its writes, and no text. The text that is there goes with its key,
-- within a day. A later migration drops its column, because functions of before write it until they are replaced.
alter table errand.idempotency add column if not exists ids uuid[];
alter table errand.idempotency add column if not exists statuses smallint[];
alter table errand.idempotency alter column task drop not null;
alter table errand.idempotency alter column version drop not null;

-- The interface of the components that call api.write (migration 0011).
create type api.interface_3 as enum ('served');
