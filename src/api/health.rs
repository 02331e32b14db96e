//! Whether the component runs, and whether it can serve. No token needed, nothing internal told.

use std::sync::Arc;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderValue};

use super::problem::Problem;
use crate::App;

/// `GET /health/live`: the component runs.
pub(super) async fn live() -> Response {
    healthy("live")
}

/// `GET /health/ready`: the database answers, and the schema is there.
pub(super) async fn ready(State(app): State<Arc<App>>) -> Result<Response, Problem> {
    app.data.ready().await.map_err(|error| Problem::not_ready(error.to_string()))?;
    Ok(healthy("ready"))
}

fn healthy(status: &str) -> Response {
    let headers = [
        (CONTENT_TYPE, HeaderValue::from_static("application/json")),
        (CACHE_CONTROL, HeaderValue::from_static("no-store")),
    ];
    (headers, format!(r#"{{"status":"{status}"}}"#)).into_response()
}
