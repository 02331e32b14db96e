//! PostgreSQL for errand's tools and tests.
//!
//! A private local server ([`cluster`]), a pooler before one ([`pooler`]), the migrator ([`migrate`]) and the component's login
//! ([`role`]), all over one way to name a database ([`address`]) and to reach it ([`connect`]). Beside it, for the same users: an end
//! for programs that do not end their children ([`group`]), and how a test says that it was left out ([`left_out()`]). No component
//! links this crate.

pub mod account;
pub mod address;
pub mod cluster;
pub mod connect;
pub mod group;
mod left_out;
pub mod migrate;
pub mod pooler;
pub mod role;
pub mod secret;

pub use left_out::left_out;
