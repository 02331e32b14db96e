//! `/api/{user_id}/tasks`: the handlers.

use axum::body::Body;
use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, HeaderMap, HeaderValue, LINK, LOCATION, VARY};
use http::{StatusCode, Uri};
use serde::{Deserialize, Serialize};

use super::body::{JsonBody, MergePatchBody, OptionalBody};
use super::caller::{Caller, TaskId};
use super::conditional::{etag, if_none_match, precondition};
use super::idempotency::{IDEMPOTENCY_REPLAYED, idempotency_key};
use super::negotiation::{apply_minimal, prefers_minimal};
use super::openapi::{
    self, Forbidden, InFlight, Internal, InvalidInput, KeyReused, NotAcceptable, NotFound, PayloadTooLarge,
    PreconditionFailed, TooManyRequests, Unauthorized, Unavailable, UnsupportedMediaType,
};
use super::problem::Problem;
use super::query;
use crate::data::tasks::Listing;
use crate::domain::{
    Completion, Cursor, EntityTag, Error, KeyedRequest, ListQuery, NewTask, Operation, Page, Precondition, Task,
    TaskPatch, Write, Written,
};
use crate::service::{self, tasks};

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

/// Create a task
#[utoipa::path(
    post,
    path = "/api/{user_id}/tasks",
    tag = "tasks",
    security(("bearer" = [])),
    params(openapi::UserPath, openapi::AnswerHeaders, openapi::IdempotencyKey),
    request_body = openapi::NewTask,
    responses(
        (status = 201, description = "Created. No body when `Prefer` asked for that.", body = Task, headers(
                ("ETag" = String, description = "The tag of the task's state; `etag` in the body."),
                ("Idempotency-Replayed" = String, description = "`true` where the `Idempotency-Key` brought an earlier answer back."),
                ("Location" = String, description = "The task's path."),
                ("Preference-Applied" = String, description = "`return=minimal`."),
                ("Cache-Control" = String, description = "`private, no-cache`."),
            )),
        (status = 400, response = InvalidInput),
        (status = 401, response = Unauthorized),
        (status = 403, response = Forbidden),
        (status = 406, response = NotAcceptable),
        (status = 409, response = InFlight),
        (status = 413, response = PayloadTooLarge),
        (status = 415, response = UnsupportedMediaType),
        (status = 422, response = KeyReused),
        (status = 429, response = TooManyRequests),
        (status = 500, response = Internal),
        (status = 503, response = Unavailable),
    ),
)]
pub(super) async fn create_task(
    caller: Caller,
    uri: Uri,
    headers: HeaderMap,
    JsonBody(body): JsonBody,
) -> Result<Response, Problem> {
    let task = NewTask::parse(&body)?;
    let request = KeyedRequest { operation: "create_task", subject: "", query: uri.query(), body: &body };
    let key = idempotency_key(&headers, &request)?;
    let write =
        Write { operation: Operation::CreateTask(task), id: caller.new_id(), precondition: Precondition::default() };
    let written = service::write(&caller.scope(), write, key).await?;
    let location = format!("{}/{}", uri.path(), written.id);
    Ok(respond_written(&headers, written, &location))
}

/// List tasks
///
/// A page of the caller's tasks. Unknown parameters are refused. `next_cursor` leads to the next page; so does `Link`.
#[utoipa::path(
    get,
    path = "/api/{user_id}/tasks",
    tag = "tasks",
    security(("bearer" = [])),
    params(openapi::UserPath, openapi::ListParameters, openapi::ReadHeaders),
    responses(
        (status = 200, description = "A page.", body = TaskList, headers(
                ("ETag" = String, description = "The tag of all that the caller has; none with `overdue`."),
                ("Link" = String, description = "The next page (`rel=\"next\"`), if there is one."),
                ("Cache-Control" = String, description = "`private, no-cache`."),
            )),
        (status = 304, description = "Nothing was written since.", headers(
                ("ETag" = String, description = "The tag of all that the caller has; none with `overdue`."),
            )),
        (status = 400, response = InvalidInput),
        (status = 401, response = Unauthorized),
        (status = 403, response = Forbidden),
        (status = 406, response = NotAcceptable),
        (status = 429, response = TooManyRequests),
        (status = 500, response = Internal),
        (status = 503, response = Unavailable),
    ),
)]
pub(super) async fn list_tasks(caller: Caller, request: Request) -> Result<Response, Problem> {
    let uri = request.uri();
    let query = ListQuery::parse(caller.user_id(), &query::pairs(uri.query())?)?;
    // Whether a task is overdue depends on the clock, not on writes alone: such a list has no entity tag.
    let tagged = query.filter.overdue.is_none();
    let known = if_none_match(request.headers())?.filter(|_| tagged);
    match tasks::list(&caller.scope(), &query, known.as_ref()).await? {
        Listing::Unchanged { etag } => Ok(not_modified(&etag)),
        Listing::Page { etag: tag, page } => {
            let cursor = match &page.next {
                Some(after) => Some(
                    Cursor::seal(after, &query.binding(caller.user_id()))
                        .ok_or_else(|| Error::Internal("the next page begins nowhere".to_owned()))?,
                ),
                None => None,
            };
            let cursor = cursor.as_ref().map(Cursor::as_str);
            let mut response = respond_json(StatusCode::OK, list_body(page, cursor));
            let headers = response.headers_mut();
            if tagged {
                headers.insert(ETAG, etag(&tag));
            }
            if let Some(cursor) = cursor {
                let link = format!("<{}?{}>; rel=\"next\"", uri.path(), query::with_cursor(uri.query(), cursor));
                headers.extend(HeaderValue::try_from(link).ok().map(|link| (LINK, link)));
            }
            Ok(response)
        }
    }
}

/// Read a task
#[utoipa::path(
    get,
    path = "/api/{user_id}/tasks/{id}",
    tag = "tasks",
    security(("bearer" = [])),
    params(openapi::TaskPath, openapi::ReadHeaders),
    responses(
        (status = 200, description = "The task.", body = Task, headers(
                ("ETag" = String, description = "The tag of the task's state; `etag` in the body."),
                ("Cache-Control" = String, description = "`private, no-cache`."),
            )),
        (status = 304, description = "The client has it.", headers(
                ("ETag" = String, description = "The tag of the task's state; `etag` in the body."),
            )),
        (status = 400, response = InvalidInput),
        (status = 401, response = Unauthorized),
        (status = 403, response = Forbidden),
        (status = 404, response = NotFound),
        (status = 406, response = NotAcceptable),
        (status = 500, response = Internal),
        (status = 503, response = Unavailable),
    ),
)]
pub(super) async fn get_task(caller: Caller, TaskId(id): TaskId, headers: HeaderMap) -> Result<Response, Problem> {
    let known = if_none_match(&headers)?;
    let task = tasks::get(&caller.scope(), id).await?;
    if known.is_some_and(|known| known.matches(&task.etag)) {
        return Ok(not_modified(&task.etag));
    }
    let mut response = respond_json(StatusCode::OK, task.json);
    response.headers_mut().insert(ETAG, etag(&task.etag));
    Ok(response)
}

/// Replace a task
///
/// What is absent gets its default. With `If-None-Match: *` the task is created under the id that the client chose.
#[utoipa::path(
    put,
    path = "/api/{user_id}/tasks/{id}",
    tag = "tasks",
    security(("bearer" = [])),
    params(openapi::TaskPath, openapi::AnswerHeaders, openapi::GuardHeaders),
    request_body = openapi::Replacement,
    responses(
        (status = 200, description = "Replaced.", body = Task, headers(
                ("ETag" = String, description = "The tag of the task's state; `etag` in the body."),
                ("Cache-Control" = String, description = "`private, no-cache`."),
            )),
        (status = 201, description = "Created. No body when `Prefer` asked for that.", body = Task, headers(
                ("ETag" = String, description = "The tag of the task's state; `etag` in the body."),
                ("Location" = String, description = "The task's path."),
                ("Preference-Applied" = String, description = "`return=minimal`."),
                ("Cache-Control" = String, description = "`private, no-cache`."),
            )),
        (status = 204, description = "Written; the answer has no body, as `Prefer` asked for.", headers(
                ("ETag" = String, description = "The tag of the task's state; `etag` in the body."),
                ("Preference-Applied" = String, description = "`return=minimal`."),
            )),
        (status = 400, response = InvalidInput),
        (status = 401, response = Unauthorized),
        (status = 403, response = Forbidden),
        (status = 404, response = NotFound),
        (status = 406, response = NotAcceptable),
        (status = 412, response = PreconditionFailed),
        (status = 413, response = PayloadTooLarge),
        (status = 415, response = UnsupportedMediaType),
        (status = 429, response = TooManyRequests),
        (status = 500, response = Internal),
        (status = 503, response = Unavailable),
    ),
)]
pub(super) async fn replace_task(
    caller: Caller,
    TaskId(id): TaskId,
    uri: Uri,
    headers: HeaderMap,
    JsonBody(body): JsonBody,
) -> Result<Response, Problem> {
    let precondition = precondition(&headers)?;
    let operation = Operation::PutTask(NewTask::parse_replacement(&body)?);
    let (subject, query) = (id.to_string(), uri.query());
    let request = KeyedRequest { operation: "replace_task", subject: &subject, query, body: &body };
    let key = idempotency_key(&headers, &request)?;
    let written = service::write(&caller.scope(), Write { operation, id, precondition }, key).await?;
    Ok(respond_written(&headers, written, uri.path()))
}

/// Change some fields of a task
///
/// A JSON merge patch (RFC 7396).
#[utoipa::path(
    patch,
    path = "/api/{user_id}/tasks/{id}",
    tag = "tasks",
    security(("bearer" = [])),
    params(openapi::TaskPath, openapi::AnswerHeaders, openapi::IdempotencyKey, openapi::GuardHeaders),
    request_body(content(
        (openapi::TaskPatch = "application/merge-patch+json"),
        (openapi::TaskPatch = "application/json"),
    )),
    responses(
        (status = 200, description = "Changed.", body = Task, headers(
                ("ETag" = String, description = "The tag of the task's state; `etag` in the body."),
                ("Idempotency-Replayed" = String, description = "`true` where the `Idempotency-Key` brought an earlier answer back."),
                ("Cache-Control" = String, description = "`private, no-cache`."),
            )),
        (status = 204, description = "Written; the answer has no body, as `Prefer` asked for.", headers(
                ("ETag" = String, description = "The tag of the task's state; `etag` in the body."),
                ("Idempotency-Replayed" = String, description = "`true` where the `Idempotency-Key` brought an earlier answer back."),
                ("Preference-Applied" = String, description = "`return=minimal`."),
            )),
        (status = 400, response = InvalidInput),
        (status = 401, response = Unauthorized),
        (status = 403, response = Forbidden),
        (status = 404, response = NotFound),
        (status = 406, response = NotAcceptable),
        (status = 409, response = InFlight),
        (status = 412, response = PreconditionFailed),
        (status = 413, response = PayloadTooLarge),
        (status = 415, response = UnsupportedMediaType),
        (status = 422, response = KeyReused),
        (status = 429, response = TooManyRequests),
        (status = 500, response = Internal),
        (status = 503, response = Unavailable),
    ),
)]
pub(super) async fn patch_task(
    caller: Caller,
    TaskId(id): TaskId,
    uri: Uri,
    headers: HeaderMap,
    MergePatchBody(body): MergePatchBody,
) -> Result<Response, Problem> {
    let precondition = precondition(&headers)?;
    let operation = Operation::PatchTask(TaskPatch::parse(&body)?);
    let (subject, query) = (id.to_string(), uri.query());
    let request = KeyedRequest { operation: "patch_task", subject: &subject, query, body: &body };
    let key = idempotency_key(&headers, &request)?;
    let written = service::write(&caller.scope(), Write { operation, id, precondition }, key).await?;
    Ok(respond_written(&headers, written, uri.path()))
}

/// Complete or reopen a task
///
/// Without a body, whichever it is not.
#[utoipa::path(
    patch,
    path = "/api/{user_id}/tasks/{id}/complete",
    tag = "tasks",
    security(("bearer" = [])),
    params(openapi::TaskPath, openapi::AnswerHeaders, openapi::IdempotencyKey, openapi::GuardHeaders),
    request_body(content(
        (openapi::Completion = "application/merge-patch+json"),
        (openapi::Completion = "application/json"),
    )),
    responses(
        (status = 200, description = "Changed.", body = Task, headers(
                ("ETag" = String, description = "The tag of the task's state; `etag` in the body."),
                ("Idempotency-Replayed" = String, description = "`true` where the `Idempotency-Key` brought an earlier answer back."),
                ("Cache-Control" = String, description = "`private, no-cache`."),
            )),
        (status = 204, description = "Written; the answer has no body, as `Prefer` asked for.", headers(
                ("ETag" = String, description = "The tag of the task's state; `etag` in the body."),
                ("Idempotency-Replayed" = String, description = "`true` where the `Idempotency-Key` brought an earlier answer back."),
                ("Preference-Applied" = String, description = "`return=minimal`."),
            )),
        (status = 400, response = InvalidInput),
        (status = 401, response = Unauthorized),
        (status = 403, response = Forbidden),
        (status = 404, response = NotFound),
        (status = 406, response = NotAcceptable),
        (status = 409, response = InFlight),
        (status = 412, response = PreconditionFailed),
        (status = 413, response = PayloadTooLarge),
        (status = 415, response = UnsupportedMediaType),
        (status = 422, response = KeyReused),
        (status = 429, response = TooManyRequests),
        (status = 500, response = Internal),
        (status = 503, response = Unavailable),
    ),
)]
pub(super) async fn complete_task(
    caller: Caller,
    TaskId(id): TaskId,
    uri: Uri,
    headers: HeaderMap,
    OptionalBody(body): OptionalBody,
) -> Result<Response, Problem> {
    let precondition = precondition(&headers)?;
    let operation = Operation::CompleteTask(Completion::parse(&body)?);
    let (subject, query) = (id.to_string(), uri.query());
    let request = KeyedRequest { operation: "complete_task", subject: &subject, query, body: &body };
    let key = idempotency_key(&headers, &request)?;
    let written = service::write(&caller.scope(), Write { operation, id, precondition }, key).await?;
    Ok(respond_written(&headers, written, uri.path()))
}

/// Delete a task
#[utoipa::path(
    delete,
    path = "/api/{user_id}/tasks/{id}",
    tag = "tasks",
    security(("bearer" = [])),
    params(openapi::TaskPath, openapi::GuardHeaders),
    responses(
        (status = 204, description = "Deleted."),
        (status = 400, response = InvalidInput),
        (status = 401, response = Unauthorized),
        (status = 403, response = Forbidden),
        (status = 404, response = NotFound),
        (status = 412, response = PreconditionFailed),
        (status = 429, response = TooManyRequests),
        (status = 500, response = Internal),
        (status = 503, response = Unavailable),
    ),
)]
pub(super) async fn delete_task(
    caller: Caller,
    TaskId(id): TaskId,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let precondition = precondition(&headers)?;
    let (subject, query) = (id.to_string(), uri.query());
    let request = KeyedRequest { operation: "delete_task", subject: &subject, query, body: b"" };
    let key = idempotency_key(&headers, &request)?;
    let written =
        service::write(&caller.scope(), Write { operation: Operation::DeleteTask, id, precondition }, key).await?;
    Ok(respond_written(&headers, written, uri.path()))
}

/// The answer to a write: the resource, or with `Prefer: return=minimal` only where it is.
fn respond_written(request: &HeaderMap, written: Written, location: &str) -> Response {
    let Written { etag: tag, body, created, replayed, .. } = written;
    let is_there = body.is_some();
    let minimal = is_there && prefers_minimal(request);
    let status = if created { StatusCode::CREATED } else { StatusCode::OK };
    let mut response = match body.filter(|_| !minimal) {
        Some(body) => respond_json(status, body),
        None if created => private(status.into_response()),
        None => private(StatusCode::NO_CONTENT.into_response()),
    };
    let headers = response.headers_mut();
    if is_there {
        headers.insert(ETAG, etag(&tag));
    }
    if created {
        headers.extend(HeaderValue::try_from(location).ok().map(|location| (LOCATION, location)));
    }
    if replayed {
        headers.insert(IDEMPOTENCY_REPLAYED, HeaderValue::from_static("true"));
    }
    if minimal {
        apply_minimal(headers);
    }
    response
}

fn not_modified(tag: &EntityTag) -> Response {
    let mut response = private(StatusCode::NOT_MODIFIED.into_response());
    response.headers_mut().insert(ETAG, etag(tag));
    response
}

fn respond_json(status: StatusCode, json: String) -> Response {
    let mut response = private((status, Body::from(json)).into_response());
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

/// User data: no shared cache may keep it, and no cache may give it out unasked.
fn private(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
    headers.insert(VARY, HeaderValue::from_static("Authorization"));
    response
}

/// The JSON of a [`TaskList`], around the tasks that the database wrote.
fn list_body(page: Page, cursor: Option<&str>) -> String {
    let mut body = page.tasks;
    body.insert_str(0, r#"{"tasks":["#);
    body.push_str(r#"],"next_cursor":"#);
    match cursor {
        // A cursor is of letters, digits, - and _: nothing to escape.
        Some(cursor) => body.extend(["\"", cursor, "\""]),
        None => body.push_str("null"),
    }
    if let Some(total) = page.total {
        body.push_str(r#","total":"#);
        body.push_str(&total.to_string());
    }
    body.push('}');
    body
}
