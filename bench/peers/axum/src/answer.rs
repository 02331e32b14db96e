//! Answers: JSON with an entity tag, 304, and refusals.

use axum::Json;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

/// Why there is no answer of 200.
pub enum Refusal {
    Status(StatusCode),
    Database(String),
}

impl From<tokio_postgres::Error> for Refusal {
    fn from(error: tokio_postgres::Error) -> Self {
        // The driver's own words leave out what PostgreSQL said.
        Self::Database(error.as_db_error().map_or_else(|| error.to_string(), ToString::to_string))
    }
}

impl From<deadpool_postgres::PoolError> for Refusal {
    fn from(error: deadpool_postgres::PoolError) -> Self {
        Self::Database(error.to_string())
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        match self {
            Self::Status(status @ StatusCode::UNAUTHORIZED) => {
                (status, [(header::WWW_AUTHENTICATE, "Bearer")]).into_response()
            }
            Self::Status(status) => status.into_response(),
            Self::Database(error) => {
                eprintln!("{error}");
                StatusCode::INTERNAL_SERVER_ERROR.into_response()
            }
        }
    }
}

/// The entity tag of a number.
pub fn tag(number: i64) -> String {
    format!("\"{number}\"")
}

/// Whether the client has this state. `If-None-Match` may name several (RFC 9110, section 13.1.2).
pub fn is_known(headers: &HeaderMap, tag: &str) -> bool {
    let named = headers.get(header::IF_NONE_MATCH).and_then(|value| value.to_str().ok());
    named.is_some_and(|named| named.split(',').any(|one| one.trim() == tag))
}

pub fn not_modified(tag: String) -> Response {
    (StatusCode::NOT_MODIFIED, [(header::ETAG, tag)]).into_response()
}

pub fn tagged(status: StatusCode, tag: String, body: &impl Serialize) -> Response {
    (status, [(header::ETAG, tag), (header::CACHE_CONTROL, "private, no-cache".to_owned())], Json(body)).into_response()
}
