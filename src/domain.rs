//! What errand is about: tasks and the values in them, parsed once at the edge and trusted from there on.
//!
//! Nothing here knows of HTTP or SQL.

mod cursor;
mod due;
mod entity_tag;
mod error;
mod fields;
mod instant;
mod json;
mod list;
mod repeatable;
mod task;
mod text;

pub use cursor::{Cursor, CursorBinding};
pub use due::{Due, TimeZone};
pub use entity_tag::{EntityTag, Known};
pub use error::{Error, Errors, Invalid, Place};
pub use fields::{About, Body, Components, Create, Document, FieldValue, Fields, Patch, Replace};
pub use instant::{DateOrInstant, Instant};
pub use json::Json;
pub use list::{Filter, ListQuery, Order, Page, PagePosition};
pub use repeatable::Repeatable;
pub use task::{Completion, Description, NewTask, Priority, Replacement, Tags, Task, TaskPatch, Title};
pub(crate) use text::INVISIBLE;
