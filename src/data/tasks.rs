//! The functions of `migrations/functions/task.sql` and `task_list.sql`.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::served;
use super::{Over, Row, Scope, Statement, Value, no_row};
use crate::domain::{
    EntityTag, Error, Filter, Invalid, Known, ListQuery, NewTask, Order, Page, PagePosition, Repeatable, Replacement,
    TaskPatch,
};

/// A task as a client gets it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredTask {
    /// Its JSON.
    pub json: String,
    /// The tag of its state, which is in its JSON, too.
    pub etag: EntityTag,
}

impl StoredTask {
    /// Puts the tag into the JSON that the database keeps, which has none.
    fn new(json: &str, etag: EntityTag) -> Self {
        let mut tagged = String::with_capacity(json.len() + TAG_ROOM);
        tagged.extend([members(json), TAG_BEFORE, etag.as_str(), TAG_BEHIND]);
        Self { json: tagged, etag }
    }

    /// Its id, as its JSON has it: an answer that was kept has the id of then.
    pub fn id(&self) -> Result<Uuid, Error> {
        #[derive(Deserialize)]
        struct Identified {
            id: Uuid,
        }
        match serde_json::from_str::<Identified>(&self.json) {
            Ok(task) => Ok(task.id),
            Err(error) => Err(Error::Internal(error.to_string())),
        }
    }
}

/// What a write found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The task is new.
    Created(StoredTask),
    /// The task is changed.
    Changed(StoredTask),
    /// The task is gone.
    Deleted,
    /// There is no such task.
    NotFound,
    /// The task is in another state than the client expects.
    Stale,
    /// The task is there already.
    Exists,
    /// The write was done before under the same key; the task as it was answered then.
    Replayed(StoredTask),
    /// The key stands for another request.
    KeyReused,
    /// Another request with the key is still being done.
    InFlight,
}

/// A list, or the word that the client has it already.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Listing {
    /// Nothing has changed since.
    Unchanged {
        /// The tag of the caller's lists as they are now.
        etag: EntityTag,
    },
    /// A page.
    Page {
        /// The tag of the caller's lists as they are now.
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
    known: Option<&'a Known>,
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
    /// Makes a task.
    pub async fn create_task(
        &self,
        id: Uuid,
        task: &NewTask,
        repeatable: Option<&Repeatable>,
    ) -> Result<Outcome, Error> {
        const CREATE: Statement =
            Statement::alone(served!("select outcome, task, seq, epoch from api.add_task($1, $2, $3, $4, $5, $6)"));
        let [key, fingerprint] = key(repeatable);
        self.outcome(self.write(CREATE, [id.into(), json(task)?, key, fingerprint]).await?)
    }

    /// Reads a task.
    pub async fn get_task(&self, id: Uuid) -> Result<Option<StoredTask>, Error> {
        const GET: Statement = Statement::or_together(
            served!("select task, seq, epoch from api.read_task($1, $2)"),
            served!("select number, caller, task, seq, epoch from api.read_task_of_each($1, $2)"),
        );
        let mut row = self.read(GET, [id.into()]).await?.ok_or_else(|| no_row("read_task"))?;
        let Some(json) = row.take::<String>()? else { return Ok(None) };
        Ok(Some(StoredTask::new(&json, self.etag(&mut row)?)))
    }

    /// Replaces a task, or with `create` makes it.
    pub async fn replace_task(
        &self,
        id: Uuid,
        if_match: Option<Vec<EntityTag>>,
        create: bool,
        task: &Replacement,
    ) -> Result<Outcome, Error> {
        const PUT: Statement =
            Statement::alone(served!("select outcome, task, seq, epoch from api.put_task($1, $2, $3, $4, $5, $6)"));
        self.outcome(self.write(PUT, [id.into(), tags(if_match), create.into(), json(task)?]).await?)
    }

    /// Changes some fields of a task.
    pub async fn patch_task(
        &self,
        id: Uuid,
        if_match: Option<Vec<EntityTag>>,
        patch: &TaskPatch,
        repeatable: Option<&Repeatable>,
    ) -> Result<Outcome, Error> {
        const PATCH: Statement = Statement::alone(served!(
            "select outcome, task, seq, epoch from api.change_task($1, $2, $3, $4, $5, $6, $7)"
        ));
        let [key, fingerprint] = key(repeatable);
        self.outcome(self.write(PATCH, [id.into(), tags(if_match), json(patch)?, key, fingerprint]).await?)
    }

    /// Completes or reopens a task; with `None`, whichever it is not.
    pub async fn complete_task(
        &self,
        id: Uuid,
        if_match: Option<Vec<EntityTag>>,
        completed: Option<bool>,
        repeatable: Option<&Repeatable>,
    ) -> Result<Outcome, Error> {
        const COMPLETE: Statement = Statement::alone(served!(
            "select outcome, task, seq, epoch from api.mark_task($1, $2, $3, $4, $5, $6, $7)"
        ));
        let [key, fingerprint] = key(repeatable);
        self.outcome(self.write(COMPLETE, [id.into(), tags(if_match), completed.into(), key, fingerprint]).await?)
    }

    /// Deletes a task.
    pub async fn delete_task(&self, id: Uuid, if_match: Option<Vec<EntityTag>>) -> Result<Outcome, Error> {
        const DELETE: Statement = Statement::alone(served!("select outcome from api.delete_task($1, $2, $3, $4)"));
        self.outcome(self.write(DELETE, [id.into(), tags(if_match)]).await?)
    }

    /// Reads a page of tasks.
    pub async fn list_tasks(&self, query: &ListQuery, known: Option<&Known>) -> Result<Listing, Error> {
        const LIST: Statement = Statement::alone(served!(
            "select outcome, seq, epoch, tasks, last_key, last_id, total from api.read_tasks($1, $2)"
        ));
        const FIRST_PAGE: Statement = Statement::or_together(
            LIST.alone,
            served!(
                "select number, caller, outcome, seq, epoch, tasks, last_key, last_id, total from api.read_tasks_of_each($1, $2)"
            ),
        );
        // A filter may have to read all that the caller has, and so does a count.
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
            // The place in a cursor may be refused.
            (true, _) if query.after.is_some() => self.read(LIST, [list(false)?]).await,
            (true, _) => self.read(FIRST_PAGE, [list(false)?]).await,
            (false, true) => self.read_short_first(LIST, list).await,
            (false, false) => self.read(LIST.over(Over::Own), [list(false)?]).await,
        };
        let row = row.map_err(|error| match error {
            // All the other values were parsed; that of a place is known to the database alone.
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

    fn outcome(&self, row: Option<Row>) -> Result<Outcome, Error> {
        let mut row = row.ok_or_else(|| no_row("..._task"))?;
        let word: String = row.require()?;
        let mut task = || {
            let json = row.take::<String>()?.ok_or_else(|| Error::Internal(format!("a task is {word}, and null")))?;
            Ok::<_, Error>(StoredTask::new(&json, self.etag(&mut row)?))
        };
        Ok(match word.as_str() {
            "created" => Outcome::Created(task()?),
            "ok" => Outcome::Changed(task()?),
            "deleted" => Outcome::Deleted,
            "not_found" => Outcome::NotFound,
            "stale" => Outcome::Stale,
            "exists" => Outcome::Exists,
            "replayed" => Outcome::Replayed(task()?),
            "key_reused" => Outcome::KeyReused,
            "in_flight" => Outcome::InFlight,
            other => return Err(Error::Internal(format!("unknown outcome {other}"))),
        })
    }

    /// Makes the entity tag of a state. Its parts are the next two columns.
    fn etag(&self, row: &mut Row) -> Result<EntityTag, Error> {
        let (number, epoch) = (row.require()?, row.require::<String>()?);
        Ok(EntityTag::of_state(&epoch, self.caller.user_id(), number))
    }
}

/// Entity tags as a parameter.
fn tags(tags: Option<Vec<EntityTag>>) -> Value {
    tags.map(|tags| tags.into_iter().map(EntityTag::into_string).collect::<Vec<_>>()).into()
}

/// What stands before an entity tag in the JSON of a task, and behind it.
const TAG_BEFORE: &str = r#","etag":"\""#;
const TAG_BEHIND: &str = r#"\""}"#;
/// What the JSON of a task grows by at most: the member, around 16 digits of a digest, `-`, and 19 of a number.
const TAG_ROOM: usize = TAG_BEFORE.len() + 36 + TAG_BEHIND.len();
/// What a response has around the tasks of a page, but for a long cursor.
const PAGE_ROOM: usize = 256;

/// The JSON of a task without its closing brace. The entity tag follows as the last member. It has only letters, digits and `-`, so
/// nothing is escaped.
fn members(json: &str) -> &str {
    json.strip_suffix('}').unwrap_or(json)
}

/// The tasks of a page, with commas between. The database gives a line of the numbers in their entity tags, which begin as that of
/// the list does, and then a line for each task: its JSON. There may be more lines than numbers: those are not of the page.
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

fn key(repeatable: Option<&Repeatable>) -> [Value; 2] {
    match repeatable {
        Some(Repeatable { key, fingerprint }) => [key.clone().into(), fingerprint.clone().into()],
        None => [Value::Null, Value::Null],
    }
}

fn json(document: &impl Serialize) -> Result<Value, Error> {
    serde_json::to_string(document).map(Value::Json).map_err(|error| Error::Internal(error.to_string()))
}
