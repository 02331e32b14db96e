//! Whether the component runs, and whether it can serve. Both need no token and tell nothing internal.

use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderValue};
use serde_json::json;
use utoipa::ToSchema;

use super::Observed;
use super::answer::Answer;
use super::code::Code;
use super::openapi::{Describe, Operation};
use super::problem::Problem;
use crate::App;

/// The state of the service.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes JSON that is written by hand")]
struct Health {
    /// `live` or `ready`.
    #[schema(example = "ready")]
    status: String,
}

/// The answer of [`live`].
pub(super) struct Live;
/// The answer of [`ready`].
pub(super) struct Ready;

impl Describe for Live {
    fn describe(operation: &mut Operation) {
        describe(operation, "It runs.", "live");
    }
}

impl Describe for Ready {
    fn describe(operation: &mut Operation) {
        describe(operation, "It can serve.", "ready");
        operation.refuses(&[Code::Unavailable]);
    }
}

fn describe(operation: &mut Operation, description: &str, status: &str) {
    let health = operation.refer_to::<Health>();
    operation.answers_json(StatusCode::OK, description, &[], health);
    operation.example(StatusCode::OK, json!({"status": status}));
}

pub(super) async fn live() -> Answer<Live> {
    healthy("live").into()
}

pub(super) async fn ready(
    State(app): State<Arc<App>>,
    Extension(observed): Extension<Arc<Observed>>,
) -> Result<Answer<Ready>, Problem> {
    app.data.ready(observed.as_ref()).await.map_err(Problem::not_ready)?;
    Ok(healthy("ready").into())
}

fn healthy(status: &str) -> Response {
    let headers = [
        (CONTENT_TYPE, HeaderValue::from_static("application/json")),
        (CACHE_CONTROL, HeaderValue::from_static("no-store")),
    ];
    (headers, format!(r#"{{"status":"{status}"}}"#)).into_response()
}
