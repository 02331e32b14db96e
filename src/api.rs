//! HTTP: routes, what a request must look like, and how every answer is written.

mod body;
mod caller;
mod conditional;
mod cors;
mod health;
mod idempotency;
mod log;
mod metadata;
mod negotiation;
pub mod openapi;
mod problem;
mod query;
mod respond;
mod tasks;

use std::sync::Arc;

use axum::Router;
use axum::extract::{MatchedPath, Request};
use axum::middleware::from_fn_with_state;
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, get, patch};
use http::{Method, StatusCode};

pub use cors::Cors;
pub(crate) use log::{Log, Observed};
pub use problem::ProblemBody;
pub use tasks::TaskList;

use crate::{Ambient, App, ConfigError};
use problem::Problem;

/// A path of the API, with its methods.
pub struct Route {
    /// The path template.
    pub path: &'static str,
    /// The methods that it answers, HEAD and OPTIONS aside.
    pub methods: &'static [&'static str],
    /// Whether it answers without a token.
    pub public: bool,
    handlers: fn() -> MethodRouter<Arc<App>>,
}

/// Every route there is, but for a second place of the metadata (`BEFORE_PATH` in `api/metadata.rs`). The router is made from this table, and
/// the tests of access read it.
pub const ROUTES: &[Route] = &[
    Route {
        path: "/api/{user_id}/tasks",
        methods: &["GET", "POST"],
        public: false,
        handlers: || get(tasks::list_tasks).post(tasks::create_task),
    },
    Route {
        path: "/api/{user_id}/tasks/{id}",
        methods: &["GET", "PUT", "PATCH", "DELETE"],
        public: false,
        handlers: || get(tasks::get_task).put(tasks::replace_task).patch(tasks::patch_task).delete(tasks::delete_task),
    },
    Route {
        path: "/api/{user_id}/tasks/{id}/complete",
        methods: &["PATCH"],
        public: false,
        handlers: || patch(tasks::complete_task),
    },
    Route { path: "/health/live", methods: &["GET"], public: true, handlers: || get(health::live) },
    Route { path: "/health/ready", methods: &["GET"], public: true, handlers: || get(health::ready) },
    Route { path: "/openapi.json", methods: &["GET"], public: true, handlers: || get(openapi::get_openapi) },
    Route { path: metadata::PATH, methods: &["GET"], public: true, handlers: || get(metadata::get_resource_metadata) },
];

/// The API as one service.
pub fn router(app: Arc<App>) -> Router {
    ROUTES
        .iter()
        .fold(Router::new(), |router, route| router.route(route.path, (route.handlers)()))
        .route(metadata::BEFORE_PATH, get(metadata::get_metadata_before_path))
        .fallback(|| async { Problem::no_route() })
        .method_not_allowed_fallback(method_not_allowed)
        .layer(from_fn_with_state(Arc::clone(&app), cors::allow))
        .layer(from_fn_with_state(app.log.clone(), respond::finish))
        .with_state(app)
}

/// OPTIONS is answered for every path; axum adds `Allow` to this answer as to the refusal.
async fn method_not_allowed(request: Request) -> Response {
    if *request.method() != Method::OPTIONS {
        return Problem::method_not_allowed().into_response();
    }
    let mut response = StatusCode::NO_CONTENT.into_response();
    let path = request.extensions().get::<MatchedPath>().map(MatchedPath::as_str);
    if ROUTES.iter().any(|route| Some(route.path) == path && route.methods.contains(&"PATCH")) {
        response.headers_mut().insert(body::ACCEPT_PATCH, body::PATCH_TYPES);
    }
    response
}

/// What answers in the place of the API when the configuration is not one to serve with: 503, and never an open door.
/// The reason goes to the log alone.
pub fn refusing_router(error: &ConfigError, ambient: Ambient) -> Router {
    ambient.report("error", "refusing to serve", &error.to_string());
    Router::new()
        .route("/health/live", get(health::live))
        .fallback(|| async { Problem::unready("the configuration is refused; an earlier line says why".to_owned()) })
        .layer(from_fn_with_state(Log::of_failures(ambient), respond::finish))
}

/// What answers a request whose body is longer than its runtime can count, as the SDK of Spin cannot count 2^63 bytes.
pub fn too_large_router(ambient: Ambient) -> Router {
    Router::new()
        .fallback(|| async { Problem::too_large(body::LONGEST) })
        .layer(from_fn_with_state(Log::of_failures(ambient), respond::finish))
}
