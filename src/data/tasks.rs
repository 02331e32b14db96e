//! The functions of `migrations/functions/task.sql` and `task_list.sql`.

use serde::Serialize;
use uuid::Uuid;

use super::representation::{Listing, Stored, json};
use super::{Pool, Scope, Statement, no_row, served};
use crate::domain::{Error, Filter, Invalid, ListQuery, Order, PagePosition, Place, Search, TagMatch};

#[derive(Serialize)]
struct List<'a> {
    order: Order,
    limit: u16,
    #[serde(skip_serializing_if = "Option::is_none")]
    after: Option<&'a PagePosition>,
    #[serde(skip_serializing_if = "Option::is_none")]
    known: Option<&'a TagMatch>,
    #[serde(skip_serializing_if = "Filter::is_empty")]
    filter: &'a Filter,
    #[serde(skip_serializing_if = "Search::is_empty")]
    search: &'a Search,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    count: bool,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    slot: bool,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    short: bool,
}

impl Scope<'_> {
    /// Reads a task.
    pub async fn get_task(&self, id: Uuid) -> Result<Option<Stored>, Error> {
        const GET: Statement = Statement::batchable(
            served!("select api.show_task($1, $2)"),
            served!("select number, caller, answer from api.show_task_of_each($1, $2)"),
        );
        let row = self.read(GET, [id.into()]).await?.ok_or_else(|| no_row("show_task"))?;
        self.stored(row)
    }

    /// Reads a page of tasks.
    pub async fn list_tasks(&self, query: &ListQuery, known: Option<&TagMatch>) -> Result<Listing, Error> {
        const LIST: Statement = Statement::single(served!("select api.show_tasks($1, $2)"));
        const FIRST_PAGE: Statement = Statement::batchable(
            LIST.single,
            served!("select number, caller, answer from api.show_tasks_of_each($1, $2)"),
        );
        // A list with filters may read all data of the caller, and so does a count.
        let bounded = query.filter.is_empty() && !query.count;
        let list = |short| {
            json(&List {
                order: query.order,
                limit: query.limit,
                after: query.after.as_ref(),
                known,
                filter: &query.filter,
                search: &query.search,
                count: query.count,
                slot: !bounded,
                short,
            })
        };
        let row = match (bounded, query.filter.is_cheap() && !query.count) {
            // Not batched, because the position in a cursor may be refused.
            (true, _) if query.after.is_some() => self.read(LIST, [list(false)?]).await,
            (true, _) => self.read(FIRST_PAGE, [list(false)?]).await,
            (false, true) => self.read_short_first(LIST, list).await,
            (false, false) => self.read(LIST.with_pool(Pool::Dedicated), [list(false)?]).await,
        };
        let row = row.map_err(|error| match error {
            // The component has parsed all values but the position and the time zone, which only the database can check.
            Error::Invalid(mistakes) if mistakes.iter().any(|mistake| matches!(mistake.place, Place::Parameter(_))) => {
                Error::Invalid(mistakes)
            }
            Error::Invalid(_) => Invalid::parameter("cursor", "Not a cursor that errand gave.").into(),
            other => other,
        });
        self.listing(row?.ok_or_else(|| no_row("show_tasks"))?)
    }
}
