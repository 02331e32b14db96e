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
/// A list whose answer depends on the clock or on a time zone, and not on writes alone, has no entity tag, and is always read.
pub async fn list(scope: &Scope<'_>, query: &ListQuery, known: Option<&TagMatch>) -> Result<Read<CursorPage>, Error> {
    let depends_on_clock = query.filter.depends_on_clock();
    let known = known.filter(|_| !depends_on_clock);
    let listing = scope.list_tasks(query, known).await?;
    read::page(listing, &query.binding(scope.user_id()), depends_on_clock)
}
