//! errand without WebAssembly: the database over tokio-postgres, issuers' keys over hyper, and an HTTP server. For tests and
//! measurements.

pub mod database;
pub mod keys;
pub mod server;
mod write_locks;
