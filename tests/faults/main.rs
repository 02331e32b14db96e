//! Faults: the component in the local host, a network that breaks, a PostgreSQL that dies. Each trial puts clients to work,
//! lets something go wrong, and compares what they were told with what is in the database. `cargo xtask test --faults`.
#![allow(
    missing_docs,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

mod support;

mod clients;
mod clock;
mod database;
mod network;
mod overload;
mod rotation;
mod soak;
mod tenants;
mod upgrade;
