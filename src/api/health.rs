//! Whether the component runs, and whether it can serve. No token needed, nothing internal told.

use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderValue};

use super::Observed;
use super::openapi::{Health, Unavailable};
use super::problem::Problem;
use crate::App;

/// The component runs
#[utoipa::path(
    get,
    path = "/health/live",
    tag = "service",
    responses((status = 200, description = "It runs.", body = Health, example = json!({"status": "live"}))),
)]
pub(super) async fn live() -> Response {
    healthy("live")
}

/// The service can serve
///
/// The database answers, and the schema is there.
#[utoipa::path(
    get,
    path = "/health/ready",
    tag = "service",
    responses(
        (status = 200, description = "It can serve.", body = Health, example = json!({"status": "ready"})),
        (status = 503, response = Unavailable),
    ),
)]
pub(super) async fn ready(
    State(app): State<Arc<App>>,
    Extension(observed): Extension<Arc<Observed>>,
) -> Result<Response, Problem> {
    app.data.ready(observed.as_ref()).await.map_err(Problem::not_ready)?;
    Ok(healthy("ready"))
}

fn healthy(status: &str) -> Response {
    let headers = [
        (CONTENT_TYPE, HeaderValue::from_static("application/json")),
        (CACHE_CONTROL, HeaderValue::from_static("no-store")),
    ];
    (headers, format!(r#"{{"status":"{status}"}}"#)).into_response()
}
