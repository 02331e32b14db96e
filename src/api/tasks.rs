//! `/api/{user_id}/tasks`: the handlers.

mod answers;

use axum::response::Response;
use http::header::{HeaderValue, LINK};
use http::{StatusCode, Uri};
use serde::{Deserialize, Serialize};

use super::answer::{self, Answer};
use super::body::{Json, MergePatch, OptionalMergePatch};
use super::caller::{Caller, TaskId};
use super::conditional::IfNoneMatch;
use super::problem::Problem;
use super::query::{self, ListUri};
use super::write::{CreateHeaders, WriteHeaders, write};
use crate::data::tasks::Listing;
use crate::domain::{Completion, Cursor, Error, ListQuery, NewTask, Operation, Page, Replacement, Task, TaskPatch};
use crate::service::tasks;
use answers::{Changed, Created, Deleted, PageOrUnchanged, Replaced, TaskOrUnchanged};

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

pub(super) async fn create_task(
    caller: Caller,
    headers: CreateHeaders,
    Json(task, body): Json<NewTask>,
) -> Result<Answer<Created>, Problem> {
    let id = caller.new_id();
    write(&caller, headers.into(), id, Operation::CreateTask(task), &body).await.map(Answer::from)
}

pub(super) async fn replace_task(
    caller: Caller,
    TaskId(id): TaskId,
    headers: WriteHeaders,
    Json(task, body): Json<Replacement>,
) -> Result<Answer<Replaced>, Problem> {
    write(&caller, headers, id, Operation::PutTask(task), &body).await.map(Answer::from)
}

pub(super) async fn patch_task(
    caller: Caller,
    TaskId(id): TaskId,
    headers: WriteHeaders,
    MergePatch(patch, body): MergePatch<TaskPatch>,
) -> Result<Answer<Changed>, Problem> {
    write(&caller, headers, id, Operation::PatchTask(patch), &body).await.map(Answer::from)
}

pub(super) async fn complete_task(
    caller: Caller,
    TaskId(id): TaskId,
    headers: WriteHeaders,
    OptionalMergePatch(completion, body): OptionalMergePatch<Completion>,
) -> Result<Answer<Changed>, Problem> {
    write(&caller, headers, id, Operation::CompleteTask(completion), &body).await.map(Answer::from)
}

pub(super) async fn delete_task(
    caller: Caller,
    TaskId(id): TaskId,
    headers: WriteHeaders,
) -> Result<Answer<Deleted>, Problem> {
    write(&caller, headers, id, Operation::DeleteTask, b"").await.map(Answer::from)
}

pub(super) async fn get_task(
    caller: Caller,
    TaskId(id): TaskId,
    IfNoneMatch(known): IfNoneMatch,
) -> Result<Answer<TaskOrUnchanged>, Problem> {
    let task = tasks::get(&caller.scope(), id).await?;
    let response = match known.is_some_and(|known| known.matches(&task.etag)) {
        true => answer::not_modified(&task.etag),
        false => answer::with_tag(answer::json(StatusCode::OK, task.json), &task.etag),
    };
    Ok(response.into())
}

pub(super) async fn list_tasks(
    caller: Caller,
    ListUri(uri): ListUri,
    IfNoneMatch(known): IfNoneMatch,
) -> Result<Answer<PageOrUnchanged>, Problem> {
    let query = ListQuery::parse(caller.user_id(), &query::pairs(uri.query())?)?;
    // Whether a task is overdue depends on the clock, not on writes alone: such a list has no entity tag.
    let tagged = query.filter.overdue.is_none();
    let response = match tasks::list(&caller.scope(), &query, known.filter(|_| tagged).as_ref()).await? {
        Listing::Unchanged { etag } => answer::not_modified(&etag),
        Listing::Page { etag, page } => {
            let cursor = page.next.as_ref().map(|after| {
                let cursor = Cursor::seal(after, &query.binding(caller.user_id()));
                cursor.ok_or_else(|| Error::Internal("the next page begins nowhere".to_owned()))
            });
            let response = respond_page(&uri, page, cursor.transpose()?.as_ref().map(Cursor::as_str));
            if tagged { answer::with_tag(response, &etag) } else { response }
        }
    };
    Ok(response.into())
}

/// A [`TaskList`] around the tasks that the database wrote, and a link to the next page.
fn respond_page(uri: &Uri, page: Page, cursor: Option<&str>) -> Response {
    let mut body = page.tasks;
    body.insert_str(0, r#"{"tasks":["#);
    body.push_str(r#"],"next_cursor":"#);
    match cursor {
        // A cursor consists of letters, digits, - and _: nothing to escape.
        Some(cursor) => body.extend(["\"", cursor, "\""]),
        None => body.push_str("null"),
    }
    if let Some(total) = page.total {
        body.push_str(r#","total":"#);
        body.push_str(&total.to_string());
    }
    body.push('}');
    let mut response = answer::json(StatusCode::OK, body);
    if let Some(cursor) = cursor {
        let link = format!("<{}?{}>; rel=\"next\"", uri.path(), query::with_cursor(uri.query(), cursor));
        response.headers_mut().extend(HeaderValue::try_from(link).ok().map(|link| (LINK, link)));
    }
    response
}
