//! The last thing that happens to every response: its problem is written out, and it gets the headers that all have.

use axum::body::Body;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use http::header::{
    CACHE_CONTROL, CONTENT_LENGTH, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, X_CONTENT_TYPE_OPTIONS,
};
use http::{Method, StatusCode};

use super::log::Log;
use super::problem::Problem;

/// Tells requests apart in logs and in questions.
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
    let length = http_body::Body::size_hint(response.body()).exact();
    let bodiless = matches!(response.status(), StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED);
    let headers = response.headers_mut();
    if let (Some(length), false) = (length, bodiless || headers.contains_key(CONTENT_LENGTH)) {
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

/// The client's own id, when it is harmless: 1 to 128 letters, digits and `-_.`.
fn request_id(headers: &HeaderMap) -> Option<HeaderValue> {
    let value = headers.get(X_REQUEST_ID)?;
    let harmless = |octet: &u8| octet.is_ascii_alphanumeric() || matches!(octet, b'-' | b'_' | b'.');
    ((1..=128).contains(&value.len()) && value.as_bytes().iter().all(harmless)).then(|| value.clone())
}
