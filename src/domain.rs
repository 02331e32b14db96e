//! What errand is about: tasks and the values in them, parsed once at the edge and trusted from there on.
//!
//! Nothing here knows of HTTP or SQL.

mod cause;
mod cursor;
mod due;
mod entity_tag;
mod error;
mod fields;
mod idempotency;
mod instant;
mod json;
mod list;
mod parameter;
mod precondition;
mod search;
mod task;
mod text;
mod write;

pub use cause::{Cause, CauseCode};
pub use cursor::{Cursor, CursorBinding};
pub use due::{Due, TimeZone};
pub use entity_tag::EntityTag;
pub use error::{Error, Errors, Invalid, Place};
pub use fields::{About, Body, BodyMode, Components, Create, Document, FieldValue, Fields, Patch, Replace};
pub use idempotency::{IdempotencyKey, KeyedRequest};
pub use instant::{DateOrInstant, Instant};
pub use json::Json;
pub use list::{Filter, ListQuery, MAX_PAGE_SIZE, Order, Page, PagePosition};
pub use parameter::Parameter;
pub use precondition::{Precondition, TagMatch};
pub use search::Search;
pub use task::{Completion, Description, NewTask, Priority, Replacement, Tags, Task, TaskOperation, TaskPatch, Title};
pub(crate) use text::INVISIBLE;
pub use write::{Operation, Write, Writes, Written};
