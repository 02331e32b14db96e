//! A write as a value: what to do, to which resource, and in which state of it.

use uuid::Uuid;

use super::{Completion, EntityTag, IdempotencyKey, NewTask, Precondition, Replacement, TaskPatch};

/// What a write does. `errand.apply` in `migrations/functions/write.sql` has a branch for each.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Operation {
    /// Makes a task.
    CreateTask(NewTask),
    /// Replaces a task, or makes it where [`Precondition::must_be_absent`] is set.
    PutTask(Replacement),
    /// Changes some fields of a task.
    PatchTask(TaskPatch),
    /// Completes or reopens a task.
    CompleteTask(Completion),
    /// Deletes a task.
    DeleteTask,
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
