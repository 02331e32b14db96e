//! PostgreSQL for errand outside WebAssembly.
//!
//! A private local server ([`postgres`]), the migrator ([`migrate`]) and the component's login ([`role`]), all over one
//! way to name a database ([`address`]) and to reach it ([`connect`]). Beside it, for the same users: an end for programs
//! that do not end their children ([`group`]). Used by the tools and the tests; the component itself never links this crate.

pub mod address;
pub mod connect;
#[cfg(feature = "server")]
pub mod database;
pub mod group;
#[cfg(feature = "server")]
pub mod keys;
pub mod migrate;
pub mod postgres;
pub mod role;
pub mod secret;
#[cfg(feature = "server")]
pub mod server;
#[cfg(feature = "server")]
mod turns;
