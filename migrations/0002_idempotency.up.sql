-- What was answered to a write that its client may repeat: the `Idempotency-Key` header.

create table errand.idempotency (
    user_id text collate "C" not null,
    key text collate "C" not null,
    -- Of the request: the same key with another request is a mistake.
    fingerprint text collate "C" not null,
    created_at timestamptz not null,
    task text not null,
    version bigint not null,
    constraint idempotency_pkey primary key (user_id, key)
);

-- Keys are forgotten by age.
create index idempotency_created_at_idx on errand.idempotency (user_id, created_at);

alter table errand.idempotency enable row level security;
alter table errand.idempotency force row level security;
create policy own on errand.idempotency
    using (user_id = nullif(current_setting('errand.user_id', true), ''))
    with check (user_id = nullif(current_setting('errand.user_id', true), ''));

grant select, insert, delete on errand.idempotency to errand_app;
