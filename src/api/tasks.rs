//! `/api/{user_id}/tasks`: the operations.

use serde::{Deserialize, Serialize};

use super::answer::{self, Answer, Changed, Created, Deleted, PageOrUnchanged, Replaced, ResourceOrUnchanged};
use super::body::{Json, MergePatch, OptionalMergePatch};
use super::caller::{Caller, ResourceId};
use super::code::Code;
use super::conditional::IfNoneMatch;
use super::openapi::{Describe, Operation, parameters};
use super::problem::Problem;
use super::query::{self, ListUri};
use super::routes::operations;
use super::write::{CreateHeaders, WriteHeaders, write};
use crate::domain::{Completion, ListQuery, NewTask, Replacement, Task, TaskOperation, TaskPatch};
use crate::service::tasks;

operations! {
    "tasks": "The caller's tasks";
    "/api/{user_id}/tasks", public: false => {
        /// List tasks
        ///
        /// A page of the caller's tasks. Unknown parameters are refused. `next_cursor` leads to the next page; so does `Link`.
        GET list_tasks;
        /// Create a task
        POST create_task;
    }
    "/api/{user_id}/tasks/{id}", public: false => {
        /// Read a task
        GET get_task;
        /// Replace a task
        ///
        /// What is absent gets its default. With `If-None-Match: *` the task is created under the id that the client chose.
        PUT replace_task;
        /// Change some fields of a task
        ///
        /// A JSON merge patch (RFC 7396).
        PATCH patch_task;
        /// Delete a task
        DELETE delete_task;
    }
    "/api/{user_id}/tasks/{id}/complete", public: false => {
        /// Complete or reopen a task
        ///
        /// Without a body, whichever it is not.
        PATCH complete_task;
    }
}

/// A page of tasks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TaskList {
    /// The tasks of this page.
    pub tasks: Vec<Task>,
    /// The `cursor` of the next page; null at the end.
    #[schema(required)]
    pub next_cursor: Option<String>,
    /// How many tasks match on all pages; with `count=exact` only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub total: Option<i64>,
}

impl Describe for ListQuery {
    fn describe(operation: &mut Operation) {
        parameters::of_tasks().into_iter().for_each(|parameter| operation.takes(parameter));
        operation.refuses(&[Code::TooManyRequests]);
    }
}

async fn create_task(
    caller: Caller,
    headers: CreateHeaders,
    Json(task, body): Json<NewTask>,
) -> Result<Answer<Created<Task>>, Problem> {
    let id = caller.new_id();
    write(&caller, headers.into(), id, TaskOperation::Create(task), &body).await.map(Answer::from)
}

async fn replace_task(
    caller: Caller,
    ResourceId(id): ResourceId,
    headers: WriteHeaders,
    Json(task, body): Json<Replacement>,
) -> Result<Answer<Replaced<Task>>, Problem> {
    write(&caller, headers, id, TaskOperation::Put(task), &body).await.map(Answer::from)
}

async fn patch_task(
    caller: Caller,
    ResourceId(id): ResourceId,
    headers: WriteHeaders,
    MergePatch(patch, body): MergePatch<TaskPatch>,
) -> Result<Answer<Changed<Task>>, Problem> {
    write(&caller, headers, id, TaskOperation::Patch(patch), &body).await.map(Answer::from)
}

async fn complete_task(
    caller: Caller,
    ResourceId(id): ResourceId,
    headers: WriteHeaders,
    OptionalMergePatch(completion, body): OptionalMergePatch<Completion>,
) -> Result<Answer<Changed<Task>>, Problem> {
    write(&caller, headers, id, TaskOperation::Complete(completion), &body).await.map(Answer::from)
}

async fn delete_task(
    caller: Caller,
    ResourceId(id): ResourceId,
    headers: WriteHeaders,
) -> Result<Answer<Deleted>, Problem> {
    write(&caller, headers, id, TaskOperation::Delete, b"").await.map(Answer::from)
}

async fn get_task(
    caller: Caller,
    ResourceId(id): ResourceId,
    IfNoneMatch(known): IfNoneMatch,
) -> Result<Answer<ResourceOrUnchanged<Task>>, Problem> {
    Ok(answer::resource(tasks::get(&caller.scope(), id, known.as_ref()).await?).into())
}

async fn list_tasks(
    caller: Caller,
    ListUri { uri, .. }: ListUri<ListQuery>,
    IfNoneMatch(known): IfNoneMatch,
) -> Result<Answer<PageOrUnchanged<TaskList>>, Problem> {
    let query = ListQuery::parse(caller.user_id(), &query::parameters(uri.query())?)?;
    let listing = tasks::list(&caller.scope(), &query, known.as_ref()).await?;
    Ok(answer::listing("tasks", &uri, listing).into())
}
