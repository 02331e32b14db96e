//! What the tests stand on: a target, its database, and a client that reads like a person's.

#[path = "support/client.rs"]
mod client;
#[path = "support/target.rs"]
mod target;

pub use client::{Reply, User, anonymous, token_with};
pub use target::{CORS_ORIGIN, target};
