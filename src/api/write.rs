//! Writes: what a client says of one in headers, and how one is answered.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::response::Response;
use http::header::{HeaderName, HeaderValue, LOCATION};
use http::request::Parts;
use http::{Method, StatusCode, Uri};
use uuid::Uuid;

use super::answer;
use super::caller::Caller;
use super::code::Code;
use super::conditional;
use super::negotiation;
use super::openapi::parameters::{entity_tags, header, text};
use super::openapi::{self, Describe};
use super::problem::Problem;
use crate::App;
use crate::domain::{IdempotencyKey, Invalid, KeyedRequest, Operation, Precondition, Write, Written};
use crate::service;

/// What a client says of a write that makes a resource: `Idempotency-Key` and `Prefer`.
pub(super) struct CreateHeaders {
    uri: Uri,
    key: Option<HeaderValue>,
    prefers_minimal: bool,
}

/// The same of any other write, with the state that the resource must be in: `If-Match` and `If-None-Match`.
pub(super) struct WriteHeaders {
    common: CreateHeaders,
    precondition: Precondition,
    /// Whether the path names the collection that the resource comes into.
    in_collection: bool,
}

/// A name that the client gives a write (draft-ietf-httpapi-idempotency-key-header).
const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
/// Marks the answer to a write that an earlier request with the same key did.
const IDEMPOTENCY_REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");

impl FromRequestParts<Arc<App>> for CreateHeaders {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &Arc<App>) -> Result<Self, Problem> {
        Self::read(parts)
    }
}

impl FromRequestParts<Arc<App>> for WriteHeaders {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &Arc<App>) -> Result<Self, Problem> {
        let precondition = conditional::precondition(&parts.headers)?;
        Ok(Self { common: CreateHeaders::read(parts)?, precondition, in_collection: false })
    }
}

impl CreateHeaders {
    fn read(parts: &Parts) -> Result<Self, Problem> {
        let mut keys = parts.headers.get_all(IDEMPOTENCY_KEY).iter();
        let key = keys.next().cloned();
        match keys.next() {
            Some(_) => Err(invalid_key().into()),
            None => {
                Ok(Self { uri: parts.uri.clone(), key, prefers_minimal: negotiation::prefers_minimal(&parts.headers) })
            }
        }
    }

    fn key(&self, operation: &str, subject: &str, body: &[u8]) -> Result<Option<IdempotencyKey>, Invalid> {
        let Some(key) = &self.key else { return Ok(None) };
        let request = KeyedRequest { operation, subject, query: self.uri.query(), body };
        let key = key.to_str().ok().and_then(|key| IdempotencyKey::parse(key, &request));
        key.map(Some).ok_or_else(invalid_key)
    }
}

fn invalid_key() -> Invalid {
    Invalid::header("Idempotency-Key", "Must be one key of 1 to 255 visible ASCII characters.")
}

impl From<CreateHeaders> for WriteHeaders {
    /// Without a precondition.
    fn from(common: CreateHeaders) -> Self {
        Self { common, precondition: Precondition::default(), in_collection: true }
    }
}

/// Does a write to the resource with this id, and answers it. The idempotency key stands for `body`, as it was sent.
pub(super) async fn write(
    caller: &Caller,
    WriteHeaders { common, precondition, in_collection }: WriteHeaders,
    id: Uuid,
    operation: impl Into<Operation>,
    body: &[u8],
) -> Result<Response, Problem> {
    let operation = operation.into();
    let subject = if in_collection { String::new() } else { id.to_string() };
    let key = common.key(operation.id, &subject, body)?;
    let written = service::write(&caller.scope(), Write { operation, id, precondition }, key).await?;
    Ok(respond(written, &common, in_collection))
}

/// The resource as it is now, or nothing where it was deleted or the client prefers that.
fn respond(written: Written, headers: &CreateHeaders, in_collection: bool) -> Response {
    let minimal = headers.prefers_minimal && written.body.is_some();
    let status = match written.created {
        true => StatusCode::CREATED,
        false if minimal || written.body.is_none() => StatusCode::NO_CONTENT,
        false => StatusCode::OK,
    };
    let mut response = match written.body {
        Some(body) if !minimal => answer::with_tag(answer::json(status, body), &written.etag),
        Some(_) => answer::with_tag(answer::empty(status), &written.etag),
        None => answer::empty(status),
    };
    let answered = response.headers_mut();
    if written.created {
        let path = headers.uri.path();
        let location = if in_collection { format!("{path}/{}", written.id) } else { path.to_owned() };
        answered.extend(HeaderValue::try_from(location).ok().map(|location| (LOCATION, location)));
    }
    if written.replayed {
        answered.insert(IDEMPOTENCY_REPLAYED, HeaderValue::from_static("true"));
    }
    if minimal {
        negotiation::apply_minimal(answered);
    }
    response
}

impl Describe for CreateHeaders {
    fn describe(operation: &mut openapi::Operation) {
        // A deletion is answered without a body in any case, and its replay, too.
        if operation.method != Method::DELETE {
            let meaning = "`return=minimal` asks for an answer without a body (RFC 7240).";
            operation.takes(header("Prefer", meaning, text()).example(Some("return=representation".into())));
            operation.refuses(&[Code::Gone]);
        }
        let meaning = "A name for this write, of the client's making: sent again with it within a day, the write is not \
                       done again. The answer has the first status and the resource as it is now. 1 to 255 visible ASCII \
                       characters, in double quotes or not.";
        // Not quoted at the beginning; quoted there alone; a lone quote; quoted at both ends.
        let key = text().pattern(Some(r#"^([!#-~][!-~]{0,254}|"[!-~]{0,253}[!#-~]|"|"[!-~]{1,255}")$"#));
        operation.takes(header("Idempotency-Key", meaning, key));
        operation.refuses(&[Code::InFlight, Code::IdempotencyKeyReused, Code::TooManyRequests]);
    }
}

impl Describe for WriteHeaders {
    fn describe(operation: &mut openapi::Operation) {
        CreateHeaders::describe(operation);
        let states =
            "Entity tags of the states that may be written to, or `*` for any; 412 when the resource is in another.";
        let absent =
            "`*`: there must be no such resource yet. PUT needs it to create one; no other write can be met with it.";
        operation.takes(header("If-Match", states, entity_tags()));
        operation.takes(header("If-None-Match", absent, text().enum_values(Some(["*"]))));
        operation.refuses(&[Code::PreconditionFailed]);
    }
}
