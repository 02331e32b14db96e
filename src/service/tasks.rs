//! What can be read of tasks.

use uuid::Uuid;

use crate::data::{Listing, Scope, Stored};
use crate::domain::{Error, ListQuery, TagMatch};

/// Reads a task.
pub async fn get(scope: &Scope<'_>, id: Uuid) -> Result<Stored, Error> {
    scope.get_task(id).await?.ok_or(Error::NotFound)
}

/// Reads a page of tasks, unless the client has it.
pub async fn list(scope: &Scope<'_>, query: &ListQuery, known: Option<&TagMatch>) -> Result<Listing, Error> {
    scope.list_tasks(query, known).await
}
