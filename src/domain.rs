//! What errand is about: tasks and the values in them, parsed once at the edge and trusted from there on.
//!
//! Nothing here knows of HTTP or SQL.

mod cursor;
mod due;
mod entity_tag;
mod error;
mod idempotency;
mod instant;
mod json;
mod list;
mod precondition;
mod task;
mod text;
mod write;

pub use cursor::{Cursor, CursorBinding};
pub use due::{Due, DuePatch, TimeZone};
pub use entity_tag::EntityTag;
pub use error::{Error, Invalid, Place};
pub use idempotency::{IdempotencyKey, KeyedRequest};
pub use instant::{DateOrInstant, Instant};
pub use json::Json;
pub use list::{After, Filter, ListQuery, Order, Page};
pub use precondition::{Precondition, TagMatch};
pub use task::{Completion, Description, NewTask, Priority, Tags, Task, TaskPatch, Title};
pub use write::{Operation, Write, Writes, Written};
