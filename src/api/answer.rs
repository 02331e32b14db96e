//! The successful responses of handlers.

mod described;
mod page;

use std::marker::PhantomData;

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, HeaderValue, VARY};

use super::openapi::{Describe, Header, Operation};
use crate::domain::EntityTag;
use crate::service::Read;

pub(super) use described::{Changed, Created, Deleted, PageOrUnchanged, Replaced, ResourceOrUnchanged};
pub(super) use page::listing;

/// A response that `T` describes.
pub(super) struct Answer<T>(Response, PhantomData<T>);

impl<T> From<Response> for Answer<T> {
    fn from(response: Response) -> Self {
        Self(response, PhantomData)
    }
}

impl<T> IntoResponse for Answer<T> {
    fn into_response(self) -> Response {
        self.0
    }
}

impl<T: Describe> Describe for Answer<T> {
    fn describe(operation: &mut Operation) {
        T::describe(operation);
    }
}

/// The `Cache-Control` of user data, described.
pub(super) const PRIVATE: Header = ("Cache-Control", "`private, no-cache`.");

/// User data without a body: no shared cache may keep it, and no cache may give it out unasked.
pub(super) fn empty(status: StatusCode) -> Response {
    let mut response = status.into_response();
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
    headers.insert(VARY, HeaderValue::from_static("Authorization"));
    response
}

/// User data as JSON.
pub(super) fn json(status: StatusCode, json: String) -> Response {
    let mut response = empty(status);
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    *response.body_mut() = Body::from(json);
    response
}

/// What was read, unless the client has its state.
pub(super) fn read<T>(read: Read<T>, respond: impl FnOnce(T) -> Response) -> Response {
    match read {
        Read::Unchanged(tag) => with_tag(empty(StatusCode::NOT_MODIFIED), &tag),
        Read::Found(value, Some(tag)) => with_tag(respond(value), &tag),
        Read::Found(value, None) => respond(value),
    }
}

/// A resource, unless the client has its state.
pub(super) fn resource(resource: Read<String>) -> Response {
    read(resource, |body| json(StatusCode::OK, body))
}

/// Adds `ETag`.
pub(super) fn with_tag(mut response: Response, tag: &EntityTag) -> Response {
    let tag = HeaderValue::try_from(["\"", tag.as_str(), "\""].concat()).unwrap_or(HeaderValue::from_static("\"\""));
    response.headers_mut().insert(ETAG, tag);
    response
}
