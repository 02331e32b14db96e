//! What errand is about: tasks and the values in them, parsed once at the edge and trusted from there on.
//!
//! Nothing here knows of HTTP or SQL.

mod cursor;
mod due;
mod entity_tag;
mod error;
mod instant;
mod json;
mod list;
mod repeatable;
mod task;
mod text;

pub use cursor::{Cursor, CursorBinding};
pub use due::{Due, DuePatch, TimeZone};
pub use entity_tag::{EntityTag, Known};
pub use error::{Error, Invalid, Place};
pub use instant::{DateOrInstant, Instant};
pub use json::Json;
pub use list::{After, Filter, ListQuery, Order, Page};
pub use repeatable::Repeatable;
pub use task::{Completion, Description, NewTask, Priority, Tags, Task, TaskPatch, Title};
