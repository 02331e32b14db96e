//! The last step of every response: its problem becomes a body, and it gets the headers that all responses have.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use axum::body::Body;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use bytes::Bytes;
use http::header::{
    CACHE_CONTROL, CONTENT_LENGTH, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, X_CONTENT_TYPE_OPTIONS,
};
use http::{Method, StatusCode};
use http_body::Frame;

use super::log::Log;
use super::problem::Problem;

/// Names a request in the log and in questions to the operator.
pub(super) const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

const SERVER_TIMING: HeaderName = HeaderName::from_static("server-timing");

pub(super) async fn finish(State(log): State<Log>, mut request: Request, next: Next) -> Response {
    let request_id = request_id(request.headers())
        .or_else(|| HeaderValue::try_from(log.new_request_id()).ok())
        .unwrap_or(HeaderValue::from_static("none"));
    let entry = log.begin(&mut request);
    let head = request.method() == Method::HEAD;
    let mut response = next.run(request).await;
    let problem = response.extensions_mut().remove::<Problem>();
    if let Some(problem) = &problem {
        let body = serde_json::to_vec(&problem.body(request_id.to_str().unwrap_or_default())).unwrap_or_default();
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        headers.insert(CONTENT_LENGTH, HeaderValue::from(body.len()));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        *response.body_mut() = if head { Body::empty() } else { Body::from(body) };
    }
    let timing = log.end(&entry, request_id.to_str().unwrap_or_default(), response.status(), problem.as_ref());
    if matches!(response.status(), StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED) {
        *response.body_mut() = Body::new(Nothing);
    }
    let length = http_body::Body::size_hint(response.body()).exact();
    let headers = response.headers_mut();
    if let (Some(length), false) = (length, headers.contains_key(CONTENT_LENGTH)) {
        // A chunked response costs tens of milliseconds with clients that keep connections alive.
        headers.insert(CONTENT_LENGTH, HeaderValue::from(length));
    }
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(X_REQUEST_ID, request_id);
    if let Some(timing) = timing {
        headers.insert(SERVER_TIMING, timing);
    }
    response
}

/// The body of a status that has neither a body nor Content-Length (RFC 9110, section 8.6). After all layers, the router sets
/// Content-Length from the size hint of the body; this one has none.
struct Nothing;

impl http_body::Body for Nothing {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Poll::Ready(None)
    }

    fn is_end_stream(&self) -> bool {
        true
    }
}

/// The client's own id, when it is harmless: 1 to 128 letters, digits and `-_.`.
fn request_id(headers: &HeaderMap) -> Option<HeaderValue> {
    let value = headers.get(X_REQUEST_ID)?;
    let harmless = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    ((1..=128).contains(&value.len()) && value.as_bytes().iter().all(harmless)).then(|| value.clone())
}
