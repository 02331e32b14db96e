//! The rules: what an operation means. No SQL, no HTTP.

mod read;
pub mod tasks;
mod write;

pub use read::{CursorPage, Read, object, page};
pub use write::write;
