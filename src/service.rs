//! The rules: what an operation means. No SQL, no HTTP.

pub mod tasks;
mod write;

pub use write::write;
