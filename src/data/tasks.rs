//! The functions of `migrations/functions/task.sql` and `task_list.sql`.

use serde::Serialize;
use uuid::Uuid;

use super::served;
use super::{Pool, Row, Scope, Statement, Value, no_row};
use crate::domain::{EntityTag, Error, Filter, Invalid, ListQuery, Order, Page, PagePosition, TagMatch};

/// A task in the form that clients get.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredTask {
    /// Its JSON.
    pub json: String,
    /// The tag of its state. The JSON has it, too.
    pub etag: EntityTag,
}

/// A list, or the fact that the client has it already.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Listing {
    /// Nothing has changed since the client's copy.
    Unchanged {
        /// The current tag of the caller's lists.
        etag: EntityTag,
    },
    /// A page.
    Page {
        /// The current tag of the caller's lists.
        etag: EntityTag,
        /// The tasks.
        page: Page,
    },
}

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
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    count: bool,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    slot: bool,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    short: bool,
}

impl Scope<'_> {
    /// Reads a task.
    pub async fn get_task(&self, id: Uuid) -> Result<Option<StoredTask>, Error> {
        const GET: Statement = Statement::batchable(
            served!("select task, seq, epoch from api.read_task($1, $2)"),
            served!("select number, caller, task, seq, epoch from api.read_task_of_each($1, $2)"),
        );
        let mut row = self.read(GET, [id.into()]).await?.ok_or_else(|| no_row("read_task"))?;
        let Some(json) = row.take::<String>()? else { return Ok(None) };
        let etag = self.etag(&mut row)?;
        Ok(Some(StoredTask { json: tagged(&json, &etag), etag }))
    }

    /// Reads a page of tasks.
    pub async fn list_tasks(&self, query: &ListQuery, known: Option<&TagMatch>) -> Result<Listing, Error> {
        const LIST: Statement = Statement::single(served!(
            "select outcome, seq, epoch, tasks, last_key, last_id, total from api.read_tasks($1, $2)"
        ));
        const FIRST_PAGE: Statement = Statement::batchable(
            LIST.single,
            served!(
                "select number, caller, outcome, seq, epoch, tasks, last_key, last_id, total from api.read_tasks_of_each($1, $2)"
            ),
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
            // The component has parsed all values but the position, which only the database can check.
            Error::Invalid(_) => Invalid::parameter("cursor", "Not a cursor that errand gave.").into(),
            other => other,
        });
        let mut row = row?.ok_or_else(|| no_row("read_tasks"))?;
        let (outcome, etag) = (row.require::<String>()?, self.etag(&mut row)?);
        match outcome.as_str() {
            "page" => {}
            "unchanged" => return Ok(Listing::Unchanged { etag }),
            other => return Err(Error::Internal(format!("unknown outcome {other}"))),
        }
        let tasks = tagged_lines(&row.require::<String>()?, &etag)?;
        let next = match (row.take()?, row.take()?) {
            (Some(key), Some(id)) => Some(PagePosition { key, id }),
            _ => None,
        };
        Ok(Listing::Page { etag, page: Page { tasks, next, total: row.take()? } })
    }

    /// Makes the entity tag of a state from the next two columns.
    fn etag(&self, row: &mut Row) -> Result<EntityTag, Error> {
        let (number, epoch) = (row.require()?, row.require::<String>()?);
        Ok(EntityTag::of_state(&epoch, self.caller.user_id(), number))
    }
}

/// The JSON before and after an entity tag, at the end of a task.
const TAG_BEFORE: &str = r#","etag":"\""#;
const TAG_BEHIND: &str = r#"\""}"#;
/// The maximum growth of a task's JSON: the member with 16 digits of a digest, `-`, and 19 digits of a number.
const TAG_ROOM: usize = TAG_BEFORE.len() + 36 + TAG_BEHIND.len();
/// The length of a response without its tasks, unless the cursor is long.
const PAGE_ROOM: usize = 256;

/// The stored JSON with the entity tag added.
pub(super) fn tagged(json: &str, etag: &EntityTag) -> String {
    let mut tagged = String::with_capacity(json.len() + TAG_ROOM);
    tagged.extend([members(json), TAG_BEFORE, etag.as_str(), TAG_BEHIND]);
    tagged
}

/// The JSON of a task without its closing brace. The entity tag follows as the last member. It has only letters, digits and `-`, so
/// nothing is escaped.
fn members(json: &str) -> &str {
    json.strip_suffix('}').unwrap_or(json)
}

/// The tasks of a page, separated by commas. The database gives a line with the numbers in their entity tags, and a line of JSON for each
/// task. The tags begin like that of the list. Lines beyond the numbers are not part of the page.
fn tagged_lines(page: &str, list: &EntityTag) -> Result<String, Error> {
    const BEHIND: &str = r#"\""},"#;
    let before = [TAG_BEFORE, list.base()].concat();
    let mut lines = page.split('\n');
    let numbers = lines.next().filter(|numbers| !numbers.is_empty());
    let numbers = numbers.into_iter().flat_map(|numbers| numbers.split(' '));
    // The numbers are in the page's length already.
    let room = numbers.clone().count() * (before.len() + BEHIND.len());
    let mut tasks = String::with_capacity(page.len() + room + PAGE_ROOM);
    for number in numbers {
        let json = lines.next().ok_or_else(|| Error::Internal("a page has more numbers than tasks".to_owned()))?;
        tasks.extend([members(json), &before, number, BEHIND]);
    }
    // The comma after the last task.
    tasks.pop();
    Ok(tasks)
}

/// A document as a parameter.
pub(super) fn json(document: &impl Serialize) -> Result<Value, Error> {
    serde_json::to_string(document).map(Value::Json).map_err(|error| Error::Internal(error.to_string()))
}
