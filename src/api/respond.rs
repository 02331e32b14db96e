//! The last thing that happens to every response: its problem is written out, and it gets the headers that all have.

use axum::body::Body;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use http::header::{
    CACHE_CONTROL, CONTENT_LENGTH, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, X_CONTENT_TYPE_OPTIONS,
};
use http::{Method, StatusCode};

use super::problem::Problem;
use crate::Ambient;

/// Tells requests apart in logs and in questions.
pub(super) const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

pub(super) async fn finish(State(ambient): State<Ambient>, request: Request, next: Next) -> Response {
    let request_id = request_id(request.headers()).unwrap_or_else(|| {
        HeaderValue::try_from((ambient.new_id)().to_string()).unwrap_or(HeaderValue::from_static("none"))
    });
    let head = request.method() == Method::HEAD;
    let mut response = next.run(request).await;
    if let Some(problem) = response.extensions_mut().remove::<Problem>() {
        let request_id = request_id.to_str().unwrap_or_default();
        if let Some(cause) = &problem.cause {
            log(ambient, request_id, &problem, cause);
        }
        let body = serde_json::to_vec(&problem.body(request_id)).unwrap_or_default();
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        headers.insert(CONTENT_LENGTH, HeaderValue::from(body.len()));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        *response.body_mut() = if head { Body::empty() } else { Body::from(body) };
    }
    let length = http_body::Body::size_hint(response.body()).exact();
    let bodiless = matches!(response.status(), StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED);
    let headers = response.headers_mut();
    if let (Some(length), false) = (length, bodiless || headers.contains_key(CONTENT_LENGTH)) {
        // A chunked response costs tens of milliseconds with clients that keep connections alive.
        headers.insert(CONTENT_LENGTH, HeaderValue::from(length));
    }
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(X_REQUEST_ID, request_id);
    response
}

/// The client's own id, when it is harmless: 1 to 128 letters, digits and `-_.`.
fn request_id(headers: &HeaderMap) -> Option<HeaderValue> {
    let value = headers.get(X_REQUEST_ID)?;
    let harmless = |octet: &u8| octet.is_ascii_alphanumeric() || matches!(octet, b'-' | b'_' | b'.');
    ((1..=128).contains(&value.len()) && value.as_bytes().iter().all(harmless)).then(|| value.clone())
}

fn log(ambient: Ambient, request_id: &str, problem: &Problem, cause: &str) {
    let line = serde_json::json!({
        "level": if problem.status == StatusCode::INTERNAL_SERVER_ERROR { "error" } else { "warn" },
        "request_id": request_id,
        "status": problem.status.as_u16(),
        "code": problem.code,
        "cause": cause,
    });
    (ambient.log)(&line.to_string());
}
