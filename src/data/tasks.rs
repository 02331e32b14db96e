//! The functions of `migrations/functions/task.sql` and `task_list.sql`.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{Row, Scope, Statement, Value, no_row};
use crate::domain::{After, Error, Filter, Invalid, ListQuery, Order, Page, Repeatable, TaskPatch};

/// A task as the database gives it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredTask {
    /// Its JSON.
    pub json: String,
    /// Its version.
    pub version: i64,
}

impl StoredTask {
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
    /// The task has another version than the client expects.
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
        /// The number of the caller's latest write.
        seq: i64,
    },
    /// A page.
    Page {
        /// The number of the caller's latest write.
        seq: i64,
        /// The tasks.
        page: Page,
    },
}

/// The sequence numbers of which a client has the list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Known {
    /// Any: the client wants to hear only whether there is a list.
    Any(bool),
    /// These.
    Seqs(Vec<i64>),
}

#[derive(Serialize)]
struct List<'a> {
    order: Order,
    limit: u16,
    #[serde(skip_serializing_if = "Option::is_none")]
    after: Option<&'a After>,
    #[serde(skip_serializing_if = "Option::is_none")]
    known: Option<&'a Known>,
    #[serde(skip_serializing_if = "Filter::is_empty")]
    filter: &'a Filter,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    count: bool,
}

impl Scope<'_> {
    /// Makes a task.
    pub async fn task_create(
        &self,
        id: Uuid,
        fields: &TaskPatch,
        repeatable: Option<&Repeatable>,
    ) -> Result<Outcome, Error> {
        const CREATE: Statement =
            Statement::alone("select outcome, task, version from api.task_create($1, $2, $3, $4, $5)");
        let [key, fingerprint] = key(repeatable);
        outcome(self.write(CREATE, [id.into(), json(fields)?, key, fingerprint]).await?)
    }

    /// Reads a task.
    pub async fn task_get(&self, id: Uuid) -> Result<Option<StoredTask>, Error> {
        const GET: Statement = Statement::or_together(
            "select task, version from api.task_get($1, $2)",
            "select call.number, call.caller, task, version \
            from unnest($1::text[], $2::text[]) with ordinality as call (caller, id, number), \
                api.task_get(call.caller, call.id::uuid)",
        );
        let mut row = self.read(GET, [id.into()]).await?.ok_or_else(|| no_row("task_get"))?;
        match row.take()? {
            Some(json) => Ok(Some(StoredTask { json, version: row.require()? })),
            None => Ok(None),
        }
    }

    /// Replaces a task, or with `create` makes it.
    pub async fn task_put(
        &self,
        id: Uuid,
        if_match: Option<Vec<i64>>,
        create: bool,
        fields: &TaskPatch,
    ) -> Result<Outcome, Error> {
        const PUT: Statement = Statement::alone("select outcome, task, version from api.task_put($1, $2, $3, $4, $5)");
        outcome(self.write(PUT, [id.into(), if_match.into(), create.into(), json(fields)?]).await?)
    }

    /// Changes some fields of a task.
    pub async fn task_patch(
        &self,
        id: Uuid,
        if_match: Option<Vec<i64>>,
        patch: &TaskPatch,
        repeatable: Option<&Repeatable>,
    ) -> Result<Outcome, Error> {
        const PATCH: Statement =
            Statement::alone("select outcome, task, version from api.task_patch($1, $2, $3, $4, $5, $6)");
        let [key, fingerprint] = key(repeatable);
        outcome(self.write(PATCH, [id.into(), if_match.into(), json(patch)?, key, fingerprint]).await?)
    }

    /// Completes or reopens a task; with `None`, whichever it is not.
    pub async fn task_complete(
        &self,
        id: Uuid,
        if_match: Option<Vec<i64>>,
        completed: Option<bool>,
        repeatable: Option<&Repeatable>,
    ) -> Result<Outcome, Error> {
        const COMPLETE: Statement =
            Statement::alone("select outcome, task, version from api.task_complete($1, $2, $3, $4, $5, $6)");
        let [key, fingerprint] = key(repeatable);
        outcome(self.write(COMPLETE, [id.into(), if_match.into(), completed.into(), key, fingerprint]).await?)
    }

    /// Deletes a task.
    pub async fn task_delete(&self, id: Uuid, if_match: Option<Vec<i64>>) -> Result<Outcome, Error> {
        const DELETE: Statement = Statement::alone("select outcome from api.task_delete($1, $2, $3)");
        outcome(self.write(DELETE, [id.into(), if_match.into()]).await?)
    }

    /// Reads a page of tasks.
    pub async fn task_list(&self, query: &ListQuery, known: Option<&Known>) -> Result<Listing, Error> {
        const LIST: Statement =
            Statement::alone("select unchanged, seq, tasks, last_key, last_id, total from api.task_list($1, $2)");
        const FIRST_PAGE: Statement = Statement::or_together(
            LIST.alone,
            "select call.number, call.caller, unchanged, seq, tasks, last_key, last_id, total \
            from unnest($1::text[], $2::text[]) with ordinality as call (caller, list, number), \
                api.task_list(call.caller, call.list::jsonb)",
        );
        // A filter may have to read all that the caller has, and the place in a cursor may be refused.
        let together = query.after.is_none() && query.filter.is_empty() && !query.count;
        let statement = if together { FIRST_PAGE } else { LIST };
        let list = List {
            order: query.order,
            limit: query.limit,
            after: query.after.as_ref(),
            known,
            filter: &query.filter,
            count: query.count,
        };
        let row = self.read(statement, [json(&list)?]).await.map_err(|error| match error {
            // All the other values were parsed; that of a place is known to the database alone.
            Error::Invalid(_) => Invalid::parameter("cursor", "Not a cursor that errand gave.").into(),
            other => other,
        });
        let mut row = row?.ok_or_else(|| no_row("task_list"))?;
        let (unchanged, seq) = (row.require()?, row.require()?);
        if unchanged {
            return Ok(Listing::Unchanged { seq });
        }
        let tasks = row.require()?;
        let next = match (row.take()?, row.take()?) {
            (Some(key), Some(id)) => Some(After { key, id }),
            _ => None,
        };
        Ok(Listing::Page { seq, page: Page { tasks, next, total: row.take()? } })
    }
}

fn outcome(row: Option<Row>) -> Result<Outcome, Error> {
    let mut row = row.ok_or_else(|| no_row("task_..."))?;
    let word: String = row.require()?;
    Ok(match word.as_str() {
        "created" => Outcome::Created(StoredTask { json: row.require()?, version: row.require()? }),
        "ok" => Outcome::Changed(StoredTask { json: row.require()?, version: row.require()? }),
        "deleted" => Outcome::Deleted,
        "not_found" => Outcome::NotFound,
        "stale" => Outcome::Stale,
        "exists" => Outcome::Exists,
        "replayed" => Outcome::Replayed(StoredTask { json: row.require()?, version: row.require()? }),
        "key_reused" => Outcome::KeyReused,
        "in_flight" => Outcome::InFlight,
        other => return Err(Error::Internal(format!("unknown outcome {other}"))),
    })
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
