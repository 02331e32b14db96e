//! The API as its clients meet it: over HTTP, with real tokens, on a real PostgreSQL. The same tests run against every
//! target; `ERRAND_TEST_TARGET` says which (see `support::target`). A user per test keeps the tests apart.
#![allow(
    missing_docs,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

mod support;

mod access;
mod commits;
mod conditional;
mod cors;
mod database;
mod docs;
mod ending;
mod entity_tags;
mod erasure;
mod http;
mod idempotency;
mod isolation;
mod json;
mod limits;
mod log;
mod lost_update;
mod mistakes;
mod older_clients;
mod older_components;
mod pooler;
mod preconditions;
mod published_keys;
mod recipes;
mod restore;
mod schema;
mod shared_keys;
mod slots;
mod statuses;
mod tasks;
mod tls;
mod tokens;
mod volume;
mod wall;
mod wire;
mod writes;
