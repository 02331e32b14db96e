//! The host's own tests: the real binary, a real component in it, a real PostgreSQL behind it.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod errors;
mod http;
mod instances;
mod key_value;
mod networking;
mod start;
mod support;
mod types;
mod variables;
