//! What can be read of tasks.

use uuid::Uuid;

use crate::data::Scope;
use crate::data::tasks::{Listing, StoredTask};
use crate::domain::{Error, ListQuery, TagMatch};

/// Reads a task.
pub async fn get(scope: &Scope<'_>, id: Uuid) -> Result<StoredTask, Error> {
    scope.get_task(id).await?.ok_or(Error::NotFound)
}

/// Reads a page of tasks, unless the client has it.
pub async fn list(scope: &Scope<'_>, query: &ListQuery, known: Option<&TagMatch>) -> Result<Listing, Error> {
    scope.list_tasks(query, known).await
}
