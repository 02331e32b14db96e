//! The successful responses of handlers.

mod described;
mod page;

use std::marker::PhantomData;

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, HeaderValue, VARY};

use super::openapi::{Describe, Header, Operation};
use crate::data::Stored;
use crate::domain::{EntityTag, TagMatch};

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

/// The answer to a client that has the state with this tag.
pub(super) fn not_modified(tag: &EntityTag) -> Response {
    with_tag(empty(StatusCode::NOT_MODIFIED), tag)
}

/// A resource, unless the client has its state.
pub(super) fn stored(stored: Stored, known: Option<&TagMatch>) -> Response {
    match known.is_some_and(|known| known.matches(&stored.etag)) {
        true => not_modified(&stored.etag),
        false => with_tag(json(StatusCode::OK, stored.json), &stored.etag),
    }
}

/// Adds `ETag`.
pub(super) fn with_tag(mut response: Response, tag: &EntityTag) -> Response {
    let tag = HeaderValue::try_from(["\"", tag.as_str(), "\""].concat()).unwrap_or(HeaderValue::from_static("\"\""));
    response.headers_mut().insert(ETAG, tag);
    response
}
