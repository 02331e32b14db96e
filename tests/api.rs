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

#[path = "api/support.rs"]
mod support;

#[path = "api/access.rs"]
mod access;
#[path = "api/boundaries.rs"]
mod boundaries;
#[path = "api/conditional.rs"]
mod conditional;
#[path = "api/cors.rs"]
mod cors;
#[path = "api/create.rs"]
mod create;
#[path = "api/database.rs"]
mod database;
#[path = "api/docs.rs"]
mod docs;
#[path = "api/due.rs"]
mod due;
#[path = "api/ending.rs"]
mod ending;
#[path = "api/entity_tags.rs"]
mod entity_tags;
#[path = "api/erasure.rs"]
mod erasure;
#[path = "api/http.rs"]
mod http;
#[path = "api/idempotency.rs"]
mod idempotency;
#[path = "api/isolation.rs"]
mod isolation;
#[path = "api/json.rs"]
mod json;
#[path = "api/limits.rs"]
mod limits;
#[path = "api/list.rs"]
mod list;
#[path = "api/log.rs"]
mod log;
#[path = "api/lost_update.rs"]
mod lost_update;
#[path = "api/mistakes.rs"]
mod mistakes;
#[path = "api/older_clients.rs"]
mod older_clients;
#[path = "api/older_components.rs"]
mod older_components;
#[path = "api/pooler.rs"]
mod pooler;
#[path = "api/published_keys.rs"]
mod published_keys;
#[path = "api/recipes.rs"]
mod recipes;
#[path = "api/restore.rs"]
mod restore;
#[path = "api/schema.rs"]
mod schema;
#[path = "api/shared_keys.rs"]
mod shared_keys;
#[path = "api/slots.rs"]
mod slots;
#[path = "api/statuses.rs"]
mod statuses;
#[path = "api/tls.rs"]
mod tls;
#[path = "api/tokens.rs"]
mod tokens;
#[path = "api/update.rs"]
mod update;
#[path = "api/volume.rs"]
mod volume;
#[path = "api/wall.rs"]
mod wall;
#[path = "api/wire.rs"]
mod wire;
