//! What can be read of tasks.

use uuid::Uuid;

use super::read::{self, CursorPage, Read};
use crate::data::Scope;
use crate::domain::{Error, ListQuery, TagMatch};

/// Reads a task, unless the client has its state.
pub async fn get(scope: &Scope<'_>, id: Uuid, known: Option<&TagMatch>) -> Result<Read<String>, Error> {
    read::object(scope.get_task(id).await?, known)
}

/// Reads a page of tasks, unless the client has the list.
///
/// Whether a task is overdue depends on the clock, and not on writes alone. So a list with that filter has no entity tag, and is always
/// read.
pub async fn list(scope: &Scope<'_>, query: &ListQuery, known: Option<&TagMatch>) -> Result<Read<CursorPage>, Error> {
    let depends_on_clock = query.filter.overdue.is_some();
    let known = known.filter(|_| !depends_on_clock);
    let listing = scope.list_tasks(query, known).await?;
    read::page(listing, &query.binding(scope.user_id()), depends_on_clock)
}
