-- What functions of now use is left: api.claim and api.keep_answer need the columns, the trigger needs errand.words and errand.time_zone. The functions
-- of an older checkout know none of it, and their upsert draws numbers, which an account has already.
drop function errand.tidy(int);
drop policy expired on errand.idempotency;
alter policy own on errand.idempotency to public;
revoke all on errand.idempotency from errand_maintenance;
revoke all on schema errand from errand_maintenance;
drop index errand.idempotency_created_at_idx;
create index idempotency_created_at_idx on errand.idempotency (user_id, created_at);
