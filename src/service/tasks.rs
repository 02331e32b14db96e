//! What can be done with tasks.

use uuid::Uuid;

use crate::data::Scope;
use crate::data::tasks::{Listing, Outcome, StoredTask};
use crate::domain::{Completion, EntityTag, Error, Known, ListQuery, NewTask, Repeatable, Replacement, TaskPatch};

/// What a writer says about the state that it expects. A write is refused when it is not so.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Expectation {
    /// The task is in the state of one of these tags; in any where `None`.
    pub tags: Option<Vec<EntityTag>>,
    /// There is no such task yet.
    pub absent: bool,
}

/// A task after a write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// The task.
    pub task: StoredTask,
    /// Whether the write made it.
    pub created: bool,
    /// Whether this is the answer to an earlier request with the same key.
    pub replayed: bool,
}

/// Makes a task.
pub async fn create(
    scope: &Scope<'_>,
    id: Uuid,
    task: &NewTask,
    repeatable: Option<&Repeatable>,
) -> Result<Written, Error> {
    let written = written(scope.create_task(id, task, repeatable).await?)?;
    Ok(Written { created: true, ..written })
}

/// Reads a task.
pub async fn get(scope: &Scope<'_>, id: Uuid) -> Result<StoredTask, Error> {
    scope.get_task(id).await?.ok_or(Error::NotFound)
}

/// Reads a page of tasks, unless the client has it.
pub async fn list(scope: &Scope<'_>, query: &ListQuery, known: Option<&Known>) -> Result<Listing, Error> {
    scope.list_tasks(query, known).await
}

/// Replaces a task; makes it when, and only when, the writer expects that there is none.
pub async fn replace(
    scope: &Scope<'_>,
    id: Uuid,
    expectation: Expectation,
    task: &Replacement,
) -> Result<Written, Error> {
    let absent = expectation.absent;
    match scope.replace_task(id, expectation.tags, absent, task).await {
        // Another request created it after this one had looked: the same as if it had been there before.
        Err(Error::Conflict) if absent => Err(Error::PreconditionFailed),
        outcome => written(outcome?),
    }
}

/// Changes some fields of a task.
pub async fn patch(
    scope: &Scope<'_>,
    id: Uuid,
    expectation: Expectation,
    patch: &TaskPatch,
    repeatable: Option<&Repeatable>,
) -> Result<Written, Error> {
    written(scope.patch_task(id, expectation.for_a_task_that_exists(), patch, repeatable).await?)
}

/// Completes or reopens a task.
pub async fn complete(
    scope: &Scope<'_>,
    id: Uuid,
    expectation: Expectation,
    completion: Completion,
    repeatable: Option<&Repeatable>,
) -> Result<Written, Error> {
    written(scope.complete_task(id, expectation.for_a_task_that_exists(), completion.0, repeatable).await?)
}

/// Deletes a task.
pub async fn delete(scope: &Scope<'_>, id: Uuid, expectation: Expectation) -> Result<(), Error> {
    match scope.delete_task(id, expectation.for_a_task_that_exists()).await? {
        Outcome::Deleted => Ok(()),
        other => written(other).map(drop),
    }
}

impl Expectation {
    /// The tags of the states that may be written to, for an operation that cannot create: a writer who expects no task
    /// there can be content with none of them.
    fn for_a_task_that_exists(self) -> Option<Vec<EntityTag>> {
        if self.absent { Some(Vec::new()) } else { self.tags }
    }
}

fn written(outcome: Outcome) -> Result<Written, Error> {
    match outcome {
        Outcome::Created(task) => Ok(Written { task, created: true, replayed: false }),
        Outcome::Changed(task) => Ok(Written { task, created: false, replayed: false }),
        Outcome::Replayed(task) => Ok(Written { task, created: false, replayed: true }),
        Outcome::KeyReused => Err(Error::KeyReused),
        Outcome::InFlight => Err(Error::InFlight),
        Outcome::NotFound => Err(Error::NotFound),
        Outcome::Stale | Outcome::Exists => Err(Error::PreconditionFailed),
        Outcome::Deleted => Err(Error::Internal("the task is gone where it was written".to_owned())),
    }
}
