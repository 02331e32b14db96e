//! A write as a value: what to do, to which resource, and in which state of it.

use uuid::Uuid;

use super::{Document, EntityTag, IdempotencyKey, Precondition};

/// What a write does. Each resource has an enum of its own for this, such as [`TaskOperation`](super::TaskOperation), and makes this of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Operation {
    /// Its name in `api.run_writes`: that of the resource, a dot, and `create`, `put`, `patch`, `delete` or another verb.
    pub name: &'static str,
    /// Its operation id in openapi.json.
    pub id: &'static str,
    /// The columns of the resource with their values. A deletion has none.
    pub document: Document,
}

/// One write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Write {
    /// What it does.
    pub operation: Operation,
    /// The resource. A new one gets this id.
    pub id: Uuid,
    /// The state that the resource must be in.
    pub precondition: Precondition,
}

/// The writes of one request. They run in one transaction, in their order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Writes {
    /// The client's key for all of them.
    pub key: Option<IdempotencyKey>,
    /// Whether a refused write undoes those before it and skips those behind it.
    pub atomic: bool,
    /// 1 to 100 writes.
    pub list: Vec<Write>,
}

/// A write that was done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// The resource's id.
    pub id: Uuid,
    /// The tag of its state.
    pub etag: EntityTag,
    /// How many times it has been written.
    pub version: i64,
    /// Its JSON; `None` after a deletion.
    pub body: Option<String>,
    /// Whether the write made it.
    pub created: bool,
    /// Whether an earlier request with the same key did this write. Then the other members are those of the resource now.
    pub replayed: bool,
}

impl Operation {
    /// An operation with this document.
    pub(super) fn new(name: &'static str, id: &'static str, document: impl Into<Document>) -> Self {
        Self { name, id, document: document.into() }
    }
}
