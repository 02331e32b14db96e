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

#[path = "faults/support.rs"]
mod support;

#[path = "faults/clients.rs"]
mod clients;
#[path = "faults/clock.rs"]
mod clock;
#[path = "faults/database.rs"]
mod database;
#[path = "faults/network.rs"]
mod network;
#[path = "faults/overload.rs"]
mod overload;
#[path = "faults/rotation.rs"]
mod rotation;
#[path = "faults/soak.rs"]
mod soak;
#[path = "faults/tenants.rs"]
mod tenants;
#[path = "faults/upgrade.rs"]
mod upgrade;
